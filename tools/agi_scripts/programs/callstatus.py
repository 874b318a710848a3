"""Tell the dialer the extended status of a call, as AGI(agi://dialer:4573/callstatus?V=1) does, but over HTTP.

    exten => 100,n,AGI(callstatus.py,1)
    exten => 100,n,GotoIf($["${WOMBAT_AGI_RESULT}" != "OK"]?not-told)

usage: callstatus.py [options] CODE

    --id WOMBATID      of which call (default: the channel's own, or its variable WOMBATID)
    --url URL          the dialer's API (default: http://127.0.0.1:8080/wombat/api)
    --token TOKEN      if this address is not in the dialer's api.open_to
    --timeout SECONDS  how long the dialer may take (default 5)

url, token and timeout are better kept in wombat-agi.conf beside manager.conf. The last status told
wins. WOMBAT_AGI_RESULT becomes OK, or ERROR: and the reason; the exit status 0, or 1. A hang-up
meanwhile harms nothing: it is told all the same.
"""

from tools.agi_scripts.parts.agi import Trouble, read_options, run
from tools.agi_scripts.parts.dialer import ask_dialer, settings
from tools.agi_scripts.parts.telling import call_of


def main(channel, words):
    options, words = read_options(words, {"id": "", "url": "", "token": "", "timeout": ""})
    if len(words) != 1:
        raise Trouble("callstatus needs one code, as callstatus.py,1")
    ask_dialer(settings(options), op="extstatus", wombatid=call_of(channel, options), status=words[0].strip())


if __name__ == "__main__":
    run(main)
