"""What an attempt makes to be told or done: the campaign's own notification, and what its rules say (pure).

The errands lie in the result they are about and are written in its transaction (``store/journal``).
"""

from collections.abc import Collection

from wombat_ari.core.disposition import dispose, fitting
from wombat_ari.core.letters import notification
from wombat_ari.model.calls import CallResult
from wombat_ari.model.entities import Campaign, DispositionRule
from wombat_ari.model.errands import Errand


def tells_nothing(campaign: Campaign) -> bool:
    """No attempt of it ever makes an errand."""
    return not (campaign.http_notify_url or campaign.dispositions)


def errands_of(result: CallResult, campaign: Campaign, *, run_name: str, now: float) -> tuple[Errand, ...]:
    """Of an attempt that has ended (also of one that was on a black list and never dialled)."""
    return (
        *notification(result, campaign, run_name=run_name, now=now),
        *dispose(fitting(campaign, result), result, campaign, run_name=run_name, now=now),
    )


def late_errands_of(
    result: CallResult,
    before: CallResult,
    campaign: Campaign,
    *,
    run_name: str,
    now: float,
    done: Collection[DispositionRule] = (),
) -> tuple[Errand, ...]:
    """Of a word that came after the end: ``result`` is the attempt with it, ``before`` without.

    ``done`` are the rules that were obeyed for this attempt already: none is twice, whatever codes come.
    """
    if result.extended_status == before.extended_status:
        return ()
    rules = [rule for rule in fitting(campaign, result) if rule not in done]
    return (
        *notification(result, campaign, run_name=run_name, now=now),
        *dispose(rules, result, campaign, run_name=run_name, now=now),
    )
