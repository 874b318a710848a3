"""The API as a page for people: from the same document, plain HTML, nothing from elsewhere and no script of its own."""

import json
import re
from typing import Any

from flask import render_template
from markupsafe import Markup, escape

from webui.api import openapi
from webui.api.frame import PREFIX


def rendered() -> str:
    document = openapi.document()
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            shown = {"method": method.upper(), "path": PREFIX + path, **operation}
            tags.setdefault(operation["tags"][0], []).append(shown)
    schemas = {name: json.dumps(schema, indent=2, ensure_ascii=False) for name, schema in _schemas(document)}
    return render_template(
        "api.html", info=document["info"], tags=tags, schemas=schemas, name_of=_name_of, marked=_marked
    )


def _schemas(document: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(document["components"]["schemas"].items())


def _name_of(content: dict[str, Any]) -> str:
    """Of the schema of a body; empty when it has no name."""
    first: dict[str, Any] = next(iter(content.values()), {})
    return str(first.get("schema", {}).get("$ref", "")).rpartition("/")[2]


def _marked(text: str) -> Markup:
    """What stands between back-ticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
