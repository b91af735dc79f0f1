"""The figures of one trace, made of what a store holds of it: a summary of its facts, and the texts that its spans carry."""

from collections.abc import Callable, Sequence

from sessiond.core import trace
from sessiond.core.identity import chronological
from sessiond.core.messages import answer, input_messages, output_messages, question, shorten
from sessiond.core.model import NO_TEXTS, Message, SpanFacts, SpanView, Text, Texts
from sessiond.core.text_spans import input_spans, output_spans
from sessiond.service.rules import Rules
from sessiond.storage.api import SettledTrace, Store, span_pages
from sessiond.wire.spans import read_span

_SPAN_ID_TAG = b"\x12\x08"
"""What stands before a span's id in its bytes: field 2, 8 bytes long."""

SpanKey = tuple[bytes, int]
Messages = Callable[[SpanView], tuple[Message, ...]]
Pick = Callable[[Sequence[Message]], str | None]


def settled(store: Store, rules: Rules, trace_id: bytes) -> SettledTrace:
    """Everything that is computed of a trace, which has spans."""
    facts = store.facts(trace_id)
    return SettledTrace(trace.summarize(trace_id, facts, rules.prices), _texts(store, trace_id, facts))


def _texts(store: Store, trace_id: bytes, facts: Sequence[SpanFacts]) -> Texts:
    """What its user asked and was answered, read from the few spans that may tell."""
    if not any(span.has_input or span.has_output for span in facts):
        return NO_TEXTS
    spans, _ = chronological(facts)
    asked = [_key(spans[place]) for place in input_spans(spans)]
    answered = [_key(spans[place]) for place in output_spans(spans)]
    views = _views(store, trace_id, {*asked, *answered})
    return Texts(_first(asked, views, input_messages, question), _first(answered, views, output_messages, answer))


def _first(keys: Sequence[SpanKey], views: dict[SpanKey, SpanView], messages: Messages, pick: Pick) -> Text | None:
    """The text of the first span that has any."""
    for key in keys:
        text = pick(messages(views[key])) if key in views else None
        if text:
            return Text(*shorten(text))
    return None


def _views(store: Store, trace_id: bytes, keys: set[SpanKey]) -> dict[SpanKey, SpanView]:
    """The spans of these keys, looked for by the bytes of their ids, so that no other span is parsed."""
    signs = [_SPAN_ID_TAG + span_id for span_id, _ in keys]
    found: dict[SpanKey, SpanView] = {}
    for page in span_pages(store, trace_id):
        for stored in page:
            if any(sign in stored.data for sign in signs):
                view = read_span(stored.data)
                if view is not None and (view.span_id, view.kind) in keys:
                    found[view.span_id, view.kind] = view
        if len(found) == len(keys):
            break
    return found


def _key(span: SpanFacts) -> SpanKey:
    return span.span_id, span.kind
