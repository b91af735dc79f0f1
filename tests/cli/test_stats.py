"""`sessiond stats`, with a client that answers as told."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from click.testing import CliRunner
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.cli import main, options
from sessiond.client.rows import row
from sessiond.wire._pb.v1 import session_service_pb2 as pb

DAY = 86400
START = 1_767_225_600
"""2026-01-01T00:00:00Z, in seconds."""
HOSTILE = "\x1b[31m[bold]x"
READ = r"""traces           8, 2 failed (25.0%)
cost             $2.00+ (1 call without a price)
tokens in / out  1,234,567 / 89

             ROWS   MEAN    P50    P95    P99    MAX
duration        8  1.2 s  1.2 s  2.4 s  3.6 s  4.8 s
first token     0      -      -      -      -      -
cost            8  $0.25  $0.25  $0.50  $0.75  $1.00
tokens          8  1,000  1,000  2,000  3,000  4,000

MODEL            TRACES                        OVER TIME  FAILED    COST  TOKENS IN / OUT  DURATION P50    P95  FIRST TOKEN P50
gpt-5                 6  ████████████████████  ▄ █             2   $1.50   1,234,567 / 89         1.2 s  2.4 s                -
\x1b[31m[bold]x       3  ██████████              █             0  $0.75+   1,234,567 / 89         1.2 s  2.4 s                -
(3 others)            1  ███▍                                  0   $0.25   1,234,567 / 89         1.2 s  2.4 s                -
(no model)            2  ██████▊                               0   $0.50   1,234,567 / 89         1.2 s  2.4 s                -

FROM (UTC)  TRACES                        FAILED   COST  TOKENS IN / OUT  DURATION P50    P95  FIRST TOKEN P50
2026-01-01       2  ██████▊                    0  $0.50   1,234,567 / 89         1.2 s  2.4 s                -
2026-01-02       0                             0      -            - / -             -      -                -
2026-01-03       6  ████████████████████       2  $1.50   1,234,567 / 89         1.2 s  2.4 s                -
"""


class Client:
    """Answers with one message, and keeps what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = {}

    def stats(self, **asked):
        self.asked = asked
        return self.answer


@pytest.fixture
def run(monkeypatch):
    """Run `sessiond stats` on an answer; gives the result and what was asked."""

    def run_stats(answer, *arguments, charset="utf-8"):
        client = Client(answer)

        @contextmanager
        def asking(endpoint):
            yield client

        monkeypatch.setattr(options, "asking", asking)
        return CliRunner(charset=charset).invoke(main, ["stats", *arguments]), client.asked

    return run_stats


def spread(count, value):
    return pb.Distribution(
        count=count, total=count * value, mean=value, min=value, p50=value, p95=2 * value, p99=3 * value, max=4 * value
    )


def statistics(count=8, failed=2, **fields):
    defaults = {
        "input_tokens": 1_234_567,
        "output_tokens": 89,
        "trace_count": count,
        "duration_ms": spread(count, 1200),
        "ttft_ms": pb.Distribution(),
        "cost_usd": spread(count, 0.25),
        "total_tokens": spread(count, 1000),
    }
    return pb.Statistics(count=count, failed_count=failed, error_rate=failed / count, **defaults | fields)


def nothing():
    return pb.Statistics(
        duration_ms=pb.Distribution(), ttft_ms=pb.Distribution(), cost_usd=pb.Distribution(), total_tokens=pb.Distribution()
    )


def group(label, count, rest=pb.StatsGroup.REST_UNSPECIFIED, failed=0, **fields):
    return pb.StatsGroup(label=label, rest=rest, statistics=statistics(count, failed, **fields))


def whole():
    groups = [
        group("gpt-5", 6, failed=2),
        group(HOSTILE, 3, unpriced_call_count=1),
        group("", 1, pb.StatsGroup.REST_OTHERS),
        group("", 2, pb.StatsGroup.REST_NONE),
    ]
    return pb.StatsResponse(
        total=statistics(unpriced_call_count=1),
        groups=groups,
        buckets=[
            pb.StatsBucket(start_time=Timestamp(seconds=START), total=statistics(2, 0), groups=[group("gpt-5", 2)]),
            pb.StatsBucket(start_time=Timestamp(seconds=START + DAY), total=nothing()),
            pb.StatsBucket(
                start_time=Timestamp(seconds=START + 2 * DAY), total=statistics(6, 2), groups=[group("gpt-5", 4), group(HOSTILE, 3)]
            ),
        ],
        group_count=5,
    )


def test_statistics_read_as_totals_spreads_groups_and_steps_of_time(run):
    result, _ = run(whole(), "--by", "model", "--bucket", "1d")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == READ


def test_users_have_turns_and_no_durations(run):
    total = statistics(3, 1, trace_count=12)
    total.ClearField("duration_ms")
    total.ClearField("ttft_ms")
    result, _ = run(pb.StatsResponse(total=total, groups=[pb.StatsGroup(label="ada", statistics=total)]), "--of", "users")
    assert result.stdout.splitlines() == [
        "users            3, 1 failed (33.3%)",
        "turns            12",
        "cost             $0.75",
        "tokens in / out  1,234,567 / 89",
        "",
        "        ROWS   MEAN    P50    P95    P99    MAX",
        "cost       3  $0.25  $0.25  $0.50  $0.75  $1.00",
        "tokens     3  1,000  1,000  2,000  3,000  4,000",
        "",
        "     USERS                        FAILED   COST  TOKENS IN / OUT",
        "ada      3  ████████████████████       1  $0.75   1,234,567 / 89",
    ]


def test_steps_shorter_than_a_day_show_their_time(run):
    buckets = [pb.StatsBucket(start_time=Timestamp(seconds=START + 3600 * n), total=statistics(1, 0)) for n in range(2)]
    result, _ = run(pb.StatsResponse(total=statistics(2, 0), buckets=buckets), "--bucket", "1h")
    assert [line[:16] for line in result.stdout.splitlines()[-2:]] == ["2026-01-01 00:00", "2026-01-01 01:00"]


def test_of_very_many_steps_the_latest_are_shown_and_the_others_counted(run):
    buckets = [pb.StatsBucket(start_time=Timestamp(seconds=START + DAY * n), total=statistics(1, 0)) for n in range(1002)]
    lines = run(pb.StatsResponse(total=statistics(), buckets=buckets), "--bucket", "1d")[0].stdout.splitlines()
    assert (lines.count("2 steps before these; --json shows all"), sum(line.startswith("20") for line in lines)) == (1, 1000)


def test_an_output_without_blocks_gets_plain_letters(run):
    result, _ = run(whole(), "--by", "model", "--bucket", "1d", charset="ascii")
    line = next(line for line in result.stdout.splitlines() if line.startswith("gpt-5"))
    assert "####################  = #" in line


def test_json_is_the_total_then_groups_then_steps(run):
    answer = whole()
    result, _ = run(answer, "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        row(answer.total) | {"group_count": 5},
        *map(row, answer.groups),
        *map(row, answer.buckets),
    ]
    assert json.loads(result.stdout.splitlines()[3])["rest"] == "others"


@pytest.mark.parametrize(("arguments", "lines"), [((), 0), (("--json",), 1)])
def test_where_nothing_matches_it_is_said_beside_the_result(run, arguments, lines):
    result, _ = run(pb.StatsResponse(total=nothing()), "--of", "sessions", *arguments)
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, lines)
    assert result.stderr == ("" if lines else "No sessions match.\n")


