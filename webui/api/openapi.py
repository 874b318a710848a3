"""The OpenAPI 3.1 document, made from the routes and their models."""

import json
import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from webui.api.frame import MOST_ID, PREFIX, Route
from webui.api.problems import MEDIA, Problem
from wombat_ari import __version__

Object = dict[str, Any]
_REF = "#/components/schemas/{model}"
_REFUSALS = {
    400: "The request cannot be read", 401: "A log-on is needed", 403: "Not allowed",
    404: "There is no such thing, or none that you may see", 409: "Not as things are now, or the name is taken",
    412: "It was changed meanwhile: If-Match names an older version", 413: "Too large", 415: "Not this kind of body",
    422: "These values cannot be", 429: "Too many failed log-ons, or too much at once",
    503: "The database or the dialer is not available",
}  # fmt: skip
ABOUT = """\
Wombat ARI, an outbound dialer for Asterisk. Log on by HTTP Basic or with a bearer token. Moments are epoch seconds.
Lists come in pages: send `next` back as `after`. A PUT or PATCH with `If-Match` is refused (412) when somebody else
changed the thing in between. A POST with an `Idempotency-Key` is done once: the same request again within 24 hours is
answered what the first one was. Errors are problem+json with a stable `code`."""


@cache
def document() -> Object:
    from webui.api import ROUTES

    names, schemas = _schemas(ROUTES)
    paths: dict[str, Object] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wombat ARI", "version": f"1 ({__version__})", "description": ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{"basic": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


@cache
def document_text() -> str:
    return json.dumps(document(), ensure_ascii=False)


def _schemas(routes: tuple[Route, ...]) -> tuple[dict[Any, str], Object]:
    """Where each model is, and all of them."""
    wanted: dict[tuple[type[BaseModel], Any], None] = {(Problem, "serialization"): None}
    for route in routes:
        if route.answers:
            wanted[route.answers, "serialization"] = None
        if route.body:
            wanted[route.body, "validation"] = None
    found, made = models_json_schema(list(wanted), ref_template=_REF)
    return {key: schema["$ref"] for key, schema in found.items()}, made["$defs"]


def _operation(route: Route, names: dict[Any, str]) -> Object:
    summary, _, rest = (route.handler.__doc__ or "").strip().partition("\n\n")
    keys = sorted({key for right in route.rights for key in right.keys})
    scopes = sorted({str(right.scope) for right in route.rights})
    needs = f"Needs the key {' or '.join(keys)}; of a token the scope {' or '.join(scopes)}."
    made: Object = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary,
        "description": " ".join([*rest.split(), needs]),
        "responses": _responses(route, names),
    }
    if parameters := [*_path(route), *_query(route), *_headers(route)]:
        made["parameters"] = parameters
    if route.body:
        schema = {"$ref": names[route.body, "validation"]}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if route.file:
        made["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": {"type": "string"}} for kind in route.file},
        }
    return made


def _responses(route: Route, names: dict[Any, str]) -> Object:
    told: Object = {"description": "Done"}
    if route.answers:
        told["content"] = {"application/json": {"schema": {"$ref": names[route.answers, "serialization"]}}}
    elif route.status != 204:
        kinds = {"application/json": {"type": "object"}}
        told["content"] = {kind: {"schema": kinds.get(kind, {"type": "string"})} for kind in route.media}
    if route.answers and "version" in route.answers.model_fields and "created_by" in route.answers.model_fields:
        told["headers"] = {"ETag": {"description": "its version", "schema": {"type": "string"}}}
    made: Object = {str(route.status): told}
    for status, text in route.also.items():
        made[str(status)] = {**told, "description": text}
    schema = {"$ref": names[Problem, "serialization"]}
    for status in _refusals(route):
        made[str(status)] = {"description": _REFUSALS[status], "content": {MEDIA: {"schema": schema}}}
    made["default"] = {"description": "Refused, or a mistake of ours", "content": {MEDIA: {"schema": schema}}}
    return made


def _refusals(route: Route) -> list[int]:
    changes = route.method != "GET"
    sends = bool(route.body or route.file)
    when = {
        400: True, 401: True, 403: True, 404: "{" in route.path or changes, 409: changes, 412: route.versioned,
        413: sends, 415: sends, 422: True, 429: True, 503: True,
    }  # fmt: skip
    return [status for status, wanted in when.items() if wanted]


def _path(route: Route) -> list[Object]:
    whole = {"type": "integer", "minimum": 1, "maximum": MOST_ID}
    text = {"type": "string", "minLength": 32, "maxLength": 32, "pattern": "^[0-9a-f]{32}$"}
    return [
        {"name": name, "in": "path", "required": True, "schema": text if name == "import_id" else whole}
        for name in re.findall(r"{(\w+)}", route.path)
    ]


def _query(route: Route) -> list[Object]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema()
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _without_title(part)}
        | ({"description": part["description"]} if "description" in part else {})
        for name, part in schema["properties"].items()
    ]


def _without_title(part: Object) -> Object:
    """In a query there is no null."""
    made = {name: value for name, value in part.items() if name not in ("title", "description")}
    if "anyOf" in made:
        made.update(next(kind for kind in made.pop("anyOf") if kind["type"] != "null"))
        made.pop("default", None)
    return made


def _headers(route: Route) -> list[Object]:
    made = []
    if route.versioned:
        text = "ETag of what was read: refused when it is another now"
        made.append({"name": "If-Match", "in": "header", "description": text,
                     "schema": {"type": "string", "pattern": r'^("[0-9]{1,18}"|\*)$'}})  # fmt: skip
    if route.acts:
        text = "the same request with the same key is done once in 24 hours"
        made.append({"name": "Idempotency-Key", "in": "header", "description": text,
                     "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"}})  # fmt: skip
    return made
