"""The docs are complete and in step with the code: nothing a person can name is missing from them, and what can be rendered is.

Tables that the code can render stand between two markers in docs/. Where one is out of step, `python tests/test_docs.py` writes
them all again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

import click
import pytest
import yaml
from google.protobuf.descriptor import FileDescriptor
from pydantic import BaseModel, ByteSize
from pydantic.fields import FieldInfo

from sessiond.app import GRACE_SECONDS, STALLED_SECONDS
from sessiond.cli import columns, main
from sessiond.cli.explain import EVIDENCE_SHOWN
from sessiond.cli.feedback import NOTES_SHOWN
from sessiond.cli.serve import _OPTIONS as SERVE_OPTIONS
from sessiond.cli.stats_tables import BUCKETS_SHOWN
from sessiond.cli.tail import LATEST
from sessiond.cli.text import size
from sessiond.cli.transcript import TEXT_LENGTH_MAX as SAID_LENGTH_MAX
from sessiond.cli.transcript import TOOL_LENGTH_MAX
from sessiond.cli.tree import LEVELS_MAX, LINES_MAX
from sessiond.client.channel import TIMEOUT_SECONDS
from sessiond.client.following import PATIENCE_SECONDS, PAUSE_SECONDS_MAX, SILENT_SECONDS_MAX
from sessiond.config import Config, _address
from sessiond.core import conventions
from sessiond.core.conversation.heard import ARGUMENT_KEYS, CALL_ID_KEYS, CHARACTERS_MAX, RESULT_KEYS
from sessiond.core.conversation.thread import LINES_MAX as LINES_OF_TRACE_MAX
from sessiond.core.feedback.checked import COMMENT_LENGTH_MAX, FEEDBACK_ID_LENGTH_MAX, NAME_LENGTH_MAX
from sessiond.core.feedback.checked import TAGS_MAX as FEEDBACK_TAGS_MAX
from sessiond.core.feedback.rollup import CATEGORIES_MAX
from sessiond.core.figures.explain import EVIDENCE_MAX
from sessiond.core.filter import parse_filter, parse_order
from sessiond.core.filter.grammar import NESTING_MAX, TERMS_MAX
from sessiond.core.filter.lexer import TEXT_LENGTH_MAX as FILTER_LENGTH_MAX
from sessiond.core.filter.literals import NUMBER_LENGTH_MAX, TAKES, examples
from sessiond.core.filter.order import FIELDS_MAX
from sessiond.core.fold import LIST_MAX, METADATA_KEYS_MAX
from sessiond.core.rows.fields import FIELDS, Field
from sessiond.core.search.analysis import TOKEN_LENGTH_MAX
from sessiond.core.search.document import DOCUMENT_LENGTH_MAX, PIECE_LENGTH_MAX
from sessiond.core.search.document import PLACES as SEARCH_PLACES
from sessiond.core.search.excerpts import EXCERPTS_MAX
from sessiond.core.search.language import NESTING_MAX as QUERY_NESTING_MAX
from sessiond.core.search.language import PREFIX_LENGTH_MIN, QUERY_LENGTH_MAX, TOKENS_MAX
from sessiond.core.spans.objects import METADATA_VALUE_LENGTH_MAX, PYTHON_LENGTH_MAX, TAGS_MAX
from sessiond.core.statistics.breakdown import DEFAULT_GROUPS, GROUPS_MAX
from sessiond.core.statistics.buckets import CELLS_MAX
from sessiond.core.statistics.label_sets import LABELS_MAX
from sessiond.core.statistics.tally import ROWS_MAX
from sessiond.core.text.messages import INPUT, INSTRUCTIONS, OUTPUT, SHORT_LENGTH_MAX, Source
from sessiond.core.text.shapes import JSON_LENGTH_MAX, WRAPPERS
from sessiond.core.text.spans import CANDIDATES_MAX
from sessiond.core.turns.asked_again import SIMILAR_MIN
from sessiond.core.turns.findings import FINDINGS_MAX, PROMPT_TOKENS_MIN, TRACES_SHOWN_MAX, FindingKind
from sessiond.core.values import COUNT_END, ID_LENGTH_MAX, TEXT_LENGTH_MAX
from sessiond.core.values import JSON_LENGTH_MAX as FACT_JSON_LENGTH_MAX
from sessiond.server.sessions import FIRST_ROWS, MESSAGE_BYTES
from sessiond.server.status import RETRY_SECONDS
from sessiond.service.asking.follow import HEARTBEAT_SECONDS
from sessiond.service.asking.freshness import SETTLE_SECONDS_MAX
from sessiond.service.asking.query import PAGE_SIZE, PAGE_SIZE_MAX
from sessiond.service.feedback.items import IMPORT_MAX, SUBJECT_ITEMS_MAX
from sessiond.service.receiving.decoders import IDLE_SECONDS, PROCESSES_MAX, START_AGAIN_SECONDS, WORK_SECONDS_MAX
from sessiond.service.receiving.ingest import FAILURES_MAX, MESSAGES_SHOWN
from sessiond.service.searching.searches import HITS_MAX
from sessiond.service.searching.searches import PAGE_SIZE as SEARCH_PAGE_SIZE
from sessiond.service.searching.searches import PAGE_SIZE_MAX as SEARCH_PAGE_SIZE_MAX
from sessiond.service.searching.searches import ROWS_MAX as SEARCH_ROWS_MAX
from sessiond.service.searching.turn_pieces import SPANS_MAX as SEARCHED_SPANS_MAX
from sessiond.storage.lmdb.keys import FORMAT
from sessiond.wire._pb.v1 import (
    admin_service_pb2,
    conversation_pb2,
    feedback_service_pb2,
    resources_pb2,
    search_pb2,
    session_service_pb2,
    transfer_service_pb2,
)
from sessiond.wire.conversation import TEXT_BYTES_MAX, TOOL_BYTES_MAX
from sessiond.wire.otlp import ORIGIN_BYTES_MAX
from sessiond.wire.spans import EVENTS_READ_MAX
from sessiond.wire.values import DEPTH_MAX

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PROTO = ROOT / "proto"
UPDATE = "out of step with the code: run `.venv/bin/python tests/test_docs.py` and look at what it changed"
HELP_WIDTH = 100

PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md", "tests/data/**/*.md") for path in ROOT.glob(pattern))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def page(name: str) -> str:
    return (ROOT / name).read_text()


def row(*cells: object) -> str:
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    header = list(header)
    return "\n".join([row(*header), row(*("---" for _ in header)), *(row(*cells) for cells in rows)])


def code(text: object) -> str:
    return f"`{text}`"


# -- what there is to tell of: commands, settings, fields, messages, make targets ----------------------------------------------


def commands() -> dict[str, click.Command]:
    """Every command by its name, the lazy group asked for each."""
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


COMMANDS = commands()


def options(command: click.Command) -> list[str]:
    """Every spelling of every option, --help too."""
    context = click.Context(command, info_name="x", help_option_names=["-h", "--help"])
    return [
        spelling for parameter in command.get_params(context) if isinstance(parameter, click.Option) for spelling in parameter.opts
    ]


class Setting(NamedTuple):
    """A setting as the docs tell of it."""

    name: str
    type: str
    default: str
    sentence: str


class Section(NamedTuple):
    name: str
    sentence: str
    settings: list[Setting]


def sections(model: type[BaseModel] = Config) -> list[Section]:
    """The sections of the configuration; a setting that stands in none would be lost, so there may be none."""
    found = []
    for name, field in model.model_fields.items():
        assert isinstance(field.annotation, type)
        assert issubclass(field.annotation, BaseModel), f"{name} is not a section: teach this test to tell of it"
        inner = [each for key, value in field.annotation.model_fields.items() for each in settings(f"{name}.{key}", value)]
        found.append(Section(name, (field.annotation.__doc__ or "").strip(), inner))
    return found


def settings(name: str, field: Any) -> list[Setting]:
    """A setting, and after one that is a list of sections those of its entries."""
    if get_origin(field.annotation) is not tuple:
        return [setting(name, field)]
    entry = get_args(field.annotation)[0]
    if not (isinstance(entry, type) and issubclass(entry, BaseModel)):
        return [Setting(name, "list of texts", code(list(field.default)), field.description or "")]
    of_entries = [each for key, value in entry.model_fields.items() for each in settings(f"{name}[].{key}", value)]
    return [Setting(name, "list", code(list(field.default)), field.description or ""), *of_entries]


def setting(name: str, field: Any) -> Setting:
    if field.default_factory is not None:
        default = (field.default_factory.__doc__ or "").strip().rstrip(".")
    elif field.annotation is ByteSize:
        default = code(size(field.default).replace(".0 ", ""))
    elif field.is_required():
        default = "none: has to be given"
    elif field.default is None:
        default = "none"
    elif isinstance(field.default, bool):
        default = code(str(field.default).lower())
    else:
        default = code(field.default)
    return Setting(name, type_in_words(field), default, field.description or "")


def type_in_words(field: Any) -> str:
    if type(None) in get_args(field.annotation):
        field = FieldInfo.from_annotation(get_args(field.annotation)[0])
    if any(getattr(each, "func", None) is _address for each in field.metadata):
        return "HOST:PORT"
    bounds = [
        f"{word} {getattr(each, attribute)}" for each in field.metadata for attribute, word in BOUNDS if hasattr(each, attribute)
    ]
    if get_origin(field.annotation) is not None:
        return " or ".join(code(choice) for choice in get_args(field.annotation))
    if field.default == "off":
        return "`off`"
    return ", ".join([TYPES[field.annotation], *bounds])


BOUNDS = (("gt", "above"), ("ge", "at least"), ("lt", "below"), ("le", "at most"))
TYPES = {
    str: "text",
    int: "integer",
    bool: "`true` or `false`",
    Decimal: "number",
    date: "date",
    Path: "directory",
    ByteSize: "size",
}

SECTIONS = sections()
SETTINGS = [each for section in SECTIONS for each in section.settings]

V1 = (
    resources_pb2.DESCRIPTOR,
    conversation_pb2.DESCRIPTOR,
    search_pb2.DESCRIPTOR,
    session_service_pb2.DESCRIPTOR,
    transfer_service_pb2.DESCRIPTOR,
    feedback_service_pb2.DESCRIPTOR,
    admin_service_pb2.DESCRIPTOR,
)


class Declaration(NamedTuple):
    """A declaration in a .proto: its type as written ("" where it has none), and the comment above it."""

    type: str
    comment: str


_OPENING = re.compile(r"(message|enum|service) (\w+) \{(\})?$")
_ONEOF = re.compile(r"oneof (\w+) \{$")
_RPC = re.compile(r"rpc (\w+)(\(.*);$")
_FIELD = re.compile(r"((?:optional |repeated )?(?:map<[\w., ]+>|[\w.]+)) (\w+) = \d+;$")
_VALUE = re.compile(r"(\w+) = \d+;$")


def declarations(text: str) -> dict[str, Declaration]:
    """What a .proto declares, by name (Message.field), each with the comment lines right above it."""
    found: dict[str, Declaration] = {}
    inside: list[str] = []
    comment: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("//"):
            comment.append(line.removeprefix("//").strip())
            continue
        told, comment = " ".join(comment), []
        if opening := _OPENING.match(line):
            found[".".join([*inside, opening[2]])] = Declaration(opening[1], told)
            inside += [] if opening[3] else [opening[2]]
        elif _ONEOF.match(line):
            inside.append("")  # its fields are those of the message around it
        elif line == "}":
            inside.pop()
        elif rpc := _RPC.match(line):
            found[".".join([*inside, rpc[1]])] = Declaration(rpc[2], told)
        elif value := _VALUE.match(line):
            found[".".join([*inside, value[1]])] = Declaration("", told)
        elif field := _FIELD.match(line):
            found[".".join([*filter(None, inside), field[2]])] = Declaration(field[1], told)
    return found


DECLARED = {
    name: each for path in sorted(PROTO.glob("sessiond/v1/*.proto")) for name, each in declarations(path.read_text()).items()
}


def described(file: FileDescriptor) -> Iterator[str]:
    """The names that a compiled .proto holds: what `declarations` must have found."""
    for message in file.message_types_by_name.values():
        yield message.name
        yield from (f"{message.name}.{field.name}" for field in message.fields)
        assert all(nested.GetOptions().map_entry for nested in message.nested_types), "teach this test nested messages"
    for enum in file.enum_types_by_name.values():
        yield enum.name
        yield from (f"{enum.name}.{value.name}" for value in enum.values)
    for service in file.services_by_name.values():
        yield service.name
        yield from (f"{service.name}.{method.name}" for method in service.methods)


NAMES = [name for file in V1 for name in described(file)]


def make_targets() -> list[str]:
    return re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE)


# -- what the code can render --------------------------------------------------------------------------------------------------


def help_of(name: str) -> str:
    context = click.Context(
        COMMANDS[name], info_name=f"sessiond {name}", terminal_width=HELP_WIDTH, help_option_names=["-h", "--help"]
    )
    return f"```text\n{COMMANDS[name].get_help(context)}\n```"


def settings_table() -> str:
    by_setting = {target: f"--{option.replace('_', '-')}" for option, target in SERVE_OPTIONS.items()}
    parts = []
    for section in SECTIONS:
        rows = [
            (
                code(each.name),
                each.type,
                each.default,
                code(by_setting[each.name]) if each.name in by_setting else "",
                each.sentence,
            )
            for each in section.settings
        ]
        parts += [f"### {section.name}", section.sentence, table(("setting", "type", "default", "option", "meaning"), rows)]
    return "\n\n".join(parts)


UNITS = {
    "string": ("string", ""),
    "id": ("string", "lower-case hex"),
    "time": ("time", "UTC, nanoseconds"),
    "milliseconds": ("number", "milliseconds"),
    "usd": ("number", "US dollars"),
    "count": ("integer", ""),
    "bool": ("boolean", ""),
    "strings": ("list of strings", ""),
    "counts": ("map of integers", ""),
    "map": ("map", ""),
    "enum": ("word", ""),
    "scores": ("map of sums", ""),
    "score": ("one of the sums", ""),
}


def fields_table(fields: Iterable[Field[Any]]) -> str:
    rows = [(code(field.name), *UNITS[field.type], field.sentence) for field in fields]
    return table(("field", "type", "unit", "meaning"), rows)


EXAMPLE_FIELDS = {
    "string": "name",
    "id": "trace_id",
    "time": "start_time",
    "milliseconds": "duration_ms",
    "usd": "cost_usd",
    "count": "llm_call_count",
    "bool": "root_missing",
    "enum": "status",
    "strings": "tools",
    "map": "metadata",
    "counts": "list_counts",
    "scores": "scores",
    "score": "scores.helpful",
}
"""Of each type a field that a filter's examples show."""


