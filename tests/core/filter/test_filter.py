"""What filters mean: every type and comparator, absent values, percentiles, what an index is told; all against a naive reading."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import T0, score, span, summary, turn
from seen_rows import COUNTS, IDS, SCORED, WORDS, SeenRow, pool, seen
from sessiond.core.errors import Invalid
from sessiond.core.feedback.rollup import summed
from sessiond.core.figures import session, user
from sessiond.core.filter import parse_filter
from sessiond.core.filter.literals import TAKES
from sessiond.core.fold import LIST_MAX
from sessiond.core.model import SessionKey, Text, Texts, UserKey
from sessiond.core.rows.fields import FIELDS, Field, Kind
from sessiond.core.rows.where import Where

KINDS: list[Kind] = ["trace", "session", "user"]
HOUR_NANO = 3600 * 10**9
START = "2026-09-21T14:13:20"
"""T0."""

SCORES = summed(
    [score(value=0.25), score(value=False), *(score(name="a.verdict", value=value) for value in ("bad", "bad", "partly good", "1"))]
)
TRACE = summary(
    span(
        **{
            "name": "Travel agent",
            "session": "s1",
            "user": "ann",
            "error": "broken",
            "operation": "chat",
            "model": "gpt-4.1",
            "tokens_in": 500,
            "tokens_out": 5,
            "end_ms": 1500,
            "gen_ai.usage.total_cost": 0.05,
            "tag.tags": ["blue", "green"],
            "metadata": '{"plan": "pro", "http.route": "/x", "tries": 12, "ratio": "0.50"}',
        }
    )
)._replace(list_counts=(("models", 101),), annotations=2, scores=SCORES)
TEXTS = Texts(Text("What is the Weather?", 2000), None)
ROWS: dict[Kind, SeenRow] = {
    "trace": seen(TRACE, texts=TEXTS),
    "session": seen(session.summarize(SessionKey("default", "s1"), [TRACE]), texts=TEXTS, is_live=True),
    "user": seen(user.summarize(UserKey("default", "ann"), [TRACE])),
}


def holds(text: str, kind: Kind = "trace", row: SeenRow | None = None) -> bool:
    return parse_filter(text, kind).matches(row or ROWS[kind])


TRUE = [
    # strings
    'name = "Travel agent"',
    "name != travel",
    "name = Travel*",
    'name = "*"',
    "name != agent*",
    'name < "Travel b"',
    "name <= 'Travel agent'",
    "name > Travel",
    "name >= 'Travel agent'",
    "name:AGENT",
    "name:agent*",
    'name:""',
    "name:*",
    # ids
    "trace_id = 00000000000000000000000000000001",
    'trace_id = "0000*"',
    "trace_id = 000*",
    "trace_id != ff*",
    "trace_id != FF",
    "trace_id:*",
    # times
    f"start_time = {START}Z",
    f"start_time = '{START}.000000000+00:00'",
    "start_time = 2026-09-21T16:13:20+02:00",
    "start_time = 2026-09-21T09:43:20-04:30",
    f"start_time = {START.lower()}z",
    f"start_time != {START}.000000001Z",
    f"start_time < {START}.1Z",
    f"start_time <= {START}Z",
    "start_time > 2026-09-21",
    "start_time >= 2026-02-28",
    "start_time < 2026-09-22",
    "start_time > 0001-01-01",
    "start_time < 9999-12-31T23:59:59.999999999Z",
    # milliseconds
    "duration_ms = 1500",
    "duration_ms = 1500.0",
    "duration_ms = 1.5e3",
    "duration_ms = 1.5s",
    "duration_ms = 1500ms",
    "duration_ms > 0.02m",
    "duration_ms < 0.001h",
    "duration_ms < 1d",
    "duration_ms > 1499.999999999",
    "duration_ms > -1",
    # usd
    "cost_usd = 0.05",
    "cost_usd = .05",
    "cost_usd = 5e-2",
    "cost_usd > 0.0499999999999",
    "cost_usd < 0.0500000000001",
    "cost_usd != 0.0500000000001",
    "cost_usd >= 0",
    # counts
    "input_tokens = 500",
    "input_tokens > 499.5",
    "input_tokens <= 5e2",
    'input_tokens < "501"',
    "total_tokens = 505",
    # booleans
    "root_missing = false",
    "root_missing != true",
    "root_missing = FALSE",
    "root_missing:*",
    # enums
    "status = error",
    "status = ERROR",
    "status != ok",
    "status:*",
    # lists
    "models:gpt-4.1",
    'models:"gpt*"',
    "tags:green",
    "tags:*",
    "NOT models:gpt-4",
    "NOT other_session_ids:*",
    # maps
    "metadata:plan",
    "metadata:http.route",
    'metadata:"http*"',
    "metadata:*",
    "NOT metadata:nothing",
    "metadata.plan = pro",
    "metadata.plan != free",
    "metadata.plan = p*",
    "metadata.plan:PR",
    "metadata.plan:*",
    "metadata.plan > free",
    'metadata."http.route" = /x',
    "metadata.tries > 9",  # as numbers; "12" is less than "9"
    'metadata.tries < "9"',  # as texts
    "metadata.tries = 12",
    "metadata.ratio >= 0.5",
    "NOT metadata.plan > 5",
    "NOT metadata.plan < 5",
    "list_counts.models > 100",
    "list_counts.models = 101",
    "list_counts:models",
    "list_counts.models:*",
    "NOT list_counts.tools > 0",
    # scores
    "scores:helpful",
    "scores:a.ver*",
    "scores:*",
    "NOT scores:verdict",
    "scores.helpful = 0.125",
    "scores.helpful < .5",
    "scores.helpful != true",
    "scores.helpful >= false",
    "scores.helpful:*",
    "NOT scores.helpful = bad",
    "NOT scores.helpful != bad",
    "scores.a.verdict = bad",
    "scores.a.verdict:bad",
    'scores."a.verdict" = "partly good"',
    "scores.a.verdict:part*",
    'scores.a.verdict = "1"',
    "NOT scores.a.verdict = 1",
    "NOT scores.a.verdict < 2",
    "scores.a.verdict != good",
    "NOT scores.a.verdict != bad",
    "NOT scores.none != bad",
    "NOT scores.none:*",
    "annotations = 2",
    # texts
    "input:weather",
    "input = 'What is*'",
    "input_length = 2000",
    "input_length > 1999.5",
    "NOT output:*",
    "NOT output_length >= 0",
]


@pytest.mark.parametrize("text", TRUE)
def test_what_a_term_means(text: str):
    assert holds(text)
    assert not holds(f"NOT ({text})")


OF_OTHERS: list[tuple[Kind, str]] = [
    ("session", "state = live"),
    ("session", "state != idle"),
    ("session", "state:*"),
    ("session", "user_ids:ann"),
    ("session", "last_activity_time >= 2026-09-21"),
    ("session", "input:weather"),
    ("session", "trace_count = 1"),
    ("session", "first_failed_trace_id = 00*"),
    ("user", "user_id = ann"),
    ("user", "models:gpt*"),
    ("user", "cost_mean_usd = 0.05"),
    ("user", "last_seen_time = 2026-09-21T14:13:21.5Z"),
]


@pytest.mark.parametrize(("kind", "text"), OF_OTHERS)
def test_sessions_and_users_have_their_own_fields(kind: Kind, text: str):
    assert holds(text, kind)
    assert not holds(f"NOT ({text})", kind)


@pytest.mark.parametrize("comparator", ["=", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize(
    "left",
    [
        "ttft_ms {} 0",
        "session_id {} x",
        "error_type {} x",
        "metadata.none {} x",
        "metadata.none {} 1",
        "list_counts.tools {} 1",
        "scores.none {} 1",
    ],
)
def test_what_is_absent_matches_no_comparison(left: str, comparator: str):
    row = seen(turn(session_id=None, user_id=None))
    text = left.format(comparator)
    assert not holds(text, row=row)
    assert holds(f"NOT {text}", row=row)
    assert not holds(f"{text.split()[0]}:*", row=row)


def test_an_id_that_is_empty_or_none_is_absent():
    row = seen(turn(root_span_id=b""))
    assert not holds("root_span_id:*", row=row)
    assert not holds("root_span_id = *", row=row)
    assert not holds("first_failed_trace_id:*", "session", seen(session.summarize(SessionKey("default", "s1"), [turn()])))


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 999), st.integers(-1439, 1439))
def test_times_are_those_of_the_calendar(moment: datetime, nanos: int, zone_minutes: int):
    zone = f"{'-' if zone_minutes < 0 else '+'}{abs(zone_minutes) // 60:02}:{abs(zone_minutes) % 60:02}"
    written = f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}{nanos:03}{zone}"
    since_epoch = moment - datetime.fromtimestamp(0, UTC) - timedelta(minutes=zone_minutes)
    meant = since_epoch // timedelta(microseconds=1) * 1000 + nanos
    places = len(ROWS["trace"].numbers)
    before, then = (ROWS["trace"]._replace(numbers=(value,) * places) for value in (meant - 1, meant))
    assert [holds(f"start_time = {written}", row=row) for row in (before, then)] == [False, True]


WRONG: list[tuple[str, str]] = [
    ("status = bad", "ok or error"),
    ("root_missing = yes", "true or false"),
    ("root_missing < true", "does not compare"),
    ("start_time > yesterday", "RFC 3339"),
    ("start_time > 2026-11-01T10:00:00", "RFC 3339"),
    ("start_time > 2026-11-01T10:00Z", "RFC 3339"),
    ("start_time > 2026-02-29", "RFC 3339"),
    ("start_time > 1900-02-29", "RFC 3339"),
    ("start_time > 2026-13-01", "RFC 3339"),
    ("start_time > 0000-01-01", "RFC 3339"),
    ("start_time > 2026-00-01", "RFC 3339"),
    ("start_time > 2026-11-31", "RFC 3339"),
    ("start_time > 2026-11-01T24:00:00Z", "RFC 3339"),
    ("start_time > 2026-11-01T10:60:00Z", "RFC 3339"),
    ("start_time > 2026-11-01T10:00:60Z", "RFC 3339"),
    ("start_time > 2026-11-01T10:00:00.0000000001Z", "RFC 3339"),
    ("start_time > 2026-11-01T10:00:00+24:00", "RFC 3339"),
    ("start_time = 2026-11-01*", "RFC 3339"),
    ("start_time:2026-11-01", "does not compare"),
    ("duration_ms > 20w", "20s"),
    ("duration_ms > s", "20s"),
    ("cost_usd > $5", "US dollars"),
    ("cost_usd > 1e100", "US dollars"),
    ("cost_usd > nan", "US dollars"),
    ("cost_usd > 1_000", "US dollars"),
    ("input_tokens > ٣", "a number"),
    ("input_tokens:5", "does not compare"),
    ("input_tokens = 5*", "a number"),
    ("trace_id = xyz", "in hex"),
    ("trace_id = 123", "in hex"),
    ('trace_id = ""', "in hex"),
    ("trace_id < 12", "does not compare"),
    ("models = gpt-4.1", 'models:"get weather"'),
    ("metadata = x", "metadata.plan = pro"),
    ("list_counts > 5", "list_counts.tools > 200"),
    ("list_counts.models = x", "a number"),
    ("list_counts.models:5", "does not compare"),
]


@pytest.mark.parametrize(("text", "hint"), WRONG)
def test_a_value_or_comparator_of_another_type_is_refused_with_an_example(text: str, hint: str):
    with pytest.raises(Invalid) as caught:
        parse_filter(text, "trace")
    assert hint in str(caught.value)
    assert "at character " in caught.value.message
    assert re.match(r"\w+", text)[0] in str(caught.value)


def all_fields() -> list[tuple[Kind, Field[Any]]]:
    return [(kind, field) for kind, fields in FIELDS.items() for field in fields]


@pytest.mark.parametrize(("kind", "field"), all_fields(), ids=lambda one: getattr(one, "name", one))
def test_every_field_takes_the_examples_of_its_type_and_can_be_asked_for(kind: Kind, field: Field[Any]):
    value = field.values[0] if field.values else ""
    for example in (*TAKES[field.type].examples, "{}:*", "NOT {}:*"):
        assert holds(example.format(field.name, value=value), kind) in (True, False)
    absent = field.name.startswith("output") and "text" in field.kept
    value_is_there = field.kept != "row" or field.get(ROWS[kind].summary) not in (None, ())
    assert holds(f"{field.name}:*", kind) is (value_is_there and not absent)


# -- against a naive reading ---------------------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A filter, and what it means in the words of the test."""

    text: str
    holds: Callable[[SeenRow], bool]
    level: int = 2
    """0: parts joined by AND; 1: by OR; 2: can stand anywhere."""


