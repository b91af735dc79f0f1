"""Following over streams that break: the rules by themselves, then both clients against a real gRPC server."""

import threading
import time
from contextlib import ExitStack, closing
from datetime import timedelta
from itertools import islice
from operator import attrgetter

import grpc
import pytest

from client.canned import MOMENT, Canned, serving, session, trace
from sessiond.client import Client, Gone, RequestFailed, Update, aio, sync
from sessiond.client.following import PAUSE_SECONDS_MAX, PAUSE_SECONDS_MIN, Following
from sessiond.wire._pb.v1 import session_service_pb2 as pb

Said = pb.StreamSessionsResponse
BROKEN = RequestFailed("socket closed", code="UNAVAILABLE")
TOO_OLD = RequestFailed("resume_token: too old", code="OUT_OF_RANGE")
UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, "stopping")
GONE = Gone(project="default", id="a", reason=Gone.REASON_NO_MATCH)


def following(patience=60.0):
    return Following(pb.StreamSessionsRequest(follow=True), attrgetter("sessions"), patience)


# -- the rules -----------------------------------------------------------------------------------------------------------------


def test_a_message_is_told_whole():
    said = Said(sessions=[session("a")], gone=[GONE], resume_token="t", caught_up=True)
    said.stalled.FromTimedelta(timedelta(seconds=2))
    assert following().heard(said) == Update((session("a"),), (GONE,), caught_up=True, stalled=timedelta(seconds=2))


def test_a_heartbeat_tells_nothing_and_moves_the_place():
    followed = following()
    assert followed.heard(Said(resume_token="t")) is None
    assert followed.request.resume_token == "t"


def test_an_outage_is_told_once_and_tried_again_with_growing_pauses():
    followed = following()
    followed.heard(Said(resume_token="t"))
    told, pauses = [], []
    for second in range(8):
        told.append(followed.broke(BROKEN, second))
        pauses.append(followed.pause_seconds)
    assert told == [Update(broken=BROKEN), *[None] * 7]
    assert pauses[:3] == [PAUSE_SECONDS_MIN, 2 * PAUSE_SECONDS_MIN, 4 * PAUSE_SECONDS_MIN]
    assert pauses[-1] == PAUSE_SECONDS_MAX
    assert followed.request.resume_token == "t"


def test_what_is_heard_ends_an_outage():
    followed = following(patience=10)
    followed.heard(Said(resume_token="t"))
    followed.broke(BROKEN, 0)
    followed.broke(BROKEN, 1)
    followed.heard(Said(resume_token="t"))
    assert followed.pause_seconds == 0
    assert followed.broke(BROKEN, 20) == Update(broken=BROKEN)
    assert followed.pause_seconds == PAUSE_SECONDS_MIN


@pytest.mark.parametrize(("patience", "times"), [(0, [0]), (10, [0, 9.9, 10])])
def test_patience_ends(patience, times):
    followed = following(patience)
    for now in times[:-1]:
        followed.broke(BROKEN, now)
    with pytest.raises(RequestFailed) as failed:
        followed.broke(BROKEN, times[-1])
    assert failed.value is BROKEN


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "UNIMPLEMENTED", "CANCELLED", "OUT_OF_RANGE"])
def test_what_can_not_be_taken_up_again_fails(code):
    with pytest.raises(RequestFailed):
        following().broke(RequestFailed("no", code=code), 0)


def test_a_place_that_is_too_old_starts_again_at_once():
    followed = following()
    followed.heard(Said(sessions=[session()], resume_token="t"))
    assert followed.broke(TOO_OLD, 0) == Update(restarted=True)
    assert (followed.request.resume_token, followed.pause_seconds) == ("", 0)


def test_a_stream_that_breaks_before_it_has_a_place_starts_again():
    followed = following()
    followed.heard(Said(sessions=[session()]))
    assert followed.broke(BROKEN, 0) == Update(restarted=True, broken=BROKEN)
    assert followed.broke(BROKEN, 1) is None
    followed.heard(Said(sessions=[session()]))
    assert followed.broke(BROKEN, 2) == Update(restarted=True, broken=BROKEN)


# -- on the wire ---------------------------------------------------------------------------------------------------------------


def take(updates, count):
    with closing(updates):
        return list(islice(updates, count))


@pytest.mark.parametrize("changes_only", [False, True])
def test_sessions_are_followed_with_every_condition(client_of, changes_only):
    conditions = {"project": "p", "session_id": "s", "user_id": "u", "since": MOMENT, "filter": "f"}
    canned = Canned(followed=[[Said(sessions=[session("a")]), Said(caught_up=True, resume_token="t")]])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        updates = take(client.follow_sessions(**conditions, changes_only=changes_only), 2)
    assert updates == [Update((session("a"),)), Update(caught_up=True)]
    assert canned.asked == [pb.StreamSessionsRequest(**conditions, follow=True, changes_only=changes_only)]


def test_traces_are_followed(client_of):
    canned = Canned(followed=[[pb.StreamTracesResponse(traces=[trace("aa")], caught_up=True)]])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert take(client.follow_traces(user_id="u"), 1) == [Update((trace("aa"),), caught_up=True)]
    assert canned.asked == [pb.StreamTracesRequest(user_id="u", follow=True)]


