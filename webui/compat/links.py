"""``edit/campaign/trunk``, ``/ep``, ``/list``, ``/oh``: what a campaign uses, in its order.

Who sees a campaign sees all of it, so a link is answered in full also where the thing has a key of its own. A link is
told by the thing it leads to; ``cclId`` and ``cohId`` are that thing's id, unique within the campaign.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from webui.compat.campaigns import OPENING_HOURS
from webui.compat.edit import Part, Results, Subject, Window, address_of, marks_of_campaign, moved, parent_of
from webui.compat.frame import Call
from webui.compat.lists import LIST
from webui.compat.pbx import END_POINT, TRUNK
from webui.compat.values import Object, ident, one_of, reference, word_of
from wombat_ari.app.service import campaigns
from wombat_ari.app.service.rights import missing
from wombat_ari.model.calls import RunList
from wombat_ari.model.entities import Campaign, CampaignList
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import ListUse

USES = {"CALL_LIST": ListUse.NORMAL, "BLACK_LIST": ListUse.BLACK}
L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Link(Generic[L]):
    """``links``: those of a campaign in order; ``change``: sets them; ``target``: the id in an object, None when it is
    not said; ``key``: the id a link leads to; ``join``: a link made or changed by an object."""

    path: str
    label: str
    needs: str
    links: Callable[[Campaign], Sequence[L]]
    change: Callable[[Any, Any, int, Callable[[tuple[L, ...]], Sequence[L]]], Campaign]
    target: Callable[[Object], int | None]
    key: Callable[[L], int]
    join: Callable[[L | None, int, Object], L]
    objects: Callable[[Call, Campaign], Results]

    def subject(self) -> Subject:
        return Subject(self.path, self.label, self._page, self._save, self._delete, self._move)

    def _page(self, call: Call, window: Window) -> Part:
        found = self.objects(call, campaigns.find_campaign(call.caller, call.db, parent_of(call)))
        return Part(list(window.cut(found)), len(found))

    def _save(self, call: Call, data: Object) -> dict[str, Any]:
        """A link that is there is changed and keeps its place."""
        wanted = self._target(data)

        def changing(old: tuple[L, ...]) -> list[L]:
            there = [self.join(link, wanted, data) if self.key(link) == wanted else link for link in old]
            return there if any(self.key(link) == wanted for link in old) else [*there, self.join(None, wanted, data)]

        return self._one(call, self.change(call.caller, call.db, parent_of(call, data), changing), wanted)

    def _delete(self, call: Call, data: Object) -> dict[str, Any]:
        wanted, campaign_id = self._target(data), parent_of(call, data)
        old = self._one(call, campaigns.find_campaign(call.caller, call.db, campaign_id), wanted)
        self.change(
            call.caller, call.db, campaign_id, lambda links: [link for link in links if self.key(link) != wanted]
        )
        return old

    def _move(self, call: Call, data: Object, step: int) -> Results:
        wanted = self._target(data)

        def changing(old: tuple[L, ...]) -> list[L]:
            place = next((n for n, link in enumerate(old) if self.key(link) == wanted), None)
            if place is None:
                raise missing(self.label, wanted)
            return moved(old, place, step)

        return self.objects(call, self.change(call.caller, call.db, parent_of(call, data), changing))

    def _target(self, data: Object) -> int:
        found = self.target(data)
        if found is None:
            raise UserError(f"{self.needs} is missing: say which {self.label} is meant")
        return found

    def _one(self, call: Call, campaign: Campaign, wanted: int) -> dict[str, Any]:
        place = next((n for n, link in enumerate(self.links(campaign)) if self.key(link) == wanted), None)
        if place is None:
            raise missing(self.label, wanted)
        return self.objects(call, campaign)[place]


def _plain(path: str, label: str, name: str, **functions: Any) -> Link[int]:
    """A link that is nothing but the id it leads to."""
    return Link(
        path=f"campaign/{path}", label=label, needs=name, key=int, join=lambda old, wanted, data: wanted, **functions
    )


def _objects(name: str, kind: str, ids: Callable[[Campaign], Sequence[int]], thing: Any) -> Callable[..., Results]:
    def objects(call: Call, campaign: Campaign) -> Results:
        used, infos = campaigns.used_by(call.caller, call.db, campaign.id or 0, kind)
        spelled = {value.id: thing.object(call, value, infos) for value in used}
        marks = marks_of_campaign(call, campaign)
        return [
            {"campaignId": campaign.id, "idx": n, name: spelled[one], **marks}
            for n, one in enumerate(ids(campaign), start=1)
        ]

    return objects


TRUNKS = _plain(
    "trunk", "trunk", "trunkId",
    links=lambda campaign: campaign.trunk_ids,
    change=campaigns.set_trunks,
    target=lambda data: reference(data, "trunkId", "trunkId"),
    objects=_objects("trunkId", "trunks", lambda campaign: campaign.trunk_ids, TRUNK),
)  # fmt: skip
END_POINTS = _plain(
    "ep", "end point", "epId",
    links=lambda campaign: campaign.end_point_ids,
    change=campaigns.set_end_points,
    target=lambda data: reference(data, "epId", "epId"),
    objects=_objects("epId", "end points", lambda campaign: campaign.end_point_ids, END_POINT),
)  # fmt: skip


def _hours_objects(call: Call, campaign: Campaign) -> Results:
    plain = _objects("rule", "opening hours", lambda one: one.opening_hours_ids, OPENING_HOURS)(call, campaign)
    return [{**link, "cohId": link["rule"]["openingHourId"]} for link in plain]


HOURS = _plain(
    "oh", "opening hours", "rule",
    links=lambda campaign: campaign.opening_hours_ids,
    change=campaigns.set_opening_hours,
    target=lambda data: reference(data, "rule", "openingHourId") or ident(data, "cohId"),
    objects=_hours_objects,
)  # fmt: skip


def _list_objects(call: Call, campaign: Campaign) -> Results:
    used, infos = campaigns.used_by(call.caller, call.db, campaign.id or 0, "lists")
    spelled = {value.id: LIST.object(call, value, infos) for value in used}
    marks = marks_of_campaign(call, campaign)
    progress = campaigns.list_progress(call.caller, call.db, campaign.id or 0)
    return [
        {
            "campaignId": campaign.id, "idx": n, "cclId": entry.list_id, "cl": spelled[entry.list_id],
            **_how_far(progress.get(entry.list_id)), "clType": word_of(USES)(entry.use), **marks,
        }
        for n, entry in enumerate(campaign.lists, start=1)
    ]  # fmt: skip


def _how_far(line: RunList | None) -> dict[str, Any]:
    """``complete``: all its records were taken by the live or the last run; ``highwater``: the ``callId`` of the last
    one taken, empty before the first."""
    if line is None:
        return {"complete": False, "highwater": ""}
    return {"complete": line.remaining == 0, "highwater": line.high_water or ""}


def _list_join(old: CampaignList | None, wanted: int, data: Object) -> CampaignList:
    entry = old or CampaignList(wanted, "")
    return replace(entry, use=one_of(USES)(data, "clType") or entry.use)


LISTS: Link[CampaignList] = Link(
    path="campaign/list",
    label="list",
    needs="cl",
    links=lambda campaign: campaign.lists,
    change=campaigns.set_lists,
    target=lambda data: reference(data, "cl", "listId") or ident(data, "cclId"),
    key=lambda entry: entry.list_id,
    join=_list_join,
    objects=_list_objects,
)

ADDRESSES = tuple(address_of(link.subject()) for link in (TRUNKS, END_POINTS, LISTS, HOURS))