def test_everything_that_is_asked_reaches_the_daemon(run):
    _, asked = run(
        whole(),
        *("--of", "sessions", "--project", "p", "--session", "s", "--user", "u", "--filter", "cost_usd > 1"),
        *("--since", "2026-01-01T00:00:00Z", "--until", "2026-01-02T00:00:00Z", "--bucket", "15m", "--by", "user"),
    )
    assert asked == {
        "of": "sessions",
        "project": "p",
        "session_id": "s",
        "user_id": "u",
        "since": Timestamp(seconds=START),
        "until": Timestamp(seconds=START + DAY),
        "filter": "cost_usd > 1",
        "bucket": timedelta(minutes=15),
        "group_by": "user_id",
    }


def test_what_is_left_out_asks_for_all_traces(run):
    _, asked = run(whole())
    assert {name: value for name, value in asked.items() if value} == {"of": "traces"}


@pytest.mark.parametrize(
    ("by", "field"),
    [("model", "models"), ("tag", "tags"), ("status", "status"), ("metadata.plan", "metadata.plan"), ("models", "models")],
)
def test_by_takes_the_word_for_one_and_the_field_itself(run, by, field):
    assert run(whole(), "--by", by)[1]["group_by"] == field


@pytest.mark.parametrize(
    ("length", "expected"),
    [("15m", timedelta(minutes=15)), ("36h", timedelta(hours=36)), ("1d", timedelta(1)), ("1w", timedelta(7))],
)
def test_a_step_is_a_length_of_time(run, length, expected):
    assert run(whole(), "--bucket", length)[1]["bucket"] == expected


@pytest.mark.parametrize("length", ["", "1", "hour", "-1h", "1.5h", "30s", "9999999d"])
def test_a_step_of_another_form_is_refused_with_examples(run, length):
    result, asked = run(whole(), "--bucket", length)
    assert (result.exit_code, asked) == (2, {})
    assert f"{length!r} is no length such as 15m, 1h, 1d or 1w" in result.stderr


@pytest.mark.parametrize("length", ["0m", "2w", "8d", "169h", "10081m", "999999w"])
def test_a_step_that_is_too_short_or_too_long_is_refused_as_it_was_written(run, length):
    result, asked = run(whole(), "--bucket", length)
    assert (result.exit_code, asked) == (2, {})
    assert f"Invalid value for '--bucket': '{length}' is not from a minute to a week" in result.stderr