def test_a_broken_stream_is_taken_up_where_it_was_heard_last(client_of):
    first = [Said(sessions=[session("a")], caught_up=True, resume_token="1"), Said(resume_token="2"), UNAVAILABLE]
    canned = Canned(followed=[first, [Said(gone=[GONE], resume_token="3"), ...]])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        start, broken, end = take(client.follow_sessions(), 3)
        assert canned.is_left_alone()
    assert (start, end) == (Update((session("a"),), caught_up=True), Update(gone=(GONE,)))
    assert (broken.broken.code, broken.broken.message) == ("UNAVAILABLE", f"the connection to {endpoint} broke: stopping")
    assert [request.resume_token for request in canned.asked] == ["", "2"]


def test_a_stream_that_just_ends_is_taken_up_again(client_of):
    canned = Canned(followed=[[Said(caught_up=True, resume_token="1")], [Said(sessions=[session()], resume_token="2")]])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        updates = take(client.follow_sessions(), 3)
    assert [updates[0], updates[2]] == [Update(caught_up=True), Update((session(),))]
    assert str(updates[1].broken) == f"{endpoint} ended its answer too early"


def test_a_stream_that_ends_again_and_again_is_asked_for_with_pauses(client_of):
    canned = Canned(followed=[[], [], [Said(sessions=[session()])]])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        began = time.monotonic()
        assert take(client.follow_sessions(), 2)[1] == Update((session(),))
    assert time.monotonic() - began > 3 * PAUSE_SECONDS_MIN


def test_a_place_that_is_too_old_is_given_up(client_of):
    canned = Canned(
        followed=[
            [Said(caught_up=True, resume_token="1"), (grpc.StatusCode.OUT_OF_RANGE, "resume_token: too old")],
            [Said(sessions=[session()], caught_up=True, resume_token="9")],
        ]
    )
    with serving(canned) as endpoint, client_of(endpoint) as client:
        updates = take(client.follow_sessions(), 3)
    assert updates == [Update(caught_up=True), Update(restarted=True), Update((session(),), caught_up=True)]
    assert [request.resume_token for request in canned.asked] == ["", ""]


def test_a_stream_without_heartbeats_is_broken(client_of, monkeypatch):
    for module in (sync, aio):
        monkeypatch.setattr(module, "SILENT_SECONDS_MAX", 0.3)
    canned = Canned(followed=[[Said(caught_up=True, resume_token="1"), ...], [Said(sessions=[session()], resume_token="2")]])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        updates = take(client.follow_sessions(), 3)
        assert canned.is_left_alone()
    assert str(updates[1].broken) == (
        f"{endpoint} has been silent for too long; see with `sessiond status` whether the daemon still answers"
    )
    assert updates[2] == Update((session(),))


def test_a_slow_reader_is_not_taken_for_a_silent_daemon(client_of, monkeypatch):
    for module in (sync, aio):
        monkeypatch.setattr(module, "SILENT_SECONDS_MAX", 0.3)
    canned = Canned(followed=[[Said(sessions=[session("a")]), Said(sessions=[session("b")]), ...]])
    with serving(canned) as endpoint, client_of(endpoint) as client, closing(client.follow_sessions()) as updates:
        assert next(updates) == Update((session("a"),))
        threading.Event().wait(0.5)
        assert next(updates) == Update((session("b"),))


def test_a_filter_that_is_refused_is_not_tried_again(client_of):
    canned = Canned(followed=[[(grpc.StatusCode.INVALID_ARGUMENT, "filter: no")]])
    with serving(canned) as endpoint, client_of(endpoint) as client, pytest.raises(RequestFailed, match="filter: no"):
        take(client.follow_sessions(filter="no"), 1)
    assert len(canned.asked) == 1


def test_a_client_that_is_closed_ends_what_it_follows():
    with serving(Canned(followed=[[Said(caught_up=True, resume_token="1"), ...]])) as endpoint, Client(endpoint) as client:
        updates = client.follow_sessions()
        next(updates)
        threading.Timer(0.1, client.__exit__).start()
        with pytest.raises(RequestFailed) as failed:
            next(updates)
    assert failed.value.code == "CANCELLED"


def test_a_daemon_that_comes_back_is_found_again_and_one_that_does_not_is_given_up(client_of):
    before = Canned(followed=[[Said(caught_up=True, resume_token="1"), ...]])
    after = Canned(followed=[[Said(sessions=[session()], resume_token="2"), ...]])
    with ExitStack() as daemon:
        endpoint = daemon.enter_context(serving(before))
        with client_of(endpoint) as client, closing(client.follow_sessions(patience=3)) as updates:
            assert next(updates) == Update(caught_up=True)
            daemon.close()
            assert next(updates).broken.code == "UNAVAILABLE"
            daemon.enter_context(serving(after, int(endpoint.rpartition(":")[2])))
            assert next(updates) == Update((session(),))
            assert [request.resume_token for request in after.asked] == ["1"]
            daemon.close()
            assert next(updates).broken.code == "UNAVAILABLE"
            with pytest.raises(RequestFailed, match=f"the connection to {endpoint} broke"):
                next(updates)
