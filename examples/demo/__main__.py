"""`python -m examples.demo`: two users talk to an agent, one of their turns fails, and sessiond tells of it.

Everything is real but the model, which is a small server on this machine: the OpenAI SDK, OpenInference's instrumentation, an
OTLP/gRPC exporter, a daemon, and its command line. The exit code is 1 where anything is missing from what sessiond shows.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from openai import InternalServerError, OpenAI

from examples.demo.agent import Agent
from examples.demo.daemon import Daemon
from examples.demo.model_server import ModelServer
from examples.demo.telemetry import Telemetry

MODEL_SECONDS_MAX: Final = 10.0
TOOL: Final = "get_weather"
WORDS: Final = '"light wind"'
"""What the agent says of the weather, in one turn."""
TOKENS: Final = ("input_tokens", "output_tokens", "cache_read_tokens")


class Conversation(NamedTuple):
    """One user's session. `fails` is the question at which the model fails."""

    user_id: str
    session_id: str
    questions: tuple[str, ...]
    fails: str = ""


CONVERSATIONS: Final = (
    Conversation(
        "alice@example.com",
        "lisbon-weekend",
        (
            "I have a weekend in Lisbon. What should I see?",
            "How is the weather there?",
            "Thanks. Sum it up in one sentence.",
        ),
    ),
    Conversation(
        "bob@example.com",
        "kyoto-in-autumn",
        (
            "When are the maple leaves red in Kyoto?",
            "What is the weather in Kyoto now?",
            "And what is the weather in Tokyo?",
        ),
        fails="And what is the weather in Tokyo?",
    ),
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="sessiond-demo-") as directory, Daemon(Path(directory)) as daemon:
        print(f"$ sessiond serve --otlp-grpc {daemon.otlp} --query {daemon.query} &")
        print(f"$ export SESSIOND_ENDPOINT={daemon.query}")
        delivered = _converse(daemon.otlp)
        print(f"\n{delivered} spans delivered")
        problems = _show(daemon, delivered)
        exit_code = daemon.stop()
        print(f"\nthe daemon ended with exit code {exit_code}", flush=True)
        if exit_code:
            problems.append(f"a clean stop of the daemon:\n{daemon.log()}")
    for problem in problems:
        print(f"missing: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _converse(otlp_address: str) -> int:
    """Hold every conversation, turn about; how many spans were delivered."""
    telemetry = Telemetry(otlp_address)
    with (
        ModelServer() as model,
        OpenAI(base_url=model.base_url, api_key="none", max_retries=0, timeout=MODEL_SECONDS_MAX) as client,
    ):
        agents = [
            (held, Agent(client, telemetry.tracer, user_id=held.user_id, session_id=held.session_id)) for held in CONVERSATIONS
        ]
        for turn in range(max(len(held.questions) for held in CONVERSATIONS)):
            for held, agent in agents:
                question = held.questions[turn]
                if question == held.fails:
                    model.fail_next()
                print(f"\n{held.user_id}: {question}\n  {_answer(agent, question)}", flush=True)
    return telemetry.flush()


def _answer(agent: Agent, question: str) -> str:
    try:
        return agent.turn(question)
    except InternalServerError as error:
        return f"(failed: {error})"


def _show(daemon: Daemon, delivered: int) -> list[str]:
    """Show what sessiond tells of the conversations; what is missing from it."""
    daemon.show("sessions")
    shown = next(held for held in CONVERSATIONS if held.fails)
    daemon.show("session", shown.session_id)
    daemon.show("session", shown.session_id, "--messages")
    session, *turns = daemon.rows("session", shown.session_id)
    with_tool = [turn for turn in turns if turn.get("tools") == [TOOL]]
    for turn in with_tool:
        daemon.show("trace", turn["trace_id"])
        daemon.show("explain", turn["trace_id"])
    daemon.show("search", WORDS, "--session", shown.session_id)
    found = daemon.rows("search", WORDS, "--session", shown.session_id)
    return [
        *_missing(daemon.rows("sessions"), len(with_tool), delivered),
        *_missing_words([row["trace"]["trace_id"] for row in found], with_tool),
        *_judge(daemon, session["first_failed_trace_id"]),
    ]


def _judge(daemon: Daemon, failed_trace_id: str) -> list[str]:
    """Score the failing turn, note why, and show it; what is missing from that."""
    daemon.show("score", failed_trace_id, "helpful=false", "--comment", "no answer")
    daemon.show("annotate", failed_trace_id, "The model was overloaded: try again once.", "--tag", "retry")
    daemon.show("sessions", "--filter", "scores.helpful < 0.5")
    daemon.show("trace", failed_trace_id)
    judged = daemon.rows("traces", "--filter", "scores.helpful < 0.5 AND annotations = 1 AND status = error")
    if [row["trace_id"] for row in judged] == [failed_trace_id]:
        return []
    return [f"one failing turn with a score and an annotation; shown are {len(judged)}"]


def _missing_words(found: list[str], with_tool: list[dict[str, Any]]) -> list[str]:
    expected = [turn["trace_id"] for turn in with_tool]
    return [] if found == expected else [f"{WORDS!r} in the turns {expected}; found in {found}"]


def _missing(sessions: list[dict[str, Any]], turns_with_tool: int, delivered: int) -> list[str]:
    """What was said and done and does not show, in words."""
    shown = {(row["session_id"], row.get("user_id"), row["trace_count"], row["failed_trace_count"]) for row in sessions}
    expected = {(held.session_id, held.user_id, len(held.questions), int(bool(held.fails))) for held in CONVERSATIONS}
    checks = {
        f"sessions, their users, turns and failed turns {sorted(expected)}; shown are {sorted(shown)}": shown == expected,
        f"the {delivered} spans delivered": sum(row["span_count"] for row in sessions) == delivered,
        "tokens, cached ones among them, of every session": all(row.get(name) for row in sessions for name in TOKENS),
        f"one turn with {TOOL}; shown are {turns_with_tool}": turns_with_tool == 1,
    }
    return [what for what, holds in checks.items() if not holds]


if __name__ == "__main__":
    sys.exit(main())
