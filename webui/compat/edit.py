"""The modes of the configuration calls: L list, E insert or edit, D delete, MU and MD move up and down.

A kind of thing is a ``Subject``; what it has no function for is refused in words. The answer is the envelope of
``frame``; E, D answer the one object, MU and MD all in their new order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request

from webui.compat.frame import Address, Answer, Call, Kind, envelope
from webui.compat.values import Object, id_of, ident, marks_of, object_of
from wombat_ari.app.service import campaigns
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errors import UserError

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MODES = ("L", "E", "D", "MU", "MD")
ALL = "*"  #: as a query: everything
MOST = 10_000  #: objects of one answer
T = TypeVar("T")
Results = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a listing: its objects, and how many there are in all."""

    results: Results
    total: int


@dataclass(frozen=True, slots=True)
class Window:
    """What a listing was asked for."""

    query: str
    start: int
    limit: int

    def cut(self, things: Sequence[T]) -> Sequence[T]:
        return things[self.start : self.start + self.limit]

    def matches(self, name: str) -> bool:
        return self.query.lower() in name.lower()


@dataclass(frozen=True, slots=True)
class Subject:
    """``path`` under ``edit/``; ``label`` for refusals. Functions get the call; ``delete`` and ``move`` the object."""

    path: str
    label: str
    page: Callable[[Call, Window], Part]
    save: Callable[[Call, Object], dict[str, Any]] | None = None
    delete: Callable[[Call, Object], dict[str, Any]] | None = None
    move: Callable[[Call, Object, int], Results] | None = None
    cannot: str = ""  #: why what is not there is not there


def address_of(subject: Subject) -> Address:
    return Address(f"edit/{subject.path}", lambda call: _answer(subject, call), Kind.EDIT)


def parent_of(call: Call, data: Object | None = None) -> int:
    """The id of what a thing belongs to: the parameter, else what the object itself says."""
    said = None if data is None or call.params.text("parent", "") else ident(data, "campaignId")
    return said or id_of(call.params.text("parent"), "parent")


def marks_of_campaign(call: Call, campaign: Campaign) -> dict[str, Any]:
    """Who made and changed it: its links and rules are stored as a whole with it."""
    return marks_of(campaigns.campaign_infos(call.caller, call.db).get(campaign.id or 0), call.zone)


def moved(things: Sequence[T], place: int, step: int) -> list[T]:
    """With the one at ``place`` a step up (-1) or down (1); at the end it stays where it is."""
    order = list(things)
    other = min(max(place + step, 0), len(order) - 1)
    order[place], order[other] = order[other], order[place]
    return order


def _answer(subject: Subject, call: Call) -> Answer:
    _require_form()
    mode = call.params.text("mode", "L").upper()
    if mode not in MODES:
        raise UserError(f"mode is {mode[:20]!r}: it must be one of {', '.join(MODES)}")
    if mode == "L":
        window = _window(call)
        part = subject.page(call, window)
        return envelope(part.results, began=call.began, total=part.total, start=window.start)
    done = {"E": subject.save, "D": subject.delete, "MU": subject.move, "MD": subject.move}[mode]
    if done is None:
        raise UserError(f"{subject.label}: there is no mode {mode} for it{subject.cannot and ': '}{subject.cannot}")
    data = object_of(call.params.text("data"))
    if mode in ("MU", "MD"):
        assert subject.move is not None
        return envelope(subject.move(call, data, -1 if mode == "MU" else 1), began=call.began)
    return envelope([done(call, data)], began=call.began)  # type: ignore[call-arg, list-item]


def _require_form() -> None:
    """What cannot be read as a form would be a listing with mode L, and look as if it had been done."""
    if request.method != "POST" or not request.content_length:
        return
    if request.mimetype not in FORMS:
        what = request.mimetype or "of no kind"
    elif request.mimetype == FORMS[1] and not (request.form or request.files):
        raise UserError(f"the body is {FORMS[1]} that cannot be read: it is cut off, or its boundary is another one")
    elif any(name.lstrip()[:1] in ("{", "[") for name in request.form):
        what = "JSON"
    else:
        return
    raise UserError(f"the body is {what}: it must be a form, with the JSON object in the field data")


def _window(call: Call) -> Window:
    # On screen a tilde asked for the hidden ones; here they are listed always.
    query = call.params.text("query", "").strip().removeprefix("~").strip()
    limit = call.params.whole("items", MOST, most=MAX_ITEMS) or MOST
    return Window("" if query == ALL else query, call.params.whole("from", 0), min(limit, MOST))


MAX_ITEMS = (1 << 31) - 1
