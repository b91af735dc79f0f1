"""What is answered of traces as the store holds them."""

from pathlib import Path

import pytest

from builders import packed, span, trace_id
from sessiond.core.errors import Busy, Damaged
from sessiond.core.model import SpanFacts
from sessiond.search.index import SearchIndex
from sessiond.service.searching.answering import Answers
from sessiond.storage.memory import MemoryStore


class OddStore(MemoryStore):
    """One that fails on what it holds of trace 2."""

    error: Exception

    def facts(self, trace_id_: bytes) -> list[SpanFacts]:
        if trace_id_ == trace_id(2):
            raise self.error
        return super().facts(trace_id_)


def answers_over(folder: Path, error: Exception, missed: list[tuple[bytes, Exception]]) -> Answers:
    store = OddStore()
    store.error = error
    store.append(packed(*(span(trace=number, name="weather") for number in (1, 2, 3))))
    return Answers(store, SearchIndex.open(folder, store.identity), lambda trace, error: missed.append((trace, error)))


@pytest.mark.parametrize("error", [RecursionError("too deep"), Damaged("a rotten row")], ids=["unread", "damaged"])
def test_a_trace_that_cannot_be_read_is_told_and_costs_the_others_nothing(tmp_path: Path, error: Exception) -> None:
    missed: list[tuple[bytes, Exception]] = []
    answers, asked = answers_over(tmp_path, error, missed), [trace_id(number) for number in (1, 2, 3)]
    assert [len(found) for found in answers.excerpt("weather", asked)] == [1, 0, 1]
    assert missed == [(trace_id(2), error)]
    assert [found for found, _ in answers.match("weather", asked)] == [trace_id(1), trace_id(3)]
    assert missed == [(trace_id(2), error)] * 2


def test_what_is_wrong_with_all_of_the_store_is_told(tmp_path: Path) -> None:
    with pytest.raises(Busy):
        answers_over(tmp_path, Busy("stopping", hint="ask again"), []).excerpt("weather", [trace_id(2)])
