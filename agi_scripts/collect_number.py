#!/usr/bin/env python3
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

# Made by `python -m tools.agi_scripts` of tools/agi_scripts/programs/collect_number.py and the parts named below:
# change those, and make it anew. A part is put into every program that needs it.

import os
import re
import select
import signal
import sys
import time

# ---- tools/agi_scripts/parts/agi.py: The channel that runs a script, by standard input and output. ------------------


class Trouble(Exception):
    """What the dialplan is told, behind ``ERROR: ``, in the channel variable WOMBAT_AGI_RESULT."""


class HungUp(Trouble):
    """The channel is gone: nothing can be played or read; variables can still be set."""


class Channel:
    """The channel that runs this script, by standard input and output. ``env`` is what Asterisk sent first."""

    def __init__(self):
        self.env = {}
        self.hung_up = False
        self._rest = b""

    def open(self):
        """Read what Asterisk sends first; False when it is not Asterisk that runs this (cron, a person)."""
        signal.signal(signal.SIGHUP, self._hang_up)  # Asterisk's word for a hang-up: the work is done, then the end
        if sys.stdin is None or os.isatty(0):
            return False
        try:
            line = self._line(5)
            while line:
                name, _, value = line.partition(":")
                self.env.setdefault(name, value[1:] if value.startswith(" ") else value)
                line = self._line(5)
        except (Trouble, OSError):
            pass
        return "agi_channel" in self.env

    def command(self, name, *arguments, seconds=10):
        """(result, value) of ``200 result=1 (value)``. HungUp: the channel is gone, or Asterisk has closed the pipe."""
        answer = self._asked(name, arguments, seconds)
        found = re.match(r"200 result=(\S*)(?: \((.*)\))?", answer, re.DOTALL)
        if found is None:
            raise Trouble(f"Asterisk answered {name} with {answer[:80]!r}")
        return found.group(1), found.group(2) or ""

    def _asked(self, name, arguments, seconds):
        """The line that Asterisk answers, or of a list of errors the first."""
        self._ask(name, arguments)
        answer = self._line(seconds)
        while answer == "HANGUP":
            self.hung_up = True
            answer = self._line(seconds)
        if re.match(r"\d\d\d-", answer):
            more = self._line(seconds)
            while not more.startswith(answer[:3] + " "):
                more = self._line(seconds)
        if answer.startswith("511"):
            self.hung_up = True
            raise HungUp("the channel was hung up")
        return answer

    def _ask(self, name, arguments):
        quoted = ['"' + str(each).replace("\\", "\\\\").replace('"', '\\"') + '"' for each in arguments]
        line = re.sub("[\r\n\0]", " ", " ".join([name, *quoted])).encode("utf-8", "replace")
        if len(line) > 2000:
            raise Trouble(f"{name} is {len(line)} bytes long, Asterisk takes 2000")
        self._write(line + b"\n")

    def variable(self, name):
        """A channel variable, or one of some functions, exactly."""
        # Asterisk evaluates it: what is more than a name could do anything.
        functions = r"(CALLERID|CONNECTEDLINE|REDIRECTING|CHANNEL|CDR)\([\w-]+\)"
        if not re.fullmatch(r"[A-Za-z_]\w*|" + functions, name, re.ASCII):
            raise Trouble(f"{name[:80]!r} is not the name of a channel variable")
        # Not through a function that would make one line of it: of "1) Ann: yes" it would be given "1". A value of
        # several lines is an answer of several lines; where it ends is told by the answer to the next question.
        lines = [self._asked("GET FULL VARIABLE", ["${" + name + "}"], 10)]
        mark = "end-" + os.urandom(8).hex()
        self._ask("GET FULL VARIABLE", [mark])
        line = self._line(10)
        while line != "200 result=1 (" + mark + ")":
            lines.append(line)
            line = self._line(10)
        found = re.fullmatch(r"200 result=1 \((.*)\)", "\n".join(lines), re.DOTALL)
        if found is None:
            raise Trouble(f"the variable {name[:80]} cannot be read")
        return found.group(1)

    def set(self, name, value):
        """Set a channel variable; a long value is cut, as a command has 2000 bytes at most."""
        self.command("SET VARIABLE", name, value.encode("utf-8", "replace")[:900].decode("utf-8", "ignore"))

    def _hang_up(self, *_):
        self.hung_up = True

    def _write(self, data):
        while data:
            try:
                data = data[os.write(1, data) :]
            except OSError:
                self.hung_up = True
                raise HungUp("Asterisk has closed the pipe") from None

    def _line(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            if not select.select([0], [], [], max(0, end - time.monotonic()))[0]:
                raise Trouble(f"Asterisk did not answer within {seconds} s")
            data = os.read(0, 65536)
            if not data or len(self._rest) > 1000000:
                self.hung_up = True
                raise HungUp("Asterisk has closed the pipe")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("utf-8", "replace")


def read_options(words, known):
    """The options (``--name value``; one whose default is False takes no value) before the other words, and these."""
    options, words = dict(known), list(words)
    while words and words[0].startswith("--"):
        name, equals, value = words.pop(0)[2:].partition("=")
        if name == "help":
            print(__doc__.strip())
            sys.exit(0)
        if not name:
            break
        if name not in options:
            raise Trouble(f"there is no option --{name}, see --help")
        if known[name] is False:
            value = True
        elif not equals:
            if not words:
                raise Trouble(f"--{name} needs a value")
            value = words.pop(0)
        options[name] = options[name] + [value] if isinstance(known[name], list) else value
    return options, words


def whole(options, name):
    """An option that is a whole number."""
    if not re.fullmatch(r"[0-9]{1,9}", str(options[name]).strip()):
        raise Trouble(f"--{name} is {options[name]!r}: it must be a whole number")
    return int(options[name])


def run(main):
    """Run ``main(channel, words)``, tell in the channel how it went, end with 0 or, after ``ERROR: ``, with 1."""
    if "--help" in sys.argv[1:2]:
        read_options(sys.argv[1:], {})
    channel = Channel()
    is_agi = channel.open()
    try:
        given = ",".join([channel.env.get("agi_request", ""), *sys.argv[1:]])
        if is_agi and len(given.encode("utf-8", "replace")) >= 2047:
            raise Trouble("Asterisk cuts what AGI() is given at 2047 bytes: give a long text by a variable")
        main(channel, sys.argv[1:])
        result = "OK"
    except Trouble as trouble:
        result = f"ERROR: {trouble}"
    except Exception as mistake:  # noqa: BLE001 - a traceback is of no use to a dialplan
        result = f"ERROR: {type(mistake).__name__}: {mistake}"
    if result != "OK":
        print(f"{os.path.basename(sys.argv[0])}: {result}", file=sys.stderr)
    try:
        if is_agi:
            channel.set("WOMBAT_AGI_RESULT", result)
            if result != "OK":
                channel.command("VERBOSE", f"{os.path.basename(sys.argv[0])}: {result}", 1)
    except Trouble:
        pass  # nobody is left to be told
    sys.exit(0 if result == "OK" else 1)


# ---- tools/agi_scripts/programs/collect_number.py -------------------------------------------------------------------


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
