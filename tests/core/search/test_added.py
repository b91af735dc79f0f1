"""What a search is given of a trace beside what its conversation shows, or otherwise; tests/told.py compares all the rest."""

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import packed, span, trace_id
from sessiond.core.search.document import Piece
from sessiond.service.searching.turn_pieces import pieces_of
from sessiond.storage.memory import MemoryStore
from told import calls, chat, result, tool


def pieces(*spans: Span) -> list[Piece]:
    store = MemoryStore()
    store.append(packed(*spans))
    return pieces_of(store, trace_id(1))


def texts(place: str, *spans: Span) -> list[str]:
    return [piece.text for piece in pieces(*spans) if piece.place == place]


def test_a_result_is_the_one_that_the_tools_own_span_tells():
    asked = chat((("user", "Weather?"),), (calls(("c1", "get_weather", '{"city": "Faro"}')),), id=1)
    ran = tool("get_weather", '{"city":"Faro"}', '{"sky":"sunny"}', id=2, start_ms=10, **{"gen_ai.tool.call.id": "c1"})
    told = chat((("user", "Weather?"), result('{"sky": "sunny"}', "c1")), (("assistant", "Sunny."),), id=3, start_ms=20)
    assert texts("tool_call", asked, ran, told) == ['get_weather {"city":"Faro"}']
    assert texts("tool_result", asked, ran, told) == ['{"sky":"sunny"}']


def test_every_name_is_there_once_with_the_first_span_that_has_it():
    one, other = span(id=1, name="turn", operation="invoke_agent"), span(id=2, parent=1, name="turn", start_ms=5, operation="chat")
    named = [piece for piece in pieces(one, other) if piece.place == "name"]
    assert [(piece.text, piece.span_id[-1]) for piece in named] == [("turn", 1)]


def test_an_error_is_its_type_and_message():
    failed = span(id=1, operation="chat", error="the model is busy", **{"error.type": "Overloaded"})
    assert texts("error", failed) == ["Overloaded the model is busy"]


def test_instructions_are_not_searched():
    told = chat((("system", "Be terse."), ("user", "Hello?")), (("assistant", "Yes."),))
    assert texts("input", told) == ["Hello?"]
    assert "Be terse." not in [piece.text for piece in pieces(told)]
