"""Which spans' tokens count, each call once; and what one span's tokens hold."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from builders import PRICES, fact, facts, span
from sessiond.core.figures.calls import select
from sessiond.core.figures.trace import summarize
from sessiond.core.identity import chronological
from sessiond.core.model import NO_USAGE, SpanFacts, TraceSummary, Usage
from sessiond.core.spans.usage import NO_CALLS, inclusive_usage, total, total_over_traces

FIVE, SIX, NINE = Usage(5, 1), Usage(6, 1), Usage(9, 2)


class Counted(NamedTuple):
    """What is counted of a trace."""

    usage: Usage
    calls: int = 1
    failed: int = 0


def chat(id: int, parent: int | None = None, usage: Usage | None = None, **more) -> SpanFacts:  # noqa: A002
    return fact(id, parent, **{"operation": "chat", "usage": usage, **more})


def agent(id: int, parent: int | None = None, usage: Usage | None = None, **more) -> SpanFacts:  # noqa: A002
    return chat(id, parent, usage, **{"operation": "agent", **more})


def tool(id: int, parent: int | None = None) -> SpanFacts:  # noqa: A002
    return chat(id, parent, operation="tool")


ROOT = fact(1, end_ms=100)
LONG, SHORT = {"start_ms": 10, "end_ms": 30}, {"start_ms": 12, "end_ms": 28}

CASES: dict[str, tuple[Counted, Sequence[SpanFacts]]] = {
    "no call": (Counted(NO_CALLS, 0), [ROOT]),
    "one call": (Counted(FIVE), [ROOT, chat(2, 1, FIVE)]),
    "a call that reports nothing": (Counted(NO_USAGE), [ROOT, chat(2, 1)]),
    "two calls": (Counted(Usage(11, 2), 2), [ROOT, chat(2, 1, FIVE), chat(3, 1, SIX)]),
    "two calls with equal usage by one instrumentor": (Counted(Usage(10, 2), 2), [ROOT, chat(2, 1, FIVE), chat(3, 1, FIVE)]),
    "twins as parent and child": (
        Counted(FIVE),
        [ROOT, chat(2, 1, FIVE, scope="a"), chat(3, 2, FIVE, scope="b")],
    ),
    "twins as parent and child of unlike usage: the child counts": (Counted(SIX), [ROOT, chat(2, 1, FIVE), chat(3, 2, SIX)]),
    "twins with a plain span between": (Counted(FIVE), [ROOT, chat(2, 1, FIVE), fact(3, 2), chat(4, 3, FIVE)]),
    "chat over text completion": (Counted(FIVE), [ROOT, chat(2, 1, NINE), chat(3, 2, FIVE, operation="text_completion")]),
    "siblings with the same response id": (
        Counted(FIVE),
        [ROOT, chat(2, 1, FIVE, response_id="r"), chat(3, 1, FIVE, response_id="r", start_ms=50, end_ms=60)],
    ),
    "siblings with the same response id fill each other": (
        Counted(Usage(5, 1, 3, None, 1)),
        [
            ROOT,
            chat(2, 1, Usage(5, None, 3), response_id="r"),
            chat(3, 1, Usage(7, 1, None, None, 1), response_id="r", start_ms=1),
        ],
    ),
    "the same response id far apart in the trace": (
        Counted(FIVE),
        [ROOT, agent(2, 1), chat(3, 2, FIVE, response_id="r"), tool(4, 2), chat(5, 4, FIVE, response_id="r")],
    ),
    "siblings with different response ids": (
        Counted(Usage(10, 2), 2),
        [ROOT, chat(2, 1, FIVE, response_id="r", scope="a"), chat(3, 1, FIVE, response_id="s", scope="b")],
    ),
    "id-less siblings of two scopes, one inside the other": (
        Counted(FIVE),
        [ROOT, chat(2, 1, FIVE, scope="a", **LONG), chat(3, 1, FIVE, scope="b", **SHORT)],
    ),
    "one of two such siblings has a response id": (
        Counted(FIVE),
        [ROOT, chat(2, 1, FIVE, scope="a", response_id="r", **LONG), chat(3, 1, FIVE, scope="b", **SHORT)],
    ),
    "id-less siblings of one scope": (
        Counted(Usage(10, 2), 2),
        [ROOT, chat(2, 1, FIVE, scope="a", **LONG), chat(3, 1, FIVE, scope="a", **SHORT)],
    ),
    "id-less siblings of two scopes that only overlap": (
        Counted(Usage(10, 2), 2),
        [ROOT, chat(2, 1, FIVE, scope="a", **LONG), chat(3, 1, FIVE, scope="b", start_ms=20, end_ms=40)],
    ),
    "id-less siblings of two scopes one after the other": (
        Counted(Usage(10, 2), 2),
        [ROOT, chat(2, 1, FIVE, scope="a", **LONG), chat(3, 1, FIVE, scope="b", start_ms=40, end_ms=50)],
    ),
    "id-less siblings of two scopes with unlike usage": (
        Counted(Usage(11, 2), 2),
        [ROOT, chat(2, 1, FIVE, scope="a", **LONG), chat(3, 1, SIX, scope="b", **SHORT)],
    ),
    "id-less siblings of two scopes without usage": (
        Counted(NO_USAGE, 2),
        [ROOT, chat(2, 1, scope="a", **LONG), chat(3, 1, scope="b", **SHORT)],
    ),
    "id-less cousins": (
        Counted(Usage(10, 2), 2),
        [ROOT, agent(2, 1), agent(3, 1), chat(4, 2, FIVE, scope="a", **LONG), chat(5, 3, FIVE, scope="b", **SHORT)],
    ),
    "id-less siblings of unlike families": (
        Counted(Usage(10, 2), 2),
        [ROOT, chat(2, 1, FIVE, scope="a", **LONG), chat(3, 1, FIVE, scope="b", operation="embeddings", **SHORT)],
    ),
    "twins that both failed": (
        Counted(NO_USAGE, 1, 1),
        [ROOT, chat(2, 1, scope="a", is_error=True, **LONG), chat(3, 1, scope="b", is_error=True, **SHORT)],
    ),
    "siblings of which one failed": (
        Counted(NO_USAGE, 2, 1),
        [ROOT, chat(2, 1, scope="a", is_error=True, **LONG), chat(3, 1, scope="b", **SHORT)],
    ),
    "a failed call told by parent and child": (
        Counted(NO_USAGE, 1, 1),
        [ROOT, chat(2, 1, is_error=True), chat(3, 2, is_error=True)],
    ),
    "the upper one fills what the lower leaves out": (
        Counted(Usage(5, 1, 3)),
        [ROOT, chat(2, 1, Usage(9, 9, 3)), chat(3, 2, FIVE)],
    ),
    "the upper one fills a lower one without usage": (Counted(FIVE), [ROOT, chat(2, 1, FIVE), chat(3, 2)]),
    "a gap is filled over two levels": (Counted(FIVE), [ROOT, chat(2, 1, FIVE), chat(3, 2), chat(4, 3)]),
    "two calls under one wrapper that restates them": (
        Counted(Usage(11, 2), 2),
        [ROOT, chat(2, 1, Usage(11, 2)), chat(3, 2, FIVE), chat(4, 2, SIX)],
    ),
    "three attempts under one wrapper, the last answered": (
        Counted(FIVE, 3, 2),
        [
            ROOT,
            chat(2, 1, FIVE, end_ms=40),
            chat(3, 2, is_error=True),
            chat(4, 2, is_error=True, start_ms=11),
            chat(5, 2, FIVE, start_ms=22),
        ],
    ),
    "three attempts under one wrapper that alone reports": (
        Counted(FIVE, 3, 2),
        [
            ROOT,
            chat(2, 1, FIVE, end_ms=40),
            chat(3, 2, is_error=True),
            chat(4, 2, is_error=True, start_ms=11),
            chat(5, 2, start_ms=22),
        ],
    ),
    "a wrapper over three levels that alone reports bills once": (
        Counted(FIVE, 3),
        [ROOT, chat(2, 1, FIVE), chat(3, 2), chat(4, 3, start_ms=1), chat(5, 3, start_ms=2), chat(6, 2, start_ms=3)],
    ),
    "an agent that restates its children": (
        Counted(Usage(11, 2), 2),
        [agent(1, None, Usage(11, 2)), chat(2, 1, FIVE), chat(3, 1, SIX)],
    ),
    "an agent that accumulates over turns": (Counted(FIVE), [agent(1, None, Usage(670, 80)), chat(2, 1, FIVE)]),
    "an agent that alone reports": (Counted(NINE, 0), [agent(1, None, NINE), tool(2, 1)]),
    "an agent that alone reports over calls that report nothing": (
        Counted(NINE, 2),
        [agent(1, None, NINE), chat(2, 1), chat(3, 1)],
    ),
    "an agent over an agent that alone reports": (Counted(FIVE, 0), [agent(1, None, NINE), agent(2, 1, FIVE)]),
    "an agent over two agents that report": (Counted(Usage(11, 2), 0), [agent(1, None, NINE), agent(2, 1, FIVE), agent(3, 1, SIX)]),
    "an agent far above a call": (
        Counted(FIVE),
        [agent(1, None, NINE), tool(2, 1), agent(3, 2), fact(4, 3), chat(5, 4, FIVE)],
    ),
    "an agent beside a call": (Counted(Usage(14, 3)), [ROOT, agent(2, 1, NINE), chat(3, 1, FIVE)]),
    "a plain root that restates": (Counted(FIVE), [chat(1, None, FIVE, operation="other"), chat(2, 1, FIVE)]),
    "a tool below a call runs a sub-agent": (
        Counted(Usage(11, 2), 2),
        [ROOT, chat(2, 1, FIVE), tool(3, 2), agent(4, 3), chat(5, 4, SIX)],
    ),
    **{
        f"a call below a {kind} below a call": (
            Counted(Usage(11, 2), 2),
            [ROOT, chat(2, 1, FIVE), chat(3, 2, operation=kind), chat(4, 3, SIX)],
        )
        for kind in ("tool", "agent", "workflow")
    },
    **{
        f"a call below a {kind} below a call is the same": (
            Counted(SIX),
            [ROOT, chat(2, 1, FIVE), chat(3, 2, operation=kind), chat(4, 3, SIX)],
        )
        for kind in ("chain", "retrieval", "guardrail", "memory", "other")
    },
    **{
        f"{kind} below a call is another call": (
            Counted(Usage(11, 2), 2),
            [ROOT, chat(2, 1, FIVE), chat(3, 2, SIX, operation=kind)],
        )
        for kind in ("embeddings", "rerank", "image", "speech")
    },
    "a call below embeddings below a call": (
        Counted(Usage(14, 3), 2),
        [ROOT, chat(2, 1, FIVE), chat(3, 2, NINE, operation="embeddings"), chat(4, 3, FIVE)],
    ),
    "a call whose parent has not come": (Counted(FIVE), [chat(2, 99, FIVE)]),
    "calls in a cycle count once": (Counted(FIVE), [chat(2, 3, NINE), chat(3, 2, FIVE, start_ms=1)]),
    "a call that is its own parent": (Counted(FIVE), [chat(2, 2, FIVE)]),
    "three instrumentors with one response id, one of them above another": (
        Counted(FIVE),
        [
            ROOT,
            chat(2, 1, FIVE, scope="a", response_id="r"),
            chat(3, 1, FIVE, scope="b", response_id="r"),
            chat(4, 3, FIVE, scope="c", response_id="r"),
        ],
    ),
    "three instrumentors of which the lowest leaves the response id out": (
        Counted(FIVE),
        [
            ROOT,
            chat(2, 1, FIVE, scope="a", response_id="r"),
            chat(3, 1, FIVE, scope="b", response_id="r"),
            chat(4, 3, FIVE, scope="c"),
        ],
    ),
    "three instrumentors without ids, one of them above another": (
        Counted(FIVE),
        [ROOT, chat(2, 1, FIVE, scope="a", **LONG), chat(3, 1, FIVE, scope="b", **SHORT), chat(4, 3, FIVE, scope="c", **SHORT)],
    ),
}


@pytest.mark.parametrize(("expected", "spans"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("start_before_parent_nano", [0, 1], ids=["in order", "each starts before its parent"])
def test_each_call_counts_once(expected: Counted, spans: Sequence[SpanFacts], start_before_parent_nano: int):
    early = [
        one._replace(start_unix_nano=one.start_unix_nano - place * start_before_parent_nano) for place, one in enumerate(spans)
    ]
    for arrived in (early, early[::-1]):
        found = summarize(bytes(16), arrived, PRICES)
        assert Counted(found.usage, found.llm_call_count, found.failed_call_count) == expected


def test_the_span_that_counts_is_the_lower_one_and_takes_models_from_above():
    spans = [
        ROOT,
        chat(2, 1, FIVE, request_model="gpt", response_model="gpt-1", provider="openai"),
        chat(3, 2, response_model="gpt-2"),
    ]
    (call,) = select(*chronological(spans)).calls
    assert (call.position, call.request_model, call.response_model, call.provider, call.usage) == (
        2,
        "gpt",
        "gpt-2",
        "openai",
        FIVE,
    )


def test_a_bill_over_several_attempts_goes_to_the_last_that_did_not_fail():
    spans = [
        ROOT,
        chat(2, 1, FIVE, end_ms=50),
        chat(3, 2, is_error=True, request_model="first"),
        chat(4, 2, start_ms=11, request_model="second"),
        chat(5, 2, start_ms=22, is_error=True, request_model="third"),
    ]
    found = summarize(bytes(16), spans, PRICES)
    assert (found.models, found.usage, found.failed_call_count) == (("second",), FIVE, 2)


def test_reporters_are_the_spans_that_alone_report():
    spans = [agent(1, None, NINE), agent(2, 1, FIVE), chat(3, 1, SIX)]
    found = select(*chronological(spans))
    assert ([call.position for call in found.calls], found.reporters) == ([2], (1,))


def test_a_merged_call_failed_if_one_of_its_tellers_says_so():
    spans = [ROOT, chat(2, 1, FIVE, response_id="r"), chat(3, 1, FIVE, response_id="r", is_error=True)]
    found = summarize(bytes(16), spans, PRICES)
    assert (found.llm_call_count, found.failed_call_count) == (1, 1)


def test_thirty_thousand_parallel_siblings_are_as_many_calls():
    calls = [chat(n, 1, Usage(n, 1), scope=str(n % 2), end_ms=90 + n % 7) for n in range(2, 30_002)]
    found = summarize(bytes(16), [ROOT, *calls], PRICES)
    assert (found.llm_call_count, found.usage) == (30_000, Usage(sum(range(2, 30_002)), 30_000))


def test_thirty_thousand_siblings_with_one_response_id_are_one_call():
    found = summarize(bytes(16), [ROOT, *(chat(n, 1, FIVE, response_id="r") for n in range(2, 30_002))], PRICES)
    assert (found.llm_call_count, found.usage) == (1, FIVE)


@pytest.mark.timeout(20)  # forty times what it takes; where each call was followed to the bottom it took as long as this
def test_thirty_thousand_nested_calls_are_one():
    found = summarize(bytes(16), [ROOT, *(chat(n, n - 1, FIVE) for n in range(2, 30_002))], PRICES)
    assert (found.llm_call_count, found.usage) == (1, FIVE)


@pytest.mark.parametrize(
    ("reported", "total_tokens", "cache_share", "provider", "expected"),
    [
        (Usage(100, 10, 30, 20), 110, "by_provider", "anthropic", Usage(100, 10, 30, 20)),
        (Usage(100, 10, 30, 20), 160, "inside", "openai", Usage(150, 10, 30, 20)),
        (Usage(20, 10, 30), 30, "by_provider", "anthropic", Usage(20, 10, 30)),
        (Usage(100, 10, 30), 999, "inside", "anthropic", Usage(100, 10, 30)),
        (Usage(100, 10, 30), None, "inside", "anthropic", Usage(100, 10, 30)),
        (Usage(100, 10, 30), None, "by_provider", "anthropic", Usage(130, 10, 30)),
        (Usage(100, 10, 30), None, "by_provider", "aws", Usage(130, 10, 30)),
        (Usage(100, 10, 30), None, "by_provider", "openai", Usage(100, 10, 30)),
        (Usage(100, 10, 30), None, "by_provider", None, Usage(100, 10, 30)),
        (Usage(20, 10, 30), None, "inside", "openai", Usage(50, 10, 30)),
        (Usage(40, 10, 30, 20), None, "inside", "openai", Usage(90, 10, 30, 20)),
        (Usage(50, 10, 30, 20), None, "inside", "openai", Usage(50, 10, 30, 20)),
        (Usage(100, 10, 0), None, "by_provider", "anthropic", Usage(100, 10, 0)),
        (Usage(None, 10, 30), None, "by_provider", "anthropic", Usage(None, 10, 30)),
        (Usage(100, None, 30), 130, "inside", "openai", Usage(130, None, 30)),
        (Usage(100, 10, None, None, 5), 110, "inside", None, Usage(100, 10, None, None, 5)),
        (Usage(100, 10, None, None, 5), 115, "inside", None, Usage(100, 15, None, None, 5)),
        (Usage(100, 10, None, None, 50), None, "inside", None, Usage(100, 10, None, None, 50)),
        (Usage(0, 0, 0, 0, 0), 0, "by_provider", "anthropic", Usage(0, 0, 0, 0, 0)),
    ],
    ids=[
        "the total proves it inside",
        "the total proves it outside",
        "the total proves it inside though larger",
        "a total that proves nothing",
        "the key says inside",
        "the key leaves it to the provider: anthropic",
        "the key leaves it to the provider: aws",
        "the key leaves it to the provider: openai",
        "the key leaves it to the provider: unknown",
        "read more than input",
        "read and written more than input",
        "read and written as much as input",
        "no cache",
        "no input",
        "no output",
        "reasoning inside by the total",
        "reasoning outside by the total",
        "reasoning with no total",
        "zeros",
    ],
)
def test_input_holds_its_cache_and_output_its_reasoning(reported: Usage, total_tokens, cache_share, provider, expected: Usage):
    assert inclusive_usage(reported, total_tokens=total_tokens, cache_share=cache_share, provider=provider) == expected


@pytest.mark.parametrize(
    ("total_tokens", "expected"),
    [(110, Usage(100, 10, 30, None, 5)), (115, Usage(100, 15, 30, None, 5)), (145, Usage(130, 15, 30, None, 5))],
    ids=["both inside", "reasoning outside", "both outside"],
)
def test_the_total_proves_cache_and_reasoning_together(total_tokens: int, expected: Usage):
    reported = Usage(100, 10, 30, None, 5)
    assert inclusive_usage(reported, total_tokens=total_tokens, cache_share="inside", provider=None) == expected


def test_a_total_that_could_prove_either_outside_is_used_once():
    found = inclusive_usage(Usage(100, 10, 5, None, 5), total_tokens=115, cache_share="inside", provider=None)
    assert (found.input_tokens or 0) + (found.output_tokens or 0) == 115


def test_the_key_that_won_decides_where_the_cache_is():
    cached = {"gen_ai.provider.name": "anthropic", "gen_ai.usage.cache_read.input_tokens": 30}
    new, old = facts(
        span(**{"gen_ai.usage.input_tokens": 100, "gen_ai.usage.prompt_tokens": 100, **cached}),
        span(**{"gen_ai.usage.prompt_tokens": 100, **cached}),
    )
    assert (new.usage, old.usage) == (Usage(100, None, 30), Usage(130, None, 30))


def test_sums_run_over_what_is_present():
    assert total([]) == NO_USAGE
    assert total([FIVE]) == FIVE
    assert total([Usage(5, None, 0), Usage(6, None), NO_USAGE]) == Usage(11, None, 0)


def turn(calls: int, used: Usage) -> TraceSummary:
    one = summarize(b"t" * 16, facts(span()), PRICES)
    return one._replace(llm_call_count=calls, usage=used)


def test_over_traces_one_without_calls_says_nothing_about_what_the_others_leave_out():
    quiet = turn(0, NO_CALLS)
    assert total_over_traces([quiet, quiet]) == NO_CALLS
    assert total_over_traces([quiet, turn(1, FIVE)]) == FIVE
    assert total_over_traces([turn(1, NO_USAGE), quiet]) == NO_USAGE
    assert total_over_traces([turn(1, FIVE), turn(1, NO_USAGE), turn(1, SIX)]) == Usage(11, 2)
    assert total_over_traces(iter([turn(0, FIVE), turn(1, SIX)])) == Usage(11, 2)


def test_a_call_that_reports_zeros_is_known_beside_one_that_reports_nothing():
    assert total_over_traces([turn(1, Usage(0, 0, 0, 0, 0)), turn(1, NO_USAGE)]) == Usage(0, 0, 0, 0, 0)
