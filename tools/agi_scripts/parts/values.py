"""Output attributes from the words of a script, or from channel variables."""

from tools.agi_scripts.parts.agi import Trouble, read_options
from tools.agi_scripts.parts.dialer import ask_dialer, settings
from tools.agi_scripts.parts.telling import call_of


def tell_values(channel, words, *, script, op):
    """NAME and a text, or names of variables; each is told by ``op``."""
    known = {"variable": [], "id": "", "url": "", "token": "", "timeout": ""}
    options, words = read_options(words, known)
    pairs = [(words[0], ",".join(words[1:]))] if len(words) >= 2 else []
    variables = options["variable"] + words[:1] if len(words) == 1 else options["variable"]
    if not pairs and not variables:
        raise Trouble(f"{script} needs NAME and VALUE, or NAME alone")
    for pair in variables:
        name, equals, variable = pair.partition("=")
        pairs.append((name, channel.variable(variable if equals else name)))
    dialer, call = settings(options), call_of(channel, options)
    for name, value in pairs:
        ask_dialer(dialer, op=op, wombatid=call, attr=name.strip(), val=value)
