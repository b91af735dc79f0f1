"""A provider's one name, from what emitters write or, where a framework poses as one, from the model's name."""

import re
from functools import lru_cache
from typing import Final

from sessiond.core.conventions import FRAMEWORKS, MODEL_PATTERNS, PROVIDER_ALIASES, PROVIDER_SUFFIX
from sessiond.core.model import Value
from sessiond.core.values import as_text

NAMES_CACHED: Final = 256
"""Spellings of providers and models remembered: there are a few in a fleet."""

_SUFFIX: Final = re.compile(PROVIDER_SUFFIX)
_PATTERNS: Final = tuple((re.compile(pattern), provider) for pattern, provider in MODEL_PATTERNS.items())


def as_provider(value: Value) -> str | None:
    """A provider by its one name; an unknown one as written; a framework posing as provider is none."""
    text = as_text(value)
    return None if text is None else _named(text)


def is_framework(value: Value) -> bool:
    """Whether a framework wrote its own name where the provider belongs."""
    text = as_text(value)
    return text is not None and not {text.lower(), _SUFFIX.sub("", text).lower()}.isdisjoint(FRAMEWORKS)


@lru_cache(NAMES_CACHED)
def _named(text: str) -> str | None:
    bare = _SUFFIX.sub("", text)
    if not bare or is_framework(text):
        return None
    # The whole spelling first: "google.generative-ai" is one.
    return PROVIDER_ALIASES.get(text.lower()) or PROVIDER_ALIASES.get(bare.lower(), bare)


@lru_cache(NAMES_CACHED)
def provider_of_model(model: str) -> str | None:
    """Who serves a model of that name: its router's prefix says it ("azure/gpt-4o"), else who makes models named so."""
    router, _, name = model.lower().rpartition("/")
    routed = PROVIDER_ALIASES.get(router.partition("/")[0])
    return routed or next((provider for pattern, provider in _PATTERNS if pattern.match(name)), None)
