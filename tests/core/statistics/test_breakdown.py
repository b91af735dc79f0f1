"""What statistics can be asked for, and what is refused."""

import pytest

from sessiond.core.errors import Invalid
from sessiond.core.statistics.breakdown import Breakdown, groupable

MINUTE = 60 * 10**9
WEEK = 7 * 24 * 60 * MINUTE


def test_what_is_left_out_means_no_buckets_no_groups_and_twenty():
    assert Breakdown.asked("trace") == Breakdown("trace", None, "", 20)


@pytest.mark.parametrize(("limit", "groups"), [(0, 20), (1, 1), (100, 100), (101, 100), (2**31 - 1, 100)])
def test_a_limit_of_groups_is_at_most_a_hundred(limit, groups):
    assert Breakdown.asked("trace", group_limit=limit).group_limit == groups


@pytest.mark.parametrize("length", [MINUTE, WEEK])
def test_a_bucket_is_from_a_minute_to_a_week(length):
    assert Breakdown.asked("user", bucket_nano=length).bucket_nano == length


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        ("trace", {"bucket_nano": MINUTE - 1}, "bucket: '59.999999999s' is not a length from a minute to a week"),
        ("trace", {"bucket_nano": WEEK + 1}, "bucket: '604800.000000001s' is not a length from a minute to a week"),
        ("trace", {"bucket_nano": -MINUTE}, "bucket: '-60s' is not a length from a minute to a week"),
        ("trace", {"group_limit": -1}, "group_limit: -1 must not be negative"),
        ("trace", {"group_by": "model"}, "group_by: 'model' is nothing that traces are grouped by; did you mean models?"),
        ("trace", {"group_by": "session_id"}, None),
        ("trace", {"group_by": "metadata"}, None),
        ("trace", {"group_by": "metadata."}, None),
        (
            "user",
            {"group_by": "metadata.plan"},
            "group_by: 'metadata.plan' is nothing that users are grouped by; there are models, providers, tools, user_id, project",
        ),
        ("user", {"group_by": "tags"}, None),
    ],
)
def test_what_can_not_be_is_refused_with_a_hint(kind, asked, message):
    with pytest.raises(Invalid) as caught:
        Breakdown.asked(kind, **asked)
    assert caught.value.field == next(iter(asked)).removesuffix("_nano")
    assert message in (None, str(caught.value))


def test_a_long_name_is_not_repeated_whole():
    with pytest.raises(Invalid) as caught:
        Breakdown.asked("trace", group_by="x" * 10_000)
    assert len(str(caught.value)) < 300


def test_rows_are_grouped_by_what_they_have():
    every = ["models", "request_models", "providers", "services", "agents", "tools", "tags", "user_id", "name", "status", "project"]
    assert (groupable("trace"), groupable("session")) == (every, every)
    assert groupable("user") == ["models", "providers", "tools", "user_id", "project"]
