"""The house as ARCHITECTURE.md draws it, read off the imports: arrows point down, and each floor knows only what it may."""

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
PACKAGE = SOURCE / "sessiond"

FLOORS = {
    "core": 0,
    "capture": 0,
    "telemetry": 1,
    "prices": 1,
    "wire": 1,
    "storage": 1,
    "search": 1,
    "service": 2,
    "client": 2,
    "files": 2,
    "server": 3,
    "config": 4,
    "parts": 4,
    "app": 4,
    "indexer": 4,
    "cli": 4,
    "__main__": 4,
    "__init__": 4,
}
TOP_FLOOR = 4

PURE = {
    "array", "ast", "bisect", "calendar", "collections", "collections.abc", "dataclasses", "decimal", "difflib", "enum",
    "functools", "graphlib", "hashlib", "heapq", "itertools", "json", "math", "msgspec", "operator", "re", "typing", "unicodedata",
    "zlib",
}  # fmt: skip
"""All that the core may import: nothing that reads a clock, a file, the environment or the network, or writes a log."""


def modules() -> dict[str, Path]:
    """Module name -> file, generated code left out."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if "_pb" not in path.parts:
            name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(path: Path) -> set[str]:
    """The modules that a file imports, those inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in inner}
    return found


def part(module: str) -> str:
    """The room on a floor that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def own(names: set[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] == "sessiond"}


def outside(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names - own(names)}


IMPORTS = {name: imports(path) for name, path in MODULES.items()}


def test_every_module_stands_on_a_floor() -> None:
    assert {part(module) for module in MODULES} <= FLOORS.keys()


@pytest.mark.parametrize("module", MODULES)
def test_arrows_point_down(module: str) -> None:
    room = part(module)
    upward = {
        name
        for name in own(IMPORTS[module])
        if part(name) != room and FLOORS[part(name)] >= FLOORS[room] and FLOORS[room] != TOP_FLOOR
    }
    assert upward == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: {name for name in own(names) if name in MODULES and name != module} for module, names in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", [name for name in MODULES if part(name) == "core"])
def test_the_core_does_no_io(module: str) -> None:
    assert {name for name in IMPORTS[module] if name not in own(IMPORTS[module])} <= PURE


@pytest.mark.parametrize("module", [name for name in MODULES if part(name) in ("service", "storage")])
def test_use_cases_and_contract_know_no_grpc(module: str) -> None:
    assert outside(IMPORTS[module]) & {"grpc", "grpc_status", "grpc_health"} == set()


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("sessiond.storage.lmdb")])
def test_only_the_engine_knows_lmdb(module: str) -> None:
    """The composition root and who starts it, and the commands that work on a stopped store; nothing else speaks to LMDB."""
    knows = "lmdb" in outside(IMPORTS[module]) or any(name.startswith("sessiond.storage.lmdb") for name in own(IMPORTS[module]))
    assert not knows or module in ("sessiond.app", "sessiond.parts", "sessiond.indexer", "sessiond.cli.offline")


def test_only_the_indexers_process_knows_tantivy() -> None:
    """It takes memory that the daemon can do without: nothing that the daemon imports, imports it."""
    knowing = {name for name in MODULES if "tantivy" in outside(IMPORTS[name])}
    assert {part(name) for name in knowing} == {"search"}
    reached: set[str] = set()
    left = ["sessiond.app"]
    while left:
        reached.add(name := left.pop())
        left += (IMPORTS[name] & MODULES.keys()) - reached
    assert reached & knowing == set()


def test_only_the_edges_know_status_codes() -> None:
    knowing = {name for name, path in MODULES.items() if "StatusCode" in path.read_text() or "RpcCode" in path.read_text()}
    # A capture's is OpenTelemetry's, the status of a span.
    assert {name for name in knowing if part(name) not in ("client", "capture")} <= {"sessiond.server.status"}


def test_the_client_needs_nothing_of_the_daemon() -> None:
    needed = {part(name) for module, names in IMPORTS.items() if part(module) == "client" for name in own(names)}
    assert needed <= {"client", "core", "wire"}
    wire = {name for module, names in IMPORTS.items() if part(module) == "client" for name in names if "sessiond.wire" in name}
    # The spans of a batch that is refused are counted as a daemon counts them, without protobuf.
    assert {name for name in wire if not name.startswith("sessiond.wire._pb")} <= {"sessiond.wire.span_batches"}


def test_capture_stands_apart() -> None:
    """Applications import it: it needs nothing of the daemon, and the daemon nothing of it."""
    across = {(module, name) for module, names in IMPORTS.items() for name in own(names) if "capture" in (part(module), part(name))}
    assert {(module, name) for module, name in across if part(module) != part(name)} == set()
    used = {name for module in IMPORTS if part(module) == "capture" for name in outside(IMPORTS[module])}
    assert used - set(sys.stdlib_module_names) == {"opentelemetry"}


def test_commands_are_clients_but_for_those_that_hold_the_store() -> None:
    commands = {name for name in MODULES if part(name) == "cli"} - {"sessiond.cli.serve", "sessiond.cli.offline"}
    needed = {part(name) for module in commands for name in own(IMPORTS[module])}
    assert needed <= {"cli", "client", "files", "core", "config"}


def test_everything_imported_is_declared() -> None:
    declared = (SOURCE.parent / "pyproject.toml").read_text()
    distributions = {
        "grpc": "grpcio",
        "grpc_status": "grpcio-status",
        "grpc_health": "grpcio-health-checking",
        "grpc_reflection": "grpcio-reflection",
        "yaml": "pyyaml",
        "genai_prices": "genai-prices",
        "google": "protobuf",
        "opentelemetry": "opentelemetry-proto",
    }
    used = {name for names in IMPORTS.values() for name in outside(names)} - set(sys.stdlib_module_names)
    assert {name for name in used if f'"{distributions.get(name, name)}>=' not in declared} == set()
