"""One identity for each attempt: the WOMBATID. It is the primary key, the ActionID, the ChannelId and the log field.

A WOMBATID is a whole number in 1..2**53-1 (so that JSON clients hold it exactly). Towards Asterisk it is written with
16 digits behind a prefix, because Asterisk looks ids up by prefix in places: with a fixed length none is the prefix of
another. Our channel is ``wbt-...``; the other half of a Local channel is ``wbo-...``.

The first three digits are its series. Each database has one of its own, by chance: so two dialers with different
databases may work on one PBX and know their calls apart. ``asterisk_conf`` files its notes by these digits.
"""

MAX_WOMBATID = 2**53 - 1
CHANNEL_PREFIX = "wbt-"
OTHER_PREFIX = "wbo-"
_LENGTH = 4 + 16
SERIES = 10**13  #: how many ids a series has: milliseconds for 300 years
MAX_SERIES = MAX_WOMBATID // SERIES - 1


def channel_id(wombatid: int) -> str:
    """``42`` -> ``wbt-0000000000000042``, for ActionID and ChannelId."""
    return f"wbt-{wombatid:016d}"


def other_channel_id(wombatid: int) -> str:
    """``42`` -> ``wbo-0000000000000042``, for OtherChannelId (the ``;2`` half of a Local channel)."""
    return f"wbo-{wombatid:016d}"


def series_of(wombatid: int) -> int:
    """``1230000000000042`` -> 123: which database gave it out."""
    return wombatid // SERIES


def wombatid_of(unique_id: str) -> int | None:
    """The WOMBATID in a ``wbt-`` id, or None when the id is not one of ours (any other form, ``wbo-`` included)."""
    digits = unique_id[4:]
    if len(unique_id) != _LENGTH or not unique_id.startswith(CHANNEL_PREFIX) or not digits.isascii():
        return None
    wombatid = int(digits) if digits.isdecimal() else 0
    return wombatid if 1 <= wombatid <= MAX_WOMBATID else None
