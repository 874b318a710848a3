"""The channel that runs a script, by standard input and output.

It is what Asterisk says and is told, the options, and how a script begins and ends.
"""

import os
import re
import select
import signal
import sys
import time


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
