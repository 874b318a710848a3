"""``live/runs``, ``live/calls``, ``callinfo``, ``recallinfo``: what is going on."""

from typing import Any

from webui.compat.calls import call_object
from webui.compat.frame import Address, Answer, Call, Kind
from webui.compat.values import moment
from wombat_ari.app.service import calls, reports, runs
from wombat_ari.model.calls import RunRow
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import LIVE_RUN_STATES

SHOWN_S = 86400.0  #: a run that has completed is listed so long, unless its campaign runs again


def answered(result: dict[str, Any]) -> Answer:
    return {"status": "OK", "result": result}


def live_runs(call: Call) -> Answer:
    live = runs.live_runs(call.caller, call.db, call.ask)
    running = {campaign.id for campaign, _ in live}
    completed = reports.recently_completed(call.caller, call.db, since=call.caller.at - SHOWN_S)
    latest: dict[int, RunRow] = {}
    for row in completed:
        latest.setdefault(row.campaign_id, row)
    campaigns = [_live_run(call, campaign, run) for campaign, run in live]
    campaigns += [run_object(call, row) for key, row in latest.items() if key not in running]
    return answered({"campaigns": campaigns})


def live_calls(call: Call) -> Answer:
    found = runs.live_calls(call.caller, call.db, call.ask)
    return answered({"hopperState": [_live_call(call, campaign, one) for campaign, one in found]})


def call_info(call: Call) -> Answer:
    """A call by its WOMBATID: live, waiting, not yet dialled, or logged."""
    wombatid = call.params.whole("id", least=1)
    try:
        known = calls.find_call(call.caller, call.db, call.ask, wombatid)
    except UserError as error:
        if error.code != "dialer-down":
            raise
        known = {"state": "ENDED"}
    if known["state"] != "ENDED":
        found = {"isLive": known["is_live"], "call": _open_call(call, known)}
    else:
        logged = reports.find_call(call.caller, call.db, wombatid)
        found = {"isLive": False, "call": call_object(logged, call.zone)}
    # The manual does not say whether the original wrapped it: clients find it in either place.
    return {"status": "OK", "result": found, **found}


def recall_info(call: Call) -> Answer:
    """Numbers of live runs that wait for their next try; ``id``: of this run only."""
    asked = call.params.whole("id", 0)
    live = [run["id"] for _, run in runs.live_runs(call.caller, call.db, call.ask)]
    recalls = [
        {
            "hoppercampId": retry.run_id, "callId": retry.record_id, "number": retry.number, "list": retry.list_name,
            "retry": retry.attempt, "due": moment(retry.due_at, call.zone),
        }
        for run_id in ([asked] if asked else live)
        for retry in reports.waiting_retries(call.caller, call.db, run_id)
    ]  # fmt: skip
    return answered({"recalls": recalls})


def run_object(call: Call, run: RunRow) -> dict[str, Any]:
    """A run from the database. What is left of a live one: its lists, and what was taken of them and is not closed."""
    counters, left = run.counters, 0
    if run.state in LIVE_RUN_STATES:
        lists = runs.lists_of_run(call.caller, call.db, run.id)
        left = sum(each.remaining for each in lists) + counters.taken - counters.closed
    return {
        "hoppercampId": run.id, "campaignId": run.campaign_id, "name": run.campaign_name, "run": run.name,
        "state": str(run.state), "started": moment(run.started_at, call.zone), "ended": moment(run.ended_at, call.zone),
        "n_calls_attempted": counters.attempts, "n_calls_completed": counters.closed, "n_est_remaining_calls": left,
        "n_open_retries": counters.open_retries, "n_answered": counters.answered,
    }  # fmt: skip


def _live_run(call: Call, campaign: Campaign, run: dict[str, Any]) -> dict[str, Any]:
    return {
        "hoppercampId": run["id"], "campaignId": campaign.id, "name": campaign.name, "state": run["state"],
        "started": moment(run["started_at"], call.zone), "ended": "", "priority": run["priority"],
        "n_calls_attempted": run["attempts"], "n_calls_completed": run["closed"],
        "n_est_remaining_calls": run["estimated_remaining"], "n_open_retries": run["open_retries"],
        "n_answered": run["answered"], "n_live_calls": run["open_calls"], "whyNot": run["why_not"],
    }  # fmt: skip


def _live_call(call: Call, campaign: Campaign, one: dict[str, Any]) -> dict[str, Any]:
    return {
        "wombatid": one["id"], "campaignId": campaign.id, "campaign": campaign.name, "number": one["number"],
        "list": one["list"], "state": one["state"], "statusExt": one["extended_status"], "retry": one["retry"],
        "originated": moment(one["originated_at"], call.zone), "connected": moment(one["answered_at"], call.zone),
        "trunk": one["trunk"], "endPoint": one["end_point"], "agent": one["agent"],
    }  # fmt: skip


def _open_call(call: Call, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "wombatid": known["wombatid"], "campaign": known["campaign_name"], "number": known["number"],
        "list": known["list_name"], "state": known["state"], "statusExt": known["extended_status"],
        "retry": known["attempt"] - 1, "attempted": moment(known["attempted_at"], call.zone),
        "due": moment(known["due_at"], call.zone), "agent": known["agent"],
        "inputAttributes": known["input_attributes"], "outputAttributes": known["output_attributes"],
    }  # fmt: skip


ADDRESSES = (
    Address("live/runs", live_runs, Kind.JSON),
    Address("live/calls", live_calls, Kind.JSON),
    Address("callinfo", call_info, Kind.JSON),
    Address("recallinfo", recall_info, Kind.JSON),
)
