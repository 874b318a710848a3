"""The cache of calls to be dialled soon: its order, and when it wants more."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wombat_ari.core.hopper import Hopper


@dataclass(frozen=True)
class Item:
    name: str
    due: bool = False


def new(*names: str) -> list[Item]:
    return [Item(name) for name in names]


def retry(*names: str) -> list[Item]:
    return [Item(name, due=True) for name in names]


def names(hopper: Hopper[Item]) -> str:
    return "".join(item.name for item in iter(hopper.take, None))


class TestOrder:
    def test_first_in_first_out_retries_before_new_numbers(self) -> None:
        hopper: Hopper[Item] = Hopper(10)
        hopper.put(new("a", "b"))
        hopper.put([*retry("R"), *new("c"), *retry("S")])
        assert len(hopper) == 5
        assert names(hopper) == "RSabc"
        assert hopper.take() is None

    def test_what_could_not_be_placed_is_the_first_of_its_kind(self) -> None:
        hopper: Hopper[Item] = Hopper(10)
        hopper.put([*new("a", "b"), *retry("R", "S")])
        taken = hopper.take()
        assert taken is not None
        hopper.put_back(taken)
        hopper.put_back(Item("z"))
        assert names(hopper) == "RSzab"

    def test_drained_it_is_empty(self) -> None:
        hopper: Hopper[Item] = Hopper(10)
        hopper.put([*new("a"), *retry("R")])
        assert [item.name for item in hopper.drain()] == ["R", "a"]
        assert (len(hopper), hopper.take()) == (0, None)


class TestWants:
    """(new records, due retries) to be read now."""

    def filled(self, fresh: int, retries: int = 0, *, batch: int = 10) -> Hopper[Item]:
        hopper: Hopper[Item] = Hopper(batch)
        hopper.put([*new(*["n"] * fresh), *retry(*["r"] * retries)])
        return hopper

    @pytest.mark.parametrize(("has", "fresh"), [(0, 10), (4, 6), (5, 5), (6, 0), (10, 0)])
    def test_a_full_batch_when_half_of_it_is_gone(self, has: int, fresh: int) -> None:
        assert self.filled(has).wants(0.0) == (fresh, 10 if fresh else 0)

    def test_due_retries_at_once_even_beside_a_full_cache(self) -> None:
        hopper = self.filled(10)
        hopper.retry_added(100.0)
        assert hopper.wants(99.9) == (0, 0)
        assert hopper.wants(100.0) == (0, 10)

    def test_retries_within_their_own_batch(self) -> None:
        hopper = self.filled(10, 7)
        hopper.retry_added(100.0)
        assert hopper.wants(100.0) == (0, 3)

    def test_exhausted_lists_are_not_read_again(self) -> None:
        hopper = self.filled(0)
        hopper.exhausted = True
        assert hopper.wants(0.0) == (0, 0)
        hopper.retry_added(5.0)
        assert hopper.wants(5.0) == (0, 10)

    def test_one_refill_at_a_time(self) -> None:
        hopper = self.filled(0)
        hopper.filling = True
        assert hopper.wants(0.0) == (0, 0)

    def test_the_earliest_retry_counts(self) -> None:
        hopper = self.filled(10)
        for due in (300.0, 100.0, 200.0):
            hopper.retry_added(due)
        assert hopper.next_retry_at == 100.0

    def test_a_batch_of_one_still_moves(self) -> None:
        assert self.filled(0, batch=1).wants(0.0) == (1, 1)
        assert self.filled(1, batch=1).wants(0.0) == (0, 0)


deeds = st.tuples(st.sampled_from(["refill", "take", "back", "due"]), st.integers(0, 30))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 20), st.lists(deeds, max_size=60))
def test_nothing_is_lost_or_doubled_and_two_batches_are_read_at_most(batch: int, story: list[tuple[str, int]]) -> None:
    hopper: Hopper[Item] = Hopper(batch)
    inside: list[str] = []
    out: list[Item] = []
    made = returned = 0
    for now, (deed, number) in enumerate(story):
        if deed == "refill":
            fresh, due = hopper.wants(float(now))
            brought = [Item(f"{made + at}", at >= fresh) for at in range(fresh + min(due, number))]
            made += len(brought)
            hopper.put(brought)
            inside += [item.name for item in brought]
            assert len(hopper) <= 2 * batch + returned
        elif deed == "take":
            item = hopper.take()
            assert (item is None) == (not inside)
            if item is not None:
                inside.remove(item.name)
                out.append(item)
        elif deed == "back" and out:
            item = out.pop()
            hopper.put_back(item)
            inside.append(item.name)
            returned += 1
            if item.due:
                assert hopper.take() == item
                hopper.put_back(item)
        elif deed == "due":
            hopper.retry_added(float(now))
        assert len(hopper) == len(inside)
    assert sorted(item.name for item in hopper.drain()) == sorted(inside)
