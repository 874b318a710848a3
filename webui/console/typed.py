"""What somebody had filled in when a form could not be taken at all: shown, so that nothing typed is lost.

That is when the thing is gone, a right was taken away, or the session has ended, and there is no form to show again.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request
from werkzeug.exceptions import HTTPException

#: what forms carry besides what people fill in
_CARRIED = frozenset(
    {"csrf_token", "version", "was", "back", "key", "place", "run", "over", "delimiter", "id", "receiver", "username"}
)
_SECRET = frozenset({"old", "new", "again", "notify_secret"})
_MOST_OF_STRANGERS = 64 << 10  #: bytes


def typed(*, logged_on: bool) -> list[tuple[str, str]]:
    """Names and texts of the request's form; nothing of what pages of other sites send, and no secret."""
    if request.method != "POST" or request.mimetype == "multipart/form-data" or not _from_here():
        return []
    if not logged_on:
        request.max_content_length = _MOST_OF_STRANGERS
    try:
        sent = list(request.form.lists())
    except HTTPException:  # too long to be read
        return []
    return [
        (name.replace("_", " "), text) for name, texts in sent for text in texts if text.strip() and _is_shown(name)
    ]


def _is_shown(name: str) -> bool:
    return name not in _CARRIED | _SECRET and "password" not in name and not name.startswith("clear_")


def _from_here() -> bool:
    """Browsers say ``Sec-Fetch-Site`` by TLS and to this machine, ``Origin`` else."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.host