def quoted(text: str) -> st.SearchStrategy[str]:
    escaped = text.replace("\\", "\\\\").replace("*", "\\*")
    return st.sampled_from(['"', "'"]).map(lambda quote: quote + escaped.replace(quote, f"\\{quote}") + quote)


SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
signs = st.sampled_from(sorted(SIGNS))
UNITS = {"milliseconds": 10**6, "usd": 10**9, "count": 1}


def plain(field: Field[Any], row: SeenRow) -> Any:
    """The value as Python has it; None, or nothing in it, where it is absent."""
    if field.name == "state":
        return "live" if row.is_live else "idle"
    if field.kept == "texts":
        text = getattr(row.texts, field.name.removesuffix("_length"))
        return text and (text.length if field.name.endswith("_length") else text.beginning)
    return field.get(row.summary)


def compared(field: Field[Any], sign: str, written: str, value: Any, read: Callable[[Any], Any] = lambda found: found) -> Case:
    def means(row: SeenRow) -> bool:
        found = plain(field, row)
        return found is not None and SIGNS[sign](read(found), value)

    return Case(f"{field.name} {sign} {written}", means)


def number(draw: st.DrawFn, field: Field[Any]) -> Case:
    """Values of rows, and what lies between two of them."""
    unit = UNITS[field.type]
    value = Fraction(draw(st.sampled_from((*COUNTS, 50_000_000, 3600 * 10**9)))) / unit + draw(
        st.sampled_from([0, 0, Fraction(1, 2) / unit])
    )
    return compared(field, draw(signs), f"{float(value):.12f}", value, lambda found: Fraction(found, unit))


