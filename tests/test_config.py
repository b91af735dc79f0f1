"""config.yaml holds every setting with its default and its sentence; and settings are read as they are meant."""

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from sessiond.config import OFF, BadConfig, Config, default_data_dir, load
from sessiond.core.figures.pricing import TokenPrice, UnitPrices
from sessiond.prices import Override, token_price
from sessiond.storage.lmdb.environment import READERS_MAX

CONFIG_FILE = Path(__file__).parents[1] / "config.yaml"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, without XDG_DATA_HOME: what defaults depend on."""
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _sections() -> Iterator[tuple[str, type[BaseModel], str]]:
    for name, field in Config.model_fields.items():
        section = field.annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        yield name, section, (section.__doc__ or "").strip()


SETTINGS = [
    (section, name, str(field.description)) for section, model, _ in _sections() for name, field in model.model_fields.items()
]


def comment_above(lines: list[str], line: int) -> str:
    """The comment that stands directly above a line, as one line of text."""
    words: list[str] = []
    while line > 0 and lines[line - 1].strip().startswith("#"):
        line -= 1
        words.insert(0, lines[line].strip().lstrip("#").strip())
    return " ".join(words)


def place_of(lines: list[str], section: str, setting: str = "") -> int:
    """The number of the line on which a section, or a setting in it, begins."""
    start = lines.index(f"{section}:")
    if not setting:
        return start
    begins = (f"  {setting}:", f"  # {setting}:")
    return next(number for number in range(start + 1, len(lines)) if lines[number].startswith(begins))


def test_config_yaml_loads_to_the_defaults() -> None:
    assert load(CONFIG_FILE) == Config()


def test_config_yaml_holds_every_setting_in_order_and_nothing_else() -> None:
    """A setting whose default is not the same everywhere stands as a comment."""
    found = yaml.safe_load(CONFIG_FILE.read_text())
    same_everywhere = {
        section: [name for name, field in model.model_fields.items() if field.default_factory is None]
        for section, model, _ in _sections()
    }
    assert {section: list(settings) for section, settings in found.items()} == same_everywhere
    assert list(found) == list(Config.model_fields)
    lines = CONFIG_FILE.read_text().splitlines()
    places = [place_of(lines, section, setting) for section, setting, _ in SETTINGS]
    assert places == sorted(places)


@pytest.mark.parametrize(("section", "setting", "sentence"), SETTINGS, ids=lambda value: value if " " not in value else "")
def test_config_yaml_explains_each_setting_in_its_own_words(section: str, setting: str, sentence: str) -> None:
    lines = CONFIG_FILE.read_text().splitlines()
    assert " ".join(sentence.split()) in comment_above(lines, place_of(lines, section, setting))


@pytest.mark.parametrize(("section", "sentence"), [(name, sentence) for name, _, sentence in _sections()])
def test_config_yaml_explains_each_section_in_its_own_words(section: str, sentence: str) -> None:
    lines = CONFIG_FILE.read_text().splitlines()
    assert sentence in comment_above(lines, place_of(lines, section))


@pytest.mark.parametrize(("section", "setting", "sentence"), SETTINGS, ids=lambda value: value if " " not in value else "")
def test_every_setting_has_a_sentence(section: str, setting: str, sentence: str) -> None:
    assert sentence != "None", f"{section}.{setting}"
    assert sentence.endswith(".")


def write(folder: Path, text: str) -> Path:
    path = folder / "given.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["", "# nothing\n", "receiver:\nquery:\n", "{}"])
def test_an_empty_file_or_section_means_the_defaults(tmp_path: Path, text: str) -> None:
    assert load(write(tmp_path, text)) == Config() == load(None)


def test_an_option_goes_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    path = write(tmp_path, "receiver: {otlp_grpc: '127.0.0.1:1', threads: 2}\n")
    found = load(path, {"receiver.otlp_grpc": "127.0.0.1:3", "query.address": "[::1]:5"})
    assert (found.receiver.otlp_grpc, found.receiver.threads, found.query.address) == ("127.0.0.1:3", 2, "[::1]:5")
    assert found.receiver.queue_bytes_max == Config().receiver.queue_bytes_max


@pytest.mark.parametrize(("text", "size"), [("1024", 1024), ("64MiB", 64 << 20), ("2 GiB", 2 << 30), ("1kB", 1000)])
def test_sizes_may_have_units(tmp_path: Path, text: str, size: int) -> None:
    assert load(write(tmp_path, f"store: {{bytes_max: {text}}}")).store.bytes_max == size


@pytest.mark.parametrize("text", ["off", "'off'", "false"])
def test_off_is_off_however_yaml_reads_it(tmp_path: Path, text: str) -> None:
    found = load(write(tmp_path, f"receiver: {{otlp_http: {text}}}\nweb: {{address: {text}}}"))
    assert (found.receiver.otlp_http, found.web.address) == (OFF, OFF)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:4317", "[::1]:65535", "0.0.0.0:1", "my-host.example:4317"])
def test_an_address_is_host_and_port(address: str) -> None:
    assert load(None, {"receiver.otlp_grpc": address}).receiver.otlp_grpc == address


@pytest.mark.parametrize(
    "address", ["", ":4317", "4317", "localhost", "::1:4317", "[::1]", "h:65536", "h:-1", "h:1 ", "http://h:1", "h:٣"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadConfig) as caught:
        load(None, {"query.address": address})
    assert str(caught.value) == (
        f"the options can't be used:\n  query.address: {address!r} must be HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317; "
        "every setting stands, with its default, in config.yaml"
    )


def test_the_data_directory_follows_xdg_data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert default_data_dir() == Config().store.data_dir == tmp_path / "xdg" / "sessiond"
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert Config().store.data_dir == tmp_path / ".local" / "share" / "sessiond"


def test_a_tilde_in_the_data_directory_is_the_home(home: Path) -> None:
    assert load(None, {"store.data_dir": "~/sessions"}).store.data_dir == home / "sessions"


def test_a_section_that_is_no_section_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "receiver: 5\n")
    with pytest.raises(BadConfig) as caught:
        load(path, {"receiver.otlp_grpc": "127.0.0.1:1"})
    assert str(caught.value).startswith(f"{path} can't be used:\n  receiver: 5 ")


def test_a_setting_left_empty_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "receiver:\n  otlp_grpc:\n  threads:\n")
    with pytest.raises(BadConfig) as caught:
        load(path)
    assert "\n  receiver.otlp_grpc: " in str(caught.value)
    assert "\n  receiver.threads: " in str(caught.value)


def overrides(folder: Path, *entries: str) -> tuple[Override, ...]:
    path = write(folder, "\n".join(["prices:", "  overrides:", *(f"    - {{{entry}}}" for entry in entries)]))
    return tuple(each.value() for each in load(path).prices.overrides)


def usd(per_million: str) -> TokenPrice | None:
    return token_price(Decimal(per_million))


def test_an_override_of_a_price_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """0.1 is 0.1, not the nearest binary fraction; names and providers are those that spans come with."""
    assert overrides(
        tmp_path,
        "model: GPT-5*, provider: azure.ai.openai, since: 2026-10-01, input: 0.1, output: 1.20, cache_read: 0, cache_write: 3",
        "model: llama3, provider: My-Box, input: 0, output: 0",
        "model: '*', output: 2",
    ) == (
        Override("gpt-5*", "azure", date(2026, 10, 1), UnitPrices(usd("0.1"), usd("1.2"), usd("0"), usd("3"))),
        Override("llama3", "my-box", None, UnitPrices(usd("0"), usd("0"))),
        Override("*", None, None, UnitPrices(output=usd("2"))),
    )


def test_the_example_in_config_yaml_is_one(tmp_path: Path) -> None:
    lines = CONFIG_FILE.read_text().splitlines()
    example = [line.replace("  #   ", "    ") for line in lines if line.startswith("  #   ")]
    found = load(write(tmp_path, "\n".join(["prices:", "  overrides:", *example]))).prices.overrides
    assert [each.model for each in found] == ["my-finetune-*", "llama3*"]
    assert set(found[0].model_dump()) == found[0].model_fields_set


def test_all_problems_of_overrides_are_told_at_once(tmp_path: Path) -> None:
    entries = [
        "model: a",
        "model: a, cache_read: 1, output: 1",
        "model: 'a*b', input: -1",
        "modle: a, input: 1",
        "model: '', provider: '', input: .nan, output: much, since: soon",
    ]
    with pytest.raises(BadConfig) as caught:
        overrides(tmp_path, *entries)
    wrong_name = "must be a model's name, or how it begins with * at its end, such as gpt-5*"
    assert str(caught.value).partition("; every setting stands")[0].splitlines()[1:] == [
        "  prices.overrides.0: needs input, output or both",
        "  prices.overrides.1: needs input, which cache_read and cache_write are parts of",
        f"  prices.overrides.2.model: 'a*b' {wrong_name}",
        "  prices.overrides.2.input: -1 input should be greater than or equal to 0",
        "  prices.overrides.3.model: field required",
        "  prices.overrides.3.modle: there is no such setting; did you mean model?",
        f"  prices.overrides.4.model: '' {wrong_name}",
        "  prices.overrides.4.provider: '' must be a provider's name, such as openai; leave it away for all",
        "  prices.overrides.4.since: 'soon' input should be a valid date or datetime, input is too short",
        "  prices.overrides.4.input: nan input should be a finite number",
        "  prices.overrides.4.output: 'much' input should be a valid decimal",
    ]


def test_two_prices_for_the_same_calls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        overrides(
            tmp_path, "model: a, provider: azure, input: 1", "model: A, provider: azure_openai, input: 2", "model: a, input: 3"
        )
    assert "\n  prices.overrides: has two prices for the same model, provider and since: a; " in str(caught.value)


def test_a_typo_in_a_section_is_told_with_what_may_be_meant(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        load(write(tmp_path, "reciever: {}\nprices: {override: []}\n"))
    assert "\n  reciever: there is no such setting; did you mean receiver?" in str(caught.value)
    assert "\n  prices.override: there is no such setting; did you mean overrides?" in str(caught.value)


def test_no_setting_comes_from_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    before = load(None)
    for section, setting, _ in SETTINGS:
        for name in (f"SESSIOND_{section}_{setting}", f"SESSIOND_{setting}", setting):
            if name.upper() not in os.environ:
                monkeypatch.setenv(name.upper(), "1")
    assert load(None) == before


def test_as_many_threads_as_may_be_configured_read_the_store_at_once() -> None:
    most = {"threads": 1024, "followers_max": 1024}
    assert sum(most.values()) < READERS_MAX
    for name, value in most.items():
        assert getattr(Config.model_validate({"query": most}).query, name) == value
        with pytest.raises(ValueError, match=name):
            Config.model_validate({"query": {name: value + 1}})
