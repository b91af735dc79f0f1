"""The spans of a trace as a tree: which span is whose parent is `core.identity`'s rule."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rich.text import Text
from rich.tree import Tree

from sessiond.cli.render import text
from sessiond.cli.text import dollars, duration, number, plural
from sessiond.client import Span, Status
from sessiond.core.identity import parents
from sessiond.core.model import SpanFacts

LEVELS_MAX: Final = 12
"""Each level takes four columns. Deeper spans stand at the last level with their depth before them."""
LINES_MAX: Final = 1000
"""More than a person reads; --json has them all."""


class Line(NamedTuple):
    """A span's place in the tree; a root has depth 1."""

    span: Span
    depth: int


def outline(spans: Sequence[Span]) -> Iterator[Line]:
    """The spans, given in order of start, each followed by its children. No recursion: a chain of 30,000 works."""
    children: list[list[int]] = [[] for _ in spans]
    roots: list[int] = []
    for position, parent in enumerate(parents([_facts(span) for span in spans])):
        (roots if parent < 0 else children[parent]).append(position)
    waiting = [(position, 1) for position in reversed(roots)]
    while waiting:
        position, depth = waiting.pop()
        yield Line(spans[position], depth)
        waiting.extend((child, depth + 1) for child in reversed(children[position]))


def span_tree(spans: Sequence[Span]) -> Tree:
    """The tree, at most LEVELS_MAX deep and LINES_MAX long; its last line tells of more."""
    root = Tree(Text(plural(len(spans), "span")))
    path = [root]
    for written, line in enumerate(outline(spans)):
        if written == LINES_MAX:
            root.add(Text(f"{plural(len(spans) - LINES_MAX, 'span')} more; --json shows all", "dim"))
            break
        level = min(line.depth, LEVELS_MAX)
        path[level:] = [path[level - 1].add(_label(line))]
    return root


def _facts(span: Span) -> SpanFacts:
    """As much of a span as its place in the tree needs."""
    return SpanFacts(bytes.fromhex(span.span_id), bytes.fromhex(span.parent_span_id), span.kind, span.name, 0, 0, 0)


def _label(line: Line) -> Text:
    span = line.span
    parts = [
        text(f"depth {line.depth:,}", "dim") if line.depth > LEVELS_MAX else None,
        text(span.name, "bold"),
        text(span.operation, "cyan"),
        Text(duration(span.duration_ms)),
        _tokens(span),
        Text(dollars(span.cost_usd)) if span.HasField("cost_usd") else None,
        text(span.response_model or span.request_model, "magenta") if span.response_model or span.request_model else None,
        _error(span),
    ]
    label = Text("  ", no_wrap=True, overflow="ellipsis").join(part for part in parts if part is not None)
    label.no_wrap, label.overflow = True, "ellipsis"
    return label


def _tokens(span: Span) -> Text | None:
    if not (span.HasField("input_tokens") or span.HasField("output_tokens")):
        return None
    known = [getattr(span, name) if span.HasField(name) else None for name in ("input_tokens", "output_tokens")]
    return Text(f"{' / '.join(map(number, known))} tokens")


def _error(span: Span) -> Text | None:
    if span.status != Status.STATUS_ERROR:
        return None
    return text(": ".join(part for part in ("error", span.error_type, span.error_message) if part), "bold red")
