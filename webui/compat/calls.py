"""How the compatible API spells a logged call."""

from typing import Any
from zoneinfo import ZoneInfo

from webui.compat.values import moment
from wombat_ari.model.reports import LoggedCall


def call_object(call: LoggedCall, zone: ZoneInfo) -> dict[str, Any]:
    """Names of ours but for those that the original's other calls have. Lengths are ms."""
    return {
        "wombatid": call.wombatid,
        "hoppercampId": call.run_id,
        "campaignId": call.campaign_id,
        "campaign": call.campaign_name,
        "run": call.run_name,
        "listId": call.list_id,
        "list": call.list_name,
        "callId": call.record_id,
        "number": call.number,
        "attempted": moment(call.attempted_at, zone),
        "ended": moment(call.ended_at, zone),
        "waitPre": call.wait_pre_ms,
        "waitAfter": call.wait_after_ms,
        "talk": call.talk_ms,
        "status": call.outcome,
        "statusExt": call.extended_status,
        "retry": call.retry,
        "nextRetry": call.retry_in_s,
        "trunk": call.trunk_name,
        "endPoint": call.end_point_name,
        "agent": call.agent,
        "channel": call.channel,
        "uniqueid": call.unique_id,
        "cause": call.cause,
        "dialStatus": call.dial_status,
        "message": call.message,
        "inputAttributes": call.input_attributes,
        "outputAttributes": call.output_attributes,
    }
