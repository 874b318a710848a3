"""What an attempt makes to be told or done: the campaign's own notification, and what its rules say (pure).

The errands lie in the result they are about and are written in its transaction (``store/journal``).
"""

from wombat_ari.core.letters import notification
from wombat_ari.model.calls import CallResult
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errands import Errand


def errands_of(result: CallResult, campaign: Campaign, *, run_name: str, now: float) -> tuple[Errand, ...]:
    """Of an attempt that has ended (also of one that was on a black list and never dialled)."""
    return tuple(notification(result, campaign, run_name=run_name, now=now))


def late_errands_of(
    result: CallResult, before: CallResult, campaign: Campaign, *, run_name: str, now: float
) -> tuple[Errand, ...]:
    """Of a word that came after the end: ``result`` is the attempt with it, ``before`` without."""
    if result.extended_status == before.extended_status:
        return ()
    return tuple(notification(result, campaign, run_name=run_name, now=now))
