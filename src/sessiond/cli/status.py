"""`sessiond status` and `sessiond version`."""

import time
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import click
from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

from sessiond.cli import options
from sessiond.cli.output import layout_of_stdout, show, show_json
from sessiond.cli.render import Fact, block, text
from sessiond.cli.text import ago, duration, plural, size
from sessiond.client import GetStatusResponse, SearchIndexStatus
from sessiond.client.rows import enum_name, row


@click.command()
@options.as_json
@options.endpoint
def status(*, as_json: bool, endpoint: str) -> None:
    """Show how the daemon is and what it holds.

    Counters start at 0 with the daemon; what the store holds does not.
    """
    with options.asking(endpoint) as client:
        answer = client.status()
    if as_json:
        show_json(row(answer))
    else:
        show(block(status_facts(answer, time.time_ns())), layout=layout_of_stdout())


@click.command()
def version() -> None:
    """Show the version."""
    try:
        click.echo(f"sessiond {version_of('sessiond')}")
    except PackageNotFoundError:
        click.echo("sessiond, not installed as a package")


def status_facts(answer: GetStatusResponse, now_unix_nano: int) -> Iterator[Fact]:
    """The status in words, a fact a line."""
    up = duration((now_unix_nano - answer.start_time.ToNanoseconds()) / 1e6)
    yield Fact("sessiond", Text.assemble(text(answer.version), ", up ", up, ", ", _serving(answer)))
    yield Fact("addresses", text(", ".join(f"{name} {address}" for name, address in sorted(answer.addresses.items()))))
    yield Fact("spans", Text(_spans(answer)))
    yield Fact("spans refused", _reasons(answer.refused_span_counts))
    yield Fact("requests", Text(f"{answer.accepted_request_count:,} accepted"))
    yield Fact("requests refused", _reasons(answer.refused_request_counts))
    yield Fact("queue", Text(f"{size(answer.queue_bytes)} waiting to be written"))
    yield Fact("dirty", Text(_things(answer.dirty_trace_count, answer.dirty_session_count, answer.dirty_user_count)))
    if answer.HasField("renewed_trace_count"):
        yield Fact(
            "renewing", Text(f"{answer.renewed_trace_count:,} of {plural(answer.trace_count, 'trace')} by the present rules")
        )
    yield Fact("commits", Text(_commits(answer)))
    yield Fact("last error", _last_error(answer, now_unix_nano))
    held = _things(answer.trace_count, answer.session_count, answer.user_count)
    yield Fact("holds", Text(f"{held}, {plural(answer.span_count, 'span')}"))
    yield Fact("store", text(_store(answer)))
    yield Fact("search", _search(answer))


def _serving(answer: GetStatusResponse) -> Text:
    return Text("serving", "green") if answer.serving else Text("not taking spans", "bold red")


def _spans(answer: GetStatusResponse) -> str:
    return (
        f"{answer.accepted_span_count:,} accepted, {answer.duplicate_span_count:,} duplicate,"
        f" {answer.conflicting_span_count:,} conflicting"
    )


def _reasons(counts: Mapping[str, int]) -> Text:
    """How many, and by which reason, the commonest first."""
    by_reason = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{reason} {refused:,}" for reason, refused in by_reason)
    return text(f"{sum(counts.values()):,}: {reasons}", "red") if reasons else Text("none")


def _things(traces: int, sessions: int, users: int) -> str:
    return ", ".join((plural(traces, "trace"), plural(sessions, "session"), plural(users, "user")))


def _commits(answer: GetStatusResponse) -> str:
    if not answer.HasField("last_commit_ms"):
        return f"{answer.commit_count:,}"
    return f"{answer.commit_count:,}, the last took {duration(answer.last_commit_ms)}"


def _last_error(answer: GetStatusResponse, now_unix_nano: int) -> Text:
    if not answer.HasField("last_error"):
        return Text("none")
    return text(f"{_when(answer.last_error_time, now_unix_nano)}: {answer.last_error}", "red")


def _search(answer: GetStatusResponse) -> Text:
    """How it is with the search index, in words."""
    if not answer.HasField("search"):
        return Text("switched off")
    index = answer.search
    held = f"{index.trace_count:,} of {plural(answer.trace_count, 'trace')}"
    told = f"{enum_name(SearchIndexStatus.State.DESCRIPTOR, index.state)}, {held}, {size(index.bytes)}"
    if behind := index.behind.ToMilliseconds():
        told += f", {duration(behind)} behind"
    if index.death_count:
        told += f", its process died {plural(index.death_count, 'time')}: {index.last_failure}"
    return text(told, "red" if index.state == SearchIndexStatus.STATE_DOWN else "")


def _when(moment: Timestamp, now_unix_nano: int) -> str:
    return ago(moment.ToNanoseconds(), now_unix_nano)


def _store(answer: GetStatusResponse) -> str:
    used, most = answer.store_used_bytes, answer.store_bytes_max
    share = f" ({used / most:.1%})" if most else ""
    return f"{size(used)} of {size(most)} used{share}, format {answer.store_format}, in {answer.data_dir}"
