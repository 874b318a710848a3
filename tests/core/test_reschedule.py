"""Whether and when a record is tried again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wombat_ari.core.reschedule import retry_delay
from wombat_ari.model.entities import RescheduleRule
from wombat_ari.model.states import Outcome, RetryMode

BUSY, NOANSWER = Outcome.RS_BUSY, Outcome.RS_NOANSWER


def rule(status: str, most: int, after: int, code: str = "", mode: RetryMode = RetryMode.FIXED) -> RescheduleRule:
    return RescheduleRule(status, code, most, after, mode)


class TestAsTheSpecificationSays:
    def test_twice_after_five_minutes_then_up_to_the_fifth_attempt_after_thirty(self) -> None:
        rules = [rule("RS_BUSY", 5, 1800), rule("RS_BUSY", 2, 300)]
        delays = [retry_delay(rules, BUSY, "", attempt) for attempt in range(1, 7)]
        assert delays == [300, 300, 1800, 1800, 1800, None]

    def test_attempts_count_whatever_their_outcomes_were(self) -> None:
        rules = [rule("RS_BUSY", 3, 300), rule("RS_NOANSWER", 1, 600)]
        assert retry_delay(rules, BUSY, "", 1) == 300
        assert retry_delay(rules, NOANSWER, "", 2) is None, "attempt 2 > 1"

    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_an_outcome_without_rules_is_closed(self, outcome: Outcome) -> None:
        assert retry_delay([], outcome, "", 1) is None
        others = [rule(other, 9, 60, code) for other in Outcome if other != outcome for code in ("", "*")]
        assert retry_delay(others, outcome, "", 1) is None

    @pytest.mark.parametrize("outcome", [Outcome.TERMINATED, Outcome.RS_ERROR, Outcome.RS_AGENTSKIP])
    def test_any_outcome_may_have_rules(self, outcome: Outcome) -> None:
        assert retry_delay([rule(outcome, 3, 60)], outcome, "", 1) == 60


class TestDelay:
    def test_fixed_and_multi(self) -> None:
        multi = [rule("RS_BUSY", 9, 60, mode=RetryMode.MULTI)]
        assert [retry_delay(multi, BUSY, "", attempt) for attempt in (1, 2, 3)] == [60, 120, 180]
        fixed = [rule("RS_BUSY", 9, 60)]
        assert [retry_delay(fixed, BUSY, "", attempt) for attempt in (1, 2, 3)] == [60, 60, 60]

    def test_never_in_the_very_instant(self) -> None:
        for mode in RetryMode:
            assert retry_delay([rule("RS_BUSY", 9, 0, mode=mode)], BUSY, "", 1) == 1


class TestExtendedStatus:
    RULES = (
        rule("TERMINATED", 9, 10, ""),
        rule("TERMINATED", 9, 20, "*"),
        rule("TERMINATED", 3, 30, "CALLBACK"),
    )

    @pytest.mark.parametrize(
        ("code", "attempt", "delay"),
        [("", 1, 10), ("CALLBACK", 1, 30), ("SALE", 1, 20), ("CALLBACK", 4, None), ("callback", 1, 20)],
        ids=["none", "its own", "another", "its own is used up: not by the star", "case counts"],
    )
    def test_its_own_rules_go_before_the_star(self, code: str, attempt: int, delay: int | None) -> None:
        assert retry_delay(self.RULES, Outcome.TERMINATED, code, attempt) == delay

    def test_a_call_without_one_takes_the_star_only_without_an_empty_rule(self) -> None:
        assert retry_delay([rule("RS_BUSY", 9, 20, "*"), rule("RS_BUSY", 9, 30, "X")], BUSY, "", 1) == 20

    def test_a_call_with_one_never_takes_an_empty_rule(self) -> None:
        assert retry_delay([rule("RS_BUSY", 9, 20)], BUSY, "X", 1) is None


codes = st.sampled_from(["", "*", "1", "SALE"])
rules = st.lists(
    st.builds(
        RescheduleRule,
        st.sampled_from(list(Outcome)[:3]),
        codes,
        st.integers(0, 6),
        st.integers(0, 4000),
        st.sampled_from(list(RetryMode)),
    ),
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(rules, st.sampled_from(list(Outcome)[:3]), st.sampled_from(["", "1", "SALE", "NEW"]), st.integers(1, 8))
def test_what_holds_for_all_rules(rules: list[RescheduleRule], outcome: Outcome, code: str, attempt: int) -> None:
    delay = retry_delay(rules, outcome, code, attempt)
    mine = [one for one in rules if one.status == outcome]
    own = [one for one in mine if one.extended_status == code]
    usable = [one for one in own or [one for one in mine if one.extended_status == "*"] if one.max_attempts >= attempt]
    assert (delay is None) == (not usable)
    if delay is not None:
        assert delay >= 1
        assert attempt <= max(one.max_attempts for one in usable)
        tightest = min(one.max_attempts for one in usable)
        wanted = {
            max(1, one.retry_after_s * (attempt if one.mode == RetryMode.MULTI else 1))
            for one in usable
            if one.max_attempts == tightest
        }
        assert delay in wanted


@settings(max_examples=100, deadline=None)
@given(rules, codes)
def test_a_record_is_never_tried_for_ever(rules: list[RescheduleRule], code: str) -> None:
    attempt = 1
    while retry_delay(rules, Outcome.TERMINATED, code, attempt) is not None:
        attempt += 1
    assert attempt <= 1 + max((one.max_attempts for one in rules), default=0)
