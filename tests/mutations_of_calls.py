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
    first = "call.first_token_unix_nano or source.first_token_unix_nano"
    return [
        *found,
        Patch("a gap in usage is not filled", "used = _filled_usage(call.usage, source.usage)", "used = call.usage"),
        Patch("a gap in cost is not filled", "cost=_filled_cost(call, source, used)", "cost=call.cost"),
        Patch("a cost of nothing is known beside tokens", "beside(one.cost, one.usage or NO_USAGE, used or NO_USAGE)", "one.cost"),
        Patch("two sides are no total", "completed(Cost(*_filled(mine, theirs)))", "Cost(*_filled(mine, theirs))"),
        Patch("a gap in the first token is not filled", first, "call.first_token_unix_nano"),
        Patch(
            "what is reported twice comes from above",
            "mine if mine is not None else theirs",
            "theirs if theirs is not None else mine",
        ),
    ]


CALLS = (
    *_gaps(),
    Patch(
        "any generation below restates", "above[i].get(_FAMILIES.get(spans[i].operation, 0))", "next(iter(above[i].values()), None)"
    ),
    Patch("no generation restates", "if restater is not None:", "if False:"),
    Patch("chat and text completion are two families", '"text_completion": 1,', '"text_completion": 32,'),
    Patch("only what is right below restates", "above[i] = above[parent]", "above[i] = nothing"),
    Patch("nothing is a barrier", "if parent < 0 or spans[i].operation in BARRIER_KINDS:", "if parent < 0:"),
    Patch("each of several attempts takes the bill", "told[i], usage=False)", "told[i], usage=True)"),
    Patch("no attempt takes the bill", "elif not any(each in reporting for each in lower):", "elif False:"),
    Patch("the bill is taken beside those that report", "elif not any(each in reporting for each in lower):", "else:"),
    Patch("twins below are two attempts", "if len(attempts) == 1:", "if len(lower) == 1:"),
    Patch("a bill that none took is told as taken", "fills_usage=i in takers and", "fills_usage="),
    Patch("what is above no taker fills usage", "(under is None or under.fills_usage)", "True"),
    Patch("what stands above a twin is told as the twin's", "into=counted.get(one.into, one.into)", "into=one.into"),
    Patch("what is farthest fills first", "for i in reversed(order):  # what is nearest fills first", "for i in below:"),
    Patch(
        "the last attempt takes the bill though it failed",
        "max((each for each in lower if not told[each].failed), default=lower[-1])",
        "lower[-1]",
    ),
    Patch("the first good attempt takes the bill", "max((each for each in lower if not", "min((each for each in lower if not"),
    Patch("what reports two below is not seen", " or any(lower in reporting for lower in below.get(i, ()))", ""),
    Patch(
        "a restated call keeps its own parent",
        "told[i], usage=False)._replace(parent_id=told[i].parent_id)",
        "told[i], usage=False)",
    ),
    Patch("the last below counts as what was restated", "takers.get(i, below[i][0])", "takers.get(i, below[i][-1])"),
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
    Patch("a cost alone is no report", " or (span.cost is not None and any(span.cost))", ""),
    Patch("usage alone is no report", "span.usage is not None or (span.cost", "(span.cost"),
    Patch("a cost of nothing is a report", " and any(span.cost))", ")"),
    Patch("a first token may come after the end", "if first_token_nano is not None and first_token_nano >", "if False and 0 >"),
    Patch("a first token is told from the trace's start", "start_unix_nano + first_token_nano", "first_token_nano"),
)
