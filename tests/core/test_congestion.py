"""The two brakes of a server: so many actions in a unit of time, so many Originates without a sign of their channel."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wombat_ari.core.congestion import Budget, Pressure

NOW = 1_750_000_000.0


class TestBudget:
    def test_five_in_a_unit_then_wait_for_its_end(self) -> None:
        budget = Budget(0.05, 5)
        for left in (5, 4, 3, 2, 1):
            assert budget.left(NOW) == left
            assert budget.opens_at(NOW) == NOW
            budget.spend(NOW)
        assert budget.left(NOW + 0.049) == 0
        assert budget.opens_at(NOW + 0.01) == NOW + 0.05
        assert budget.left(NOW + 0.05) == 5

    def test_a_unit_begins_with_the_first_action_in_it(self) -> None:
        budget = Budget(0.05, 1)
        budget.spend(NOW)
        budget.spend(NOW + 0.08)
        assert budget.left(NOW + 0.11) == 0
        assert budget.left(NOW + 0.08 + 0.05) == 1

    def test_what_was_not_used_is_not_saved_up(self) -> None:
        budget = Budget(0.05, 5)
        assert budget.left(NOW + 3600) == 5

    def test_overspent_is_none_left(self) -> None:
        budget = Budget(0.05, 1)
        for _ in range(3):
            budget.spend(NOW)
        assert budget.left(NOW) == 0

    def test_a_clock_that_jumped_back_does_not_close_it(self) -> None:
        budget = Budget(0.05, 1)
        budget.spend(NOW)
        assert budget.left(NOW - 3600) == 1

    @pytest.mark.parametrize("per_unit", [1, 5])
    def test_the_default_rate(self, per_unit: int) -> None:
        """5 in 50 ms are 100 a second."""
        budget, now, written = Budget(0.05, per_unit), NOW, 0
        while now < NOW + 1:
            budget.spend(now)
            written += 1
            now = budget.opens_at(now)
        assert written == pytest.approx(20 * per_unit, abs=per_unit)


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0.001, 1.0), st.integers(1, 9), st.lists(st.floats(0, 0.2) | st.just(0.0), max_size=80), st.floats(0, 2e9)
)
def test_never_more_than_allowed_in_any_unit(unit_s: float, per_unit: int, steps: list[float], start: float) -> None:
    budget, now = Budget(unit_s, per_unit), start
    units: list[list[float]] = []
    for step in steps:
        now += step
        if not budget.left(now):
            opens = budget.opens_at(now)
            assert opens > now
            assert budget.left(opens) == per_unit, "at the moment it names it is open, without a rest from rounding"
            continue
        assert budget.opens_at(now) == now
        budget.spend(now)
        if not units or now >= units[-1][0] + unit_s:
            units.append([])
        units[-1].append(now)
    for unit in units:
        assert len(unit) <= per_unit
        assert unit[-1] < unit[0] + unit_s


class TestPressure:
    def test_so_many_may_wait_and_no_more(self) -> None:
        pressure = Pressure(3)
        for call in (1, 2, 3):
            pressure.sent(call, NOW)
        assert (pressure.waiting, pressure.room) == (3, 0)
        pressure.signed(2)
        assert (pressure.waiting, pressure.room) == (2, 1)

    def test_signs_of_unknown_calls_and_second_signs_are_nothing(self) -> None:
        pressure = Pressure(3)
        pressure.sent(1, NOW)
        for call in (1, 1, 99):
            pressure.signed(call)
        assert (pressure.waiting, pressure.room) == (0, 3)

    def test_a_late_pbx_is_told_half_as_much_once_a_second(self) -> None:
        pressure = Pressure(50)
        pressure.sent(1, NOW)
        pressure.tick(NOW + 1.0)
        assert (pressure.allowed, pressure.lowered) == (50, False)
        halved = []
        for second in range(1, 8):
            for tenth in range(10):
                pressure.tick(NOW + second + tenth / 10 + 0.01)
            halved.append(pressure.allowed)
        assert halved == [25, 12, 6, 3, 1, 1, 1]
        assert pressure.lowered

    def test_it_comes_back_by_a_tenth_each_second_without_trouble(self) -> None:
        pressure = Pressure(50)
        pressure.trouble(NOW)
        grown = []
        for second in range(1, 8):
            pressure.tick(NOW + second - 0.01)
            pressure.tick(NOW + second)
            grown.append(pressure.allowed)
        assert grown == [30, 35, 40, 45, 50, 50, 50]
        assert not pressure.lowered

    def test_the_oldest_counts(self) -> None:
        pressure = Pressure(50)
        pressure.sent(1, NOW)
        pressure.sent(2, NOW + 0.9)
        pressure.signed(1)
        pressure.tick(NOW + 1.5)
        assert not pressure.lowered
        pressure.tick(NOW + 1.95)
        assert pressure.lowered

    def test_when_the_link_breaks_nothing_is_awaited_any_more(self) -> None:
        pressure = Pressure(2)
        pressure.sent(1, NOW)
        pressure.clear()
        assert (pressure.waiting, pressure.room) == (0, 2)

    def test_a_lowered_allowance_below_what_waits_leaves_no_room(self) -> None:
        pressure = Pressure(4)
        for call in range(4):
            pressure.sent(call, NOW)
        pressure.trouble(NOW)
        assert (pressure.allowed, pressure.room) == (2, 0)


deeds = st.tuples(st.sampled_from(["sent", "signed", "trouble", "tick", "clear"]), st.integers(0, 9), st.floats(0, 2))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 60), st.lists(deeds, max_size=60))
def test_pressure_stays_within_its_bounds_and_recovers(limit: int, story: list[tuple[str, int, float]]) -> None:
    pressure, now, waiting = Pressure(limit), NOW, set()
    for deed, call, step in story:
        now += step
        if deed == "sent" and pressure.room and call not in waiting:
            pressure.sent(call, now)
            waiting.add(call)
        elif deed == "signed":
            pressure.signed(call)
            waiting.discard(call)
        elif deed == "clear":
            pressure.clear()
            waiting.clear()
        elif deed in ("trouble", "tick"):
            getattr(pressure, deed)(now)
        assert 1 <= pressure.allowed <= limit
        assert pressure.waiting == len(waiting)
        assert pressure.room == max(0, pressure.allowed - len(waiting))
    for call in waiting:
        pressure.signed(call)
    for _ in range(limit + 1):
        now += 1.0
        pressure.tick(now)
    assert pressure.allowed == limit, "without trouble it is whole again"