def types_table() -> str:
    rows = []
    for of_type, takes in TAKES.items():
        name = EXAMPLE_FIELDS[of_type]
        field = next(field for field in FIELDS["trace"] if field.name == name.partition(".")[0])
        shown = ", ".join(map(code, examples(name, of_type, field.values)))
        rows.append(
            (", ".join(filter(None, UNITS[of_type])), " ".join(map(code, takes.comparators)), takes.words.format(name), shown)
        )
    return table(("type", "comparators", "takes", "examples"), rows)


def meanings_lists() -> str:
    parts = []
    for meaning, rows in conventions.TABLE.items():
        if meaning in ("input", "output"):
            continue  # of core.text.messages, which reads them: see texts_lists
        parts.append(f"### {meaning}\n")
        parts += [f"{place}. {row_in_words(each)}" for place, each in enumerate(rows, 1)]
        parts.append("")
    return "\n".join(parts).rstrip()


def texts_lists() -> str:
    parts: list[str] = []
    for name, sources, role in (("input", INPUT, "user"), ("output", OUTPUT, "assistant")):
        parts += [f"### {name}\n", *(f"{place}. {source_in_words(each)}" for place, each in enumerate(sources, 1))]
        parts += [f"\nWithout a role: {', '.join(map(code, WRAPPERS[role]))}.\n"]
    return "\n".join(parts).rstrip()


