"""Files that pages load: each has the digest of its content in its address, so browsers may keep it."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

KEPT = "public, max-age=31536000, immutable"


def add_to(app: Flask) -> None:
    """Whatever ``v`` a template gives: ``url_for("static", ...)`` gets the right one."""
    folder = Path(app.static_folder or "")

    @app.url_defaults
    def name_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "filename" in values:
            values["v"] = mark(folder / values["filename"])

    @app.after_request
    def keep(response: Response) -> Response:
        """Only what was asked for as it is now; after an upgrade an old address must not keep new content."""
        if request.endpoint == "static" and response.status_code in (200, 304):
            file = folder / (request.view_args or {})["filename"]
            if request.args.get("v") == mark(file):
                response.headers["Cache-Control"] = KEPT
        return response


def mark(file: Path) -> str:
    """Short digest of its content; empty when it is not there."""
    try:
        return _digest(file, file.stat().st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=64)
def _digest(file: Path, changed_at: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
