"""A model to talk to without a key or a network: an OpenAI-compatible chat completions server on this machine.

It knows a little about three cities, calls `get_weather` when it is offered and asked about the weather, streams when told to, and
counts tokens the way a provider does: cached ones from the second call of a conversation on. It fails when it is told to.
"""

import json
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Any, Self

MODEL = "gpt-5-mini-2025-08-07"
CITIES = ("Lisbon", "Kyoto", "Tokyo")
ANSWERS = (
    ("sum it up", "Start in Alfama, take tram 28, and spend the sunny Saturday by the sea in Belém."),
    ("maple", "Mid to late November: the maples at Tofuku-ji and Eikando are at their best then."),
    ("weekend", "See Alfama and its castle on the first day, Belém and the river on the second, and eat a pastel de nata at each."),
)
OTHER_ANSWER = "I can tell you about Lisbon, Kyoto and Tokyo: their sights, their seasons and their weather."

OVERLOADED = {"error": {"message": "The model is overloaded.", "type": "server_error"}}

INSTRUCTION_TOKENS = 1150
"""What a real assistant's instructions and tools take; providers cache nothing below 1,024."""
CACHE_STEP_TOKENS = 128
CHARACTERS_PER_TOKEN = 4
THINKING_SECONDS = 0.12
CHUNK_SECONDS = 0.01

Body = dict[str, Any]
"""A request or an answer as the API's JSON has it."""


class ModelServer:
    """The server, in a thread of its own from `__enter__` to `__exit__`."""

    def __init__(self) -> None:
        self._server = _Server()
        self._thread = threading.Thread(target=self._server.serve_forever, name="model server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def fail_next(self) -> None:
        """Answer the next request with status 500."""
        self._server.fails_next.set()


class _Server(ThreadingHTTPServer):
    """On any free port."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fails_next = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    """POST /v1/chat/completions."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(THINKING_SECONDS)
        if self.server.fails_next.is_set():
            self.server.fails_next.clear()
            self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, OVERLOADED)
        elif request.get("stream"):
            self._send_stream(_chunks(request))
        else:
            self._send_json(HTTPStatus.OK, _completion(request))

    def log_message(self, *_: object) -> None:
        """Nothing: a demonstration's output is its own."""

    def _send_json(self, status: HTTPStatus, body: Body) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_stream(self, chunks: Iterator[Body]) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            time.sleep(CHUNK_SECONDS)
        self.wfile.write(b"data: [DONE]\n\n")


_numbers = count(1)


def _completion(request: Body) -> Body:
    message = _answer(request)
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
    return _head("chat.completion") | {"choices": [choice], "usage": _usage(request, message)}


def _chunks(request: Body) -> Iterator[Body]:
    """A plain answer word by word, then why it ended, then what it used."""
    message = _answer(request)
    head = _head("chat.completion.chunk")
    for word in message["content"].split(" "):
        yield head | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": f"{word} "}, "finish_reason": None}]}
    yield head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    if request.get("stream_options", {}).get("include_usage"):
        yield head | {"choices": [], "usage": _usage(request, message)}


def _head(kind: str) -> Body:
    return {"id": f"chatcmpl-{next(_numbers):08}", "object": kind, "created": int(time.time()), "model": MODEL}


def _answer(request: Body) -> Body:
    """The assistant's next message."""
    last = request["messages"][-1]
    said = last["content"].lower()
    if last["role"] == "tool":
        weather = json.loads(last["content"])
        content = f"In {weather['city']} it is {weather['sky']}, {weather['celsius']} degrees, with a light wind."
    elif "weather" in said and request.get("tools"):
        function = {"name": "get_weather", "arguments": json.dumps({"city": _city(request["messages"])})}
        call = {"id": f"call_{next(_numbers):08}", "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    else:
        content = next((answer for word, answer in ANSWERS if word in said), OTHER_ANSWER)
    return {"role": "assistant", "content": content}


def _city(messages: list[Body]) -> str:
    """The city spoken of last."""
    spoken = [message["content"] or "" for message in messages if message["role"] == "user"]
    return next((city for text in reversed(spoken) for city in CITIES if city in text), CITIES[0])


def _usage(request: Body, message: Body) -> Body:
    prompt = INSTRUCTION_TOKENS + len(json.dumps(request["messages"])) // CHARACTERS_PER_TOKEN
    completion = len(json.dumps(message)) // CHARACTERS_PER_TOKEN
    is_first = not any(said["role"] == "assistant" for said in request["messages"])
    cached = 0 if is_first else prompt // CACHE_STEP_TOKENS * CACHE_STEP_TOKENS
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
