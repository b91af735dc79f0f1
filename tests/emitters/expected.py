"""What sessiond must tell, made from the scenario, the ledger and what the emitter sends of it. Nothing here comes from a span."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from emitters.dialects import Usage
from emitters.model_server import TOOL_NAME, Call
from emitters.scenario import Session, Turn

Row = dict[str, Any]

COUNTS: Final = ("llm_call_count", "failed_call_count", "tool_call_count")
LISTS: Final = ("models", "request_models", "providers", "tools")
TOKENS: Final = (*Usage._fields, "total_tokens")


def trace(session: Session, turn: Turn, calls: Sequence[Call]) -> Row:
    """The row of one turn's trace."""
    answered = [call for call in calls if call.status == 200]
    usage = Usage(*map(sum, zip(*(call.usage for call in calls), strict=True)))
    return {
        "session_id": session.session_id,
        "user_id": session.user_id,
        "status": "error" if turn.fails else "ok",
        "root_missing": False,
        "llm_call_count": len(calls),
        "failed_call_count": len(calls) - len(answered),
        "tool_call_count": 1 if turn.city else 0,
        "models": _distinct(call.response_model for call in answered),
        "request_models": _distinct(call.request_model for call in calls),
        "providers": _distinct(call.provider for call in calls),
        "tools": [TOOL_NAME] if turn.city else [],
        **usage._asdict(),
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }


def session(whose: Session, traces: Sequence[Row]) -> Row:
    """The row of a session with these traces."""
    failed = sum(one["status"] == "error" for one in traces)
    return {
        "session_id": whose.session_id,
        "user_id": whose.user_id,
        "user_ids": [whose.user_id],
        "status": "error" if failed else "ok",
        "trace_count": len(traces),
        "failed_trace_count": failed,
        **{name: _distinct(item for one in traces for item in one[name]) for name in LISTS},
        **{name: sum(one[name] for one in traces) for name in (*COUNTS, *TOKENS)},
    }


def texts(calls: Sequence[Call]) -> tuple[str | None, str | None]:
    """What was asked and what was answered in the end."""
    return calls[0].input, calls[-1].output


def cost_usd(calls: Iterable[Call]) -> float:
    """List price of calls."""
    return sum(_price(call) for call in calls if call.status == 200)


def first_token_between(calls: Iterable[Call]) -> tuple[int, int | None] | None:
    """When the first content of a turn went out, and when the second, if there was one; None where nothing was streamed."""
    return min(
        ((call.first_content_unix_nano, call.second_content_unix_nano) for call in calls if call.first_content_unix_nano),
        default=None,
    )


def _price(call: Call) -> float:
    usage = PricedUsage(
        input_tokens=call.usage.input_tokens,
        output_tokens=call.usage.output_tokens,
        cache_read_tokens=call.usage.cache_read_tokens,
        cache_write_tokens=call.usage.cache_write_tokens,
    )
    now = datetime.now(UTC)
    priced = calc_price(usage, call.response_model or "", provider_id=call.provider, genai_request_timestamp=now)
    return float(priced.total_price)


def _distinct(items: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(item for item in items if item is not None))