def source_in_words(of: Source) -> str:
    flattened = f", or flattened ({code(f'{of.key}.0.{of.indexed[0]}')}, ...)" if of.indexed else ""
    return code(of.key) + flattened + (f" of the events {', '.join(map(code, of.events))}" if of.events else "")


PLACES: Mapping[conventions.Place, str] = {
    "attribute": "{key}",
    "object": "{path} inside {key}",
    "python": "{path} inside {key}, a Python dict as text",
    "prefix": "what begins with {key}",
    "present": "{key}, if it is there",
    "event": "the event {key}",
    "span": "the span's own {key}",
    "meaning": "what {key} tells",
}
CACHE_SHARES: Mapping[conventions.CacheShare, str] = {
    "inside": "",
    "outside": ", its cache outside",
    "by_provider": ", its cache inside or outside by provider",
}
UNITS_OF_TIME: Mapping[conventions.Unit, str] = {
    "s": ", seconds",
    "ms": ", milliseconds",
    "iso8601": ", a date and time",
    "magnitude": ", an integer in milliseconds or a double in seconds",
}


def row_in_words(of: conventions.Row) -> str:
    """A row of the table: where it looks, what must hold, what its values mean. Each column is told where it is set."""
    place = "object" if of.place == "event" and of.path else of.place
    whole = place in ("object", "python") and not of.path
    words = code(of.key) + ", an object" if whole else PLACES[place].format(key=code(of.key), path=code(of.path))
    words = words.replace("inside", "of the event") if of.place == "event" and of.path else words
    words += f" matches `{of.pattern}`" if of.pattern else ""
    words += f", from {of.at_least} on" if of.at_least else ""
    words += CACHE_SHARES[of.cache] + (UNITS_OF_TIME[of.unit] if of.unit else "")
    words += ", with commas between several" if of.commas else ""
    words += when_in_words(of.when) if of.when is not None else ""
    words += f": {code(of.value)}" if of.value is not None else ""
    if of.values is None:
        return words
    if all(value == meant for value, meant in of.values.items()):
        return f"{words}, where it is {', '.join(map(code, of.values))}"
    by_kind: dict[str, list[str]] = {}
    for value, kind in of.values.items():
        by_kind.setdefault(kind, []).append(code(value))
    words += " (in any case)" if of.upper else ""
    return words + "".join(f"\n   - {kind}: {', '.join(values)}" for kind, values in by_kind.items())


