"""Benchmarks are no tests, but they must run: each is imported, a small load profiled, a small store asked every question."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("module", sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "__init__"))
def test_a_benchmark_can_be_imported(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    assert importlib.import_module(f"benchmarks.{module}").__doc__


def run(module: str, *arguments: str) -> str:
    """What a benchmark prints."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_profile_of_a_small_load_names_the_normalizer() -> None:
    assert "normalize.py" in run("profile_ingest", "--spans", "512", "--rows", "60")


@pytest.mark.torture
def test_every_question_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    asked = importlib.import_module("benchmarks.questions").questions(session_count=32)
    printed = run("queries", "--sessions", "30", "--rounds", "1", "--data-dir", str(tmp_path / "store"))
    for question in asked:
        (row,) = (line for line in printed.splitlines() if line.startswith(f"{question.name} "))
        cells = row.removeprefix(question.name).split()
        assert (cells[1], float(cells[2].replace(",", "")) > 0) == ("1", True), row


def test_what_is_measured_may_keep_its_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    processes = importlib.import_module("benchmarks.processes")
    (tmp_path / "says.py").write_text("import sys; print(sys.dont_write_bytecode)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    with processes.Process(tmp_path, "says") as process:
        process.wait(60)
    assert process.out.read_text() == "False\n"
