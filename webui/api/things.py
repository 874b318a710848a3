"""What is configured, as resources: listed, made, read, replaced (PUT), changed in part (PATCH), deleted.

PUT sets every field: one that is absent gets its default, but a secret that is absent stays. PATCH sets the fields that
are sent. Both take If-Match; without it a PATCH that meets another change in between is made again upon that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, Field, SecretStr, create_model

from webui.api.frame import Answer, Call, Reply, Route
from webui.api.problems import CONFLICT
from webui.api.shapes import Body, Kept, NamedQuery, Page, page_of, told
from wombat_ari.app.service.rights import Right, missing
from wombat_ari.model.admin import EntityInfo
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import NO_SECRET, Secret

_TRIES = 3


class Value(Protocol):
    """A model value with an id."""

    @property
    def id(self) -> int | None: ...


T = TypeVar("T", bound=Value)


@dataclass(frozen=True)
class Thing(Generic[T]):
    """A kind. ``save(call, value, version=, clear=)`` stores one and answers it; ``clear`` names emptied secrets."""

    path: str  #: ``/servers``
    label: str
    tag: str
    sent: type[Body]
    told: type[Kept]
    see: tuple[Right, ...]
    change: tuple[Right, ...]
    everything: Callable[..., list[T]]
    infos: Callable[..., Mapping[int, EntityInfo]]
    find: Callable[..., T]
    save: Callable[..., T]
    delete: Callable[..., T]
    blank: Callable[..., T]  #: of the sent model, a value that has all its fields
    name: Callable[[T], str] = lambda value: value.name  # type: ignore[attr-defined]
    hidden: Callable[[T], bool] = lambda value: getattr(value, "hidden", False)
    secrets: tuple[str, ...] = ()

    @property
    def id_name(self) -> str:
        return self.label.replace(" ", "_") + "_id"

    @property
    def one(self) -> str:
        """With its article."""
        article = {"o": "", "e": "an "}.get(self.label[0], "a ")  # opening hours, an end point, a list
        return f"{article}{self.label}"

    @property
    def many(self) -> str:
        if self.label.endswith("hours"):
            return self.label
        return f"{self.label}es" if self.label.endswith("s") else f"{self.label}s"

    def tell(self, value: T, info: EntityInfo) -> Any:
        marks = {name: getattr(info, name) for name in Kept.model_fields}
        known = {f"{name}_set": bool(getattr(value, name)) for name in self.secrets}
        return told(self.told, value, **marks, **known)

    def routes(self) -> tuple[Route, ...]:
        one, page = f"{self.path}/{{{self.id_name}}}", Page[self.told]  # type: ignore[name-defined]
        changes: dict[str, Any] = {"rights": self.change, "tag": self.tag, "versioned": True}
        return (
            Route("GET", self.path, self._list(page), self.see, self.tag, page, query=NamedQuery),
            Route("POST", self.path, self._make(), self.change, self.tag, self.told, 201, self.sent, acts=True),
            Route("GET", one, self._get(), self.see, self.tag, self.told),
            Route("PUT", one, self._put(), answers=self.told, body=self.sent, **changes),
            Route("PATCH", one, self._patch(), answers=self.told, body=partial(self.sent), **changes),
            Route("DELETE", one, self._delete(), status=204, **changes),
        )

    def _list(self, page: type[Page[Any]]) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            infos, wanted = self.infos(call.caller, call.db), call.query.name.casefold()
            every, hidden = self.everything(call.caller, call.db), call.query.hidden
            shown = (value for value in every if hidden or not self.hidden(value))
            found = [value for value in shown if wanted in self.name(value).casefold()]
            after = sorted((value for value in found if (value.id or 0) > call.query.after), key=lambda v: v.id or 0)
            items = [self.tell(v, infos[v.id or 0]) for v in after[: call.query.limit + 1] if v.id in infos]
            return page_of(page, items, limit=call.query.limit)

        return documented(handle, f"List {self.many}, in the order of their ids.")

    def _make(self) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            value, clear = changed(self.blank(call.body), call.body, secrets=self.secrets)
            saved = self.save(call, value, version=None, clear=clear)
            reply = self._reply(call, saved)
            return Reply(reply.value, reply.version, location=f"{self.path}/{saved.id}")

        return documented(handle, f"Make {self.one}.")

    def _get(self) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            infos = self.infos(call.caller, call.db)
            value = self.find(call.caller, call.db, call.ids[self.id_name])
            return self._reply(call, value, infos)

        return documented(handle, f"Read {self.one}. The version is the ETag.")

    def _put(self) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            return self._save(call, lambda old: changed(old, call.body, secrets=self.secrets))

        return documented(handle, f"Replace {self.one}.\n\nA field that is absent gets its default, a secret stays.")

    def _patch(self) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            names = call.body.model_fields_set
            return self._save(call, lambda old: changed(old, call.body, secrets=self.secrets, names=names))

        return documented(handle, f"Change some fields of {self.one}.\n\nArrays and objects are replaced as wholes.")

    def _delete(self) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            which = call.ids[self.id_name]
            self.delete(call.caller, call.db, which, version=call.version)
            return Reply(None)

        return documented(handle, f"Delete {self.one}.\n\nRefused (409) while something refers to it.")

    def _save(self, call: Call, change: Callable[[T], tuple[T, tuple[str, ...]]]) -> Reply:
        which = call.ids[self.id_name]
        for tries in range(_TRIES):
            infos = self.infos(call.caller, call.db)
            old = self.find(call.caller, call.db, which)
            value, clear = change(old)
            read = infos[which].version if which in infos else None
            try:
                saved = self.save(call, value, version=call.version or read, clear=clear)
            except UserError as refusal:
                if refusal.code == CONFLICT and call.version is None and tries < _TRIES - 1:
                    continue
                raise
            return self._reply(call, saved)
        raise AssertionError  # the last try answers or raises

    def _reply(self, call: Call, value: T, infos: Mapping[int, EntityInfo] | None = None) -> Reply:
        info = (infos if infos is not None else self.infos(call.caller, call.db)).get(value.id or 0)
        if info is None:
            raise missing(self.label, value.id)
        return Reply(self.tell(value, info), info.version)


def documented(handle: Callable[[Call], Answer], text: str) -> Callable[[Call], Answer]:
    handle.__doc__ = text
    return handle


def changed(
    value: T, body: BaseModel, *, secrets: tuple[str, ...], names: set[str] | None = None
) -> tuple[T, tuple[str, ...]]:
    """The value with the fields of ``body`` (``names``: only those), and which secrets are to be emptied."""
    given = {name: getattr(body, name) for name in type(body).model_fields if names is None or name in names}
    kept = {name: _secret(given.pop(name, None)) for name in secrets}
    clear = tuple(name for name in secrets if _is_empty(getattr(body, name, None)))
    plain = {name: _plain(new) for name, new in given.items()}
    return replace(value, **plain, **kept), clear  # type: ignore[type-var]


def partial(model: type[Body]) -> type[Body]:
    """The same with no field needed and no defaults: for PATCH."""

    def without_default(schema: dict[str, Any]) -> None:
        schema.pop("default", None)

    parts: dict[str, Any] = {
        name: (_annotated(info), Field(default=None, json_schema_extra=without_default))
        for name, info in model.model_fields.items()
    }
    made = create_model(f"{model.__name__}Change", __base__=Body, **parts)
    made.__doc__ = f"Some fields of {model.__name__}."
    return made


def _annotated(info: Any) -> Any:
    extra = [*info.metadata, Field(description=info.description)] if info.description else info.metadata
    return Annotated[info.annotation, *extra] if extra else info.annotation


def _plain(new: Any) -> Any:
    """As the model's value has it: tuples, and the words of shapes."""
    if isinstance(new, list):
        return tuple(map(_plain, new))
    return new.word() if isinstance(new, BaseModel) else new  # type: ignore[attr-defined]


def _secret(given: SecretStr | None) -> Secret:
    return NO_SECRET if given is None else Secret(given.get_secret_value())


def _is_empty(given: SecretStr | None) -> bool:
    return given is not None and not given.get_secret_value()
