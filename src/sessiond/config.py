"""Every setting: its type, default, unit and sentence. Read from a YAML file; options of the command line go over it.

Unknown keys stop the start, and all problems are told at once. `config.yaml` at the top of the repository is the whole of it, and a
test keeps the two in step.
"""

import difflib
import os
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, ValidationError, model_validator

from sessiond.core.conventions import PROVIDER_ALIASES
from sessiond.core.errors import Code, SessiondError
from sessiond.core.figures.pricing import UnitPrices
from sessiond.prices import Override, token_price

OFF: Final = "off"
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_PORT_MAX: Final = 65535


class BadConfig(SessiondError):
    """The configuration can't be used; the message names every problem in it."""

    code = Code.INVALID


def _address(value: str) -> str:
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match[2]) > _PORT_MAX:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317")
    return value


def _off_word(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return OFF if value is False else value


def _only_off(value: str) -> str:
    if value != OFF:
        raise ValueError("is not served in this version; leave it off")
    return value


def _model_name(value: str) -> str:
    if not value or "*" in value[:-1]:
        raise ValueError("must be a model's name, or how it begins with * at its end, such as gpt-5*")
    return value.lower()


def _provider_name(value: str) -> str:
    if not value:
        raise ValueError("must be a provider's name, such as openai; leave it away for all")
    return PROVIDER_ALIASES.get(value.lower(), value.lower())


Address = Annotated[str, AfterValidator(_address)]
NotServedAddress = Annotated[str, BeforeValidator(_off_word), AfterValidator(_only_off)]
AttributeKey = Annotated[str, Field(min_length=1, max_length=256)]
Bytes = Annotated[ByteSize, Field(gt=0)]
UsdPerMillion = Annotated[Decimal, Field(ge=0)]


def default_data_dir() -> Path:
    """$XDG_DATA_HOME/sessiond, else ~/.local/share/sessiond."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "sessiond"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)


class Receiver(_Section):
    """Where spans come in."""

    otlp_grpc: Address = "127.0.0.1:4317"
    """Address of the OTLP/gRPC receiver."""
    otlp_http: NotServedAddress = OFF
    """Address of the OTLP/HTTP receiver, or off. Not served in this version."""
    message_bytes_max: Bytes = ByteSize(64 << 20)
    """Largest request, before and after decompression."""
    spans_max: Annotated[int, Field(gt=0)] = 1_000_000
    """Most spans in a request, counted before anything of it is built."""
    threads: Annotated[int, Field(gt=0, le=1024)] = 64
    """Requests taken in at once; each waits for the disk."""
    requests_bytes_max: Bytes = ByteSize(256 << 20)
    """Bytes of requests under way at once; above it senders are told to come again."""
    queue_bytes_max: Bytes = ByteSize(128 << 20)
    """Bytes of decoded spans waiting for the disk; above it senders are told to come again."""
    refuse_erased_seconds: Annotated[int, Field(ge=0)] = 86_400
    """Spans of a trace are refused for so long after it was erased: late ones would bring it back. 0: they are taken as new."""


class Query(_Section):
    """Where questions are answered."""

    address: Address = "127.0.0.1:4319"
    """Address of the query service."""
    threads: Annotated[int, Field(gt=0, le=1024)] = 32
    """Calls answered at once; a stream holds one while it lasts, but for those that follow."""
    followers_max: Annotated[int, Field(gt=0, le=1024)] = 16
    """Streams that follow at once; each has a thread besides those of `threads`."""
    reflection: bool = False
    """Serve gRPC reflection, for tools such as grpcurl."""


class Web(_Section):
    """The web page."""

    address: NotServedAddress = OFF
    """Address of the web page, or off. Not served in this version."""


class StoreSettings(_Section):
    """Where spans are kept."""

    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Field(default_factory=default_data_dir)
    """Directory of the store, on a local disk. Default: $XDG_DATA_HOME/sessiond, else ~/.local/share/sessiond."""
    bytes_max: Bytes = ByteSize(64 << 30)
    """Bytes the store may hold; above it senders are told to come again, and reading goes on."""


class Search(_Section):
    """Full-text search."""

    enabled: bool = True
    """Keep an index for it, beside the store, in a process of its own. Without it there is none, and nothing can be searched."""


class Sessions(_Section):
    """What a session is."""

    idle_seconds: Annotated[int, Field(gt=0)] = 300
    """A session is live while spans arrived within this time, else idle."""


class PriceOverride(_Section):
    """The price of one model, or of all whose name begins alike."""

    model: Annotated[str, AfterValidator(_model_name)]
    """Name of the model, or how it begins with * at its end; in any case, without the router before it."""
    provider: Annotated[str, AfterValidator(_provider_name)] | None = None
    """Only for calls to this provider."""
    since: date | None = None
    """Only for calls since the start of this day, UTC; earlier ones cost what they would without."""
    input: UsdPerMillion | None = None
    """US dollars for a million input tokens."""
    output: UsdPerMillion | None = None
    """US dollars for a million output tokens."""
    cache_read: UsdPerMillion | None = None
    """US dollars for a million tokens read from a cache; without it they cost what input does."""
    cache_write: UsdPerMillion | None = None
    """US dollars for a million tokens written to a cache; without it they cost what input does."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.input is None and self.output is None:
            raise ValueError("needs input, output or both")
        if self.input is None and not (self.cache_read is None and self.cache_write is None):
            raise ValueError("needs input, which cache_read and cache_write are parts of")
        return self

    def value(self) -> Override:
        """The override as the price book takes it."""
        prices = UnitPrices(
            input=token_price(self.input),
            output=token_price(self.output),
            cache_read=token_price(self.cache_read),
            cache_write=token_price(self.cache_write),
        )
        return Override(self.model, self.provider, self.since, prices)


def _each_once(overrides: tuple[PriceOverride, ...]) -> tuple[PriceOverride, ...]:
    places = Counter((each.model, each.provider, each.since) for each in overrides)
    twice = [model for (model, _, _), count in places.items() if count > 1]
    if twice:
        raise ValueError(f"has two prices for the same model, provider and since: {', '.join(twice)}")
    return overrides


class Conventions(_Section):
    """Which attributes are read, besides those that are known."""

    session_keys: tuple[AttributeKey, ...] = ()
    """Attributes that carry a session id, in order of precedence; they go before all that are known."""
    user_keys: tuple[AttributeKey, ...] = ()
    """Attributes that carry a user id, as session_keys."""
    metadata_keys: tuple[AttributeKey, ...] = ()
    """Attributes of spans that become metadata by their own names, so that rows can be filtered and sorted by them."""


class Prices(_Section):
    """What calls cost whose spans don't say."""

    overrides: Annotated[tuple[PriceOverride, ...], AfterValidator(_each_once)] = ()
    """Prices that go over the list that comes with sessiond. A whole name goes over a beginning, a longer one over a shorter."""


class Log(_Section):
    """The daemon's own log, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is written."""
    format: Literal["text", "json"] = "text"
    """text for people, json for machines."""


class Config(_Section):
    """All settings."""

    receiver: Receiver = Receiver()
    query: Query = Query()
    web: Web = Web()
    store: StoreSettings = Field(default_factory=StoreSettings)
    sessions: Sessions = Sessions()
    search: Search = Search()
    conventions: Conventions = Conventions()
    prices: Prices = Prices()
    log: Log = Log()


def load(path: Path | None, options: Mapping[str, object] | None = None) -> Config:
    """The settings of a YAML file (None: all defaults) with `options` ("receiver.otlp_grpc" -> value) over them.

    Raises BadConfig, naming every problem at once and what to do about it.
    """
    settings = {} if path is None else _read(path)
    for name, value in (options or {}).items():
        section, _, key = name.partition(".")
        part = settings.setdefault(section, {})
        if isinstance(part, dict):
            part[key] = value
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        problems = "\n".join(f"  {_told(problem)}" for problem in error.errors())
        raise BadConfig(
            f"{path or 'the options'} can't be used:\n{problems}", hint="every setting stands, with its default, in config.yaml"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        read = yaml.safe_load(path.read_text())
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}", hint="give --config a file that can be read, or leave it away") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} is not YAML: {error}", hint="compare it with config.yaml") from error
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise BadConfig(f"{path} must hold sections such as receiver: and query:", hint="compare it with config.yaml")
    return {str(key): {} if value is None else value for key, value in read.items()}


def _told(problem: Any) -> str:  # noqa: ANN401  (pydantic's ErrorDetails, which it does not export by name)
    """One problem in words: where, what, and for a key that is not known the one that may be meant."""
    place = problem["loc"]
    name = ".".join(map(str, place))
    if problem["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{_near(place)}"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    # A section or an entry of a list is named by its place; shown whole it would hide what is wrong with it.
    return f"{name}: {message}" if isinstance(problem["input"], dict | list) else f"{name}: {problem['input']!r} {message}"


def _near(place: tuple[str | int, ...]) -> str:
    section: Any = Config
    for part in place[:-1]:
        section = section.model_fields[part].annotation if isinstance(part, str) else get_args(section)[0]
    near = difflib.get_close_matches(str(place[-1]), section.model_fields, n=1)
    return f"; did you mean {near[0]}?" if near else ""
