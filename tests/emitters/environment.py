"""An emitter's own environment: its pinned packages, installed once for each state of the file that pins them.

They are kept under .venv/emitters, so that `make clean` removes them. Processes that want the same one wait for each other.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ENVIRONMENTS: Final = Path(__file__).parents[2] / ".venv" / "emitters"
INSTALL_SECONDS_MAX: Final = 240.0
"""Ten times what the largest takes on two busy cores."""
REASON_MAX: Final = 300
COMPLETE: Final = ".complete"
# Without a network a dozen emitters should be skipped in seconds: both programs try for half a minute unless told otherwise.
PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "1")
NPM: Final = ("npm", "--fetch-retries", "1", "--fetch-retry-mintimeout", "1000", "--no-audit", "--no-fund")


class NotInstalled(Exception):
    """The packages are not to be had here; the message says why."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold `file` alone, among processes too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def script_command(folder: Path) -> list[str | Path]:
    """The command that runs an emitter's script, its environment made where it is not yet. Raises NotInstalled."""
    pins, install = (
        (["package.json", "package-lock.json"], _install_node)
        if (folder / "package.json").exists()
        else (["requirements.txt"], _install_python)
    )
    state = [*((folder / name).read_bytes() for name in pins), sys.version.encode()]
    environment = ENVIRONMENTS / f"{folder.name}-{hashlib.sha256(b''.join(state)).hexdigest()[:12]}"
    with locked(ENVIRONMENTS / f"{folder.name}.lock"):
        if not (environment / COMPLETE).exists():
            for old in ENVIRONMENTS.glob(f"{folder.name}-????????????"):
                shutil.rmtree(old)
            install(folder, environment)
            (environment / COMPLETE).touch()
    if install is _install_python:
        return [environment / "bin" / "python", folder / "emit.py"]
    # Node looks for packages beside the script.
    return ["node", shutil.copy(folder / "emit.mjs", environment)]


def _install_python(folder: Path, environment: Path) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    # The file names all there is to install. Most modules are never imported, so compiling them all would be a waste.
    install = ("install", "--quiet", "--no-deps", "--no-compile", "-r", folder / "requirements.txt")
    _run(*PIP, "--python", python, *install)


def _install_node(folder: Path, environment: Path) -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotInstalled("node and npm are not on this machine")
    environment.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, environment)
    _run(*NPM, "ci", "--ignore-scripts", "--prefix", environment)


def _run(*command: str | Path) -> None:
    try:
        ended = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired as expired:
        raise NotInstalled(f"not installed after {INSTALL_SECONDS_MAX:.0f} s: {command[0]}") from expired
    if ended.returncode:
        lines = (ended.stderr or ended.stdout).splitlines()
        reason = next((line for line in lines if "error" in line.lower()), f"exit code {ended.returncode}")
        raise NotInstalled(f"not installed: {reason.strip()[:REASON_MAX]}")
