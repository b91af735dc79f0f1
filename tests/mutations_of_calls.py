"""Ways to break `core/figures/calls.py`, each a replacement of some of its text."""

from typing import NamedTuple

TESTS = (
    "tests/core/figures/test_calls.py",
    "tests/core/figures/test_usage.py",
    "tests/core/figures/test_trace.py",
    "-k",
    "not thirty_thousand",
)
"""What tells whether the rule still holds; how it scales is another matter."""


class Patch(NamedTuple):
    name: str
    old: str
    new: str


def _gaps() -> list[Patch]:
    found = [
        Patch(f"a gap in {field} is not filled", f"call.{field} or source.{field},", f"call.{field},")
        for field in ("response_id", "request_model", "response_model", "provider")
    ]
    usage = "usage=_filled_usage(call.usage, source.usage) if usage else call.usage"
    first = "call.first_token_unix_nano or source.first_token_unix_nano if usage else call.first_token_unix_nano"
    return [
        *found,
        Patch("a gap in usage is not filled", usage, "usage=call.usage"),
        Patch("a gap in cost is not filled", "cost=call.cost or source.cost if usage else call.cost", "cost=call.cost"),
        Patch("a gap in the first token is not filled", first, "call.first_token_unix_nano"),
        Patch(
            "what is reported twice comes from above",
            "mine if mine is not None else theirs",
            "theirs if theirs is not None else mine",
        ),
    ]


CALLS = (
    *_gaps(),
    Patch("any generation below restates", "if family & below[i]:", "if family and below[i]:"),
    Patch("no generation restates", "if family & below[i]:", "if False:"),
    Patch("chat and text completion are two families", '"text_completion": 1,', '"text_completion": 32,'),
    Patch("only what is right below restates", "|= below[i] | family", "|= family"),
    Patch(
        "nothing is a barrier on the way up", "if links[i] >= 0 and spans[i].operation not in BARRIER_KINDS:", "if links[i] >= 0:"
    ),
    Patch("nothing is a barrier on the way down", "if parent < 0 or spans[i].operation in BARRIER_KINDS:", "if parent < 0:"),
    Patch("each of several attempts takes the bill", "usage=len(lower) == 1)", "usage=True)"),
    Patch("no attempt takes the bill", "if len(lower) > 1 and not any(each in reporting for each in lower):", "if False:"),
    Patch("the bill is taken beside those that report", "and not any(each in reporting for each in lower)", ""),
    Patch(
        "the last attempt takes the bill though it failed",
        "max((each for each in lower if not told[each].failed), default=lower[-1])",
        "lower[-1]",
    ),
    Patch("the first good attempt takes the bill", "max((each for each in lower if not", "min((each for each in lower if not"),
    Patch("what reports two below is not seen", " or any(lower in reporting for lower in below.get(i, ()))", ""),
    Patch("a restated call keeps its own parent", "._replace(parent=told[i].parent)", ""),
    Patch("the last below counts as what was restated", "first = below[i][0]", "first = below[i][-1]"),
    Patch(
        "a response id does not make twins", "by_response.get(call.response_id) if call.response_id is not None else None", "None"
    ),
    Patch("two response ids may be one call", "if one.response_id is not None and other.response_id is not None:", "if False:"),
    Patch("one scope tells a call twice", "if first.scope == second.scope or", "if"),
    Patch("twins may be of two families", "or _FAMILIES[first.operation] != _FAMILIES[second.operation]", ""),
    Patch("twins need not lie inside each other", "if not nested:", "if False:"),
    Patch("only the later may lie inside", " or (other_start <= start and end <= other_end)", ""),
    Patch("one failed twin is enough", "if first.is_error and second.is_error:", "if first.is_error or second.is_error:"),
    Patch("failed twins need usage", "if first.is_error and second.is_error:", "if False:"),
    Patch("twins without usage are one", "one is not None and other is not None and one[:2]", "not one or not other or one[:2]"),
    Patch("twins may differ in usage", "other is not None and one[:2] == other[:2]", "other is not None"),
    Patch("twins tell of every part alike", "one[:2] == other[:2]", "one == other"),
    Patch("twins may differ in model", "one.response_model == other.response_model or None in", "True or None in"),
    Patch("a twin's failure is forgotten", "failed=both.failed or call.failed", "failed=both.failed"),
    Patch("a twin is told as restated", 'both.position, "twin")', 'both.position, "restated")'),
    Patch("only what is right below silences a reporter", "(told_below[i] or reports(spans[i]))", "reports(spans[i])"),
    Patch("every reporter counts", " and not told_below[i]\n", "\n"),
    Patch("generations are reporters too", "and span.operation not in GENERATION_KINDS and not", "and not"),
    Patch("a cost alone is no report", "return span.usage is not None or span.cost is not None", "return span.usage is not None"),
    Patch("usage alone is no report", "return span.usage is not None or span.cost is not None", "return span.cost is not None"),
    Patch("a first token is told from the trace's start", "start_unix_nano + span.first_token_nano", "span.first_token_nano"),
)
