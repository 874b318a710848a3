"""What a request says: its query, its JSON, its headers, its file. What cannot be is refused by name, and bounded.

JSON is read by pydantic from the bytes: no nesting beyond some hundred levels, no NaN, nothing unknown.
"""

import hashlib
import re
import tempfile
from typing import Any, BinaryIO, cast

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from webui.api.problems import INVALID, FieldError, Refused, refused
from wombat_ari.model.errors import UserError

MAX_BODY = 4 << 20  #: bytes of JSON
IN_MEMORY = 1 << 20  #: bytes of a file that stay in memory
_PIECE = 1 << 16
_TAG = re.compile(r'"([0-9]{1,18})"')
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def query(model: type[BaseModel] | None) -> Any:
    """Each parameter once, but lists as often as there are values."""
    known = model.model_fields if model else {}
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        repeated = name in known and "list" in str(known[name].annotation)
        if len(given) > 1 and not repeated:
            wrong = FieldError(field=name, detail="it is given more than once")
            raise Refused(f"query parameter {name}: it is given more than once", code="bad-query", errors=[wrong])
        values[name] = given if repeated else given[0]
    if model is None:
        if values:
            name = next(iter(values))
            wrong = FieldError(field=name, detail="there is no such parameter")
            raise Refused(f"query parameter {name}: there is no such parameter", code="bad-query", errors=[wrong])
        return None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise refused(error, what="query parameter", code="bad-query") from None


def body(model: type[BaseModel] | None) -> Any:
    """None when the operation takes none; what is sent all the same is refused."""
    data = _bytes()
    if model is None:
        if data.strip():
            raise UserError("this takes no body", code="bad-json")
        return None
    if request.mimetype != "application/json":
        raise UserError(f"the body is {request.mimetype or 'of no kind'}: it must be application/json", code="not-json")
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        bad = any(each["type"] == "json_invalid" for each in error.errors(include_url=False, include_input=False))
        if bad:
            raise refused(error, what="body", code="bad-json") from None
        raise refused(error, what="field", code=INVALID) from None


def version(*, wanted: bool) -> int | None:
    """That ``If-Match`` names; ``*`` is any."""
    given = request.headers.get("If-Match")
    if given is not None and not wanted and request.method not in ("GET", "HEAD"):
        raise UserError("header If-Match: this has no versions", code="bad-header")
    if given is None or not wanted or given.strip() == "*":
        return None
    found = _TAG.fullmatch(given.strip())
    if found is None:
        raise UserError(
            f'header If-Match is {given[:40]!r}: it must be an ETag that was answered, as "7"', code="bad-header"
        )
    return int(found[1])


def repeat_key(*, wanted: bool) -> str:
    """``Idempotency-Key``, empty without one."""
    given = request.headers.get("Idempotency-Key", "").strip()
    if "Idempotency-Key" not in request.headers:
        return ""
    if not wanted:
        raise UserError("header Idempotency-Key: it is not taken here", code="bad-header")
    if not _KEY.fullmatch(given):
        raise UserError("header Idempotency-Key: it must have 1 to 200 visible ASCII characters", code="bad-header")
    return given


def spooled(kinds: tuple[str, ...]) -> tuple[BinaryIO, str]:
    """The body as a file at its beginning, and its SHA-256. Memory does not grow with it."""
    if request.mimetype not in kinds:
        raise UserError(
            f"the body is {request.mimetype or 'of no kind'}: it must be {' or '.join(kinds)}", code="not-json"
        )
    file = _new_file()
    digest = hashlib.sha256()
    while piece := request.stream.read(_PIECE):
        digest.update(piece)
        file.write(piece)
    file.seek(0)
    return file, digest.hexdigest()


def _new_file() -> BinaryIO:
    """It goes when nobody holds it any more."""
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY))


def _bytes() -> bytes:
    request.max_content_length = MAX_BODY
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise UserError(f"the body is larger than {MAX_BODY} bytes", code="too-large") from None
