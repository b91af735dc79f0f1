"""The generated code is what the .proto files generate, and runs with whatever pyproject.toml allows."""

import re
import runpy
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).parents[2]
COMMITTED = REPOSITORY / "src" / "sessiond" / "wire" / "_pb"


def sources(package: Path) -> dict[str, str]:
    return {str(path.relative_to(package)): path.read_text() for path in sorted(package.rglob("*.py*")) if path.suffix != ".pyc"}


def test_generated_code_is_not_stale(tmp_path: Path):
    runpy.run_path(str(REPOSITORY / "proto" / "generate.py"))["generate"](tmp_path / "_pb")
    generated, committed = sources(tmp_path / "_pb"), sources(COMMITTED)
    assert sorted(generated) == sorted(committed)
    assert [name for name in generated if generated[name] != committed[name]] == []


def versions_asked_for() -> dict[str, set[str]]:
    """Package -> the versions of it that generated code refuses to run below."""
    code = "\n".join(sources(COMMITTED).values())
    protobuf = re.findall(r"ValidateProtobufRuntimeVersion\(\s*[\w.]+,\s*(\d+),\s*(\d+),\s*(\d+)", code)
    grpcio = re.findall(r"GRPC_GENERATED_VERSION = '([\d.]+)'", code)
    return {"protobuf": {".".join(version) for version in protobuf}, "grpcio": set(grpcio)}


def test_no_version_is_allowed_that_generated_code_refuses():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    allowed = {requirement.name: requirement.specifier for requirement in map(Requirement, project["dependencies"])}
    for package, asked_for in versions_asked_for().items():
        assert asked_for, package
        lowest = min(Version(bound.version) for bound in allowed[package] if bound.operator == ">=")
        assert lowest >= max(map(Version, asked_for)), f"{package} {lowest} is allowed"
