"""Generate src/sessiond/wire/_pb from the .proto files: `make proto` runs it, a test compares its output with what is committed.

OTLP's own messages come from the installed opentelemetry-proto package, as descriptors: this repository holds no copy of them.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

PROTO = Path(__file__).parent
PACKAGE = PROTO.parent / "src" / "sessiond" / "wire" / "_pb"
SERVICES = ("session_service", "feedback_service", "transfer_service", "admin_service")


def generate(out: Path) -> None:
    """Write the generated package to the folder `out`, which is replaced."""
    shutil.rmtree(out, ignore_errors=True)
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        imported = work / "imported.binpb"
        imported.write_bytes(_imported_descriptors())
        protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={imported}", f"-I{PROTO}"]
        subprocess.run([*protoc, f"--python_out={work}", f"--pyi_out={work}", *sources], check=True)
        with_services = [source for source in sources if Path(source).stem in SERVICES]
        subprocess.run([*protoc, f"--grpc_python_out={work}", *with_services], check=True)
        for path in sorted((work / "sessiond").rglob("*.py*")):
            target = out / path.relative_to(work / "sessiond")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_imports_moved(path.read_text()))
    for package in (out, *(path for path in out.iterdir() if path.is_dir())):
        (package / "__init__.py").write_text('"""Generated from proto/ by `make proto`."""\n')


def _imported_descriptors() -> bytes:
    descriptors = FileDescriptorSet()
    for module in (timestamp_pb2, common_pb2, resource_pb2, trace_pb2):
        module.DESCRIPTOR.CopyToProto(descriptors.file.add())
    return descriptors.SerializeToString()


def _imports_moved(text: str) -> str:
    """Protoc imports modules by the path of their .proto, which is not where they live in the package."""
    return text.replace("from sessiond.v1 import", "from sessiond.wire._pb.v1 import")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE)