def when_in_words(when: conventions.When) -> str:
    """The condition of a row."""
    parts = [
        f"of type {code(when.span_type)}" if when.span_type is not None else "",
        f"of a scope that begins with {code(when.scope_prefix)}" if when.scope_prefix else "",
        f"whose operation is {code(when.operation)}" if when.operation is not None else "",
        "that report tokens" if when.usage else "",
    ]
    return f", on spans {' '.join(filter(None, parts))}"


def models_table() -> str:
    """Who makes models named so."""
    return table(("model", "provider"), ((code(pattern), code(name)) for pattern, name in conventions.MODEL_PATTERNS.items()))


def providers_table() -> str:
    by_name: dict[str, list[str]] = {}
    for spelling, name in conventions.PROVIDER_ALIASES.items():
        by_name.setdefault(name, []).append(code(spelling))
    ignored = ", ".join(map(code, sorted(conventions.FRAMEWORKS)))
    spellings = table(("provider", "spellings"), ((code(name), ", ".join(found)) for name, found in by_name.items()))
    return f"{spellings}\n\nFrameworks that are no provider: {ignored}."


OF_FIELDS_PAGE = ("Trace", "Session", "User")
"""Messages whose fields are those of core.rows.fields: docs/fields.md has them."""


def reference() -> str:
    """Every service, message and enum of sessiond.v1 in the order of the files, from the comments of the .proto."""
    parts = []
    for name in NAMES:
        if "." in name:
            continue
        kind, comment = DECLARED[name]
        parts += [f"### {name}", comment]
        members = {each.removeprefix(f"{name}."): DECLARED[each] for each in NAMES if each.startswith(f"{name}.")}
        if name in OF_FIELDS_PAGE:
            parts.append(f"Its fields are in [fields.md](fields.md#{name.lower()}).")
        elif kind == "service":
            parts.append(table(("RPC", "takes and returns", "meaning"), ((code(n), code(t), c) for n, (t, c) in members.items())))
        elif kind == "enum":
            parts.append(table(("value", "meaning"), ((code(n), c) for n, (_, c) in members.items())))
        elif members:
            parts.append(table(("field", "type", "meaning"), ((code(n), code(t), c) for n, (t, c) in members.items())))
    return "\n\n".join(parts)


