"""What the shapes of all resources share. Moments are epoch seconds, lengths whole ms or s as their names say."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from webui.api.frame import MOST_ID

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Id = Annotated[int, Field(ge=1, le=MOST_ID)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Text = Annotated[str, Field(max_length=255)]
Attributes = dict[str, str]


class Body(BaseModel):
    """What is sent. Unknown fields are refused, and so is a text where a number is meant."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Query(BaseModel):
    """Parameters of the query. Unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Told(BaseModel):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True)


class PageQuery(Query):
    after: int = Field(0, ge=0, le=MOST_ID, description="items behind the one with this id, in the order of the answer")
    limit: int = Field(100, ge=1, le=1000, description="at most so many")


class NamedQuery(PageQuery):
    name: str = Field("", max_length=80, description="only those with this in their name, in any case")
    hidden: bool = Field(False, description="the hidden ones, too")


class Page(Told, Generic[T]):
    """Some items, and where to go on: ``next`` is the ``after`` of the next page, null on the last."""

    items: list[T]
    next: int | None = None


class Count(Told):
    """How many it was."""

    count: int


class Kept(Told):
    """Who made and changed it. ``version`` is also the ETag."""

    id: int
    created_at: float
    created_by: str
    changed_at: float
    changed_by: str
    version: int = Field(description="grows with each change; send it back as If-Match")


def page_of(model: type[Page[Any]], items: list[Any], *, limit: int, ident: str = "id") -> Page[Any]:
    """``items``: up to ``limit`` and one more, which says whether there is a next page."""
    shown = items[:limit]
    following = getattr(shown[-1], ident) if len(items) > limit else None
    return model(items=shown, next=following)


def fields_of(value: object, model: type[BaseModel], **others: Any) -> dict[str, Any]:
    """Those attributes of a value that the model has; ``others`` go first."""
    names = (name for name in model.model_fields if name not in others and hasattr(value, name))
    return {**{name: getattr(value, name) for name in names}, **others}


def told(model: type[M], value: object, **others: Any) -> M:
    """A value as this shape. What a field of the shape means is what the attribute of its name means."""
    return model.model_validate(fields_of(value, model, **others), strict=False, from_attributes=True)


def picked(model: type[M], picture: Mapping[str, Any], **others: Any) -> M:
    """The same of a dictionary."""
    known = {name: picture[name] for name in model.model_fields if name in picture and name not in others}
    return model(**known, **others)
