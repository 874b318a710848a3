"""How an HTTP errand is spelled: form, query, and a signature as Standard Webhooks has it (standardwebhooks.com).

``webhook-signature`` is ``v1,`` and the base64 of an HMAC-SHA256 over ``ID.TIMESTAMP.BODY``. The key is the secret's
text; of one written ``whsec_...`` it is what that base64 holds, as the libraries that verify have it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

FORM = "application/x-www-form-urlencoded"
_PREFIX = "whsec_"


def form(fields: Mapping[str, str]) -> bytes:
    """Form-encoded, UTF-8, in the order given."""
    return urlencode(list(fields.items()), errors="replace").encode("ascii")


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """The URL with the fields behind what its query has already."""
    if not fields:
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, form(fields).decode("ascii"))))
    return urlunsplit(parts._replace(query=query))


def headers(message_id: str, *, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
    """Who it is (the same at each resend), when it was sent (epoch seconds) and, with a secret, the proof."""
    named = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if secret:
        named["webhook-signature"] = signature(message_id, timestamp=timestamp, body=body, secret=secret)
    return named


def signature(message_id: str, *, timestamp: int, body: bytes, secret: str) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode("ascii")


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret[len(_PREFIX) :], validate=True)
        except binascii.Error:
            pass
    return secret.encode()
