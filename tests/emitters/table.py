"""The emitters, and what each of them does not put on the wire.

A gap is a fact about an emitter, told as what remains of a call in the ledger: sessiond can't show more than is sent. What is sent
and not read is no gap.
"""

from collections.abc import Callable
from functools import reduce
from typing import Final, NamedTuple

from emitters.model_server import Call


class Gap(NamedTuple):
    """What is not sent, and what remains of a call without it."""

    reason: str
    remains: Callable[[Call], Call]


class Emitter(NamedTuple):
    """One emitter: a folder beside this file with its script and its pinned packages."""

    name: str
    gaps: tuple[Gap, ...] = ()

    def sends(self, call: Call) -> Call:
        """What is on the wire of a call."""
        return reduce(lambda left, gap: gap.remains(left), self.gaps, call)


NO_FIRST_TOKEN: Final = Gap(
    "the time to the first token is not sent",
    lambda call: call._replace(first_content_unix_nano=None),
)
NO_CACHED_TOKENS: Final = Gap(
    "cached tokens are not sent",
    lambda call: call._replace(usage=call.usage._replace(cache_read_tokens=0, cache_write_tokens=0)),
)
NO_REASONING_TOKENS: Final = Gap(
    "reasoning tokens are not sent",
    lambda call: call._replace(usage=call.usage._replace(reasoning_tokens=0)),
)
NO_PROVIDER: Final = Gap(
    "the provider is not sent",
    lambda call: call._replace(provider=None),
)
NO_RESPONSE_MODEL: Final = Gap(
    "the model that answered is not sent; the one asked for stands in",
    lambda call: call._replace(response_model=call.response_model and call.request_model),
)
NO_RESPONSE_MODEL_OF_STREAMS: Final = Gap(
    "of a stream the model that answered is not sent; the one asked for stands in",
    lambda call: NO_RESPONSE_MODEL.remains(call) if call.first_content_unix_nano else call,
)
ONE_MODEL: Final = Gap(
    "one model is sent: the one that answered, or where none did the one asked for",
    lambda call: call._replace(request_model=call.response_model or call.request_model),
)
NO_REQUEST_MODEL: Final = Gap(
    "the model asked for is not sent; the one that answered stands in, and a call that failed has none",
    lambda call: call._replace(request_model=call.response_model),
)
NO_TEXT_OF_FAILED_CALLS: Final = Gap(
    "of a call that failed not even the question is sent",
    lambda call: call if call.response_id else call._replace(input=None),
)

EMITTERS: Final = (
    Emitter("openinference_openai"),
    Emitter("otel_openai_v2", (NO_CACHED_TOKENS, NO_REASONING_TOKENS, NO_FIRST_TOKEN)),
    Emitter("openllmetry"),
    Emitter("pydantic_ai"),
    Emitter("langfuse", (ONE_MODEL, NO_PROVIDER)),
    Emitter("strands", (NO_RESPONSE_MODEL, NO_REASONING_TOKENS)),
    Emitter("openinference_anthropic"),
    Emitter("langgraph", (NO_RESPONSE_MODEL_OF_STREAMS, NO_FIRST_TOKEN)),
    Emitter("openai_agents", (NO_REQUEST_MODEL, NO_FIRST_TOKEN, NO_TEXT_OF_FAILED_CALLS)),
    Emitter("vercel_ai"),
    Emitter("latitude"),
    Emitter("sessiond_capture"),
)

OFTEN: Final = frozenset({"openinference_openai", "otel_openai_v2", "latitude", "sessiond_capture"})
"""Those that `make test` runs: the quickest to install, and those that are about sessions. `make torture` runs all."""
