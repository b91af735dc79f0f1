"""Explain, GetUser and Reprice over gRPC, and what is refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from builders import request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Sender, parts, until
from sessiond.core.figures.pricing import UnitPrices
from sessiond.prices import GenaiPriceBook, Override, token_price
from sessiond.service.settling.rules import Rules
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb

CALL = {"operation": "chat", "model": "house", "tokens_in": 10**6, "tokens_out": 0}
DEAR = Rules(GenaiPriceBook([Override("house", None, None, UnitPrices(input=token_price(Decimal(3))))]))


def test_an_explanation_begins_with_the_trace_and_tells_figures_calls_and_what_is_not_counted(asker: Asker, sender: Sender) -> None:
    spans = (span(id=1, operation="invoke_agent", tokens_in=10**6, end_ms=50), span(id=2, parent=1, session="s", **CALL))
    sender.export(request(*spans))
    first, *rest = asker.api.Explain(pb.ExplainRequest(trace_id=trace_id(1).hex()), timeout=DEADLINE_SECONDS)
    assert (first.trace.trace_id, first.trace.session_id) == (trace_id(1).hex(), "s")
    figures = {figure.field: figure for answer in rest for figure in answer.figures}
    assert [(one.span_id, one.key, one.value) for one in figures["session_id"].evidence] == [(f"{2:016x}", "session.id", "s")]
    calls = [call for answer in rest for call in answer.calls]
    assert [(call.span_id, call.cost_source, call.price_row, call.HasField("cost_usd")) for call in calls] == [
        (f"{2:016x}", "unpriced", "", False)
    ]
    assert [(one.span_id, one.rule) for answer in rest for one in answer.uncounted_spans] == [(f"{1:016x}", "aggregate")]


@pytest.mark.parametrize(("asked", "code"), [("x", "INVALID_ARGUMENT"), ("0" * 31 + "9", "NOT_FOUND")])
def test_a_trace_that_cannot_be_explained_is_refused(asker: Asker, refusal, asked: str, code: str) -> None:
    with refusal() as said:
        list(asker.api.Explain(pb.ExplainRequest(trace_id=asked), timeout=DEADLINE_SECONDS))
    assert said.refusal.code == code


def test_a_user_has_the_figures_of_their_traces(asker: Asker, sender: Sender) -> None:
    sender.export(request(span(trace=1, user="ann", session="s", **CALL), span(trace=2, user="ann"), span(trace=3, user="bob")))
    found = asker.api.GetUser(pb.GetUserRequest(user_id="ann"), timeout=DEADLINE_SECONDS)
    assert (found.project, found.user_id, found.trace_count, found.session_count) == ("default", "ann", 2, 1)
    assert (found.input_tokens, found.unpriced_call_count, found.HasField("cost_usd")) == (10**6, 1, False)


def test_users_of_two_projects_are_two(asker: Asker, sender: Sender) -> None:
    sender.export(request(span(trace=1, user="ann", sessiond__project="p"), span(trace=2, user="ann")))
    found = asker.api.GetUser(pb.GetUserRequest(user_id="ann", project="p"), timeout=DEADLINE_SECONDS)
    assert (found.project, found.trace_count) == ("p", 1)


@pytest.mark.parametrize(("asked", "code"), [("", "INVALID_ARGUMENT"), ("nobody", "NOT_FOUND")])
def test_a_user_that_is_not_there_is_refused(asker: Asker, refusal, asked: str, code: str) -> None:
    with refusal() as said:
        asker.api.GetUser(pb.GetUserRequest(user_id=asked), timeout=DEADLINE_SECONDS)
    assert said.refusal.code == code


def test_repricing_tells_how_far_it_is_and_what_is_asked_after_it_has_the_new_costs(tmp_path: Path) -> None:
    with (
        parts(tmp_path / "data", reload=lambda: DEAR) as running,
        Sender(running.receiver.address) as sender,
        Asker(running.query.address) as asker,
    ):
        sender.export(request(span(trace=1, session="s", user="u", **CALL), span(trace=2)))
        *_, last = asker.admin.Reprice(admin_pb.RepriceRequest(), timeout=DEADLINE_SECONDS)
        assert (last.renewed_trace_count, last.trace_count) == (2, 2)
        assert asker.session("s")[0].cost_usd == 3
        assert asker.api.GetUser(pb.GetUserRequest(user_id="u"), timeout=DEADLINE_SECONDS).cost_usd == 3
        again = list(asker.admin.Reprice(admin_pb.RepriceRequest(), timeout=DEADLINE_SECONDS))
        assert [(one.renewed_trace_count, one.trace_count) for one in again] == [(0, 0)]


def test_status_tells_of_a_renewal_until_it_is_done(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running, Sender(running.receiver.address) as sender, Asker(running.query.address) as asker:
        sender.export(request(span(trace=1, **CALL)))
        inner = running.store.outdated
        running.store.outdated = lambda after=None, limit=1000: ([], after or b"\0")
        running.writer.change_rules(DEAR).result(DEADLINE_SECONDS)
        assert asker.status().HasField("renewed_trace_count")
        running.store.outdated = inner
        until(lambda: not asker.status().HasField("renewed_trace_count"))
