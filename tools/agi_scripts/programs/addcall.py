"""Add a call to the live run of a campaign.

    exten => 100,n,AGI(addcall.py,callback,${CALLERID(num)},QUEUE=400)
    exten => 100,n,AGI(addcall.py,--in,600,--variable,NAME=CALLERID(name),callback,${WOMBAT_NUMBER})
    exten => 100,n,GotoIf($["${WOMBAT_AGI_RESULT}" != "OK"]?sorry)

usage: addcall.py [options] CAMPAIGN NUMBER [NAME=value ...]

    --in SECONDS       not before so many seconds from now
    --at MOMENT        not before YYYY-MM-DD HH:MM:SS, by the clock of the campaign
    --variable NAME    the input attribute NAME from the channel variable of that name; NAME=VARIABLE: from another one
    --url URL          the dialer's API (default: http://127.0.0.1:8080/wombat/api)
    --token TOKEN      if this address is not in the dialer's api.open_to
    --timeout SECONDS  how long the dialer may take (default 5)

By --variable any text arrives exactly; one with a comma cannot be given as NAME=value. url, token
and timeout are better kept in wombat-agi.conf beside manager.conf. WOMBAT_AGI_RESULT becomes OK, or
ERROR: and the reason; WOMBAT_ADDED the WOMBATID of the new call, which is then durable; the exit
status 0, or 1. If the dialer did not answer, the call may have been added: whoever asks again may
have somebody called twice. A person or cron may run it as well.
"""

from tools.agi_scripts.parts.agi import Trouble, read_options, run, whole
from tools.agi_scripts.parts.dialer import ask_dialer, settings


def main(channel, words):
    known = {"in": "", "at": "", "variable": [], "url": "", "token": "", "timeout": ""}
    options, words = read_options(words, known)
    if len(words) < 2:
        raise Trouble("addcall needs CAMPAIGN and NUMBER")
    if options["in"] and options["at"]:
        raise Trouble("--in and --at exclude each other")
    when = str(whole(options, "in")) if options["in"] else options["at"]
    attributes = attributes_of(channel, words[2:], options["variable"])
    fields = {"campaign": words[0].strip(), "number": words[1].strip(), "attrs": native(attributes), "schedule": when}
    answer = ask_dialer(settings(options), op="addcall", **fields)
    wombatid = answer.rpartition("WOMBATID:")[2].strip()
    if channel.env:
        channel.set("WOMBAT_ADDED", wombatid)
    else:
        print(wombatid)


def attributes_of(channel, words, variables):
    """(name, value) of those given as NAME=value and those read from the channel."""
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Trouble(f"{word!r} is not NAME=value; a text with commas is given by --variable")
        pairs.append((name.strip(), value))
    for word in variables:
        name, equals, variable = word.partition("=")
        pairs.append((name.strip(), channel.variable(variable if equals else name)))
    return pairs


def native(pairs):
    """Attributes as the API takes them: NAME:value,NAME:value."""
    escaped = [(name, value.replace("\\", "\\\\").replace(",", "\\,")) for name, value in pairs]
    return ",".join("{}:{}".format(*pair) for pair in escaped)


if __name__ == "__main__":
    run(main)
