"""What is exported and imported into an empty store gives the same rows, scores and annotations, down to when spans arrived."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from conversations import Turn, conversations, deliveries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spoken import annotations, scores
from test_arrival import Figures, figures
from tries import examples

from builders import ARRIVAL, MS, RULES, received
from daemon import Parts, parts
from sessiond.cli import main
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.model import StoredSpan
from sessiond.service.upkeep.check import check
from sessiond.storage.api import Shelf, Store, span_pages

FORMS = ["spans.binpb", "spans.binpb.zst", "spans.jsonl", "spans.jsonl.zst"]


class Told(NamedTuple):
    """Spans as they come, each batch at its time, and what is said of them."""

    batches: list[list[Span]]
    said: list[Score | Annotation]


@st.composite
def everything(draw: st.DrawFn) -> Told:
    turns: list[Turn] = draw(conversations())
    said = [*draw(st.lists(scores(len(turns)), max_size=6)), *draw(st.lists(annotations(len(turns)), max_size=3))]
    return Told(draw(deliveries(turns)), list({(type(item), item.id): item for item in said}.values()))


class Held(NamedTuple):
    """All that a store holds."""

    figures: Figures
    scores: list[Score]
    annotations: list[Annotation]
    spans: set[StoredSpan]
    """Byte for byte, with origins and arrivals."""


def fill(running: Parts, told: Told) -> None:
    """Let batches arrive, of several resources and scopes, and put what is said."""
    for number, batch in enumerate(told.batches, 1):
        spans = received(*batch, arrival=ARRIVAL + number * MS, scope=f"scope {number % 2}", region=f"r{number % 3}")
        running.append(spans).result()
    running.writer.marking(lambda: running.store.put_feedback(told.said)).result()


def held(running: Parts) -> Held:
    """What a store holds, settled and checked."""
    for need in ("sessions", "users"):
        running.writer.settled(need).result()
    store = running.store
    assert [problem for checked in check(store, lambda: RULES) for problem in checked.problems] == []
    return Held(figures(store), all_of(store.scores), all_of(store.annotations), spans_of(store))


def all_of(shelf: Shelf[Any]) -> list[Any]:
    items, after = shelf.page(None, None, 1000)
    assert after is None
    return list(items)


def spans_of(store: Store) -> set[StoredSpan]:
    return {span for trace_id in store.trace_ids() for page in span_pages(store, trace_id) for span in page}


def run(running: Parts, *arguments: str) -> None:
    done = CliRunner().invoke(main, [*arguments, "--endpoint", running.query.address])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=examples(15), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(told=everything())
def test_an_import_of_an_export_holds_all_that_the_store_held(form: str, told: Told) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / form)
        with parts(Path(folder) / "one") as one:
            fill(one, told)
            before = held(one)
            run(one, "export", "spans", file)
        with parts(Path(folder) / "other") as other:
            for _ in range(2):  # the second changes nothing
                run(other, "import", file)
                after = held(other)
                assert after._replace(spans=set()) == before._replace(spans=set())
                if "binpb" in form:
                    assert after.spans == before.spans
