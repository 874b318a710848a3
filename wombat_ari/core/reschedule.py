"""Step 8: whether and when a record is tried again (spec 02, "Reschedule")."""

from collections.abc import Sequence

from wombat_ari.model.entities import RescheduleRule
from wombat_ari.model.states import Outcome, RetryMode

ANY = "*"


def retry_delay(rules: Sequence[RescheduleRule], outcome: Outcome, extended_status: str, attempt: int) -> int | None:
    """Seconds until the next try after try number ``attempt`` (1 is the first), or None: the record is closed."""
    rule = deciding_rule(rules, outcome, extended_status, attempt)
    if rule is None:
        return None
    # At least a second: a record must never be redialled in the very instant its call ended.
    return max(1, rule.retry_after_s * (attempt if rule.mode == RetryMode.MULTI else 1))


def deciding_rule(
    rules: Sequence[RescheduleRule], outcome: Outcome, extended_status: str, attempt: int
) -> RescheduleRule | None:
    """The rule by which a record is tried again after try number ``attempt``; None: none, it is closed.

    Rules of the very extended status go before those with ``*``; of those that still allow an attempt, the one with the
    smallest max attempts decides. A call without extended status looks for rules with an empty one, then ``*``.
    """
    candidates = [rule for rule in rules if rule.status == outcome]
    fitting = [rule for rule in candidates if rule.extended_status == extended_status] or [
        rule for rule in candidates if rule.extended_status == ANY
    ]
    allowed = [rule for rule in fitting if rule.max_attempts >= attempt]
    return min(allowed, key=lambda rule: rule.max_attempts) if allowed else None
