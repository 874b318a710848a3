"""Control calls: ``calls``, ``campaigns``, ``lists``, ``runlists``, ``reserve``. Texts that begin with OK or ERROR."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import request

from webui.compat.frame import Address, Answer, Call, Kind, Params
from webui.compat.to_list import add_to_list
from webui.compat.upload import spooled_form
from wombat_ari.app.service import calls, campaigns, lists, preview, runs
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import CampaignList
from wombat_ari.model.errors import UserError

Do = Callable[[Call], Answer]
#: the dialer's refusals of preview that the original answered as words of their own
WORDS = ("AGENT_NOT_AVAILABLE", "AGENT_CANNOT_RESERVE", "ID_NOT_FOUND", "ID_FOUND_WRONG_STATE")
ALREADY = ("wrong-state", "no-run", "has-run")


def by_op(known: Mapping[str, Do]) -> Do:
    """What ``op`` says, in any case."""
    names = {name.lower(): do for name, do in known.items()}

    def handle(call: Call) -> Answer:
        op = call.params.text("op")
        do = names.get(op.strip().lower())
        if do is None:
            raise UserError(f"op is {op[:40]!r}: it must be one of {', '.join(known)}")
        return do(call)

    return handle


# calls


def _add_call(call: Call) -> Answer:
    wombatid = calls.add_call(
        call.caller, call.db, call.ask,
        campaign=call.params.name("campaign"), number=call.params.text("number"),
        attributes=call.params.text("attrs", ""), when=call.params.text("schedule", ""),
        zone=call.settings.time_zone,
    )  # fmt: skip
    return f"OK\nWOMBATID:{wombatid}\n"


def _status(call: Call) -> Answer:
    code = call.params.text("status", "")
    calls.set_status(call.caller, call.db, call.ask, wombatid=call.params.whole("wombatid"), code=code)
    return "OK: Event CALLSTATUS queued\n"


def _attribute(call: Call) -> Answer:
    calls.set_attribute(call.caller, call.db, call.ask, **_named(call), value=call.params.text("val", ""))
    return "OK: Event ATTRIBUTE queued\n"


def _append(call: Call) -> Answer:
    calls.append_attribute(call.caller, call.db, call.ask, **_named(call), value=call.params.text("val", ""))
    return "OK: Event ATTRAPPEND queued\n"


def _clear(call: Call) -> Answer:
    """All of them, as in the original; with ``attr`` this one only."""
    wombatid, name = call.params.whole("wombatid"), call.params.text("attr", "")
    calls.clear_attributes(call.caller, call.db, call.ask, wombatid=wombatid, name=name)
    return "OK: Event ATTRCLEAR queued\n"


def _named(call: Call) -> dict[str, Any]:
    return {"wombatid": call.params.whole("wombatid"), "name": call.params.text("attr")}


# campaigns


def _run(act: Callable[..., Any], done: str, *, ignored: tuple[str, ...] = ("no-run",)) -> Do:
    """An act on the run of a campaign. What makes no sense now is ignored, and said to be, as in the original: clients
    start what may run already. ``ignored``: codes of such refusals."""

    def do(call: Call) -> Answer:
        name = call.params.name("campaign")
        try:
            act(call.caller, call.db, call.ask, campaign=name)
        except UserError as refusal:
            if refusal.code in ignored:
                return f"OK: ignored: {refusal}\n"
            raise
        return f"OK: campaign {name} {done}\n"

    return do


def _clone(call: Call) -> Answer:
    name, new = call.params.name("campaign"), call.params.name("newcampaign")
    saved = campaigns.clone_campaign(call.caller, call.db, name, name=new)
    return f"OK: campaign {name} cloned as {saved.name}\n"


def _link_list(call: Call) -> Answer:
    name, list_name = call.params.name("campaign"), call.params.name("list")
    campaign = campaigns.seen_campaign(call.caller, call.db, name)
    added = lists.seen_list(call.caller, call.db, list_name)

    def with_it(old: tuple[CampaignList, ...]) -> tuple[CampaignList, ...]:
        linked = any(entry.list_id == added.id for entry in old)
        return old if linked else (*old, CampaignList(added.id or 0, added.name))

    campaigns.set_lists(call.caller, call.db, campaign.id or 0, with_it, right=Right.CLONE_CAMPAIGNS)
    return f"OK: list {added.name} is a list of campaign {campaign.name}\n"


def _boost(call: Call) -> Answer:
    name, percent = call.params.name("campaign"), call.params.whole("factor", least=1, most=10_000)
    runs.boost(call.caller, call.db, call.ask, campaign=name, factor=percent / 100)
    return f"OK: campaign {name} boosted to {percent}%\n"


# lists


def _lists(call: Call) -> Answer:
    """``numbers`` may be many MB in the body of a POST: it is spooled as it comes, with ``op`` before or after it."""
    sent, file = spooled_form(request, "numbers")
    whole = replace(call, params=Params({**sent, **request.args}))
    return by_op({"addToList": lambda call: add_to_list(call, file)})(whole)


# runlists


def _run_lists(call: Call) -> Answer:
    return _shown(runs.run_lists(call.caller, call.db, call.ask, campaign=call.params.name("campaign")))


def _start_list(call: Call) -> Answer:
    """Numbers are taken from it: it is resumed, or added to the run when it is not one of its lists."""
    name, list_name = call.params.name("campaign"), call.params.name("list")
    known = runs.run_lists(call.caller, call.db, call.ask, campaign=name)
    if any(each["name"] == list_name for each in known):
        return _shown(runs.pause_list(call.caller, call.db, call.ask, campaign=name, name=list_name, paused=False))
    return _shown(runs.add_list(call.caller, call.db, call.ask, campaign=name, name=list_name))


def _pause_list(call: Call) -> Answer:
    name, list_name = call.params.name("campaign"), call.params.name("list")
    return _shown(runs.pause_list(call.caller, call.db, call.ask, campaign=name, name=list_name, paused=True))


def _shown(found: list[dict[str, Any]]) -> str:
    """A line each: RUNNING or PAUSED, taken, remaining, id of the last record taken, and its name last."""
    lines = (
        f"LIST:{'PAUSED' if each['paused'] else 'RUNNING'}:{each['taken']}:{each['remaining']}:{each['high_water']}"
        f":{each['name']}\n"
        for each in found
    )
    return "OK\n" + "".join(lines)


# reserve


def _reserve(call: Call) -> Answer:
    held = preview.reserve(call.caller, call.db, call.ask, agent=call.params.text("agent"))
    attributes = "".join(f"VAR:{name}:{_one_line(value)}\n" for name, value in held["attributes"].items())
    return f"OK\nWOMBATID:{held['id']}\nNUMBER:{held['number']}\n{attributes}"


def _dial(call: Call) -> Answer:
    preview.dial(call.caller, call.db, call.ask, wombatid=call.params.whole("id"))
    return "DIALING\n"


def _skip(call: Call) -> Answer:
    code = call.params.text("withStatus", "")
    preview.skip(call.caller, call.db, call.ask, wombatid=call.params.whole("id"), code=code)
    return "SKIPPED\n"


def _in_words(do: Do) -> Do:
    """Refusals that the original answered as a word of their own."""

    def handle(call: Call) -> Answer:
        try:
            return do(call)
        except UserError as refusal:
            if refusal.code in WORDS:
                return f"{refusal.code}\n"
            raise

    return handle


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


# inspect_dialer


def _inspect(call: Call) -> Answer:
    """Parts of the picture that the dialer publishes."""
    op = call.params.text("op", "STATUS").upper()
    if op == "LIVE_CALLS":
        return {
            "status": "OK",
            "result": {"calls": [one for _, one in runs.live_calls(call.caller, call.db, call.ask)]},
        }
    if op == "LIVE_RUNS":
        return {"status": "OK", "result": {"runs": [one for _, one in runs.live_runs(call.caller, call.db, call.ask)]}}
    if op == "STATUS":
        return {"status": "OK", "result": runs.status(call.caller, call.db, call.ask)}
    raise UserError(f"op is {op[:40]!r}: it must be one of STATUS, LIVE_RUNS, LIVE_CALLS")


ADDRESSES = (
    Address(
        "calls",
        by_op({"addcall": _add_call, "extstatus": _status, "attr": _attribute, "attrAppend": _append,
               "attrClear": _clear}),
        Kind.TEXT,
        open=True,
    ),
    Address(
        "campaigns",
        by_op({"start": _run(runs.start, "started", ignored=ALREADY),
               "pause": _run(runs.pause, "paused", ignored=ALREADY),
               "unpause": _run(runs.resume, "unpaused", ignored=ALREADY), "remove": _run(runs.remove, "removed"),
               "reload": _run(runs.reload, "reloaded"), "clone": _clone, "addList": _link_list, "boost": _boost}),
        Kind.TEXT,
        open=True,
    ),
    Address("lists", _lists, Kind.TEXT, open=True, streams=True),
    Address(
        "runlists", by_op({"list": _run_lists, "start": _start_list, "pause": _pause_list}), Kind.TEXT, open=True
    ),
    Address(
        "reserve", _in_words(by_op({"reserve": _reserve, "dial": _dial, "skip": _skip})), Kind.TEXT, open=True
    ),
    Address("inspect_dialer", _inspect, Kind.JSON),
)  # fmt: skip
