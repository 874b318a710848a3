"""The checks that ``core/validate`` is made of: a text, a whole number, a URL ... Each refusal names what it is about.

Texts may go to AMI, so control characters are refused everywhere; only a long text may have line breaks.
"""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_URL = re.compile(r"https?://[^\s/]+\S*")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+")


def name(what: str, given: str) -> str:
    """Trimmed: 1 to 80 characters."""
    given = given.strip()
    text(what, given, maximum=80, needed=True)
    return given


def text(what: str, given: str, *, maximum: int, needed: bool = False, blanks: bool = True) -> None:
    if needed and not given:
        raise UserError(f"{what}: it must not be empty")
    if len(given) > maximum:
        raise UserError(f"{what}: it has {len(given)} characters, {maximum} are allowed")
    if _CONTROL.search(given):
        raise UserError(f"{what}: line breaks and other control characters are not allowed")
    if not blanks and re.search(r"\s", given):
        raise UserError(f"{what} {given!r}: blanks are not allowed")


def long_text(what: str, given: str, *, maximum: int) -> None:
    """With line breaks and tabs."""
    text(what, re.sub(r"[\r\n\t]", " ", given), maximum=maximum)


def secret(what: str, given: Secret) -> None:
    """Not shown in the refusal."""
    text(what, given.reveal(), maximum=1000)


def whole(what: str, given: int, least: int, most: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise UserError(f"{what} {given}: it must be a whole number from {least} to {most}")


def factor(what: str, given: float) -> None:
    if not 0 < given <= 100:
        raise UserError(f"{what} {given:g}: it must be above 0, up to 100")


def url(what: str, given: str, *, maximum: int) -> None:
    """Or empty."""
    text(what, given, maximum=maximum)
    if given and not _URL.fullmatch(given):
        raise UserError(f"{what} {given}: it must begin with http:// or https:// and hold no blanks")


def zone(given: str) -> str:
    """Trimmed; empty is allowed."""
    given = given.strip()
    if given:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UserError(f"time zone {given!r}: it must be an IANA name such as Europe/Rome, or empty") from None
    return given


def emails(given: str) -> str:
    """Several, spelled in one way; an empty text has none."""
    addresses = [address.strip() for address in given.split(",") if address.strip()]
    for address in addresses:
        if not _EMAIL.fullmatch(address):
            raise UserError(f"e-mail address {address!r}: it must be name@domain; several are separated by commas")
    joined = ", ".join(addresses)
    text("e-mail addresses", joined, maximum=1000)
    return joined
