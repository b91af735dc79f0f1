"""Benchmarks are no tests, but they must run: each module is imported, and the profile taken of a small load."""

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


def test_the_profile_of_a_small_load_names_the_normalizer() -> None:
    command = [sys.executable, "-m", "benchmarks.profile_ingest", "--spans", "512", "--rows", "60"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "normalize.py" in ended.stdout
