"""A store of an earlier format, as far as a rebuild needs it: which traces there are, and their spans. It writes nothing."""

from pathlib import Path
from typing import Generic, TypeVar

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject
from sessiond.storage.api import Erasure, SpanPage
from sessiond.storage.lmdb import keys, read
from sessiond.storage.lmdb.environment import Environment, open_environment

Item = TypeVar("Item", Score, Annotation)


class _NoFeedback(Generic[Item]):
    """`storage.api.Shelf` of formats that had none."""

    def get(self, item_id: str) -> Item | None:  # noqa: ARG002
        return None

    def of(self, subject: Subject) -> list[Item]:  # noqa: ARG002
        return []

    def count(self, subject: Subject) -> int:  # noqa: ARG002
        return 0

    def page(self, subject: Subject | None, after: bytes | None, limit: int) -> tuple[list[Item], bytes | None]:  # noqa: ARG002
        return [], None


class PreviousStore:
    """What `storage.api.Originals` asks for, over a store of one of `keys.PREVIOUS_FORMATS`. Build it with `open`."""

    def __init__(self, environment: Environment) -> None:
        self._env = environment
        self.scores = _NoFeedback[Score]()
        self.annotations = _NoFeedback[Annotation]()

    @classmethod
    def open(cls, data_dir: Path, *, bytes_max: int, of: int) -> "PreviousStore":
        """Open the store in `data_dir`, which is of that format. Raises as `open_environment` does."""
        return cls(open_environment(data_dir, bytes_max=bytes_max, trees=keys.PREVIOUS_TREES, of=of))

    def span_count(self) -> int:
        """How many spans it holds."""
        with self._env.read() as txn:
            count: int = txn.stat(self._env.trees["spans"])["entries"]
            return count

    def spans(self, trace_id: bytes, after: bytes | None = None) -> SpanPage:
        """As `Store.spans`."""
        with self._env.read() as txn:
            return read.spans(txn, self._env.trees, trace_id, after)

    def trace_ids(self, after: bytes | None = None, limit: int = 1000) -> list[bytes]:
        """As `Store.trace_ids`."""
        with self._env.read() as txn:
            return read.trace_ids(txn, self._env.trees, after, limit)

    def erasures(self, after: bytes | None = None, limit: int = 1000) -> list[Erasure]:  # noqa: ARG002  (the contract's)
        """As `Store.erasures`: nothing was erased from an earlier format."""
        return []

    def close(self) -> None:
        """Let go of the store."""
        self._env.close()
