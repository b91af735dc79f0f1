"""The generated code is what the .proto files generate."""

import runpy
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
COMMITTED = REPOSITORY / "src" / "sessiond" / "wire" / "_pb"


def sources(package: Path) -> dict[str, str]:
    return {str(path.relative_to(package)): path.read_text() for path in sorted(package.rglob("*.py*")) if path.suffix != ".pyc"}


def test_generated_code_is_not_stale(tmp_path: Path):
    runpy.run_path(str(REPOSITORY / "proto" / "generate.py"))["generate"](tmp_path / "_pb")
    generated, committed = sources(tmp_path / "_pb"), sources(COMMITTED)
    assert sorted(generated) == sorted(committed)
    assert [name for name in generated if generated[name] != committed[name]] == []
