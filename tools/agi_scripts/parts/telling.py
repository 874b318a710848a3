"""Which call is told of."""

import re

from tools.agi_scripts.parts.agi import Trouble


def call_of(channel, options):
    """The WOMBATID: --id, the channel's own id, or (an agent's leg) the variable WOMBATID."""
    found = re.fullmatch(r"wbt-([0-9]{16})", channel.env.get("agi_uniqueid", ""))
    text = options["id"] or (found.group(1) if found else channel.variable("WOMBATID") if channel.env else "")
    if not re.fullmatch(r"[0-9]{1,16}", text.strip()):
        raise Trouble("not a call of the dialer: the channel has no WOMBATID")
    return str(int(text))
