"""The contract of a store: what every engine promises. `tests/storage` holds each of them to it.

Four kinds of things are kept, and only the first two can't be made again:

* **spans**, byte for byte, each with its origin and first arrival; of several versions of a span only the winner; and which traces
  were **erased** lately, whose spans are refused;
* **feedback**: scores and annotations as they were given, whether what they speak of has been received or not;
* **facts** of each span, and **summaries** of traces, sessions and users computed from them;
* **marks** on what must be recomputed. A mark is set in the same transaction that makes a summary stale and cleared in the one
  that writes the new summary, so that a crash at any point leaves a mark too many and never a wrong row.

Threads: every verb that writes is called from one thread, the same for the store's whole life; every verb that reads may be called
from any thread at any time, and sees the state after some commit.

Ownership: what is returned is a copy; it stays valid after the next write and after `close`.

Failures: `StoreFull` means that nothing of the call was kept and that reading goes on; `Damaged` that a row which the call needs
can't be read; `StoreBroken` that the engine can't be trusted any more and the process must stop. A verb that fails with any of them
has changed nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject
from sessiond.core.model import (
    SessionKey,
    SessionSummary,
    SpanFacts,
    StoredSpan,
    Texts,
    TraceKey,
    TraceSummary,
    UserKey,
    UserSummary,
)
from sessiond.core.rows.fields import AnySummary
from sessiond.core.rows.where import Where
from sessiond.storage.packing import PackedTrace

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)
Summary_co = TypeVar("Summary_co", bound=AnySummary, covariant=True)
Item = TypeVar("Item", Score, Annotation)

RULES_BYTES: Final = 8
STORE_ID_BYTES: Final = 8
SPAN_PAGE_BYTES: Final = 1 << 20
"""Bytes of spans in a page of `spans`, unless a single chunk of them is larger."""


class Appended(NamedTuple):
    """What became of appended spans; the four counts add up to their number."""

    stored: int
    duplicates: int
    """Known already with the same content."""
    conflicts: int
    """Known already with other content, by whichever won: a winner that replaces another counts here."""
    traces: tuple[bytes, ...]
    """The traces that changed, and are now marked."""
    refused: int = 0
    """Of traces that were erased, or of which something is stored that can't be read."""
    erased: frozenset[bytes] = frozenset()
    damaged: frozenset[bytes] = frozenset()
    """The traces that spans were refused of, for the one reason and for the other."""


class Marks(NamedTuple):
    """What waits to be recomputed."""

    traces: tuple[bytes, ...] = ()
    sessions: tuple[SessionKey, ...] = ()
    users: tuple[UserKey, ...] = ()


class Erased(NamedTuple):
    """What became of traces that were to be erased."""

    traces: tuple[bytes, ...]
    """Those that there were."""
    marks: Marks
    """The sessions and users that they belonged to."""


class Erasure(NamedTuple):
    """A trace that was erased, and when. Unix nanoseconds."""

    trace_id: bytes
    unix_nano: int


class SettledTrace(NamedTuple):
    """What is computed of a trace."""

    summary: TraceSummary
    texts: Texts


class SpanPage(NamedTuple):
    """Some spans of a trace, in the order in which they were stored."""

    spans: list[StoredSpan]
    after: bytes | None
    """Where the next page goes on; None: this was the last."""


class Row(Protocol, Generic[Summary_co]):
    """A listed summary, copied out of the store. Its parts are read when they are asked for: a scan looks at few of them."""

    @property
    def place(self) -> bytes:
        """`core.rows.places.place_of` its summary."""
        ...

    @property
    def change(self) -> int:
        """The number of its last change: a later change has a larger number, whatever it changed."""
        ...

    @property
    def size(self) -> int:
        """About how many bytes it holds."""
        ...

    @property
    def signature(self) -> int:
        """`core.rows.numbers.signature_of` its summary."""
        ...

    @property
    def numbers(self) -> Sequence[int]:
        """`core.rows.numbers.numbers_of` its summary."""
        ...

    @property
    def summary(self) -> Summary_co:
        """The whole. Raises Damaged where it does not fit its checksum."""
        ...


