#!/usr/bin/env python3
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

# Made by `python -m tools.agi_scripts` of tools/agi_scripts/programs/append.py and the parts named below:
# change those, and make it anew. A part is put into every program that needs it.

import configparser
import http.client
import os
import re
import select
import signal
import sys
import time
import urllib.parse

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


# ---- tools/agi_scripts/parts/dialer.py: The dialer over HTTP. -------------------------------------------------------


class Refused(Trouble):
    """The dialer said no: nothing was done."""


class Unreached(Trouble):
    """The dialer was not reached: nothing was done."""


class Unsure(Trouble):
    """The dialer was asked and did not answer: whether it was done is not known."""


def settings(options):
    """url, token and timeout of the dialer: from the options, the environment, the file wombat-agi.conf."""
    path = os.path.join(os.environ.get("AST_CONFIG_DIR", "/etc/asterisk"), "wombat-agi.conf")
    file = configparser.ConfigParser(interpolation=None)
    try:
        file.read(os.environ.get("WOMBAT_AGI_CONF", path), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Trouble(f"{path} cannot be read: {str(error).splitlines()[0]}") from None

    def one(name, default):
        given = options.get(name) or os.environ.get("WOMBAT_AGI_" + name.upper())
        return (given or file.get("dialer", name, fallback=default)).strip()

    found = {"url": one("url", "http://127.0.0.1:8080/wombat/api"), "token": options["token"].strip()}
    if not options["url"]:
        found["token"] = one("token", "")  # never told to whoever else is named by --url
    return dict(found, timeout=whole({"timeout": one("timeout", "5")}, "timeout"))


def ask_dialer(dialer, **fields):
    """One control call (``calls/``) of the compatible API; what it answers behind OK."""
    address = urllib.parse.urlsplit(dialer["url"])
    kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}.get(address.scheme)
    if kind is None or not address.hostname:
        raise Trouble("the address of the dialer is {!r}: it must begin with http:// or https://".format(dialer["url"]))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if dialer["token"]:
        headers["Authorization"] = "Bearer " + dialer["token"]
    form = urllib.parse.urlencode(fields, errors="replace")
    connection = kind(address.hostname, address.port, timeout=dialer["timeout"])

    def too_late(*_):
        raise OSError("no answer within " + str(dialer["timeout"]) + " s")

    signal.signal(signal.SIGALRM, too_late)  # the limit of a socket is for each byte, this one for all of it
    signal.setitimer(signal.ITIMER_REAL, dialer["timeout"])
    try:
        _connect(connection, address.netloc.rpartition("@")[2])
        connection.request("POST", address.path.rstrip("/") + "/calls/", body=form, headers=headers)
        answer = connection.getresponse()
        text = answer.read(65536).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise Unsure("the dialer was asked and did not answer (%s)" % (error or type(error).__name__)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.close()
    return _understood(answer.status, text)


def _connect(connection, where):
    try:
        connection.connect()
    except (OSError, UnicodeError) as error:
        raise Unreached(f"the dialer at {where} cannot be reached: {error}") from None


def _understood(status, text):
    """What stands behind OK."""
    if status == 200 and text.startswith("OK"):
        return text[2:].lstrip(":").strip()
    reason = text[6:].strip() if text.startswith("ERROR:") else f"status {status}"
    # "did not answer": the console asked the dialer, which may have done it all the same.
    if 400 <= status < 500 or (text.startswith("ERROR:") and status != 500 and "did not answer" not in text):
        hint = " (this address is not in api.open_to, and the token is missing or wrong)" if status == 401 else ""
        raise Refused(reason + hint)
    raise Unsure(reason)


# ---- tools/agi_scripts/parts/telling.py: Which call is told of. -----------------------------------------------------


def call_of(channel, options):
    """The WOMBATID: --id, the channel's own id, or (an agent's leg) the variable WOMBATID."""
    found = re.fullmatch(r"wbt-([0-9]{16})", channel.env.get("agi_uniqueid", ""))
    text = options["id"] or (found.group(1) if found else channel.variable("WOMBATID") if channel.env else "")
    if not re.fullmatch(r"[0-9]{1,16}", text.strip()):
        raise Trouble("not a call of the dialer: the channel has no WOMBATID")
    return str(int(text))


# ---- tools/agi_scripts/parts/values.py: Output attributes from the words of a script, or from channel variables. ----


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


# ---- tools/agi_scripts/programs/append.py ---------------------------------------------------------------------------


def main(channel, words):
    tell_values(channel, words, script="append", op="attrAppend")


if __name__ == "__main__":
    run(main)
