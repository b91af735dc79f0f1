"""Break each row of the table of conventions, and the rule that counts each call once, and see that a test notices.

`make mutations`. Rows are broken in this process and held against the examples that the list of names gives; the rule is broken in
copies of the package, against its own tests. Prints each mutation that nothing noticed, and fails where one is not accepted below.
"""

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, get_args

from examples_of_rows import EXAMPLES
from mutations_of_calls import CALLS, TESTS, Patch
from sessiond.core import conventions
from sessiond.core.conventions import TABLE, CacheShare, Meaning, Row, Unit

ROOT = Path(__file__).parent.parent
PATCH_SECONDS_MAX = 120
"""A broken rule may loop; its tests take some 2 s."""
REBUILT = ("provider", "reading", "elsewhere", "labels", "sources", "normalize")
"""Modules of the core that prepare the table when they are imported, in the order in which they need each other."""

ACCEPTED: Mapping[str, str] = {
    "operation: span name swapped with span name": "a span has one scope and one name, so no two of these rows fit one",
    "provider: gen_ai.request.provider swapped with span name": "the span's name is asked only where no key gave a provider",
    "provider: span name swapped with request_model": "models are asked only where neither a key nor the span's name gave one",
    "first_token: llm.latency.time_to_first_token swapped with event First Token Stream Event": "events are asked after all keys",
    "tool: traceloop.entity.name without its condition": "a tool's name is looked for on tools only, which is what it asks for",
}
"""What can't be noticed, since it changes nothing, and why."""


class Mutation(NamedTuple):
    """The rows of one meaning, one of them broken."""

    name: str
    meaning: Meaning
    rows: tuple[Row, ...]


def mutations() -> Iterator[Mutation]:
    for meaning, rows in TABLE.items():
        for i, row in enumerate(rows):
            said = f"{meaning}: {row.label}"
            yield Mutation(f"{said} removed", meaning, rows[:i] + rows[i + 1 :])
            if i + 1 < len(rows):
                swapped = (*rows[:i], rows[i + 1], row, *rows[i + 2 :])
                yield Mutation(f"{said} swapped with {rows[i + 1].label}", meaning, swapped)
            for how, broken in changes(meaning, row):
                yield Mutation(f"{said} {how}", meaning, (*rows[:i], broken, *rows[i + 1 :]))


def changes(meaning: Meaning, row: Row) -> Iterator[tuple[str, Row]]:
    yield from _changed_places(row)
    yield from _changed_values(meaning, row)


def _changed_places(row: Row) -> Iterator[tuple[str, Row]]:
    if row.place not in ("span", "meaning"):
        yield "renamed", row._replace(key=f"y{row.key}")
    if row.path:
        yield "with another path", row._replace(path=f"{row.path}y")
    if row.when is not None:
        yield "without its condition", row._replace(when=None)
    if row.pattern:
        yield "without its pattern", row._replace(pattern="")
    if row.at_least:
        yield "one higher", row._replace(at_least=row.at_least + 1)
        yield "one lower", row._replace(at_least=row.at_least - 1)


def _changed_values(meaning: Meaning, row: Row) -> Iterator[tuple[str, Row]]:
    if row.values is not None and any(value.isupper() for value in row.values):  # else upper case is none of its values
        yield "in the other case", row._replace(upper=not row.upper)
    if row.value is not None and meaning != "span_type":
        yield "with another value", row._replace(value="outside" if meaning == "cache_share" else "memory")
    if meaning == "tags" and row.place != "prefix":
        yield "with or without commas", row._replace(commas=not row.commas)
    if meaning == "input_tokens":
        yield from ((f"with its cache {other}", row._replace(cache=other)) for other in get_args(CacheShare) if other != row.cache)
    if row.unit is not None:
        yield from ((f"in {other}", row._replace(unit=other)) for other in get_args(Unit) if other != row.unit)
    for value, meant in (row.values or {}).items():
        rest = {each: what for each, what in (row.values or {}).items() if each != value}
        yield f"not knowing {value}", row._replace(values=rest)
        if meaning == "operation":
            yield (
                f"with {value} meaning something else",
                row._replace(values={**rest, value: "chain" if meant == "other" else "other"}),
            )


def noticed(meaning: Meaning) -> bool:
    """Whether an example fails, once everything made of the table is made again."""
    try:
        for name in REBUILT:
            importlib.reload(sys.modules[f"sessiond.core.{name}"])
        normalizer = sys.modules["sessiond.core.spans.normalize"].Normalizer()
        for example in sorted(EXAMPLES, key=lambda one: one.meaning != meaning):
            example.holds(normalizer)
    except (AssertionError, KeyError, IndexError):
        return True
    return False


def unnoticed_rows() -> Iterator[str | None]:
    """The name of each mutation that no example notices, None for the others."""
    table: dict[Meaning, tuple[Row, ...]] = TABLE  # type: ignore[assignment]
    for mutation in list(mutations()):
        right = table[mutation.meaning]
        table[mutation.meaning] = mutation.rows
        yield None if noticed(mutation.meaning) else mutation.name
        table[mutation.meaning] = right


def unnoticed_names() -> Iterator[str | None]:
    """The same of the names of providers."""
    aliases, frameworks, suffix = conventions.PROVIDER_ALIASES, conventions.FRAMEWORKS, conventions.PROVIDER_SUFFIX
    apis = suffix.removeprefix(r"\.(").removesuffix(")$").split("|")
    broken: list[tuple[str, dict[str, Any]]] = [
        *((f"spelling {one}", {"PROVIDER_ALIASES": {**aliases, one: "?"}}) for one in aliases),
        *((f"framework {one}", {"FRAMEWORKS": frameworks - {one}}) for one in frameworks),
        *((f"API {one}", {"PROVIDER_SUFFIX": suffix.replace(f"({one}|", "(").replace(f"|{one}", "", 1)}) for one in apis),
    ]
    for name, values in broken:
        right = {each: getattr(conventions, each) for each in values}
        vars(conventions).update(values)
        yield None if noticed("provider") else f"provider: {name}"
        vars(conventions).update(right)


def unnoticed_patch(patch: Patch) -> str | None:
    """The patch's name where the tests of the rule pass with it."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "sessiond"
        shutil.copytree(ROOT / "src/sessiond", package, ignore=shutil.ignore_patterns("__pycache__"))
        source = package / "core/figures/calls.py"
        text = source.read_text()
        if text.count(patch.old) != 1:
            return f"calls: {patch.name}: the source has changed, mend the patch"
        source.write_text(text.replace(patch.old, patch.new))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS]
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=PATCH_SECONDS_MAX, check=False)
        except subprocess.TimeoutExpired:
            return None
        return None if ran.returncode == 1 else f"calls: {patch.name} (pytest returned {ran.returncode})"


def main() -> int:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        patched = list(pool.map(unnoticed_patch, CALLS))
    results = [*unnoticed_rows(), *unnoticed_names(), *patched]
    survivors = [name for name in results if name is not None]
    for name in survivors:
        print(f"accepted  {name}: {ACCEPTED[name]}" if name in ACCEPTED else f"SURVIVED  {name}")
    unknown = [name for name in survivors if name not in ACCEPTED]
    print(f"{len(results)} mutations, {len(results) - len(survivors)} noticed, {len(unknown)} survived")
    return bool(unknown)


if __name__ == "__main__":
    sys.exit(main())
