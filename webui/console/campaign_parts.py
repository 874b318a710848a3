"""What belongs to a campaign, in an order: trunks, end points, lists, rules, opening hours, dispositions.

Each change is one small form and one transaction; a live run takes it over with the next "reload".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import request

from webui.console.campaign_forms import DispositionForm, RuleForm
from webui.console.editor import Editor, version_sent
from webui.console.forms import EntityForm
from webui.console.pages import STATUS, Answer, Pages, Visit
from wombat_ari.app.service import campaigns, end_points, lists, opening_hours, servers, trunks
from wombat_ari.app.service.rights import Right
from wombat_ari.model.entities import Campaign, CampaignList, DispositionRule, RescheduleRule
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import ListUse, Outcome

CHANGE = (Right.CHANGE_CAMPAIGNS,)
OFFERED = 200  #: things to choose from; of more some are found by their name


@dataclass(frozen=True)
class Part:
    """What belongs to a campaign, in an order. ``key``: what tells one from another, as an integer."""

    name: str
    title: str
    of: Callable[[Campaign], Sequence[Any]]
    key: Callable[[Any], int]
    set: Callable[..., Campaign]  #: ``(caller, db, campaign_id, changing, version=)``


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("trunks", "Trunks", lambda one: one.trunk_ids, int, campaigns.set_trunks),
        Part("end-points", "End points", lambda one: one.end_point_ids, int, campaigns.set_end_points),
        Part("lists", "Lists", lambda one: one.lists, lambda entry: entry.list_id, campaigns.set_lists),
        Part("rules", "Reschedule rules", lambda one: one.rules, lambda rule: rule.id or 0, campaigns.set_rules),
        Part("opening-hours", "Opening hours", lambda one: one.opening_hours_ids, int, campaigns.set_opening_hours),
        Part("dispositions", "Dispositions", lambda one: one.dispositions, lambda rule: rule.id or 0,
             campaigns.set_dispositions),
    )
}  # fmt: skip


def add_to(pages: Pages, editor: Editor[Campaign]) -> None:
    def shown(visit: Visit, which: int, part: str, form: EntityForm, status: int) -> Answer:
        """The page with a form of a part as it was filled in, and what is wrong with it."""
        return editor.show_one(visit, which, status, **{f"{part}_form": form, "changed_key": _key()})

    @pages.post("/campaigns/<int:which>/<part>/<doing>", *CHANGE)
    def campaigns_part(visit: Visit, which: int, part: str, doing: str) -> Answer:
        """``add``, ``change``, ``remove``, ``up``, ``down`` of one of the things that belong to it, of the version
        that was shown."""
        if part not in PARTS or doing not in _DOINGS:
            raise UserError("that cannot be done to a campaign")
        chosen = PARTS[part]
        form = _FORMS[part](request.form) if part in _FORMS and doing in ("add", "change") else None
        if form is not None and not form.validate():
            return shown(visit, which, part, form, 400)
        try:
            do = _DOINGS[doing]
            chosen.set(visit.caller, visit.db, which, lambda old: do(chosen, tuple(old), form), version=version_sent())
        except UserError as refusal:
            if form is None:
                visit.say(str(refusal), "bad")
                return visit.go("campaigns_one", which=which, **editor.kept(), _anchor=part)
            form.complain(refusal)
            return shown(visit, which, part, form, STATUS.get(refusal.code, 400))
        return visit.go("campaigns_one", which=which, **editor.kept(), _anchor=part)


def _key() -> int:
    text = request.form.get("key", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _add(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
    if part.name == "rules":
        return (*old, form.value(RescheduleRule(Outcome.RS_BUSY)))  # type: ignore[union-attr]
    if part.name == "dispositions":
        return (*old, form.value(DispositionRule()))  # type: ignore[union-attr]
    if not _key():
        raise UserError(f"{part.title.lower()}: choose one to add")
    if part.name == "lists":
        use = ListUse.BLACK if request.form.get("use") == ListUse.BLACK else ListUse.NORMAL
        return (*old, CampaignList(_key(), "", use))
    return (*old, _key()) if _key() not in old else old


def _change(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
    if form is not None:
        return tuple(form.value(one) if part.key(one) == _key() else one for one in old)
    other = {ListUse.NORMAL: ListUse.BLACK, ListUse.BLACK: ListUse.NORMAL}
    return tuple(replace(one, use=other[one.use]) if part.key(one) == _key() else one for one in old)


def _remove(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
    return tuple(one for one in old if part.key(one) != _key())


def _moved(steps: int) -> Callable[[Part, tuple[Any, ...], EntityForm | None], tuple[Any, ...]]:
    def move(part: Part, old: tuple[Any, ...], form: EntityForm | None) -> tuple[Any, ...]:
        order, place = list(old), next((n for n, one in enumerate(old) if part.key(one) == _key()), None)
        if place is not None and 0 <= place + steps < len(order):
            order[place], order[place + steps] = order[place + steps], order[place]
        return tuple(order)

    return move


_DOINGS = {"add": _add, "change": _change, "remove": _remove, "up": _moved(-1), "down": _moved(1)}
_FORMS: dict[str, type[EntityForm]] = {"rules": RuleForm, "dispositions": DispositionForm}


def known(visit: Visit, campaign_id: int) -> dict[str, Any]:
    """What the page of a campaign shows of them, and what may be added."""
    used = {name: _used(visit, campaign_id, kind) for name, kind in _KINDS.items()}
    choosable = {name: _choosable(visit, name) if visit.may(*CHANGE) else [] for name in _KINDS}
    free = {name: [one for one in found if one[0] not in used[name]] for name, found in choosable.items()}
    return {
        "names": used, "free": {name: _offered(name, found) for name, found in free.items()},
        "new_rule": RuleForm.of(RescheduleRule(Outcome.RS_BUSY, "", 3, 300)),
        "new_disposition": DispositionForm.of(DispositionRule()),
        "rule_form": RuleForm, "disposition_form": DispositionForm,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be added. ``query``: the name it was searched by; ``found``: how many fit; ``many``: it is worth it."""

    choices: list[tuple[int, str]]
    query: str
    found: int
    many: bool


def _offered(part: str, free: list[tuple[int, str]]) -> Offer:
    query = request.args.get(f"{part}-q", "").strip()
    found = [one for one in free if query.casefold() in one[1].casefold()]
    return Offer(found[:OFFERED], query, len(found), len(free) > OFFERED)


_KINDS = {"trunks": "trunks", "end-points": "end points", "lists": "lists", "opening-hours": "opening hours"}


def _used(visit: Visit, campaign_id: int, kind: str) -> dict[int, str]:
    return {one.id: one.name for one in campaigns.used_by(visit.caller, visit.db, campaign_id, kind)[0]}


def _choosable(visit: Visit, name: str) -> list[tuple[int, str]]:
    """What may be added, with the server that it is on."""
    if name == "lists":
        found: list[Any] = [one for one in lists.list_lists(visit.caller, visit.db) if not one.hidden]
    elif name == "opening-hours":
        found = [one for one in opening_hours.list_opening_hours(visit.caller, visit.db) if not one.hidden]
    else:
        every = trunks.list_trunks if name == "trunks" else end_points.list_end_points
        on = {server.id: server.description for server in _servers(visit)}
        return [(one.id or 0, f"{one.name} on {on.get(one.server_id, '?')}") for one in every(visit.caller, visit.db)]
    return [(one.id or 0, one.name) for one in found]


def _servers(visit: Visit) -> list[Any]:
    return servers.list_servers(visit.caller, visit.db)