RENDERED = {
    "docs/commands.md": {f"help {name}": lambda name=name: help_of(name) for name in COMMANDS},
    "docs/configuration.md": {"settings": settings_table},
    "docs/fields.md": {f"fields {kind}": lambda kind=kind: fields_table(FIELDS[kind]) for kind in FIELDS},
    "docs/filters.md": {"types": types_table},
    "docs/conventions.md": {"keys": meanings_lists, "texts": texts_lists, "providers": providers_table, "models": models_table},
    "docs/api.md": {"reference": reference},
}
PARTS = [(name, marker) for name, parts in RENDERED.items() for marker in parts]


def between_markers(marker: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- begin: {re.escape(marker)} -->\n).*?(?=\n<!-- end: {re.escape(marker)} -->)", re.DOTALL)


def update() -> None:
    """Write every rendered part into its page again."""
    for name, parts in RENDERED.items():
        text = page(name)
        for marker, render in parts.items():
            text, written = between_markers(marker).subn(lambda _, render=render: render(), text)
            assert written == 1, f"{name} needs the markers `{marker}` once, with a line between them"
        (ROOT / name).write_text(text)


@pytest.mark.parametrize(("name", "marker"), PARTS)
def test_what_is_rendered_is_in_step(name: str, marker: str):
    assert between_markers(marker).findall(page(name)) == [RENDERED[name][marker]()], f"{name}, `{marker}`: {UPDATE}"


# -- complete ------------------------------------------------------------------------------------------------------------------