class Page(NamedTuple, Generic[Summary]):
    """Some rows."""

    rows: Sequence[Row[Summary]]
    after: bytes | None
    """The place where the next page goes on, however the rows change in between; None: this was the last."""


class Removal(NamedTuple):
    """A row that is no more."""

    change: int
    key: TraceKey | SessionKey | UserKey


class Changes(NamedTuple, Generic[Summary]):
    """What changed, in order of change: rows as they are now, each at its last change, and what was removed."""

    rows: Sequence[Row[Summary]]
    removed: Sequence[Removal]
    through: int
    """All changes up to this number have been looked at."""
    is_last: bool
    """There were no later ones."""


class Listing(Protocol, Generic[Summary]):
    """The summaries of one kind, in order."""

    def page(self, where: Where, after: bytes | None, limit: int) -> Page[Summary]:
        """At most `limit` rows past the place `after`, in descending order of places.

        Among them are all for which `where` holds; it narrows as far as the engine's indexes go, so others may come too.
        """
        ...

    def changed(self, change: int, limit: int) -> Changes[Summary]:
        """What changed later than `change`, at most `limit` rows and removals."""
        ...

    def held(self, keys: Sequence[bytes | SessionKey | UserKey]) -> list[Row[Summary] | None]:
        """The row of each of some keys: a trace's id, a session's or user's key; None where there is none."""
        ...


class Shelf(Protocol, Generic[Item]):
    """The scores, or the annotations. Each is known by its id."""

    def get(self, item_id: str) -> Item | None:
        """The one of this id; None where there is none, as of any text that can't be an id."""
        ...

    def of(self, subject: Subject) -> list[Item]:
        """All on a trace and its spans, or on a session itself; of the latest creation first, ties by descending id."""
        ...

    def count(self, subject: Subject) -> int:
        """How many `of` gives."""
        ...

    def page(self, subject: Subject | None, after: bytes | None, limit: int) -> tuple[list[Item], bytes | None]:
        """At most `limit` of what `of` gives, past the place `after`, and the place of the last; None: there are no more.

        Places are those of the items. Without a subject all that there are, in the same order.
        """
        ...


class Extent(NamedTuple):
    """What a store holds."""

    span_count: int
    trace_count: int
    session_count: int
    user_count: int
    used_bytes: int
    bytes_max: int


class Spans(Protocol):
    """Whatever holds spans."""

    def spans(self, trace_id: bytes, after: bytes | None = None) -> SpanPage:
        """As `Store.spans`."""
        ...

    def trace_ids(self, after: bytes | None = None, limit: int = 1000) -> list[bytes]:
        """As `Store.trace_ids`."""
        ...

    def erasures(self, after: bytes | None = None, limit: int = 1000) -> list[Erasure]:
        """As `Store.erasures`."""
        ...


class Originals(Spans, Protocol):
    """Whatever holds all that can't be made again."""

    @property
    def scores(self) -> Shelf[Score]:
        """As `Store.scores`."""
        ...

    @property
    def annotations(self) -> Shelf[Annotation]:
        """As `Store.annotations`."""
        ...


