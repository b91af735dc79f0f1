"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("grpcio", "protobuf", "lmdb", "zstandard", "msgpack", "msgspec")


def describe(directory: Path) -> str:
    """Cores, Python, packages, and the kind of file system that `directory` is on: on a tmpfs a flush costs nothing."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{len(os.sched_getaffinity(0))} cores ({_processor()}), {platform.system()} {platform.release()}, "
        f"{_file_system(directory)}\n{platform.python_implementation()} {platform.python_version()}, {packages}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(directory: Path) -> str:
    """The type of the mount with the longest path that holds the directory."""
    resolved = directory.resolve()
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    holding = [(mount[1], mount[2]) for mount in mounts if resolved.is_relative_to(mount[1])]
    return max(holding, key=lambda mount: len(mount[0]))[1]