def moment(draw: st.DrawFn, field: Field[Any]) -> Case:
    second, nano = draw(st.sampled_from([(0, 0), (60, 0), (60, 1), (3660, 0), (3659, 999_000_000), (-3540, 0), (7260, 0)]))
    hours, rest = divmod(14 * 3600 + 13 * 60 + 20 + second, 3600)
    written = f"2026-09-21T{hours:02}:{rest // 60:02}:{rest % 60:02}.{nano:09}Z"
    return compared(field, draw(signs), written, T0 + second * 10**9 + nano)


def folded(text: str) -> str:
    """Without case, of the texts of these tests."""
    return text.lower().replace("ß", "ss")


def text_of(draw: st.DrawFn, field: Field[Any]) -> Case:
    word = draw(st.sampled_from((*WORDS, *IDS)))
    written = draw(quoted(word))
    how = draw(st.sampled_from([*SIGNS, ":", "= *", "!= *"]))
    if how in SIGNS:
        return compared(field, how, written, word)
    if how == ":":
        return Case(
            f"{field.name}:{written}", lambda row: (found := plain(field, row)) is not None and folded(word) in folded(found)
        )
    sign = how.split()[0]
    starred = written[:-1] + "*" + written[-1]
    return Case(
        f"{field.name} {sign} {starred}",
        lambda row: (found := plain(field, row)) is not None and (found[: len(word)] == word) == (sign == "="),
    )