class Store(Protocol):
    """A store of spans and of what is computed from them."""

    # -- spans ---------------------------------------------------------------------------------------------------------------

    def append(self, traces: Sequence[PackedTrace]) -> Appended:
        """Append the spans of some traces and mark these; returns once all of it is on disk, in one transaction.

        A trace may come several times.

        A span is known by (trace id, span id, kind). The same content again changes nothing. Of different contents the one of
        the larger `core.identity.Version` stays, whatever the order in which they come, and keeps the first arrival of any.
        Spans of a trace that is remembered as erased are refused, and those of one whose stored spans they can't be compared with,
        since these are damaged. Raises StoreFull at the quota too.
        """
        ...

    def spans(self, trace_id: bytes, after: bytes | None = None) -> SpanPage:
        """A page of a trace's spans, about SPAN_PAGE_BYTES; of an unknown trace an empty last page."""
        ...

    @property
    def rules(self) -> bytes:
        """Fingerprint of the rules by which facts and summaries are made now, RULES_BYTES long; given when the store is opened.

        Facts keep those that they were made by, so that a trace whose facts are of others is known.
        """
        ...

    def set_rules(self, rules: bytes) -> None:
        """From now on facts are made by other rules. Called where the store is written."""
        ...

    def may_be_outdated(self) -> bool:
        """Whether some facts may be of other rules: until `confirm_rules`."""
        ...

    def confirm_rules(self) -> None:
        """Remember that no facts are of other rules: `outdated` went through all traces, after the last append, and found none."""
        ...

    def outdated(self, after: bytes | None = None, limit: int = 1000) -> tuple[list[bytes], bytes | None]:
        """Traces with facts of other rules among the next `limit` of all traces, and where to go on; None: these were the last."""
        ...

    def outdated_among(self, trace_ids: Sequence[bytes]) -> list[bytes]:
        """Those of these traces that have facts of other rules."""
        ...

    def renew(self, trace_ids: Sequence[bytes], read: Callable[[StoredSpan], SpanFacts | None]) -> None:
        """Make the facts of some traces again from their span bytes by the rules of now, and mark these traces; one transaction.

        A span of which `read` gives None keeps the facts that it has, and so does one whose bytes or facts are damaged.
        """
        ...

    def facts(self, trace_id: bytes) -> list[SpanFacts]:
        """The facts of all spans of a trace, in the order in which `spans` gives these; of an unknown trace none."""
        ...

    def fresh_texts(self, trace_id: bytes) -> Texts | None:
        """The texts that came packed with a trace, if it came whole in one append and no summary is made of it yet.

        Mostly so; None: they are to be read from the trace's spans, which gives the same.
        """
        ...

    def trace_ids(self, after: bytes | None = None, limit: int = 1000) -> list[bytes]:
        """The ids larger than `after` of traces that have spans, ascending, `limit` at most; none: there are no more."""
        ...

    # -- feedback ------------------------------------------------------------------------------------------------------------

    @property
    def scores(self) -> Shelf[Score]:
        """All scores."""
        ...

    @property
    def annotations(self) -> Shelf[Annotation]:
        """All annotations."""
        ...

    def put_feedback(self, items: Sequence[Score | Annotation], removed: Sequence[Score | Annotation] = ()) -> Marks:
        """Write scores and annotations, each in place of the one of its kind and id, and take away those `removed`.

        Marks the traces and sessions that they are of, as far as these are known, and returns those marks. On disk when it returns,
        in one transaction: give it a bounded number. Raises StoreFull at the quota too, where something is to be written.
        """
        ...

    # -- erasing -------------------------------------------------------------------------------------------------------------

    def erase(self, trace_ids: Sequence[bytes], erased_unix_nano: int | None, sessions: Sequence[SessionKey] = ()) -> Erased:
        """Take traces out whole, with their feedback, and mark the sessions and users that they belong to, in one transaction.

        From then on no verb finds anything of them, but where they had a summary, `changed` tells that they are no more. With a
        time they are remembered as erased then, and `append` refuses their spans until `forget_erased`; with None it takes them
        as new. Of traces that were never received only the feedback goes. A session that is left without a trace loses its own
        feedback, and those of `sessions` that have none do too; a trace that waits to be settled counts as the facts say.

        Give it a bounded number of traces. Works over the quota too; where disk or map are full to the last page, raises StoreFull.
        """
        ...

    def sweep(self) -> bool:
        """Free some of the space that erased traces still take; whether there may be more to free.

        `erase` frees what fits its transaction. What is left, of traces of very many spans, is kept in mind over a crash.
        When there is no more, all that was freed can be written to, on a full disk too.
        """
        ...

    def is_erased(self, trace_id: bytes) -> bool:
        """Whether a trace is remembered as erased."""
        ...

    def erasures(self, after: bytes | None = None, limit: int = 1000) -> list[Erasure]:
        """The traces that are remembered as erased, by ids larger than `after`, ascending, `limit` at most; none: no more."""
        ...

    def remember_erased(self, erasures: Sequence[Erasure]) -> None:
        """Remember erased traces of another store, which has none of their spans. Give it a bounded number."""
        ...

    def forget_erased(self, before_unix_nano: int, count_max: int, limit: int = 1000) -> int:
        """Take spans of traces again that were erased before a time, and of those erased first beyond `count_max`.

        Forgets `limit` at most and returns how many.
        """
        ...

    # -- summaries -----------------------------------------------------------------------------------------------------------

    def marks(self) -> Marks:
        """Everything marked, in no particular order. For the start of a daemon: `append` and `put_*` tell what they mark.

        Damaged marks are left out.
        """
        ...

    def put_traces(self, settled: Sequence[SettledTrace]) -> Marks:
        """Write what is computed of traces, clear their marks, and mark the sessions and users that they belong to and did before.

        Returns those marks. One transaction: give it a bounded number of traces.
        """
        ...

    def put_sessions(self, settled: Sequence[tuple[SessionKey, SessionSummary | None]]) -> None:
        """Write session summaries and clear their marks; None removes a session that has no trace any more."""
        ...

    def put_users(self, settled: Sequence[tuple[UserKey, UserSummary | None]]) -> None:
        """Write user summaries and clear their marks; None removes a user who has no trace any more."""
        ...

    def trace(self, trace_id: bytes) -> TraceSummary | None:
        """The summary as it was last written; None for a trace that is unknown or was never settled."""
        ...

    def texts(self, trace_ids: Sequence[bytes]) -> list[Texts]:
        """The texts of each of some traces, as they were last written; of a trace without any, NO_TEXTS.

        They are kept apart from summaries, so that a walk over many of these stays cheap.
        """
        ...

    def session(self, key: SessionKey) -> SessionSummary | None:
        """The summary as it was last written; None where there is none."""
        ...

    def user(self, key: UserKey) -> UserSummary | None:
        """The summary as it was last written; None where there is none."""
        ...

    def traces_of_session(self, key: SessionKey) -> list[TraceSummary]:
        """The summaries of a session's traces in order of start, then trace id."""
        ...

    def traces_of_user(self, key: UserKey) -> list[TraceSummary]:
        """The summaries of a user's traces in order of start, then trace id."""
        ...

    def traces_to_settle(self, key: SessionKey | UserKey) -> list[TraceSummary]:
        """The same of either, for the thread that writes: what it has put of late is given as it was put."""
        ...

    def session_keys(self, after: SessionKey | None = None, limit: int = 1000) -> list[SessionKey]:
        """The sessions that have a summary, past `after` in an order of the engine's own, `limit` at most; none: no more."""
        ...

    def user_keys(self, after: UserKey | None = None, limit: int = 1000) -> list[UserKey]:
        """The users that have a summary, as `session_keys`."""
        ...

    # -- lists ---------------------------------------------------------------------------------------------------------------

    @property
    def traces(self) -> Listing[TraceSummary]:
        """Traces by start."""
        ...

    @property
    def sessions(self) -> Listing[SessionSummary]:
        """Sessions by last activity."""
        ...

    @property
    def users(self) -> Listing[UserSummary]:
        """Users by when they were last seen."""
        ...

    def last_change(self) -> int:
        """The number of the latest change; 0 before the first."""
        ...

    @property
    def identity(self) -> bytes:
        """Tells this store from all others, where its numbers of changes mean nothing: STORE_ID_BYTES, drawn when it was made."""
        ...

    def removals_forgotten(self) -> int:
        """The change up to which removals are not told any more; 0: all are told."""
        ...

    def forget_removals(self, through: int, limit: int = 1000) -> bool:
        """Tell removals up to a change no more, the first ones first, `limit` at most; whether there may be more of them.

        Called where the store is written.
        """
        ...

    # -- the store itself ----------------------------------------------------------------------------------------------------

    def extent(self) -> Extent:
        """What the store holds."""
        ...

    def check(self) -> Iterator[list[str]]:
        """Look whether the engine's own rows agree with each other; yields what is wrong, in words, a page at a time.

        Takes no transaction beyond a page, so it may run beside a writer; the store's meaning is `service.upkeep.check`'s business.
        """
        ...

    def close(self) -> None:
        """Let go of the store. What was returned stays valid; nothing may be called any more."""
        ...


def span_pages(store: Spans, trace_id: bytes) -> Iterator[list[StoredSpan]]:
    """All spans of a trace, a page at a time."""
    after: bytes | None = None
    while True:
        page = store.spans(trace_id, after)
        yield page.spans
        if page.after is None:
            return
        after = page.after
