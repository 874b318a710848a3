"""Errors of the JSON API: problem+json (RFC 9457), made here and nowhere else.

``type`` is ``urn:wombat-ari:problem:CODE`` and ``code`` the same stable word; ``detail`` is for people, names the thing
and says what to do; ``errors`` (for a body or a query that was refused) names each field.
"""

from typing import Any

from flask import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import HTTPException

from wombat_ari.app.service.logon import TooManyTries
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON, MISSING
from wombat_ari.model.errors import StoreError, UserError

MEDIA = "application/problem+json"
URN = "urn:wombat-ari:problem:"
CONFLICT = "conflict"  #: somebody else has changed it: If-Match names an older version
INVALID = "invalid"  #: the values cannot be
MISTAKE = "mistake"  #: ours
MOST_TOLD = 50  #: fields

_STATUS = {
    LOG_ON: 401, FORBIDDEN: 403, MISSING: 404, "no-call": 404, "ID_NOT_FOUND": 404, "name_taken": 409, "in_use": 409,
    "no-run": 409, "wrong-state": 409, "has-run": 409, "no-route": 409, "AGENT_NOT_AVAILABLE": 409,
    "AGENT_CANNOT_RESERVE": 409, "ID_FOUND_WRONG_STATE": 409, "in-progress": 409, CONFLICT: 412, "too-large": 413,
    "not-json": 415, "too-many-tries": 429, "too-many-jobs": 429, "bad-json": 400, "bad-header": 400,
    "bad-query": 400, "dialer-down": 503, "no-room": 503, "dialer-store": 503, "dialer-failed": 503, "not-ready": 503,
    "no-dialer-here": 409, MISTAKE: 500,
}  # fmt: skip
_TITLES = {
    400: "The request cannot be read", 401: "A log-on is needed", 403: "Not allowed", 404: "There is no such thing",
    405: "Not with this method", 409: "Not as things are now", 412: "It was changed meanwhile",
    413: "Too large", 415: "Not this kind of body", 422: "These values cannot be", 429: "Too many tries",
    500: "This went wrong", 503: "Not available now",
}  # fmt: skip
_HTTP = {400: "bad-request", 404: MISSING, 405: "method", 413: "too-large", 415: "not-json"}


class FieldError(BaseModel):
    """One field that was refused."""

    field: str = Field(description="path of the field, as rules.0.status")
    detail: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457). A refused request changed nothing, unless its detail says otherwise."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="urn:wombat-ari:problem: and the code")
    title: str
    status: int
    detail: str = Field(description="what is wrong and what to do, for people")
    code: str = Field(description="a stable word for programs")
    errors: list[FieldError] = Field(default=[], description="each field that was refused")


class Refused(UserError):
    """Fields that were refused, each with its reason."""

    def __init__(self, message: str, *, code: str, errors: list[FieldError]) -> None:
        super().__init__(message, code=code)
        self.errors = errors


def problem_of(error: Exception) -> Problem:
    """What is told of an error."""
    status, code, detail = _told(error)
    errors = error.errors if isinstance(error, Refused) else []
    title = _TITLES.get(status, "Refused")
    return Problem(type=URN + code, title=title, status=status, detail=detail, code=code, errors=errors)


def answer_of(error: Exception) -> Response:
    """The same as an answer, with the headers that belong to it."""
    found = problem_of(error)
    answer = Response(found.model_dump_json(), status=found.status, mimetype=MEDIA)
    if found.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Wombat ARI", charset="UTF-8"'
    if isinstance(error, TooManyTries):
        answer.headers["Retry-After"] = str(int(error.wait_s) + 1)
    if allowed := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def refused(error: ValidationError, *, what: str, code: str) -> Refused:
    """What pydantic found, in words; what was sent is not repeated, it may be a secret."""
    noun = what.split()[-1]
    all_of_them = error.errors(include_url=False, include_context=False, include_input=False)[:MOST_TOLD]
    found = [FieldError(field=".".join(map(str, each["loc"])), detail=_words(each, noun)) for each in all_of_them]
    first = found[0]
    text = f"{what} {first.field}: {first.detail}" if first.field else f"{what}: {first.detail}"
    return Refused(text if len(found) == 1 else f"{text} (and {len(found) - 1} more)", code=code, errors=found)


def _words(each: Any, noun: str) -> str:
    if each["type"] == "extra_forbidden":
        return f"there is no such {noun}"
    return str(each["msg"]).removeprefix("Value error, ")


def _told(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, HTTPException):
        status = error.code or 400
        return status, _HTTP.get(status, "bad-request"), error.description or error.name
    if isinstance(error, StoreError):
        # Two who take one name at the same moment; and values that no column holds: neither passes by waiting.
        code, status = {"store_duplicate": ("name_taken", 409), "store_data": (INVALID, 422)}.get(
            error.code, (error.code, 503)
        )
        return status, code, str(error)
    assert isinstance(error, UserError)
    code = INVALID if error.code == UserError.code else error.code
    return _STATUS.get(code, 422), code, str(error)
