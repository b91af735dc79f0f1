"""A model on this machine that writes down what it did: the ledger that a test holds against what sessiond tells.

It speaks the dialects of `dialects.DIALECTS` and answers by the scenario. Tokens are counted from the text of request and answer:
a figure that fits by chance is unlikely. A stream's first content comes after `FIRST_CONTENT_SECONDS`, its second long after it.

examples/demo/model_server.py is another one, to be read as an example: it speaks one API, answers from what it knows, and keeps no
ledger.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from typing import Final, NamedTuple

from emitters.dialects import DIALECTS, Body, Dialect, Reply, Usage
from emitters.scenario import TURNS, Turn

FIRST_CONTENT_SECONDS: Final = 0.15
SECOND_CONTENT_SECONDS: Final = 0.4
"""Between the first content and the second: time to see the first, on busy cores too."""
PIECE_SECONDS: Final = 0.01
TOOL_NAME: Final = "get_weather"

INSTRUCTION_TOKENS: Final = 1150
"""What a real assistant's instructions and tools take; providers cache nothing below 1,024."""
CACHE_READ_TOKENS: Final = 1024
CACHE_WRITE_TOKENS: Final = 96
CHARACTERS_PER_TOKEN: Final = 4


class Call(NamedTuple):
    """One row of the ledger. Tokens of a call that failed are 0."""

    question: str
    """Which turn it belongs to."""
    input: str | None
    output: str | None
    """Text, where it has any."""
    provider: str | None
    request_model: str | None
    response_model: str | None
    response_id: str | None
    status: int
    usage: Usage
    first_content_unix_nano: int | None
    """When the first content of a stream went out; None where nothing was streamed."""
    second_content_unix_nano: int | None = None
    """And the second; None where there was none."""


class ModelServer(ThreadingHTTPServer):
    """On a free loopback port; `ledger` holds the calls in the order in which they ended."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ledger: list[Call] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """A server in a thread of its own."""
    with ModelServer() as server:
        thread = threading.Thread(target=server.serve_forever, name="model server")
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Asked(NamedTuple):
    """A request that the scenario knows."""

    request: Body
    turn: Turn
    dialect: Dialect


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ModelServer

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        dialect = DIALECTS.get(self.path.partition("?")[0])
        if dialect is None:
            self._send_json(HTTPStatus.NOT_FOUND, {"error": {"message": f"no {self.path} here"}})
            return
        question, has_result = dialect.asked(request)
        turn = TURNS.get(question)
        if turn is None:
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": {"message": f"not in the scenario: {question!r}"}})
            return
        asked = _Asked(request, turn, dialect)
        if turn.fails:
            self._note(asked, dialect.fail_status)
            self._send_json(dialect.fail_status, dialect.failure)
        else:
            self._answer(asked, wants_tool=bool(turn.city) and not has_result)

    def log_message(self, *_: object) -> None:
        """Nothing: the ledger tells all."""

    def _answer(self, asked: _Asked, *, wants_tool: bool) -> None:
        request, turn, dialect = asked
        text = "" if wants_tool else turn.answer
        reply = Reply(
            id=f"{dialect.id_prefix}{time.time_ns():x}",
            model=dialect.models[request["model"]],
            text=text or None,
            tool=(TOOL_NAME, {"city": turn.city}) if wants_tool else None,
            usage=_usage(asked, text),
        )
        if request.get("stream"):
            self._note(asked, HTTPStatus.OK, reply, self._send_stream(dialect.events(request, reply)))
        else:
            self._note(asked, HTTPStatus.OK, reply)
            self._send_json(HTTPStatus.OK, dialect.whole(reply))

    def _note(self, asked: _Asked, status: int, reply: Reply | None = None, contents: Sequence[int] = ()) -> None:
        call = Call(
            question=asked.turn.question,
            input=asked.turn.question,
            output=reply and reply.text,
            provider=asked.dialect.provider,
            request_model=asked.request["model"],
            response_model=reply and reply.model,
            response_id=reply and reply.id,
            status=int(status),
            usage=reply.usage if reply else Usage(),
            first_content_unix_nano=contents[0] if contents else None,
            second_content_unix_nano=contents[1] if len(contents) > 1 else None,
        )
        self.server.ledger.append(call)

    def _send_json(self, status: int, body: Body) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_stream(self, events: Iterator[tuple[bool, str]]) -> list[int]:
        """Send events; when those with content went out, in unix nanoseconds."""
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        contents: list[int] = []
        pauses = chain((FIRST_CONTENT_SECONDS, SECOND_CONTENT_SECONDS), repeat(PIECE_SECONDS))
        for has_content, event in events:
            if has_content:
                time.sleep(next(pauses))
                contents.append(time.time_ns())
            self.wfile.write(event.encode())
        self.close_connection = True
        return contents


def _usage(asked: _Asked, answer: str) -> Usage:
    request, turn, dialect = asked
    said = json.dumps([request.get("messages"), request.get("input"), request.get("tools")])
    return Usage(
        input_tokens=INSTRUCTION_TOKENS + len(said) // CHARACTERS_PER_TOKEN,
        output_tokens=12 + len(answer) // CHARACTERS_PER_TOKEN + dialect.reasons * turn.reasoning_tokens,
        cache_read_tokens=CACHE_READ_TOKENS if turn.cached else 0,
        cache_write_tokens=CACHE_WRITE_TOKENS if turn.cached and dialect.writes_cache else 0,
        reasoning_tokens=dialect.reasons * turn.reasoning_tokens,
    )
