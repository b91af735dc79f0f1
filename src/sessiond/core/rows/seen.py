"""A row as filters, orders and statistics look at it: cheap parts first, the others only when asked for."""

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from sessiond.core.model import Texts
from sessiond.core.rows.fields import AnySummary

Summary_co = TypeVar("Summary_co", bound=AnySummary, covariant=True)


class Seen(Protocol, Generic[Summary_co]):
    """One row."""

    @property
    def place(self) -> bytes:
        """`core.rows.places.place_of` its summary, at no cost where it comes from a list."""
        ...

    @property
    def numbers(self) -> Sequence[int]:
        """`core.rows.numbers.numbers_of` its summary, at no cost."""
        ...

    @property
    def signature(self) -> int:
        """The bits of its labels (`core.rows.numbers`), at no cost."""
        ...

    @property
    def summary(self) -> Summary_co:
        """The whole row; read when first asked for, some microseconds."""
        ...

    @property
    def texts(self) -> Texts:
        """What was asked and answered; read when first asked for, some tens of microseconds. A user has none."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether spans of a session arrived within the idle time; of other rows False."""
        ...
