"""Editors: a table (searched, sorted, by pages), one of its rows beside it, to be saved, added, cloned, deleted.

A module says what its things are in an ``Editor`` and adds its pages with ``editor.add_to(pages)``. What belongs to a
thing (a campaign's trunks, the records of a list) is shown below its form by a template of its own, ``belongs``.
Two people who edit the same thing: a form brings the version it was filled from, and the second save is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from flask import request, url_for
from markupsafe import Markup

from webui.console.forms import EntityForm
from webui.console.pages import STATUS, Answer, Pages, Visit
from wombat_ari.app.service import history
from wombat_ari.app.service.rights import MISSING, Right
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.errors import UserError

PAGE = 25  #: rows
HIDDEN = "~"  #: in a search: the hidden ones too
SHORT = 18  #: characters
CONFLICT = "conflict"  #: code of the refusal of a second save
VIEW = ("q", "sort", "page")  #: what an address says of a table


class Value(Protocol):
    """A model value with an id."""

    @property
    def id(self) -> int | None: ...


T = TypeVar("T", bound=Value)


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """``text`` of a row, escaped unless it is Markup; ``key``: what to sort by, else the text; ``number``: right."""

    title: str
    text: Callable[[T], object]
    key: Callable[[T], Any] | None = None
    number: bool = False

    def sort_key(self, row: T) -> Any:
        found = self.key(row) if self.key else self.text(row)
        return found.casefold() if isinstance(found, str) else found


@dataclass(frozen=True, slots=True)
class Table:
    """What is shown of a table: a page of its rows, and where its links lead. ``prefix``: of its words in the address;
    ``beside``: what else of the address stays."""

    columns: tuple[Column[Any], ...]
    rows: list[Any]
    found: int
    page: int
    pages: int
    sort: str
    query: str
    prefix: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)

    def link(self, endpoint: str, **values: Any) -> str:
        """The same search, order and page, elsewhere."""
        kept = {"q": self.query, "sort": self.sort, "page": self.page if self.page > 1 else None, **values}
        named = {f"{self.prefix}{name}" if name in VIEW else name: value for name, value in kept.items()}
        told = {**self.beside, **named}
        return url_for(endpoint, **{name: value for name, value in told.items() if value not in ("", None)})

    @property
    def searched_by(self) -> str:
        """The word of the address."""
        return f"{self.prefix}q"

    def order_of(self, place: int) -> str:
        """``ascending``, ``descending`` or empty, of the column at that place."""
        return {str(place): "ascending", f"-{place}": "descending"}.get(self.sort, "")

    def next_order(self, place: int) -> str:
        return f"-{place}" if self.sort == str(place) else str(place)


def table_of(
    columns: tuple[Column[Any], ...], rows: list[Any], *, size: int = PAGE, prefix: str = "",
    beside: Mapping[str, str] | None = None, selected: int | None = None,
) -> Table:  # fmt: skip
    """As the address says: ``sort`` (a column's place, ``-`` before it: the other way round) and ``page``. Where it
    says no page, that with the row that is ``selected``."""
    sort = request.args.get(f"{prefix}sort", "")
    place = sort.removeprefix("-")
    if place.isascii() and place.isdecimal() and int(place) < len(columns):
        rows = sorted(rows, key=columns[int(place)].sort_key, reverse=sort.startswith("-"))
    else:
        sort = ""
    pages = max(1, -(-len(rows) // size))
    wanted = request.args.get(f"{prefix}page", "")
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 9:
        page = min(pages, max(1, int(wanted)))
    else:
        page = next((place // size for place, row in enumerate(rows) if selected and row.id == selected), 0) + 1
    shown = rows[(page - 1) * size : page * size]
    query = request.args.get(f"{prefix}q", "")
    return Table(columns, shown, len(rows), page, pages, sort, query, prefix, beside or {})


@dataclass(frozen=True)
class Editor(Generic[T]):
    """A kind of thing. Its services take ``(caller, db, ...)``; ``save(visit, value, version=, clear=)`` stores one."""

    name: str  #: of its pages: endpoint, and address ``/name``
    label: str  #: what one is called: ``end point``
    title: str  #: what many are called, the page's heading: ``End points``
    form: type[EntityForm]
    columns: tuple[Column[T], ...]
    see: tuple[Right, ...]
    change: tuple[Right, ...]
    everything: Callable[..., list[T]]
    find: Callable[..., T]
    save: Callable[..., T]
    delete: Callable[..., T]
    blank: Callable[[Visit], T]
    infos: Callable[..., Mapping[int, EntityInfo]]
    label_of: Callable[[T], str] = lambda value: value.name  # type: ignore[attr-defined]
    text_of: Callable[[T], str] | None = None  #: what is searched, else what ``label_of`` says
    is_hidden: Callable[[T], bool] = lambda value: getattr(value, "hidden", False)
    prepare: Callable[[Visit, Any], None] = lambda visit, form: None  #: gives the form its choices
    cloned: Callable[[T], T] = lambda value: replace(value, id=None)  # type: ignore[type-var]
    clones: bool = True  #: whether a clone is a new form with the same fields
    belongs: str = ""  #: template with what belongs to a saved thing
    known: Callable[[Visit, T | None], Mapping[str, Any]] = lambda visit, value: {}  #: what the templates need besides
    template: str = "editor.html"
    advice: str = ""  #: said when there is none yet
    extra: Mapping[str, Any] = field(default_factory=dict)
    size: int = PAGE
    prefix: str = ""  #: of the table's words in the address, where a page has several tables
    keeps: tuple[str, ...] = VIEW  #: words of the address that stay whatever is done
    is_shown: Callable[[T], bool] = lambda row: True  #: whether a row is in the table, as the address says

    def add_to(self, pages: Pages) -> None:
        one = f"/{self.name}/<int:which>"
        pages.get(f"/{self.name}", *self.see, name=self.name)(self.show)
        pages.get(f"/{self.name}/new", *self.change, name=f"{self.name}_new")(self._new)
        pages.post(f"/{self.name}/new", *self.change, name=f"{self.name}_make")(self._make)
        pages.get(one, *self.see, name=f"{self.name}_one")(self._one)
        pages.post(one, *self.change, name=f"{self.name}_save")(self._save)
        pages.post(f"{one}/delete", *self.change, name=f"{self.name}_delete")(self._remove)
        pages.get(f"{one}/info", *self.see, name=f"{self.name}_info")(self._info)

    def show_one(self, visit: Visit, which: int, status: int = 200, **known: Any) -> Answer:
        """The table with this one selected."""
        value = self.find(visit.caller, visit.db, which)
        return self._page(visit, value, self._form(visit, value), status, **known)

    def rows(self, visit: Visit, query: str) -> list[T]:
        """What a search finds; ``~`` in it finds hidden ones too."""
        wanted, hidden = query.replace(HIDDEN, "").strip().casefold(), HIDDEN in query
        said = self.text_of or self.label_of
        every = (row for row in self.everything(visit.caller, visit.db) if hidden or not self.is_hidden(row))
        return [row for row in every if wanted in said(row).casefold()]

    def table(self, visit: Visit, selected: int | None = None) -> Table:
        """The page of it that is looked at."""
        rows = [row for row in self.rows(visit, request.args.get(f"{self.prefix}q", "")) if self.is_shown(row)]
        own = tuple(f"{self.prefix}{name}" for name in VIEW)
        beside = {name: text for name, text in self.kept().items() if name not in own}
        return table_of(
            self.columns, rows, size=self.size, prefix=self.prefix, beside=beside, selected=selected
        )  # fmt: skip

    def kept(self) -> dict[str, str]:
        """Search, order and page stay as they are."""
        return {name: request.args[name] for name in self.keeps if request.args.get(name)}

    def show(self, visit: Visit) -> Answer:
        """The table with nothing selected."""
        return self._page(visit, None, None)

    def _one(self, visit: Visit, which: int) -> Answer:
        return self.show_one(visit, which)

    def _new(self, visit: Visit) -> Answer:
        source = request.args.get("clone", "")
        value = self.blank(visit)
        if source.isascii() and source.isdecimal():
            value = self.cloned(self.find(visit.caller, visit.db, int(source)))
        return self._page(visit, None, self._form(visit, value))

    def _make(self, visit: Visit) -> Answer:
        return self._store(visit, None, self.blank(visit))

    def _save(self, visit: Visit, which: int) -> Answer:
        try:
            value = self.find(visit.caller, visit.db, which)
        except UserError as refusal:
            if refusal.code != MISSING:
                raise
            return self._gone(visit)
        return self._store(visit, value, value)

    def _gone(self, visit: Visit) -> Answer:
        """It was deleted while somebody filled in its form: that is shown as one of a new thing."""
        form = self.form(request.form)
        self.prepare(visit, form)
        form.form_errors.append(
            f"This {self.label} is not there any more, or not for you: nothing was saved."
            f" Save makes a new {self.label} of what is filled in."
        )
        return self._page(visit, None, form, STATUS[MISSING], version="")

    def _store(self, visit: Visit, old: T | None, base: T) -> Answer:
        form = self.form(request.form)
        self.prepare(visit, form)
        if not form.validate():
            return self._page(visit, old, form, 400)
        try:
            saved = self.save(visit, form.value(base), version=version_sent(), clear=form.cleared(request.form))
        except UserError as refusal:
            form.complain(refusal)
            known = self._compared(visit, old, form) if refusal.code == CONFLICT and old is not None else {}
            return self._page(visit, old, form, STATUS.get(refusal.code, 400), **known)
        visit.say(f"{self.label.capitalize()} {self.label_of(saved)} is saved.")
        return visit.go(f"{self.name}_one", which=saved.id, **self.kept())

    def _compared(self, visit: Visit, old: T, form: EntityForm) -> dict[str, Any]:
        """The form says what is stored by now where it differs. ``over``: the version that may be saved over."""
        form.differ(self._form(visit, old))
        now = self.infos(visit.caller, visit.db).get(old.id or 0)
        return {"over": now.version if now else ""}

    def _remove(self, visit: Visit, which: int) -> Answer:
        self.find(visit.caller, visit.db, which)
        try:
            gone = self.delete(visit.caller, visit.db, which)
        except UserError as refusal:
            visit.say(str(refusal), "bad")
            return visit.go(f"{self.name}_one", which=which, **self.kept())
        visit.say(f"{self.label.capitalize()} {self.label_of(gone)} is deleted.")
        return visit.go(self.name, **self.kept())

    def _info(self, visit: Visit, which: int) -> Answer:
        value = self.find(visit.caller, visit.db, which)
        changes = history.changes_of(visit.caller, visit.db, self.label, which)
        return self._page(visit, value, None, changes=changes)

    def _form(self, visit: Visit, value: T) -> EntityForm:
        form = self.form.of(value)
        self.prepare(visit, form)
        return form

    def _page(
        self, visit: Visit, value: T | None, form: EntityForm | None, status: int = 200, **known: Any
    ) -> tuple[str, int]:
        info = None if value is None else self.infos(visit.caller, visit.db).get(value.id or 0)
        sent = request.form.get("version", "") if request.method == "POST" else ""
        table = self.table(visit, None if value is None else value.id)
        told = {
            "hidden": 0 if table.rows or table.query else len(self.rows(visit, HIDDEN)),
            "version": sent or (info.version if info else ""), "has_hidden": "hidden" in self.form()._fields,
            **self.extra, **self.known(visit, value), **known,
        }  # fmt: skip
        return visit.page(
            self.template, status, editor=self, value=value, form=form, info=info, now=time.time(),
            table=table, may_change=visit.may(*self.change), **told,
        )  # fmt: skip


def version_sent() -> int | None:
    """Of the thing as it was when the form was shown; ``over``: that which somebody was shown, and saves over."""
    text = request.form.get("over") or request.form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def yes(flag: bool) -> str:
    return "yes" if flag else "no"


def short(text: str) -> str:
    """Where there is little room; the whole of it is said when one points at it."""
    if len(text) <= SHORT:
        return text
    return Markup('<span title="{}">{}…</span>').format(text, text[: SHORT - 1].rstrip())


def state(good: bool, on: str, off: str) -> Markup:
    """Green or red, with its word."""
    return Markup('<span class="badge {}">{}</span>').format("good" if good else "bad", on if good else off)
