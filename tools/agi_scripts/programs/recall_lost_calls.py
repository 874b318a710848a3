"""Have the dialer call back who hung up waiting in a queue: each number once a day.

    */10 * * * *  asterisk  /var/lib/asterisk/agi-bin/recall_lost_calls.py callback 300 301
    exten => 100,n,AGI(recall_lost_calls.py,callback,300,301)

usage: recall_lost_calls.py [options] CAMPAIGN QUEUE ...

    --look-back HOURS  how old a lost call may be (default 8)
    --min-wait SECONDS who hung up sooner is not called (default 0)
    --after SECONDS    wait so long for the caller to try again (default 60)
    --timeouts         callers whom the queue gave up are lost as well (EXITWITHTIMEOUT, EXITEMPTY)
    --numbers REGEX    what a caller id must be, wholly; may be repeated (default 6 to 20 digits, a + may lead)
    --most COUNT       calls added in one run; the others wait for the next one (default 200)
    --queue-log FILE   (default: queue_log in Asterisk's log folder); rotated ones beside it, also .gz, are read
    --state FILE       who was called when (default: wombat-recall.json in Asterisk's spool folder)
    --dry-run          say who would be called, and do nothing
    --url URL          the dialer's API (default: http://127.0.0.1:8080/wombat/api)
    --token TOKEN      if this address is not in the dialer's api.open_to
    --timeout SECONDS  how long the dialer may take for a call (default 5)

Run by cron or by the dialplan, as often as you like, also twice at once. Not called: who was
answered later in any queue, who is waiting again, calls that the dialer itself placed. The
campaign's run must be live; best it idles on termination. The call has the attributes LOST_QUEUE,
LOST_AT and LOST_WAIT (seconds). All jobs should share one state file, so that nobody is called
twice by two of them. A number is marked before the dialer is asked: if the dialer does not answer
it is not asked again that day, and a message says so. The exit status is 0, or 1 if something went
wrong.
"""

import contextlib
import os
import re
import time

from tools.agi_scripts.parts.agi import Trouble, read_options, run, whole
from tools.agi_scripts.parts.dialer import Refused, Unreached, Unsure, ask_dialer, settings
from tools.agi_scripts.parts.notes import Recalls, is_due, locked, read_notes
from tools.agi_scripts.parts.queue_log import GIVEN_UP, LONGEST_WAIT, LOST, lost_calls, read_log


def main(channel, words):
    known = {
        "look-back": "8", "min-wait": "0", "after": "60", "timeouts": False, "numbers": [], "most": "200",
        "queue-log": "", "state": "", "dry-run": False, "url": "", "token": "", "timeout": "",
    }  # fmt: skip
    options, words = read_options(words, known)
    words = [word.strip() for word in words]
    if len(words) < 2 or not all(words):
        raise Trouble("recall_lost_calls needs CAMPAIGN and QUEUE")
    rules = rules_of(options, set(words[1:]))
    dialer = settings(options)
    log = os.path.abspath(
        options["queue-log"] or os.path.join(os.environ.get("AST_LOG_DIR", "/var/log/asterisk"), "queue_log")
    )
    spool = os.environ.get("AST_SPOOL_DIR", "/var/spool/asterisk")
    state = options["state"] or os.path.join(spool, "wombat-recall.json")
    os.umask(0o077)  # numbers of people are in it
    with locked(state + ".lock"):
        now = time.time()
        notes = read_notes(state)
        lost = lost_calls(read_log(log, now - rules["look_back"] - LONGEST_WAIT), rules, now)
        due = [call for call in lost if is_due(call, notes.get(call["number"]), now)]
        if options["dry-run"]:
            for call in due:
                say(channel, f"would call {call['number']}, lost in {call['queue']} at {moment(call['at'])}")
            return
        recall(channel, Recalls(state, notes, now), dialer, words[0], due[: rules["most"]])


def rules_of(options, queues):
    """The options, checked."""
    try:
        numbers = [re.compile(text) for text in options["numbers"] or [r"\+?[0-9]{6,20}"]]
    except re.error as error:
        raise Trouble(f"--numbers cannot be read: {error}") from None
    return {
        "queues": queues, "numbers": numbers, "lost": LOST | GIVEN_UP if options["timeouts"] else LOST,
        "look_back": whole(options, "look-back") * 3600, "min_wait": whole(options, "min-wait"),
        "after": whole(options, "after"), "most": whole(options, "most"),
    }  # fmt: skip


def recall(channel, recalls, dialer, campaign, due):
    """Ask the dialer for each. Trouble: some were not added; the others were."""
    failed = []
    for call in due:
        number, before = call["number"], recalls.of(call["number"])
        attributes = {"LOST_QUEUE": call["queue"], "LOST_AT": moment(call["at"]), "LOST_WAIT": call["waited"]}
        text = ",".join(f"{name}:{native(value)}" for name, value in attributes.items())
        recalls.note(number, lost_at=call["at"], queue=call["queue"], wombatid="unknown")
        try:
            answer = ask_dialer(dialer, op="addcall", campaign=campaign, number=number, attrs=text)
        except Unsure as trouble:
            failed.append(f"{number} may have been added and is not asked for again today: {trouble}")
            break  # the others would be as unsure: the next run asks for them
        except (Refused, Unreached) as trouble:
            recalls.forget(number, before)
            failed.append(f"{number}: {trouble}")
            if isinstance(trouble, Unreached):
                break
        else:
            wombatid = answer.rpartition("WOMBATID:")[2].strip()
            recalls.note(number, lost_at=call["at"], queue=call["queue"], wombatid=wombatid)
            say(channel, f"{number}, lost in {call['queue']} at {moment(call['at'])}, is call {wombatid}")
    if failed:
        raise Trouble("; ".join(failed[:5]) + (f"; and {len(failed) - 5} more" if len(failed) > 5 else ""))


def native(value):
    return str(value).replace("\\", "\\\\").replace(",", "\\,")


def moment(epoch):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch))


def say(channel, text):
    if not channel.env:
        print(text, flush=True)
    elif not channel.hung_up:
        with contextlib.suppress(Trouble):
            channel.command("VERBOSE", text, 1)


if __name__ == "__main__":
    run(main)
