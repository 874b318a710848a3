"""The doctor in the dialplan: is there what trunks and end points name, and what of the shipped contexts they need?"""

from collections.abc import Sequence

from wombat_ari.app.doctor_link import cli
from wombat_ari.app.doctor_words import Finding, Findings, bad, good, warning
from wombat_ari.core.request import BRIDGE_CONTEXT, FLOW_CONTEXT, REVERSE_CONTEXT, reverse_context
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.states import EndPointType
from wombat_ari.pbx.ami import AMIProtocol

DOCTOR_CONTEXT = "wombat-doctor"
#: Shipped contexts, and the file of asterisk_conf/extensions.d that has each.
SHIPPED = {
    **dict.fromkeys(("wombat-track", "wombat-gone", DOCTOR_CONTEXT), "wombat.conf"),
    **dict.fromkeys((REVERSE_CONTEXT, "wombat-answered", "wombat-callee"), "wombat.conf"),
    **dict.fromkeys((BRIDGE_CONTEXT, "wombat-bridged"), "wombat-ari.conf"),
    **dict.fromkeys((FLOW_CONTEXT, "wombat-flow-queue"), "wombat-flow.conf"),
}


async def in_dialplan(ami: AMIProtocol, about: str, extension: str, context: str) -> Finding:
    where = f"{extension}@{context}"
    found = await is_in_dialplan(ami, where)
    if found is None:
        return warning(about, f"{where} could not be looked up: the login may not write `command`", "add it to write=")
    if not found:
        advice = copying(context) if context in SHIPPED else "add it, or correct extension and context"
        return bad(about, f"the dialplan has no {where}", advice)
    return good(about, f"{where} is in the dialplan")


async def is_in_dialplan(ami: AMIProtocol, where: str) -> bool | None:
    """None: it may not be asked."""
    lines = await cli(ami, f"dialplan show {where}")
    return not any("There is no existence of" in line for line in lines) if lines else None


async def about_shipped(ami: AMIProtocol, about: str, end_points: Sequence[EndPoint]) -> Findings:
    """The contexts that no end point names and that are needed all the same."""
    needs = needs_of(end_points)
    missing = []
    for context in needs:
        found = await is_in_dialplan(ami, f"s@{context}")
        if found is None:
            return  # that the login may not ask was said already
        if not found:
            missing.append(context)
            yield warning(about, f"the dialplan has no {context}: {needs[context]}", copying(context))
    if not missing:
        yield good(about, f"the dialplan has {', '.join(needs)}")


def needs_of(end_points: Sequence[EndPoint]) -> dict[str, str]:
    """Context -> what does not work without it."""
    needs = {"wombat-track": "shipped contexts begin with it, and calls that end while the dialer is away are RS_LOST"}
    needs["wombat-gone"] = "calls that end while the dialer is away are RS_LOST"
    reverse = [end_point for end_point in end_points if end_point.reverse]
    if reverse:
        needs |= dict.fromkeys(("wombat-answered", "wombat-callee"), "of reverse calls it is not known how they end")
    if any(reverse_context(end_point) == BRIDGE_CONTEXT for end_point in reverse):
        needs |= {
            REVERSE_CONTEXT: "while ARI is away no reverse calls can be placed",
            "wombat-bridged": "callees of reverse calls do not come to the bridge",
        }
    if any(end_point.type is EndPointType.FLOW for end_point in end_points):
        needs["wombat-flow-queue"] = "flows cannot send a caller to a queue"
    return needs


def copying(context: str) -> str:
    return f"copy the context from asterisk_conf/extensions.d/{SHIPPED[context]}"
