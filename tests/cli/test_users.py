"""`sessiond users` and `sessiond user`."""

from client.canned import MOMENT, Canned, ago, session, user
from sessiond.client.rows import session_row, user_row
from sessiond.wire._pb.v1 import session_service_pb2 as pb


def busy_user():
    return user(
        "ada",
        last_seen_time=ago(180),
        session_count=3,
        trace_count=1234,
        failed_trace_count=2,
        input_tokens=1_234_567,
        output_tokens=89,
        cost_usd=1.25,
        unpriced_call_count=3,
        cost_median_usd=0.0042,
        models=["gpt-5", "o3"],
    )


def test_a_table_reads_well_and_a_figure_that_is_not_known_is_a_dash(run):
    result = run(Canned(users=[busy_user(), user("bob", last_seen_time=ago(7200))]), "users")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "LAST SEEN  USER  SESSIONS  TURNS  FAILED  TOKENS IN / OUT    COST  MEDIAN TURN  MODELS",
        "3m ago     ada          3  1,234       2   1,234,567 / 89  $1.25+      $0.0042  gpt-5, o3",
        "2h ago     bob          1      1       0            - / -       -            -  -",
    ]


def test_users_as_json_have_every_field(run_json):
    users = [busy_user(), user("bob")]
    assert run_json(Canned(users=users), "users") == [user_row(one) for one in users]


def test_conditions_reach_the_daemon(run):
    canned = Canned(users=[user()])
    arguments = ["--project", "p", "--since", "2026-01-01T00:00:00.123456789Z", "--filter", "f", "--order-by", "o", "--limit", "7"]
    arguments += ["--until", "2026-01-01T00:00:00.123456789Z"]
    assert run(canned, "users", *arguments).exit_code == 0
    assert canned.asked == [pb.ListUsersRequest(project="p", since=MOMENT, until=MOMENT, filter="f", order_by="o", page_size=8)]


def test_a_list_that_is_cut_says_so(run):
    result = run(Canned(users=[user("a"), user("b"), user("c")]), "users", "--limit", "2")
    assert (len(result.stdout.splitlines()), result.stderr) == (3, "2 shown; --limit N for more\n")


def test_projects_are_shown_where_one_is_not_the_default(run):
    result = run(Canned(users=[user("a"), user("b", project="shop")]), "users")
    assert [line.split()[2:4] for line in result.stdout.splitlines()[1:]] == [["default", "a"], ["shop", "b"]]


def test_no_user_says_why(run):
    assert run(Canned(), "users").stderr[:13] == "No users yet."
    assert run(Canned(), "users", "--filter", "x").stderr[:16] == "No user matches;"


def test_a_user_comes_with_their_latest_sessions(run):
    canned = Canned(users=[user("ada", project="shop")], sessions=[session("s2", project="shop"), session("s1", project="shop")])
    result = run(canned, "user", "ada", "--project", "shop", "--limit", "2")
    assert (result.exit_code, result.stderr) == (0, "")
    facts, sessions = result.stdout.split("\n\n")
    assert facts.splitlines()[0].split() == ["user", "ada"]
    assert [line.split()[3] for line in sessions.splitlines()[1:]] == ["s2", "s1"]
    assert canned.asked == [
        pb.GetUserRequest(project="shop", user_id="ada"),
        pb.StreamSessionsRequest(project="shop", user_id="ada"),
    ]


def test_the_sessions_of_a_user_are_those_of_the_project_that_was_meant(run):
    canned = Canned(users=[user("ada")], sessions=[session("s2")], endless=True)
    assert run(canned, "user", "ada", "--limit", "1").stderr == "1 shown; --limit N for more\n"
    assert canned.asked[1] == pb.StreamSessionsRequest(project="default", user_id="ada")


def test_json_of_a_user_is_the_user_and_then_a_line_a_session(run_json):
    rows = run_json(Canned(users=[user()], sessions=[session("s2"), session("s1")]), "user", "ada")
    assert rows == [user_row(user()), session_row(session("s2")), session_row(session("s1"))]


def test_a_user_without_sessions_is_told_of(run):
    result = run(Canned(users=[user()]), "user", "ada")
    assert (result.exit_code, result.stderr) == (0, "None of their turns is of a session.\n")


def test_an_unknown_user_exits_with_1_and_the_daemon_s_words(run):
    result = run(Canned(), "user", "nope")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "sessiond: there is no such user\n")
