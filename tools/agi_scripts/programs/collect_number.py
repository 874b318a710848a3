"""Ask the caller for a number: read its digits, say them back, have them confirmed with 1.

    exten => 400,n,AGI(collect_number.py,--min,7,--max,7)
    exten => 400,n,GotoIf($["${WOMBAT_NUMBER}" = ""]?goodbye)
    exten => 400,n,AGI(addcall.py,callback,${WOMBAT_NUMBER},QUEUE=400)

usage: collect_number.py [options]

    --variable NAME    channel variable for the confirmed number (default WOMBAT_NUMBER); empty without one
    --min DIGITS       least digits of a number (default 3)
    --max DIGITS       most digits (default 15); with so many it is complete without a #
    --tries COUNT      how often a number may be entered (default 3)
    --wait SECONDS     for the first digit, and for the confirmation (default 10)
    --between SECONDS  for each further digit (default 5)
    --offer NUMBER     first offer this one for confirmation, as the caller id; no number: nothing is offered
    --ask SOUND        asks for the number (default vm-enter-num-to-call)
    --said SOUND       before the digits that are said back (default you-entered)
    --confirm SOUND    after them (default if-correct-press&digits/1)
    --again SOUND      before a further try (default vm-pls-try-again)

The caller ends with # or by waiting, * begins the number anew. Several sounds are joined by &; a
sound that is missing is left out, an empty one as well. The defaults are among Asterisk's core
sounds; tts.py makes others (see its --make). The channel is answered if it was not.
WOMBAT_AGI_RESULT becomes OK, or ERROR: and the reason; the exit status 0, or 1.
"""

import re

from tools.agi_scripts.parts.agi import HungUp, Trouble, read_options, run, whole

KEYS = "0123456789*#"


def main(channel, words):
    options, words = read_options(words, {
        "variable": "WOMBAT_NUMBER", "min": "3", "max": "15", "tries": "3", "wait": "10", "between": "5", "offer": "",
        "ask": "vm-enter-num-to-call", "said": "you-entered", "confirm": "if-correct-press&digits/1",
        "again": "vm-pls-try-again",
    })  # fmt: skip
    if words:
        raise Trouble(f"collect_number takes options only, not {words[0]!r}")
    if not channel.env:
        raise Trouble("collect_number is run by Asterisk, see --help")
    limits = {name: whole(options, name) for name in ("min", "max", "tries", "wait", "between")}
    if not 1 <= limits["min"] <= limits["max"]:
        raise Trouble("--min must be 1 at least, and --max not less")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", options["variable"]):
        raise Trouble(f"--variable is {options['variable']!r}: it must be the name of a channel variable")
    channel.set(options["variable"], "")
    channel.set(options["variable"], conversation(channel, options, limits))


def conversation(channel, options, limits):
    """The number that the caller has confirmed."""
    if channel.command("CHANNEL STATUS")[0] != "6":
        playing(channel, "ANSWER")
    offered = re.sub(r"[^0-9]", "", options["offer"])
    if limits["min"] <= len(offered) <= limits["max"] and is_confirmed(channel, offered, options, limits):
        return offered
    for count in range(limits["tries"]):
        asking = "&".join(filter(None, [options["again"] if count else "", options["ask"]]))
        number = entered(channel, asking, limits)
        if len(number) >= limits["min"] and is_confirmed(channel, number, options, limits):
            return number
    raise Trouble(f"no number was confirmed in {limits['tries']} tries")


def entered(channel, asking, limits):
    """The digits up to a # or a pause; a digit ends what is being said."""
    digits = ""
    key = say(channel, asking) or wait(channel, limits["wait"])
    while key and key != "#":
        digits = "" if key == "*" else digits + key
        if len(digits) == limits["max"]:
            break
        key = wait(channel, limits["between"])
    return digits


def is_confirmed(channel, number, options, limits):
    key = say(channel, options["said"])
    key = key or key_of(playing(channel, "SAY DIGITS", number, KEYS))
    key = key or say(channel, options["confirm"])
    return (key or wait(channel, limits["wait"])) == "1"


def say(channel, sounds):
    """Play sounds; the key that was pressed meanwhile, or nothing."""
    for sound in filter(None, (each.strip() for each in sounds.split("&"))):
        key = key_of(playing(channel, "STREAM FILE", sound, KEYS))
        if key:
            return key
    return ""


def wait(channel, seconds):
    """The next key, or nothing."""
    return key_of(playing(channel, "WAIT FOR DIGIT", seconds * 1000))


def playing(channel, name, *arguments):
    """The result of a command that lasts; -1 is a hang-up."""
    result, _ = channel.command(name, *arguments, seconds=600)
    if channel.hung_up or result == "-1":
        raise HungUp("the caller hung up")
    return result


def key_of(result):
    return chr(int(result)) if result.isdigit() and result != "0" else ""


if __name__ == "__main__":
    run(main)
