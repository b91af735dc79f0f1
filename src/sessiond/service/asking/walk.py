"""A walk over the rows that a question is about, page by page, while others write.

Rows that changed after the walk began are held out of it, and come at its end as they then are, in order of their changes: so
nothing is skipped, and only a row that changed during the walk can come twice. No transaction outlives a page.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sessiond.core.errors import Cancelled
from sessiond.core.filter import Filter
from sessiond.core.fold import exact_percentile
from sessiond.core.model import SessionSummary, TraceSummary, UserSummary
from sessiond.core.rows.places import PLACE_TIME_BYTES
from sessiond.core.rows.seen import Seen
from sessiond.service.asking.foremost import Foremost
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.question import Question
from sessiond.service.asking.seen import Sight
from sessiond.service.settling.settle import Need
from sessiond.storage.api import Listing, Row, Store

SCAN_ROWS: Final = 1000
"""Rows looked at in one transaction."""

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)


class Place(NamedTuple):
    """Where a walk stands."""

    began: int
    """The last change when it began."""
    after: Any = None
    """The row it came to: by its place in the listing, or by its packed sort key; None: at the top."""
    through: int | None = None
    """The list is done, and so are changes up to this one; None: still in the list."""
    thresholds: tuple[int | Decimal | None, ...] = ()
    """The values of the filter's percentiles, as they were when the walk began."""
    began_unix_nano: int = 0
    """When a walk in an order of its own began. States are of then: a session that turned idle would move past its place."""


class Rows(NamedTuple, Generic[Summary]):
    """One kind of rows: where they are listed, what has to be settled for them, and whose figures one is made of."""

    listing: Listing[Summary]
    need: Need
    made_of: Callable[[Summary], Iterable[bytes]]


