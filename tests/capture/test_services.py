"""Applications as processes of their own, and the real daemon: what capture stamps comes out as sessions."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daemon import DEADLINE_SECONDS, Daemon
from sessiond.capture.said import TEXT_LENGTH_MAX
from sessiond.capture.stamp import METADATA_LENGTH_MAX, TAGS_MAX

ROOT = Path(__file__).parents[2]
ALICE = "alice@example.com"
SESSION = "Zoë's, 50% off; a=b"


@pytest.fixture
def daemon(tmp_path: Path) -> Any:
    with Daemon.start(tmp_path) as found:
        yield found


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        command, env={**inherited, **environment}, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )


def ran(script: str, *arguments: str) -> str:
    done = run(script, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_docs_tell_the_bounds():
    page = (ROOT / "docs/capture.md").read_text()
    bounds = {f"longer than {TEXT_LENGTH_MAX:,} ch", f"after the {TAGS_MAX}th", f"more than {METADATA_LENGTH_MAX:,} ch"}
    assert {bound for bound in bounds if bound not in page} == set()


def test_the_examples_of_the_docs_come_out_as_they_say(daemon: Daemon):
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/capture.md").read_text(), re.MULTILINE | re.DOTALL)
    last = next(number for number, block in enumerate(blocks) if "shutdown" in block)
    script = "\n".join([*blocks[:last], *blocks[last + 1 :], blocks[last]])
    assert "http://127.0.0.1:4317" in script
    ran(script.replace("127.0.0.1:4317", daemon.otlp_grpc))
    with daemon.asker() as asker:
        told = {row.session_id: row for row in asker.sessions()}
        assert {name: (row.user_id, row.trace_count, row.span_count) for name, row in told.items()} == {
            "block-1": (ALICE, 1, 1),
            "block-2": (ALICE, 1, 1),
            "decorated": ("", 1, 1),
            "called": (ALICE, 1, 2),
            "nested": (ALICE, 1, 2),
            "streamed": ("", 1, 3),
            "threads": (ALICE, 1, 2),
            "services": (ALICE, 1, 2),
            "plain": (ALICE, 1, 1),
        }
        assert {tuple(row.services) for row in told.values()} == {("shop",)}
        assert (list(told["nested"].tags), dict(told["nested"].metadata)) == (["a", "b"], {"plan": "free", "region": "eu"})


SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from opentelemetry import context, propagate, trace
from sessiond.capture import instrument

export = instrument(sys.argv[1], service_name="stock")

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        token = context.attach(propagate.extract({name.lower(): value for name, value in self.headers.items()}))
        with trace.get_tracer("stock").start_as_current_span("look up"):
            pass
        context.detach(token)
        export.flush()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.handle_request()
"""

CALLER = """
import sys
from urllib.request import Request, urlopen
from opentelemetry import propagate
from sessiond.capture import capture, instrument

instrument(sys.argv[1], service_name="shop")
with capture("turn", session_id=sys.argv[3], user_id="alice@example.com", tags=["here"]):
    headers = {}
    propagate.inject(headers)
    urlopen(Request(sys.argv[2], headers=headers), timeout=10).read()
"""


def test_a_service_that_is_called_stamps_its_spans_with_the_ids_of_its_caller(daemon: Daemon):
    command = [sys.executable, "-c", SERVER, daemon.otlp_grpc]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        ran(CALLER, daemon.otlp_grpc, f"http://127.0.0.1:{server.stdout.readline().strip()}", SESSION)
        assert server.wait(DEADLINE_SECONDS) == 0
    with daemon.asker() as asker:
        session, [trace] = asker.session(SESSION)
        assert (session.user_id, session.span_count, sorted(session.services)) == (ALICE, 2, ["shop", "stock"])
        sent = [message.traces_data for message in asker.trace(bytes.fromhex(trace.trace_id))]
    spans = [one for data in sent for resource in data.resource_spans for scope in resource.scope_spans for one in scope.spans]
    attributes = {one.name: {pair.key: pair.value.string_value for pair in one.attributes} for one in spans}
    ids = {"session.id": SESSION, "user.id": ALICE}
    assert attributes == {"turn": {**ids, "tag.tags": ""}, "look up": ids}


# -- instrument ----------------------------------------------------------------------------------------------------------------

EXISTING = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sessiond.capture import capture, instrument