def part_of(text: str, heading: str) -> str:
    """What stands under a heading, down to the next of its level or a higher one; "" where there is none."""
    level = heading.split(" ", maxsplit=1)[0]
    found = re.search(rf"^{re.escape(heading)}$\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def words(text: str) -> set[str]:
    """What stands in code in a text: names, options, settings."""
    return set(re.findall(r"[\w.-]*\w", " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_told_of_with_its_options_and_an_example(name: str):
    told = part_of(page("docs/commands.md"), f"## {name}")
    assert [option for option in options(COMMANDS[name]) if option not in words(told)] == []
    assert f"$ sessiond {name}" in told


@pytest.mark.parametrize("name", COMMANDS)
def test_the_first_page_names_every_command(name: str):
    assert f"[`sessiond {name}`](docs/commands.md#{name})" in page("README.md")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_told_of_with_its_default(setting: Setting):
    lines = [line for line in page("docs/configuration.md").splitlines() if line.startswith(f"| {code(setting.name)} |")]
    assert [setting.default in line and setting.sentence in line for line in lines] == [True]
    assert setting.sentence


@pytest.mark.parametrize(("kind", "field"), [(kind, field.name) for kind, fields in FIELDS.items() for field in fields])
def test_every_field_is_told_of_and_defined(kind: str, field: str):
    assert f"| {code(field)} |" in part_of(page("docs/fields.md"), f"## {kind.capitalize()}")
    assert field in words(page("docs/metrics.md"))


@pytest.mark.parametrize("name", NAMES)
def test_everything_in_the_api_has_a_comment(name: str):
    assert DECLARED[name].comment.endswith((".", "*")), f"{name} needs a sentence above it in proto/sessiond/v1"


@pytest.mark.parametrize("name", NAMES)
def test_everything_in_the_api_is_told_of(name: str):
    owner, _, member = name.partition(".")
    told = (
        part_of(page("docs/fields.md"), f"## {owner}") if owner in OF_FIELDS_PAGE else part_of(page("docs/api.md"), f"### {owner}")
    )
    assert told, f"{owner} has no heading"
    assert not member or f"| {code(member)} |" in told


def test_every_place_that_is_searched_is_told_of():
    told = part_of(page("docs/search.md"), "## What is searched")
    assert [place for place in SEARCH_PLACES if f"| {code(place)} |" not in told] == []


@pytest.mark.parametrize("target", make_targets())
def test_every_make_target_is_told_of(target: str):
    assert code(f"make {target}") in page("README.md")


def test_there_are_make_targets():
    assert {"run", "test", "demo"} <= set(make_targets())


@pytest.mark.parametrize("meaning", conventions.TABLE)
def test_every_meaning_of_an_attribute_is_told_of(meaning: str):
    assert part_of(page("docs/conventions.md"), f"### {meaning}")


@pytest.mark.parametrize("table_of", [columns.session_columns, columns.trace_columns, columns.user_columns])
def test_the_output_shown_has_the_columns_of_today(table_of: Any):
    headers = [column.header for column in table_of([], 0)]
    assert any(
        line.split("  ")[0] == headers[0] and re.split(r"\s{2,}", line) == headers for line in page("docs/commands.md").splitlines()
    )


LIMITS = [
    ("docs/api.md", f"takes more than {SETTLE_SECONDS_MAX:.0f} seconds, the answer is UNAVAILABLE"),
    ("docs/api.md", f"`page_size` 0 is {PAGE_SIZE}, more than {PAGE_SIZE_MAX} is {PAGE_SIZE_MAX}"),
    ("docs/api.md", f"first message holds at most {FIRST_ROWS} rows"),
    ("docs/api.md", f"end at about {MESSAGE_BYTES >> 20} MiB"),
    ("docs/commands.md", f"at most {LEVELS_MAX} levels and {LINES_MAX:,} spans"),
    ("docs/conventions.md", f"anything longer than {ID_LENGTH_MAX:,} characters"),
    ("docs/conventions.md", f"cut at {TEXT_LENGTH_MAX:,} characters"),
    ("docs/conventions.md", f"text longer than {JSON_LENGTH_MAX >> 20} MiB"),
    ("docs/conventions.md", f"longer than {FACT_JSON_LENGTH_MAX >> 10} KiB"),
    ("docs/conventions.md", f"dict as text longer than {PYTHON_LENGTH_MAX:,} characters"),
    ("docs/conventions.md", f"below {COUNT_END:,}"),
    ("docs/metrics.md", f"{TAGS_MAX} tags"),
    ("docs/metrics.md", f"{METADATA_KEYS_MAX} names"),
    ("docs/metrics.md", f"cut at {METADATA_VALUE_LENGTH_MAX:,} characters"),
    ("docs/metrics.md", f"shortened to {SHORT_LENGTH_MAX:,} characters"),
    ("docs/metrics.md", f"at most {CANDIDATES_MAX} spans"),
    ("docs/commands.md", f"at most {EVIDENCE_SHOWN} pieces"),
    ("docs/commands.md", f"the {LATEST} of the latest activity"),
    ("docs/commands.md", f"After {PATIENCE_SECONDS:.0f} seconds in vain"),
    ("docs/api.md", f"at most {TIMEOUT_SECONDS:.0f} seconds"),
    ("docs/api.md", f"silent for {SILENT_SECONDS_MAX:.0f} seconds"),
    ("docs/api.md", f"pauses of up to {PAUSE_SECONDS_MAX:.0f} seconds"),
    ("docs/api.md", f"`patience` seconds ({PATIENCE_SECONDS:.0f})"),
    ("docs/api.md", f"at most {EVIDENCE_MAX} pieces"),
    ("docs/api.md", f"nothing to say for {HEARTBEAT_SECONDS:.0f} seconds"),
    ("docs/api.md", f"({DEFAULT_GROUPS}; at most {GROUPS_MAX})"),
    ("docs/api.md", f"{ROWS_MAX:,} rows, {LABELS_MAX:,} labels, {CELLS_MAX:,} buckets and groups in buckets"),
    ("docs/api.md", f"`query.followers_max`** streams ({Config().query.followers_max})"),
    ("docs/commands.md", f"At most {Config().query.followers_max} follow one daemon"),
    (
        "docs/turns.md",
        f"of more than {SAID_LENGTH_MAX:,} characters, and arguments and results of more than {TOOL_LENGTH_MAX}, end",
    ),
    (
        "docs/turns.md",
        f"Of one trace {CHARACTERS_MAX >> 20} Mi characters are held, each text once, and {LINES_OF_TRACE_MAX:,} messages",
    ),
    ("docs/turns.md", f"has {PROMPT_TOKENS_MIN:,} tokens or more"),
    ("docs/turns.md", f"At most {FINDINGS_MAX} findings of a kind are told, each with at most {TRACES_SHOWN_MAX} turns"),
    ("docs/turns.md", f"Dice's coefficient is {SIMILAR_MIN} or more"),
    ("docs/turns.md", f"Texts of more than {SHORT_LENGTH_MAX:,} characters are not compared"),
    ("docs/api.md", f"its first {TEXT_BYTES_MAX >> 10} KiB, arguments and results {TOOL_BYTES_MAX >> 10} KiB each"),
    ("docs/feedback.md", f"at most {SUBJECT_ITEMS_MAX:,} scores"),
    ("docs/feedback.md", f"{FEEDBACK_ID_LENGTH_MAX} characters"),
    ("docs/feedback.md", f"names and categories {NAME_LENGTH_MAX} characters"),
    ("docs/feedback.md", f"comments and notes {COMMENT_LENGTH_MAX:,} characters"),
    ("docs/feedback.md", f"at most {FEEDBACK_TAGS_MAX} tags"),
    ("docs/feedback.md", f"first {LIST_MAX} names by their letters, and of each the first {CATEGORIES_MAX} categories"),
    ("docs/feedback.md", f"{IMPORT_MAX:,} in a request"),
    ("docs/commands.md", f"the first {NOTES_SHOWN} notes"),
    ("docs/filters.md", f"at most {FILTER_LENGTH_MAX:,} characters; a filter at most {TERMS_MAX} terms"),
    ("docs/filters.md", f"parentheses at most {NESTING_MAX} deep; an order at most {FIELDS_MAX} fields"),
    ("docs/filters.md", f"A number has at most {NUMBER_LENGTH_MAX} characters"),
    ("docs/filters.md", f"their first {LIST_MAX} entries"),
    ("docs/filters.md", f"as far as they are shown, {SHORT_LENGTH_MAX:,} characters"),
    ("docs/fields.md", f"at most {LIST_MAX} entries"),
    ("docs/metrics.md", f"its first {LIST_MAX} entries"),
    ("docs/metrics.md", f"cut at {TEXT_LENGTH_MAX:,} characters"),
    ("docs/commands.md", f"at most the latest {BUCKETS_SHOWN:,} steps"),
    ("docs/commands.md", f"the {DEFAULT_GROUPS} labels of most rows"),
    ("docs/metrics.md", f"{ROWS_MAX:,} rows; {LABELS_MAX:,} labels"),
    ("docs/metrics.md", f"{CELLS_MAX:,} steps and groups in steps"),
    ("docs/operations.md", f"up to {PROCESSES_MAX} children"),
    ("docs/operations.md", f"there was none for {IDLE_SECONDS:.0f} seconds"),
    ("docs/operations.md", f"one request for more than {WORK_SECONDS_MAX:.0f} seconds"),
    ("docs/operations.md", f"tries again after {START_AGAIN_SECONDS:.0f} seconds"),
    ("docs/operations.md", f"takes more than {STALLED_SECONDS:.0f} seconds"),
    ("docs/operations.md", f"reads and writes format {FORMAT}"),
    ("docs/search.md", f"at most {QUERY_LENGTH_MAX:,} characters and {TOKENS_MAX} words"),
    (
        "docs/search.md",
        f"parentheses stand at most {QUERY_NESTING_MAX} deep",
    ),
    ("docs/search.md", f"at least {PREFIX_LENGTH_MIN} letters before"),
    ("docs/search.md", f"more than {TOKEN_LENGTH_MAX} characters the first {TOKEN_LENGTH_MAX}"),
    ("docs/search.md", f"first {PIECE_LENGTH_MAX:,} characters are searched, of one trace {DOCUMENT_LENGTH_MAX:,}"),
    ("docs/search.md", f"in its earliest {SEARCHED_SPANS_MAX:,} spans"),
    ("docs/search.md", f"Up to {EXCERPTS_MAX} excerpts"),
    ("docs/search.md", f"{SEARCH_PAGE_SIZE} unless asked for otherwise, {SEARCH_PAGE_SIZE_MAX} at most"),
    ("docs/search.md", f"After {SEARCH_ROWS_MAX:,} rows paging ends"),
    ("docs/search.md", f"more than {HITS_MAX:,} hits"),
    ("docs/receiver.md", f"those under way {GRACE_SECONDS:.0f} seconds"),
    ("docs/receiver.md", f"failed so {FAILURES_MAX} times by itself"),
    ("docs/receiver.md", f"up to {MESSAGES_SHOWN} reasons"),
    ("docs/receiver.md", f"scope of more than {ORIGIN_BYTES_MAX >> 10} KiB together"),
    ("docs/receiver.md", f"RetryInfo is {RETRY_SECONDS} s."),
    ("docs/receiver.md", f"look {DEPTH_MAX} levels deep"),
    ("docs/receiver.md", f"more than {EVENTS_READ_MAX:,} events"),
    ("docs/receiver.md", f"longer than {ID_LENGTH_MAX:,} characters"),
]


@pytest.mark.parametrize("key", [*ARGUMENT_KEYS, *RESULT_KEYS, *CALL_ID_KEYS, *(source.key for source in INSTRUCTIONS)])
def test_where_a_tool_s_run_and_a_system_prompt_are_read_is_told(key: str):
    assert code(key) in page("docs/turns.md")


@pytest.mark.parametrize("kind", get_args(FindingKind))
def test_every_finding_is_defined_and_has_its_number(kind: str):
    assert f"| {code(kind)} |" in page("docs/turns.md")
    assert f"KIND_{kind.upper()}" in conversation_pb2.Finding.DESCRIPTOR.enum_types_by_name["Kind"].values_by_name


@pytest.mark.parametrize(("name", "told"), LIMITS)
def test_a_limit_that_is_told_is_the_one_that_holds(name: str, told: str):
    assert told in " ".join(page(name).split())


@pytest.mark.parametrize(
    "name", sorted(name_of(path) for path in (*DOCS.glob("*.md"), *ROOT.glob("*.md")) if path.stem != "README")
)
def test_every_page_is_reached_from_the_first(name: str):
    assert f"]({name})" in page("README.md")


# -- true ----------------------------------------------------------------------------------------------------------------------

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def links() -> list[tuple[str, str]]:
    prose = {path: re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL) for path in PAGES}
    return [(name_of(path), link) for path, text in prose.items() for link in LINK.findall(text) if "://" not in link]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("name", "link"), links())
def test_every_link_leads_somewhere(name: str, link: str):
    file, _, anchor = link.partition("#")
    target = (ROOT / name).parent / file if file else ROOT / name
    assert target.exists()
    assert not anchor or anchor in anchors(target)


def blocks(kinds: str) -> list[tuple[str, str]]:
    """(page, text) of every fenced block of some kinds."""
    fence = re.compile(rf"^```(?:{kinds})\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(name_of(path), block) for path in PAGES for block in fence.findall(path.read_text())]


def shell_lines() -> list[tuple[str, str]]:
    """What a reader is told to type: the lines after `$ ` in console blocks, and all lines of sh blocks."""
    typed = [(name, line[2:]) for name, block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    typed += [(name, line) for name, block in blocks("sh") for line in block.replace("\\\n", "").splitlines() if line.strip()]
    return [(name, line.partition(" #")[0].strip()) for name, line in typed if not line.startswith("#")]


OTHERS = {"git", "cd", "export", "source", "grpcurl", "sudo", "cp", "mkdir", "journalctl", "python", "pip", "mypy", "ruff"}
"""Commands that are not ours."""


def is_known(line: str) -> bool:
    """Whether a line can be typed: a make target there is, a command of ours with options it has, or one of the others."""
    typed = [word for word in line.split() if not re.fullmatch(r"[A-Z_]+=\S*", word)]
    program, *arguments = [word.removeprefix(".venv/bin/").removeprefix("/opt/sessiond/bin/") for word in typed]
    if program == "make":
        return set(arguments) <= set(make_targets())
    if program != "sessiond":
        return program in OTHERS
    if not arguments or arguments[0] not in COMMANDS:
        return arguments in ([], ["--help"])
    typed_options = [word.partition("=")[0] for word in arguments[1:] if word.startswith("-")]
    return set(typed_options) <= set(options(COMMANDS[arguments[0]]))


@pytest.mark.parametrize(("name", "line"), sorted(set(shell_lines())))
def test_what_a_reader_is_told_to_type_exists(name: str, line: str):
    assert is_known(line), name


def test_a_command_that_is_not_there_is_found_out():
    lines = ["make nothing", "sessiond nothing", "sessiond sessions --nothing", "nothing"]
    assert [line for line in lines if is_known(line)] == []


def test_the_first_page_shows_commands():
    assert {"make", ".venv/bin/sessiond"} <= {line.split()[0] for name, line in shell_lines() if name == "README.md"}


@pytest.mark.parametrize(("name", "block"), blocks("python"))
def test_python_shown_compiles(name: str, block: str):
    compile(block, name, "exec")


@pytest.mark.parametrize(("name", "block"), blocks("yaml"))
def test_yaml_shown_parses_and_settings_shown_are_settings(name: str, block: str):
    shown = yaml.safe_load(block)
    assert isinstance(shown, dict)
    if name != "README.md" and "exporters" not in shown:
        Config.model_validate(shown)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, line) for kind in FIELDS for _, block in blocks(kind) for line in block.splitlines()]
)
def test_filters_shown_are_understood(kind: str, text: str):
    assert parse_filter(text, kind)


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, line) for kind in FIELDS for _, block in blocks(f"order {kind}") for line in block.splitlines()]
)
def test_orders_shown_are_understood(kind: str, text: str):
    assert parse_order(text, kind).fields


def test_filters_of_every_kind_and_orders_are_shown():
    assert [kind for kind in FIELDS if not blocks(kind)] == []
    assert blocks("order trace")


if __name__ == "__main__":
    update()
