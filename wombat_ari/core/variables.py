"""Which channel variables may be sent with a call, and how a campaign's own are written: ``NAME:value,NAME:value``."""

import re
from functools import lru_cache

from wombat_ari.core.numbers import parse_pairs
from wombat_ari.model.errors import UserError

MAX_VARIABLES = 16  #: an action of AMI has 128 headers at most, and a record's attributes take up to 100

#: Names that are ours alone, with or without the underscores that make a variable inherited.
OURS = frozenset(
    {
        "WOMBATID",
        "WOMBAT_ID",
        "WOMBAT_HOPPER_ID",
        "WOMBAT_RETRY_NO",
        "WOMBAT_DIALING_NUMBER",
        "WOMBAT_DIALING_LIST",
        "WOMBAT_CAMPAIGN",
        "WOMBAT_AGENT_CLID",
        "WOMBAT_PRES",
    }
)

#: Ours in reverse dialling: what the shipped context reads, and what it sets.
OF_REVERSE = frozenset({"WOMBAT_DIAL", "WOMBAT_DIAL_TIMEOUT", "WOMBAT_DIAL_CLID", "WOMBAT_REVERSE", "WOMBAT_UP"})

#: Ours where ARI is used: the application.
OF_ARI = frozenset({"WOMBAT_STASIS"})

#: Ours where a value is long (``wire/ami_variables``).
OF_LONG = frozenset({"WOMBAT_INHERITED"})

#: What Asterisk takes as a variable's name; anything else might be a function, and would be run.
_VARIABLE_NAME = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]*")


@lru_cache(maxsize=1024)
def may_be_sent(name: str) -> bool:
    """It can neither pretend to be the WOMBATID nor be more than a name."""
    return _VARIABLE_NAME.fullmatch(name) is not None and name.lstrip("_") not in OURS | OF_REVERSE | OF_ARI | OF_LONG


@lru_cache(maxsize=256)
def variables_of(text: str) -> tuple[tuple[str, str], ...]:
    """Name and value, the value with its placeholders still in it. UserError names what cannot be sent."""
    variables = parse_pairs(text)
    if len(variables) > MAX_VARIABLES:
        raise UserError(f"{len(variables)} variables: {MAX_VARIABLES} are allowed, beside a record's attributes")
    for name in variables:
        if not may_be_sent(name):
            raise UserError(
                f"variable {name}: it is set by the dialer itself, or it is no name that Asterisk takes "
                "(letters, digits and _, up to two _ in front)"
            )
    return tuple(variables.items())