def entry(draw: st.DrawFn, field: Field[Any]) -> Case:
    word = draw(st.sampled_from((*WORDS, *IDS)))
    written = draw(quoted(word))
    if draw(st.booleans()):
        return Case(f"{field.name}:{written}", lambda row: word in (plain(field, row) or ()))
    return Case(
        f"{field.name}:{written[:-1]}*{written[-1]}", lambda row: any(each[: len(word)] == word for each in plain(field, row) or ())
    )


def of_key(draw: st.DrawFn, field: Field[Any]) -> Case:
    key, word, sign = draw(st.sampled_from(["plan", "http.route", "none"])), draw(st.sampled_from(WORDS)), draw(signs)
    written = draw(quoted(word))

    def means(row: SeenRow) -> bool:
        found = dict(plain(field, row)).get(key)
        return found is not None and SIGNS[sign](found, word)

    return Case(f"{field.name}.{key}{sign}{written}", means)


def of_count(draw: st.DrawFn, field: Field[Any]) -> Case:
    key, value, sign = draw(st.sampled_from(["models", "tools"])), draw(st.sampled_from([100, 101, 1000])), draw(signs)

    def means(row: SeenRow) -> bool:
        found = dict(plain(field, row)).get(key)
        return found is not None and SIGNS[sign](found, value)

    return Case(f"{field.name}.{key} {sign} {value}", means)


