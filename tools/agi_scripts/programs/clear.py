"""Clear output attributes of a call, as AGI(agi://dialer:4573/clear?NAME) does, but over HTTP.

    exten => 100,n,AGI(clear.py,NOTE,APPT)

usage: clear.py [options] NAME ...

    --id WOMBATID      of which call (default: the channel's own, or its variable WOMBATID)
    --url URL          the dialer's API (default: http://127.0.0.1:8080/wombat/api)
    --token TOKEN      if this address is not in the dialer's api.open_to
    --timeout SECONDS  how long the dialer may take (default 5)

url, token and timeout are better kept in wombat-agi.conf beside manager.conf. WOMBAT_AGI_RESULT
becomes OK, or ERROR: and the reason; the exit status 0, or 1.
"""

from tools.agi_scripts.parts.agi import Trouble, read_options, run
from tools.agi_scripts.parts.dialer import ask_dialer, settings
from tools.agi_scripts.parts.telling import call_of


def main(channel, words):
    options, words = read_options(words, {"id": "", "url": "", "token": "", "timeout": ""})
    names = [word.strip() for word in words]
    if not names or not all(names):
        raise Trouble("clear needs the name of an attribute")
    dialer, call = settings(options), call_of(channel, options)
    for name in names:
        ask_dialer(dialer, op="attrClear", wombatid=call, attr=name)


if __name__ == "__main__":
    run(main)
