"""What a call says in the PBX's queue_log (spec 04), in app_queue's own grammar, so that queue analyzers read it.

At dial ENTERQUEUE, at the answer CONNECT, at the end COMPLETECALLER or COMPLETEAGENT (the agent of a queue hung up, or
the dialer did), or ABANDON when never answered, then CALLSTATUS with the extended status, and INFO with name and value
of each attribute that the campaign wants told.
Asterisk escapes nothing there: ``|`` and line breaks are replaced.
"""

from dataclasses import dataclass

from wombat_ari.core.call import Call
from wombat_ari.model.entities import Campaign
from wombat_ari.model.states import CallLogging

NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``time|unique_id|queue|interface|event|message``; the time is Asterisk's."""

    queue: str
    event: str
    unique_id: str
    interface: str
    message: str


def wanted(campaign: Campaign) -> bool:
    return campaign.logging == CallLogging.QM_COMPATIBLE


def dialled(call: Call, campaign: Campaign) -> Line:
    return _line(call, campaign, "ENTERQUEUE", NONE, ("", call.claim.number, "1"))


def answered(call: Call, campaign: Campaign, *, end_point: str) -> Line:
    """``end_point`` is the agent, where one is known."""
    wait = _waited(call)
    return _line(call, campaign, "CONNECT", end_point, (wait, call.unique_id, wait))


def ended(call: Call, campaign: Campaign, *, end_point: str) -> list[Line]:
    """The lines of a call that has its outcome; one that was never dialled has none but its status."""
    wait, talk = _waited(call), str(round(call.waits_ms()[2] / 1000))
    if call.connected_at is not None:
        seen = call.evidence
        by_our_side = seen.forced or seen.hung_up_by_us or seen.ended_by_agent
        event = "COMPLETEAGENT" if by_our_side else "COMPLETECALLER"
        lines = [_line(call, campaign, event, end_point, (wait, talk, "1"))]
    else:
        lines = [_line(call, campaign, "ABANDON", NONE, ("1", "1", wait))]
    if call.extended_status:
        lines.append(status(call, campaign, code=call.extended_status, end_point=end_point))
    known = {**call.claim.input_attributes, **call.claim.output_attributes, **call.output_attributes}
    told = [(name, known[name]) for name in told_attributes(campaign) if name in known]
    return [*lines, *(attribute(call, campaign, name=name, value=value, end_point=end_point) for name, value in told)]


def status(call: Call, campaign: Campaign, *, code: str, end_point: str) -> Line:
    return _line(call, campaign, "CALLSTATUS", end_point, (code,))


def attribute(call: Call, campaign: Campaign, *, name: str, value: str, end_point: str) -> Line:
    return _line(call, campaign, "INFO", end_point, (name, value))


def told_attributes(campaign: Campaign) -> list[str]:
    """Names of the attributes that the campaign wants told, in its order."""
    return [name.strip() for name in campaign.logging_attributes.split(",") if name.strip()]


def _line(call: Call, campaign: Campaign, event: str, interface: str, fields: tuple[str, ...]) -> Line:
    queue = campaign.logging_alias or campaign.name
    return Line(_clean(queue), event, call.unique_id, _clean(interface), "|".join(_clean(field) for field in fields))


def _waited(call: Call) -> str:
    """Whole seconds from the request to the answer, or to the end."""
    pre, after, _ = call.waits_ms()
    if call.ended_at is None and call.connected_at is not None and call.requested_at is not None:
        return str(round(call.connected_at - call.requested_at))
    return str(round((pre + after) / 1000))


def _clean(text: str) -> str:
    return text.translate(_TABLE)


_TABLE = str.maketrans({"|": "/", "\r": " ", "\n": " ", "\0": " "})
