"""Files that come with the software and are no modules: configuration for Asterisk, docs, the news."""

import sys
from pathlib import Path

import wombat_ari

ROOT = Path(wombat_ari.__file__).parent.parent  #: of a check-out


def shipped(name: str) -> Path:
    """Where ``name`` is: in the check-out, else where the installed package has put it. It may not be there."""
    here = ROOT / name
    return here if here.exists() else Path(sys.prefix) / "share" / "wombat-ari" / name
