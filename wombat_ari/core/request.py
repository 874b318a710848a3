"""Step 4: from a claim, its campaign, trunk and end point to what the Originate says (spec 04)."""

import re
from dataclasses import replace

from wombat_ari.core.placeholders import expand
from wombat_ari.core.variables import may_be_sent, variables_of
from wombat_ari.model.calls import Claim, OriginateRequest
from wombat_ari.model.entities import Campaign, EndPoint, Trunk
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import EndPointType

REVERSE_CONTEXT = "wombat-reverse"  #: shipped, in asterisk_conf/extensions.d/wombat.conf
BRIDGE_CONTEXT = "wombat-bridge"  #: the same by ARI, for end points that name it: shipped, in wombat-ari.conf
FLOW_CONTEXT = "wombat-flow"  #: shipped, in asterisk_conf/extensions.d/wombat-flow.conf
SPLITTERS = frozenset("&,|")  #: what Dial() takes for the end of a channel


def build_request(
    claim: Claim, campaign: Campaign, *, trunk: Trunk, end_point: EndPoint, stasis: str = ""
) -> OriginateRequest:
    """The request to place this call. Placeholders are expanded here; spelling and escaping is the wire's.

    ``stasis`` is our ARI application, to which the end point's dialplan may bring the call; empty: not connected.
    """
    values = placeholder_values(claim, campaign)
    return OriginateRequest(
        call=claim.wombatid,
        channel=expand(trunk.dial_string, values),
        context=end_point.context,
        extension=end_point.extension,
        timeout_ms=campaign.answer_timeout_ms,
        caller_id=expand(campaign.dial_clid, values),
        account=expand(campaign.dial_account, values),
        variables=_variables(claim, campaign, values) + _to_stasis(end_point, stasis),
    )


def build_reverse_request(
    claim: Claim, campaign: Campaign, *, trunk: Trunk, end_point: EndPoint, agent: str, stasis: str = ""
) -> OriginateRequest:
    """Reverse: the agent's interface is called, and the shipped context dials the callee when the agent is there.

    UserError when the callee's dial string would mean more than one channel to Dial().
    """
    direct = build_request(claim, campaign, trunk=trunk, end_point=end_point, stasis=stasis)
    if set(direct.channel) & SPLITTERS:
        raise UserError(
            f"dial string {direct.channel!r}: none of {' '.join(sorted(SPLITTERS))} may be in it", code="dial"
        )
    seconds = f"{campaign.answer_timeout_ms / 1000:g}"
    # An underscore more: Dial() hands them on, so that a trunk's context finds what it finds in a direct call.
    inherited = ((name if name.startswith("_") else f"_{name}", value) for name, value in direct.variables)
    ours = (
        ("WOMBAT_DIAL", direct.channel),
        ("WOMBAT_DIAL_TIMEOUT", seconds),
        ("WOMBAT_DIAL_CLID", direct.caller_id),
        ("WOMBAT_REVERSE", "agent"),
    )
    return replace(
        direct,
        channel=dialled_interface(agent, end_point),
        context=reverse_context(end_point),
        extension="s",
        # What the agent sees: the callee, or what the campaign says.
        caller_id=expand(campaign.agent_clid, placeholder_values(claim, campaign)) or claim.number,
        variables=(*inherited, *ours),
    )


def reverse_context(end_point: EndPoint) -> str:
    """The shipped context to which an agent's channel goes: by its own context an end point asks for the bridge."""
    return BRIDGE_CONTEXT if end_point.context == BRIDGE_CONTEXT else REVERSE_CONTEXT


def _to_stasis(end_point: EndPoint, stasis: str) -> tuple[tuple[str, str], ...]:
    wants_it = end_point.type is EndPointType.FLOW or end_point.context == BRIDGE_CONTEXT
    return (("WOMBAT_STASIS", stasis),) if stasis and wants_it else ()


def dialled_interface(agent: str, end_point: EndPoint) -> str:
    """What is dialled to reach the agent of that interface: the queue may know it by another name."""
    if not end_point.dial_find:
        return agent
    return re.sub(end_point.dial_find, end_point.dial_replace, agent)


def placeholder_values(claim: Claim, campaign: Campaign) -> dict[str, str]:
    """Every name a placeholder may use: the input attributes, and ours, which win."""
    return {**claim.input_attributes, **values_of_ours(claim, campaign)}


def values_of_ours(claim: Claim, campaign: Campaign) -> dict[str, str]:
    return {
        "num": claim.number,
        "list": claim.list_name,
        "campaign": campaign.name,
        "retry": str(claim.retry),
        "wombatid": str(claim.wombatid),
    }


def _variables(claim: Claim, campaign: Campaign, values: dict[str, str]) -> tuple[tuple[str, str], ...]:
    wombatid = str(claim.wombatid)
    ours = {
        "WOMBATID": wombatid,
        "WOMBAT_ID": wombatid,
        "WOMBAT_HOPPER_ID": wombatid,
        "WOMBAT_RETRY_NO": str(claim.retry),
        "WOMBAT_DIALING_NUMBER": claim.number,
        "WOMBAT_DIALING_LIST": claim.list_name,
        "WOMBAT_CAMPAIGN": campaign.name,
    }
    if campaign.agent_clid:
        ours["WOMBAT_AGENT_CLID"] = expand(campaign.agent_clid, values)
    if campaign.dial_presentation:
        # Two underscores: the shipped trunk context applies it on the trunk's leg, before Dial().
        ours["__WOMBAT_PRES"] = expand(campaign.dial_presentation, values)
    # Of names that differ by underscores alone the PBX keeps the first: ours, then the campaign's, then attributes.
    attributes = {name: value for name, value in claim.input_attributes.items() if may_be_sent(name)}
    own = {name: expand(value, values) for name, value in variables_of(campaign.variables)}
    return tuple({**attributes, **own, **ours}.items())[::-1]