def scored(draw: st.DrawFn, field: Field[Any]) -> Case:
    """A name's mean, or its categories."""
    name = draw(st.sampled_from(["helpful", '"a b"', "http.route", "none"]))
    word, sign = draw(st.sampled_from([each for each in SCORED if isinstance(each, str)])), draw(st.sampled_from(["=", "!=", ":"]))
    starred = draw(st.booleans())

    def of(row: SeenRow) -> Any:
        return next((one for one in plain(field, row) if one.name == name.strip('"')), None)

    def has(row: SeenRow) -> bool:
        given = [category for category, _ in of(row).categories] if of(row) else []
        is_given = any(each.startswith(word) if starred else each == word for each in given)
        return bool(given) and is_given == (sign != "!=")

    how = draw(st.sampled_from(["name", "present", "category", "mean"]))
    if how == "name":
        return Case(f"{field.name}:{name}", lambda row: of(row) is not None)
    if how == "present":
        return Case(f"{field.name}.{name}:*", lambda row: of(row) is not None)
    if how == "category":
        return Case(f'{field.name}.{name} {sign} "{word}{"*" * starred}"', has)
    value, written = draw(
        st.sampled_from([(0.0, "false"), (1.0, "TRUE"), (0.5, "0.5"), (0.1, "1e-1"), (-1.0, "-1"), (0.05, ".05")])
    )
    compared = draw(signs)

    def mean(row: SeenRow) -> bool:
        return of(row) is not None and of(row).mean is not None and SIGNS[compared](of(row).mean, value)

    return Case(f"{field.name}.{name} {compared} {written}", mean)


def word_of(draw: st.DrawFn, field: Field[Any]) -> Case:
    sign, value = draw(st.sampled_from(["=", "!="])), draw(st.sampled_from(field.values or ("false", "true")))
    return compared(field, sign, value, value, lambda found: str(found).lower())


def digits(draw: st.DrawFn, field: Field[Any]) -> Case:
    value = draw(st.sampled_from(["00", "abababababababab", "0000000000000000"]))
    return compared(field, draw(st.sampled_from(["=", "!="])), value, value, bytes.hex)


CASES = {
    "string": text_of,
    "strings": entry,
    "map": of_key,
    "counts": of_count,
    "scores": scored,
    "bool": word_of,
    "enum": word_of,
    "id": digits,
    "time": moment,
    "milliseconds": number,
    "usd": number,
    "count": number,
}


