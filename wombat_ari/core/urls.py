"""The password of a URL, ``https://user:password@host/``: shown to nobody, kept when what was shown comes back."""

import re
from collections.abc import Callable, Iterable

from wombat_ari.model.errors import UserError

MASK = "***"  #: what is shown of a password

#: scheme and user, the password, the rest; what is expanded later (``${num}``) does not matter
_URL = re.compile(r"(\s*[A-Za-z][A-Za-z0-9+.-]*://[^/?#:@]*:)([^/?#]+)(@.*)", re.DOTALL)


def with_password(url: str, change: Callable[[str], str]) -> str:
    """The URL with another password; as it is when it has none."""
    found = _URL.fullmatch(url) if "@" in url else None
    return url if found is None else found[1] + change(found[2]) + found[3]


def masked(url: str) -> str:
    return with_password(url, lambda _: MASK)


def unmasked(url: str, known: Iterable[str]) -> str:
    """What somebody sends who may have been shown it masked. ``known``: what the URLs were before."""
    if f":{MASK}@" not in url or masked(url) != url:
        return url
    for old in known:
        if masked(old) == url:
            return old
    raise UserError(f"URL {url}: its password is not shown, and this is not the URL that it belongs to: give it anew")