own, provider = InMemorySpanExporter(), TracerProvider(resource=Resource.create({"service.name": "mine"}))
provider.add_span_processor(SimpleSpanProcessor(own))
trace.set_tracer_provider(provider)
export = instrument(sys.argv[1], service_name="other")
assert export.provider is provider
assert instrument(sys.argv[1]) is export
with capture("turn", session_id="s"):
    pass
export.shutdown()
assert instrument(sys.argv[1]) is export
with capture("later", session_id="t"):
    pass
assert [span.name for span in own.get_finished_spans()] == ["turn", "later"]
"""


def test_a_provider_that_is_set_stays_and_instrumenting_again_changes_nothing(daemon: Daemon):
    ran(EXISTING, daemon.otlp_grpc)
    with daemon.asker() as asker:
        told = [(row.session_id, row.span_count, list(row.services)) for row in asker.sessions()]
    assert told == [("s", 1, ["mine"])]


def test_spans_are_sent_at_the_end_of_the_process_to_a_url_too(daemon: Daemon):
    ran(
        "import sys; from sessiond.capture import *; instrument(sys.argv[1]); capture('turn', lambda: 1, session_id='s')",
        f"http://{daemon.otlp_grpc}",
    )
    with daemon.asker() as asker:
        assert [row.session_id for row in asker.sessions()] == ["s"]


ENDPOINTS = """
from sessiond.capture import instrument
export = instrument()
assert instrument() is export
print(export.endpoint)
assert instrument("127.0.0.1:2") is export
"""


@pytest.mark.parametrize(
    ("environment", "endpoint"),
    [
        ({}, "http://127.0.0.1:4317"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "x:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "127.0.0.1:3"}, "127.0.0.1:3"),
    ],
)
def test_the_endpoint_may_come_from_the_environment_and_another_is_warned_of(environment: dict[str, str], endpoint: str):
    done = run(ENDPOINTS, **environment)
    assert (done.returncode, done.stdout) == (0, f"{endpoint}\n")
    warned, *source_line = done.stderr.splitlines()  # Python 3.13 shows that of a `-c` program too
    assert warned == f"<string>:6: RuntimeWarning: spans go to {endpoint} already, and not to 127.0.0.1:2"
    assert source_line in ([], ['  assert instrument("127.0.0.1:2") is export'])


def test_a_daemon_that_is_away_costs_an_application_its_spans_and_nothing_else():
    done = run(
        "from sessiond.capture import *; instrument('127.0.0.1:1'); print(capture('turn', lambda: 7, session_id='s'))",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )
    assert (done.returncode, done.stdout) == (0, "7\n")
    assert "Failed to export traces to 127.0.0.1:1" in done.stderr


def test_a_provider_of_another_kind_is_refused():
    other = "from opentelemetry import trace as t; t.set_tracer_provider(t.NoOpTracerProvider())"
    done = run(f"{other}; from sessiond.capture import instrument; instrument()")
    assert "TypeError: the tracer provider that is set is not of OpenTelemetry's SDK: NoOpTracerProvider" in done.stderr


# -- what it costs and needs ---------------------------------------------------------------------------------------------------


def test_importing_capture_loads_nothing_of_the_daemon_and_no_grpc_before_instrument():
    loaded = """
import sys
from sessiond.capture import capture, instrument
capture("turn", lambda: 1, session_id="s")
def loaded(): return sorted(name for name in sys.modules if name.startswith("sessiond.") and "capture" not in name)
print(loaded(), "grpc" in sys.modules, "opentelemetry.sdk" in sys.modules)
instrument("127.0.0.1:1").shutdown()
print(loaded(), "grpc" in sys.modules)
"""
    assert ran(loaded).splitlines() == ["[] False False", "[] True"]


@pytest.mark.parametrize(
    ("missing", "script"),
    [
        ("opentelemetry.context", "import sessiond.capture"),
        ("opentelemetry.sdk", "from sessiond.capture import capture, instrument; capture('turn', int); instrument()"),
        ("opentelemetry.exporter", "from sessiond.capture import capture, instrument; capture('turn', int); instrument()"),
    ],
)
def test_without_opentelemetry_it_says_what_to_install(missing: str, script: str):
    hide = f"""
import sys
class Hidden:
    def find_spec(self, name, *_):
        if (name + ".").startswith("{missing}."):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
"""
    done = run(hide + script)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: ")
    assert done.stderr.splitlines()[-1].endswith("pip install 'sessiond[capture]'")