@st.composite
def terms(draw: st.DrawFn, kind: Kind) -> Case:
    field = draw(st.sampled_from(FIELDS[kind]))
    if draw(st.integers(0, 9)) == 0:
        return Case(f"{field.name}:*", lambda row: plain(field, row) not in (None, (), b""))
    return CASES[field.type](draw, field)


def joined(level: int, together: Callable[[Any], bool]) -> Callable[[tuple[list[Case], str]], Case]:
    def join(drawn: tuple[list[Case], str]) -> Case:
        parts, word = drawn
        texts = [part.text if part.level > level else f"({part.text})" for part in parts]
        return Case(word.join(texts), lambda row: together(part.holds(row) for part in parts), level)

    return join


def cases(kind: Kind) -> st.SearchStrategy[Case]:
    """Filters with as few parentheses as can be: which binds tighter is known to `joined` alone."""

    def more(inner: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
        some = st.lists(inner, min_size=2, max_size=3)
        negated = st.tuples(inner, st.sampled_from(["NOT ", "-"])).map(
            lambda drawn: Case(f"{drawn[1]}({drawn[0].text})", lambda row: not drawn[0].holds(row))
        )
        return st.one_of(
            st.tuples(some, st.sampled_from([" AND ", " "])).map(joined(0, all)),
            st.tuples(some, st.just(" OR ")).map(joined(1, any)),
            negated,
        )

    return st.recursive(terms(kind), more, max_leaves=6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_means_what_a_naive_reading_says(kind: Kind):
    @settings(max_examples=400, deadline=None)
    @given(cases(kind))
    def check(case: Case) -> None:
        matching = parse_filter(case.text, kind)
        assert [row for row in pool(kind) if matching.matches(row) != case.holds(row)] == []
        assert [row for row in pool(kind) if case.holds(row) and not matching.where.holds_for(row.summary)] == []

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_of_the_request_restricts_as_a_naive_reading_says(kind: Kind):
    ids = st.none() | st.sampled_from(IDS)
    moments = st.none() | st.sampled_from([T0 + hours * HOUR_NANO + more for hours in (-1, 0, 1, 2) for more in (0, 60 * 10**9)])

    @settings(max_examples=300, deadline=None)
    @given(st.tuples(ids, ids if kind != "user" else st.none(), ids, moments, moments))
    def check(known: tuple[Any, ...]) -> None:
        project, session_id, user_id, since, until = known

        def is_wanted(row: Any) -> bool:
            start = row.first_seen_unix_nano if kind == "user" else row.start_unix_nano
            return (
                project in (None, row.project)
                and (session_id is None or row.session_id == session_id)
                and (user_id is None or user_id in (row.user_ids if kind == "session" else (row.user_id,)))
                and (since is None or start >= since)
                and (until is None or start < until)
            )

        matching = parse_filter("", kind).within(
            project=project, session_id=session_id, user_id=user_id, since_unix_nano=since, until_unix_nano=until
        )
        assert [row for row in pool(kind) if matching.matches(row) != is_wanted(row.summary)] == []
        assert [row for row in pool(kind) if is_wanted(row.summary) and not matching.where.holds_for(row.summary)] == []

    check()


# -- what an index is told -----------------------------------------------------------------------------------------------------

NARROWED: list[tuple[Kind, str, Where]] = [
    ("trace", "", Where()),
    ("trace", "project = p session_id = s (user_id = u)", Where("p", "s", "u")),
    ("trace", "project = p AND project = q", Where("p")),
    ("trace", "project = p*", Where()),
    ("trace", "project != p", Where()),
    ("trace", "project:p", Where()),
    ("trace", "NOT project = p", Where()),
    ("trace", "project = p OR project = q", Where()),
    ("trace", f"start_time >= {START}Z start_time < {START}.5Z", Where(since_unix_nano=T0, until_unix_nano=T0 + 5 * 10**8)),
    ("trace", f"start_time > {START}Z start_time <= {START}.5Z", Where(since_unix_nano=T0 + 1, until_unix_nano=T0 + 5 * 10**8 + 1)),
    ("trace", f"start_time = {START}Z", Where(since_unix_nano=T0, until_unix_nano=T0 + 1)),
    ("trace", f"start_time != {START}Z", Where()),
    ("trace", f"start_time > {START}Z start_time > 2020-01-01", Where(since_unix_nano=T0 + 1)),
    ("trace", f"end_time < {START}Z end_time > 2020-01-01", Where(until_unix_nano=T0)),
    ("trace", "start_time > 0001-01-01 start_time < 9999-01-01", Where(since_unix_nano=0)),
    ("trace", "start_time < 0001-01-01", Where(until_unix_nano=0)),
    ("trace", "start_time > 9999-01-01", Where(since_unix_nano=2**63 - 1)),
    ("session", "session_id = s user_ids:u", Where(None, "s", "u")),
    ("session", "user_ids:u*", Where()),
    ("session", f"start_time >= {START}Z start_time < 2030-01-01", Where(since_unix_nano=T0 - HOUR_NANO)),
    ("session", f"last_activity_time >= {START}Z", Where(since_unix_nano=T0)),
    ("session", f"last_activity_time < {START}Z", Where(until_unix_nano=T0)),
    ("user", "user_id = u", Where(None, None, "u")),
    ("user", f"first_seen_time >= {START}Z first_seen_time < 2030-01-01", Where(since_unix_nano=T0)),
    ("user", f"last_seen_time = {START}Z", Where(since_unix_nano=T0, until_unix_nano=T0 + 1)),
]


@pytest.mark.parametrize(("kind", "text", "where"), NARROWED)
def test_an_index_is_told_what_all_rows_that_match_fulfil(kind: Kind, text: str, where: Where):
    assert parse_filter(text, kind).where == where


def test_what_is_known_of_the_request_and_the_filter_must_both_hold():
    matching = parse_filter("name:agent", "trace").within(project="default")
    others = [seen(TRACE._replace(**changed)) for changed in ({}, {"name": "x"}, {"project": "p"})]
    assert [matching.matches(row) for row in others] == [True, False, False]


def test_the_request_narrows_further():
    narrowed = parse_filter("user_ids:u", "session").within(project="p", since_unix_nano=T0, until_unix_nano=T0 + 1)
    assert narrowed.where == Where("p", None, "u", T0 - HOUR_NANO)


def test_the_latest_of_too_many_users_to_list_is_found():
    of_many = session.summarize(
        SessionKey("default", "s1"), [turn(number, start_ms=number, user_id=f"u{number}") for number in range(1, LIST_MAX + 2)]
    )
    latest = f"u{LIST_MAX + 1}"
    for matching in (parse_filter(f"user_id = {latest}", "session"), parse_filter("", "session").within(user_id=latest)):
        assert matching.matches(seen(of_many))
        assert matching.where == Where(user_id=latest)
        assert matching.where.holds_for(of_many)


# -- percentiles ---------------------------------------------------------------------------------------------------------------


def test_percentiles_are_found_out_over_what_the_other_terms_match():
    matching = parse_filter(
        "duration_ms > p99.9(duration_ms) AND (name:turn duration_ms <= median(ttft_ms)) project = default", "trace"
    )
    assert [(one.field.name, one.share) for one in matching.percentiles] == [
        ("duration_ms", Decimal("0.999")),
        ("ttft_ms", Decimal("0.5")),
    ]
    row = seen(turn(end_ms=20, ttft_nano=5))
    assert [one.value_of(row) for one in matching.percentiles] == [20 * 10**6, 5]
    assert [one.value_of(seen(turn())) for one in matching.percentiles] == [10**7, None]
    assert matching.where == Where("default")
    others = matching.without_percentiles()
    assert others.percentiles == ()
    assert [others.matches(each) for each in (row, seen(turn(name="x")))] == [True, False]


@pytest.mark.parametrize(
    ("thresholds", "expected"),
    [((10**7, 10**9), True), ((2 * 10**7, 10**9), False), ((10**7, 10**7), False), ((None, 10**9), False), ((10**7, None), False)],
)
def test_a_threshold_that_no_row_tells_matches_nothing(thresholds: tuple[int | None, ...], expected: bool):
    matching = parse_filter("duration_ms > p95(duration_ms) duration_ms < p50(ttft_ms) name:turn", "trace").fixed(thresholds)
    assert matching.percentiles == ()
    assert matching.matches(seen(turn(end_ms=20))) is expected
    assert not matching.matches(seen(turn(end_ms=20, name="x")))


def test_what_restricts_a_filter_with_percentiles_holds_for_both_its_halves():
    matching = parse_filter("duration_ms > p95(duration_ms)", "trace").within(project="p")
    for each in (matching.without_percentiles(), matching.fixed([0])):
        assert [each.matches(seen(turn(project=project))) for project in ("p", "q")] == [True, False]
        assert each.where == Where("p")


def test_a_filter_whose_percentiles_are_not_known_can_not_be_asked():
    matching = parse_filter("duration_ms > p95(duration_ms)", "trace")
    with pytest.raises(ValueError, match="p95"):
        matching.matches(seen(turn()))
    with pytest.raises(ValueError, match="shorter"):
        matching.fixed([])
    with pytest.raises(ValueError, match="longer"):
        parse_filter("name:a", "trace").fixed([1])
    assert parse_filter("name:a", "trace").fixed([]).matches(seen(turn(name="a")))


# -- what is looked at ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "beyond"),
    [
        ("trace", "", False),
        ("trace", "name:a cost_usd > 1 tools:x", False),
        ("trace", "input:a", True),
        ("trace", "NOT (name:a OR output_length > 5)", True),
        ("trace", "input_length > p95(input_length)", True),
        ("trace", "span_count > p95(input_length)", True),
        ("session", "state = live", True),
    ],
)
def test_a_filter_tells_whether_a_row_itself_is_enough(kind: Kind, text: str, beyond: bool):
    matching = parse_filter(text, kind)
    assert matching.looks_beyond is beyond
    assert matching.without_percentiles().looks_beyond is beyond
    assert matching.fixed([0] * len(matching.percentiles)).within(project="p").looks_beyond is beyond


def test_a_filter_tells_whether_it_leaves_out_anything():
    assert [parse_filter(text, "trace").is_empty for text in ("", "  ", "name:*", "span_count > p5(span_count)")] == [
        True,
        True,
        False,
        False,
    ]
    everything = parse_filter("", "trace")
    assert [everything.within(project=project).is_empty for project in (None, "p")] == [True, False]
    assert [row for row in pool("trace") if not everything.matches(row)] == []


class Counting:
    """A row that counts how often its dearer parts are looked at."""

    def __init__(self, row: SeenRow) -> None:
        self._row = row
        self.looked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.looked.append(name)
        return getattr(self._row, name)


@pytest.mark.parametrize(
    ("text", "looked"),
    [
        ("input:a name:x tools:nothing cost_usd > 1000", ["numbers"]),
        ("input:a name:x tools:nothing cost_usd >= 0", ["numbers", "signature"]),
        ("input:a tools:nothing status = error", ["numbers", "signature"]),
        ("input:a name:x metadata.plan = nothing", ["signature"]),
        ("input:a models:gpt-4.1 tools:nothing", ["signature"]),
        ("input:a name:zzz user_id = ann", ["signature", "summary"]),
        ("input:a tools:nothing OR tools:none", ["signature", "signature"]),
        ("input:a OR name:travel", ["summary"]),
        ("input:a NOT name:travel", ["summary"]),
    ],
)
def test_what_is_cheap_is_asked_first(text: str, looked: list[str]):
    row = Counting(ROWS["trace"])
    parse_filter(text, "trace").matches(row)
    assert list(dict.fromkeys(row.looked)) == list(dict.fromkeys(looked))