class Walk(Generic[Summary]):
    """The walk of one question. `is_wanted` tells whether somebody still waits; where not, Cancelled leaves any method."""

    def __init__(
        self,
        store: Store,
        rows: Rows[Summary],
        question: Question[Summary],
        sight: Sight,
        freshness: Freshness,
        *,
        is_wanted: Callable[[], bool],
    ) -> None:
        self._traces = store.traces
        self._rows: Rows[Summary] = rows
        self._filter = question.filter
        self._order = question.order
        self._sight = sight
        self._freshness = freshness
        self._is_wanted = is_wanted
        self._renews = freshness.is_renewing
        self._began = store.last_change()
        """The last change when this walk, or this page of one, began."""

    def begin(self, last_change: Callable[[], int], limit: int) -> Place:
        """The top of the list, when what was acknowledged before is settled.

        Where figures may be of other rules, those of the first rows are renewed before the walk begins, so that they come first;
        where which rows come and in what order depends on all figures, all of them.
        """
        if not self._order.is_default or self._filter.percentiles:
            self._freshness.settle_all(self._rows.need)
            began = last_change()
            return Place(began, thresholds=self.thresholds(began), began_unix_nano=self._sight.now())
        self._freshness.settle(self._rows.need)
        if self._renews:
            self._listed(Place(last_change()), limit)
        return Place(last_change())

    def resume(self, place: Place) -> Place:
        """A place of an earlier page, when what was acknowledged before this one is settled."""
        self._freshness.settle(self._rows.need)
        return place

    def advance(self, place: Place, limit: int) -> tuple[list[Summary], Place | None]:
        """At most `limit` rows from a place on, perhaps none, and the place after them; None after the last."""
        self._check_wanted()
        fixed = self._filter.fixed(place.thresholds)
        if place.through is not None:
            changes = self._rows.listing.changed(place.through, limit)
            found = [row.summary for row in map(self._sight.seer(fixed), changes.rows) if fixed.matches(row)]
            return found, None if changes.is_last else place._replace(through=changes.through)
        if not self._order.is_default:
            return self._sorted(fixed, place, limit)
        found, after = self._listed(place, limit)
        if after is not None:
            return found, place._replace(after=after)
        if self._renews:
            self._freshness.settle_moves(self._rows.need)
        return found, place._replace(through=place.began)

    def thresholds(self, began: int) -> tuple[int | Decimal | None, ...]:
        """The values of the filter's percentiles over the rows that match its other terms; None where no row has the figure."""
        wanted = self._filter.percentiles
        if not wanted:
            return ()
        values = [array("q") for _ in wanted]
        for row in self.each(self._filter.without_percentiles(), began):
            for one, held in zip(wanted, values, strict=True):
                value = one.value_of(row)
                if value is not None:
                    held.append(value)
        return tuple(exact_percentile(sorted(held), one.share) if held else None for one, held in zip(wanted, values, strict=True))

    def each(self, matching: Filter, began: int) -> Iterator[Seen[Summary]]:
        """Every row that matches, once, in no particular order.

        A row that changed after `began` comes as it is at the end, unless it came before it changed.
        """
        see = self._sight.seer(matching)
        told = array("q")
        """Of each row that came a digest of its id: 8 bytes, where rows may be a million."""
        for rows in self._unchanged(matching, began):
            found = list(filter(matching.matches, map(see, rows)))
            told.fromlist([hash(row.place[PLACE_TIME_BYTES:]) for row in found])  # as _digest, without the call
            yield from found
        through, is_last = began, False
        while not is_last:
            self._check_wanted()
            changes = self._rows.listing.changed(through, SCAN_ROWS)
            through, is_last = changes.through, changes.is_last
            changed = {_digest(row): row for row in map(see, changes.rows)}
            for digest in filter(changed.__contains__, told):
                del changed[digest]
            new = {digest: row for digest, row in changed.items() if matching.matches(row)}
            told.extend(new)
            yield from new.values()

    # -- the three ways of reading ---------------------------------------------------------------------------------------------

    def _listed(self, place: Place, limit: int) -> tuple[list[Summary], bytes | None]:
        """Rows in the order of the listing. In a walk that began while figures were renewed, every one is of the present rules."""
        renewed: set[bytes] = set()
        """Rows, by their ids."""
        while True:
            self._check_wanted()
            if self._renews and not self._freshness.is_renewing:
                self._freshness.settle(self._rows.need)
                self._renews = False
            found, after = self._matching(place, limit)
            old = {row.place[PLACE_TIME_BYTES:]: row for row in found if self._may_be_old(row, place)} if self._renews else {}
            if renewed.issuperset(old):
                return [row.summary for row in found if row.change <= place.began], after
            self._freshness.settle(self._rows.need, [one for row in old.values() for one in self._rows.made_of(row.summary)])
            renewed.update(old)

    def _may_be_old(self, row: Row[Summary], place: Place) -> bool:
        """Whether a row may be of other rules: not one that is new, of traces settled since this began. Such may keep coming."""
        if row.change <= place.began:
            return True
        traces = self._traces.held(list(self._rows.made_of(row.summary)))
        return any(trace is not None and trace.change <= self._began for trace in traces)

    def _matching(self, place: Place, limit: int) -> tuple[list[Row[Summary]], bytes | None]:
        """The rows of one page that match, those included that changed, and the place after them; None after the last."""
        fixed = self._filter.fixed(place.thresholds)
        see = self._sight.seer(fixed)
        size = limit if fixed.is_empty else SCAN_ROWS
        page = self._rows.listing.page(self._filter.where, place.after, size)
        found: list[Row[Summary]] = []
        for row in page.rows:
            if len(found) == limit:
                return found, found[-1].place
            if fixed.matches(see(row)):
                found.append(row)
        return found, page.after

    def _sorted(self, fixed: Filter, place: Place, limit: int) -> tuple[list[Summary], Place]:
        """Rows in the order asked for: all are looked at, and the next few kept."""
        after = None if place.after is None else self._order.unpack(place.after)
        sight = self._sight.as_of(place.began_unix_nano)
        see = sight.at if self._order.looks_beyond else sight.seer(fixed)
        foremost = Foremost[Summary](limit)
        for rows in self._unchanged(fixed, place.began):
            for row in rows:
                seen = see(row)
                if fixed.matches(seen):
                    key = self._order.key(seen)
                    if after is None or key > after:
                        foremost.add(key, row)
        found, last = foremost.rows()
        reached = place._replace(through=place.began) if last is None else place._replace(after=self._order.pack(last))
        return [row.summary for row in found], reached

    def _unchanged(self, matching: Filter, began: int) -> Iterator[list[Row[Summary]]]:
        """All rows that `matching` narrows to and that have not changed since, a page at a time."""
        after: bytes | None = None
        while True:
            self._check_wanted()
            page = self._rows.listing.page(matching.where, after, SCAN_ROWS)
            yield [row for row in page.rows if row.change <= began]
            if page.after is None:
                return
            after = page.after

    def _check_wanted(self) -> None:
        if not self._is_wanted():
            raise Cancelled("nobody waits for the answer any more")


def _digest(row: Seen[Any]) -> int:
    """Tells a row from all others of its kind, wherever it moves. Of 64 bits: that two are alike is not to be expected."""
    return hash(row.place[PLACE_TIME_BYTES:])
