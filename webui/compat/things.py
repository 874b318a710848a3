"""Configured things with an id and a name, all in the same way: listed, searched by name, made, changed, deleted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from webui.compat.edit import Part, Results, Subject, Window
from webui.compat.frame import Call
from webui.compat.values import Field, Object, fill, id_of, ident, marks_of, spell
from wombat_ari.app.service.caller import Caller
from wombat_ari.model.admin import EntityInfo

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Thing(Generic[T]):
    """``blank``: what a new one begins as; ``references``: what is answered beside the fields, for all at once."""

    path: str
    label: str
    id_name: str
    name: Callable[[T], str]
    fields: tuple[Field, ...]
    everything: Callable[[Caller, Any], list[T]]
    infos: Callable[[Caller, Any], Mapping[int, EntityInfo]]
    find: Callable[[Caller, Any, int], T]
    save: Callable[[Caller, Any, T], T]
    delete: Callable[[Caller, Any, int], T]
    blank: Callable[[Call, Object], T]
    read: Callable[[T, Object], T] = lambda value, data: value  #: what is not a plain field
    references: Callable[[Call, T], dict[str, Any]] = lambda call, value: {}

    def subject(self) -> Subject:
        return Subject(self.path, self.label, self._page, self._save, self._delete, cannot="it has no order")

    def objects(self, call: Call, values: Sequence[T]) -> Results:
        """As they are answered."""
        infos = self.infos(call.caller, call.db) if values else {}
        return [self.object(call, value, infos) for value in values]

    def object(self, call: Call, value: T, infos: Mapping[int, EntityInfo]) -> dict[str, Any]:
        key: int = value.id  # type: ignore[attr-defined]
        marks = marks_of(infos.get(key), call.zone)
        return {self.id_name: key, **spell(value, self.fields), **self.references(call, value), **marks}

    def _page(self, call: Call, window: Window) -> Part:
        found = [value for value in self.everything(call.caller, call.db) if window.matches(self.name(value))]
        return Part(self.objects(call, window.cut(found)), len(found))

    def _save(self, call: Call, data: Object) -> dict[str, Any]:
        key = ident(data, self.id_name)
        value = self.blank(call, data) if key is None else self.find(call.caller, call.db, key)
        wanted = self.read(fill(value, data, self.fields), data)
        return self.objects(call, [self.save(call.caller, call.db, wanted)])[0]

    def _delete(self, call: Call, data: Object) -> dict[str, Any]:
        """Answers it as it was."""
        key = id_of(data.get(self.id_name), self.id_name)
        old = self.objects(call, [self.find(call.caller, call.db, key)])[0]
        self.delete(call.caller, call.db, key)
        return old
