"""Step 7: what an attempt's evidence means (spec 04, "From events to states and outcomes").

``RULES`` is the table: the first line that fits decides. The cause of the trunk's own channel goes before that of ours,
ours before DialEnd's status, that before OriginateResponse's Reason. Causes 0 and 16 before an answer tell nothing.
"""

from collections.abc import Callable

from wombat_ari.model.calls import Evidence
from wombat_ari.model.states import Outcome

UNTELLING_CAUSES = frozenset({0, 16})

BY_CAUSE: dict[int, Outcome] = {
    17: Outcome.RS_BUSY,
    **dict.fromkeys((18, 19), Outcome.RS_NOANSWER),
    # 66: Asterisk knows no such technology, so no channel could be made.
    **dict.fromkeys((1, 2, 3, 22, 28, 66), Outcome.RS_NUMBER),
    **dict.fromkeys((21, 27, 34, 38, 41, 42, 44, 47, 127), Outcome.RS_REJECTED),
}

BY_DIAL_STATUS: dict[str, Outcome] = {
    "BUSY": Outcome.RS_BUSY,
    "NOANSWER": Outcome.RS_NOANSWER,
    "CONGESTION": Outcome.RS_REJECTED,
    "CHANUNAVAIL": Outcome.RS_REJECTED,
}

BY_REASON: dict[int, Outcome] = {
    5: Outcome.RS_BUSY,
    3: Outcome.RS_NOANSWER,
    8: Outcome.RS_REJECTED,
}


def decide(evidence: Evidence) -> Outcome:
    """The one outcome of an attempt that is over. Total: every evidence has an outcome."""
    for _, decides in RULES:
        outcome = decides(evidence)
        if outcome is not None:
            return outcome
    return Outcome.RS_REJECTED


def telling(cause: int | None) -> int | None:
    """The cause, when it says why a call was not answered; None for 0, 16 and not seen."""
    return None if cause in UNTELLING_CAUSES else cause


def _by_cause(evidence: Evidence) -> Outcome | None:
    cause = telling(evidence.leg_cause)
    if cause is None:
        cause = telling(evidence.cause)
    # A cause that is not in the table still tells: the network refused for a reason of its own.
    return None if cause is None else BY_CAUSE.get(cause, Outcome.RS_REJECTED)


def _no_channel(evidence: Evidence) -> Outcome | None:
    failed_without_channel = evidence.reason is not None and not evidence.channel_seen
    return Outcome.RS_NUMBER if failed_without_channel else None


def _when(name: str, outcome: Outcome) -> Callable[[Evidence], Outcome | None]:
    return lambda evidence: outcome if getattr(evidence, name) else None


#: What was seen, in words for the docs, and the test of it.
RULES: tuple[tuple[str, Callable[[Evidence], Outcome | None]], ...] = (
    ("we hung it up by forced closure", _when("forced", Outcome.RS_TIMEOUT)),
    ("the PBX refused the action", _when("refused", Outcome.RS_ERROR)),
    ("the link broke before the PBX took the action", _when("never_taken", Outcome.RS_ERROR)),
    ("preview: the agent skipped it", _when("skipped", Outcome.RS_AGENTSKIP)),
    ("reconciliation finds it gone, or the PBX went down", _when("lost", Outcome.RS_LOST)),
    ("answered and dropped at once with no sign of the end point", _when("overload", Outcome.RS_ERROR)),
    ("answered", _when("answered", Outcome.TERMINATED)),
    ("reverse: the agent did not answer, or left before the callee answered", _when("no_agent", Outcome.RS_NOAGENT)),
    ("hung up by request before an answer", _when("hung_up_by_us", Outcome.RS_REJECTED)),
    ("no channel could be made", _no_channel),
    ("the hang-up cause", _by_cause),
    ("DialStatus", lambda evidence: BY_DIAL_STATUS.get(evidence.dial_status)),
    ("Reason", lambda evidence: None if evidence.reason is None else BY_REASON.get(evidence.reason)),
    ("ended unanswered with nothing told", lambda evidence: Outcome.RS_REJECTED),
)
