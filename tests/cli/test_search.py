"""`sessiond search`."""

from client.canned import MOMENT, TRACE_ID, Canned, ago, session, trace
from sessiond.client.rows import row, session_row, trace_row
from sessiond.wire._pb.v1 import search_pb2 as pb


def excerpt(text: str, *marks: tuple[int, int], **more: object) -> pb.SearchExcerpt:
    highlights = [pb.SearchHighlight(start=start, end=end) for start, end in marks]
    return pb.SearchExcerpt(place=pb.SEARCH_PLACE_TOOL_CALL, span_id="ab", text=text, highlights=highlights, **more)


def found(**more: object) -> pb.SearchRow:
    said = excerpt("get_weather\n{} \x1b[2J", (0, 11), cut_before=True, cut_behind=True)
    return pb.SearchRow(trace=trace(session_id="s1", start_time=ago(180)), hit_count=1, excerpts=[said], **more)


def test_what_was_found_reads_as_a_block_a_turn(run):
    rows = [found(), pb.SearchRow(trace=trace("bb", start_time=ago(7200)))]
    result = run(Canned(searched=[pb.SearchResponse(rows=rows)]), "search", "weather")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"3m ago  trace {TRACE_ID}  session s1  ask  ok",
        "  tool call  ...get_weather {} \\x1b[2J...",
        "",
        "2h ago  trace bb  ask  ok",
    ]


def test_an_excerpt_keeps_the_spaces_that_its_writing_needs(run):
    said = excerpt("10\u202f000\xa0€\n日本語\u3000テスト", (0, 6))
    rows = [pb.SearchRow(trace=trace(), excerpts=[said])]
    result = run(Canned(searched=[pb.SearchResponse(rows=rows)]), "search", "10")
    assert result.stdout.splitlines()[1:] == ["  tool call  10\u202f000\xa0€ 日本語\u3000テスト"]


def test_by_session_a_row_tells_how_many_turns_were_found(run):
    rows = [found(session=session("s1", trace_count=1234, last_activity_time=ago(60)))]
    rows[0].hit_count = 10
    result = run(Canned(searched=[pb.SearchResponse(rows=rows)]), "search", "weather", "--by-session")
    assert result.stdout.splitlines()[0] == f"1m ago  session s1  10 turns of 1,234  first {TRACE_ID}  ask  ok"


def test_json_has_every_field(run_json):
    rows = [found(session=session("s1")), pb.SearchRow(trace=trace("bb"), hit_count=1)]
    assert run_json(Canned(searched=[pb.SearchResponse(rows=rows)]), "search", "x") == [
        {
            "trace": trace_row(rows[0].trace),
            "session": session_row(rows[0].session),
            "hit_count": 1,
            "excerpts": [row(rows[0].excerpts[0])],
        },
        {"trace": trace_row(rows[1].trace), "session": None, "hit_count": 1, "excerpts": []},
    ]


def test_words_and_conditions_reach_the_daemon(run):
    canned = Canned(searched=[pb.SearchResponse()])
    conditions = ["--project", "p", "--session", "s", "--user", "u", "--since", "2026-01-01T00:00:00.123456789Z", "--filter", "f"]
    conditions += ["--until", "2026-01-01T00:00:00.123456789Z"]
    result = run(canned, "search", "rain", "OR", "snow", *conditions, "--newest", "--by-session", "--limit", "3")
    assert (result.exit_code, result.stderr) == (0, "Nothing was found.\n")
    assert canned.asked == [
        pb.SearchRequest(
            query="rain OR snow",
            project="p",
            session_id="s",
            user_id="u",
            since=MOMENT,
            until=MOMENT,
            filter="f",
            order=pb.SEARCH_ORDER_NEWEST,
            by_session=True,
            page_size=3,
        )
    ]


def test_what_is_not_searched_or_shown_is_told(run):
    page = pb.SearchResponse(rows=[found()], next_page_token="more")
    page.behind.FromMilliseconds(1500)
    result = run(Canned(searched=[page]), "search", "weather", "--limit", "1")
    assert result.stderr.splitlines() == ["1 shown; --limit N for more", "What came in the last 1.5 s is not searched yet."]
    result = run(Canned(searched=[pb.SearchResponse(rows=[found()], cut=True, building=True)]), "search", "weather")
    assert [line.split(";")[0] for line in result.stderr.splitlines()] == [
        "There may be more",
        "The search index is being built and does not hold everything yet",
    ]
