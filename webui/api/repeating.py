"""Requests with an ``Idempotency-Key``: the same one again is answered what the first was, and not done again.

What was refused was not done, and may be asked again with its key. When nobody knows whether it was done (the dialer
did not answer, something broke) that answer is kept: the key is used up, and a new one means doing it anew.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Response, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from webui.api.problems import answer_of
from wombat_ari.app.control import Unanswered
from wombat_ari.app.service import repeats
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.repeats import Repeat
from wombat_ari.model.errors import StoreError, UserError

_KEPT_HEADERS = ("Content-Type", "ETag", "Location")
REPEATED = "Idempotency-Replayed"  #: header of an answer that was given before


def once(
    caller: Caller, db: Any, key: str, *, body: BaseModel | None, digest: str, answer: Callable[[], Response],
    fail: Callable[[], Response],
) -> Response:  # fmt: skip
    """Do it, or answer what was answered. ``digest``: of a file that was sent; ``fail``: tells of a mistake of ours."""
    known = repeats.begin(caller, db, key, request_hash=_hash(body, digest))
    if known is not None:
        return _known(known, _hash(body, digest))
    try:
        made = answer()
    except (UserError, StoreError, HTTPException) as error:
        if not _unsure(error):
            with suppress(StoreError):
                repeats.forget(caller, db, key)
            raise
        made = answer_of(error)
    except Exception:  # noqa: BLE001 - fence: what broke half-way is not done again by a repeated request
        made = fail()
    headers = {name: made.headers[name] for name in _KEPT_HEADERS if name in made.headers}
    kept = json.dumps({"headers": headers, "body": made.get_data(as_text=True)}, ensure_ascii=False)
    with suppress(StoreError):  # it is done: who asked is told so, and a repeated request that nobody knows
        repeats.finish(caller, db, key, status=made.status_code, answer=kept)
    return made


def _known(known: Repeat, request_hash: str) -> Response:
    if known.request_hash != request_hash:
        raise UserError("this Idempotency-Key was used for another request", code="key-reused")
    if known.status == 0:
        raise UserError(
            "the first request with this Idempotency-Key is not answered: it is being done, or the process that did it"
            " has ended and whether it was done is not known",
            code="in-progress",
        )
    kept = json.loads(known.answer)
    return Response(kept["body"], status=known.status, headers={**kept["headers"], REPEATED: "true"})


def _hash(body: BaseModel | None, digest: str) -> str:
    """Of what is asked. Secrets are not in it (pydantic masks them): a short one could be guessed from its hash."""
    said = body.model_dump_json() if body is not None else digest
    text = "\n".join([request.method, request.path, request.query_string.decode("ascii", "replace"), said])
    return hashlib.sha256(text.encode()).hexdigest()


def _unsure(error: Exception) -> bool:
    """Whether it may have been done."""
    if isinstance(error, StoreError):
        return error.code not in ("store_duplicate", "store_data")
    return isinstance(error, Unanswered) or getattr(error, "code", "") in ("dialer-store", "dialer-failed")
