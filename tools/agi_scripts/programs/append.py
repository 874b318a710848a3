"""Append to an output attribute of a call, as AGI(agi://dialer:4573/append?...) does, but over HTTP.

    exten => 100,n,AGI(append.py,NOTE,wants a call tomorrow)
    exten => 100,n,AGI(append.py,NOTE)
    exten => 100,n,AGI(append.py,--variable,CALLER=CALLERID(name),--variable,NOTE)

usage: append.py [options] NAME VALUE
       append.py [options] NAME              from the channel variable of that name

    --variable NAME    the same; may be repeated; NAME=VARIABLE: from another one (a function will do)
    --id WOMBATID      of which call (default: the channel's own, or its variable WOMBATID)
    --url URL          the dialer's API (default: http://127.0.0.1:8080/wombat/api)
    --token TOKEN      if this address is not in the dialer's api.open_to
    --timeout SECONDS  how long the dialer may take (default 5)

From a variable any text arrives exactly. As VALUE it comes through the dialplan, which takes quotes
and backslashes away and splits at commas (they are put back). url, token and timeout are better
kept in wombat-agi.conf beside manager.conf. WOMBAT_AGI_RESULT becomes OK, or ERROR: and the reason;
the exit status 0, or 1. A hang-up meanwhile harms nothing.
"""

from tools.agi_scripts.parts.agi import run
from tools.agi_scripts.parts.values import tell_values


def main(channel, words):
    tell_values(channel, words, script="append", op="attrAppend")


if __name__ == "__main__":
    run(main)
