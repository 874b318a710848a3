#!/usr/bin/env python3
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

# Made by `python -m tools.agi_scripts` of tools/agi_scripts/programs/recall_lost_calls.py and the parts named below:
# change those, and make it anew. A part is put into every program that needs it.

import configparser
import contextlib
import fcntl
import gzip
import http.client
import json
import os
import re
import select
import signal
import sys
import time
import urllib.parse
import zlib

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


# ---- tools/agi_scripts/parts/notes.py: Who was called when: a file that several jobs share. -------------------------


KEPT = 60 * 86400  #: seconds; older notes are forgotten


def is_due(call, note, now):
    """Not called since it was lost, and not today."""
    if note is None:
        return True
    return call["at"] > note["asked_at"] and time.localtime(note["asked_at"])[:3] != time.localtime(now)[:3]


@contextlib.contextmanager
def locked(path):
    """One at a time; another one is waited for, a minute at most."""
    try:
        file = open(path, "a")  # noqa: SIM115 - it is closed below
    except OSError as error:
        raise Trouble(f"{path} cannot be written: {error.strerror}") from None
    with file:
        end = time.monotonic() + 60
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > end:
                    raise Trouble("another run has not ended for a minute") from None
                time.sleep(0.1)
        yield


def read_notes(path):
    """number -> {"asked_at": epoch, ...}. What cannot be read is never taken for empty: all would be called again."""
    try:
        with open(path, encoding="utf-8") as file:
            notes = json.load(file)
        return {number: dict(note, asked_at=float(note["asked_at"])) for number, note in notes.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Trouble(f"{path} cannot be read ({error}): mend it, or move it away to begin anew") from None


class Recalls:
    """The notes, on disk before anything depends on them."""

    def __init__(self, path, notes, now):
        self._path = path
        self._notes = {number: note for number, note in notes.items() if note["asked_at"] > now - KEPT}

    def note(self, number, **about):
        self._notes[number] = dict(about, asked_at=time.time())
        self._save()

    def forget(self, number, before):
        """It was not called after all."""
        self._notes.pop(number)
        if before is not None:
            self._notes[number] = before
        self._save()

    def of(self, number):
        return self._notes.get(number)

    def _save(self):
        new = self._path + ".new"
        try:
            with open(new, "w", encoding="utf-8") as file:
                json.dump(self._notes, file, indent=1, sort_keys=True)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._path)
            folder = os.open(os.path.dirname(os.path.abspath(self._path)), os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError as error:
            raise Trouble(f"{self._path} cannot be written: {error.strerror}") from None


# ---- tools/agi_scripts/parts/queue_log.py: Who hung up in a queue, by Asterisk's queue_log. -------------------------


LOST = {"ABANDON"}
GIVEN_UP = {"EXITWITHTIMEOUT", "EXITEMPTY"}
ENDS = LOST | GIVEN_UP | {"COMPLETEAGENT", "COMPLETECALLER", "EXITWITHKEY", "BLINDTRANSFER", "ATTENDEDTRANSFER"}
LONGEST_WAIT = 6 * 3600  #: seconds; who entered a queue longer ago waits there no more


def read_log(path, since):
    """Its lines since then as lists of fields, in their order, with those of rotated files, each once.

    A rotation meanwhile is seen by the files being others afterwards: then all is read again. A line that was missed
    could be the answer to a call that is taken for lost.
    """
    for _ in range(10):
        before = log_files(path, since)
        if not os.path.exists(path):
            time.sleep(0.2)  # renamed just now, the new one is not made yet
            continue
        try:
            lines = dict.fromkeys(line for name, _, _ in before for line in lines_of(name, since))
        except FileNotFoundError:
            continue
        except (OSError, EOFError, zlib.error) as error:
            trouble = Trouble(f"{path} cannot be read: {error}")
            if log_files(path, since) != before:
                continue  # it was being compressed
            raise trouble from None
        if is_grown_only(before, log_files(path, since)):
            # Sorting keeps the order of lines of the same second.
            return sorted((line.split("|") for line in lines), key=lambda fields: int(fields[0]))
        time.sleep(0.2)
    raise Trouble(f"{path} is rotated again and again, or there is none")


def is_grown_only(before, after):
    """Whether the same files are there, none shorter: nothing was moved, compressed or cut meanwhile."""
    old, new = ({each[:2]: each[2] for each in files} for files in (before, after))
    return old.keys() == new.keys() and all(new[file] >= size for file, size in old.items())


def log_files(path, since):
    """(name, inode, size) of the log and of the rotated ones that may hold lines since then, the oldest first."""
    folder, name = os.path.split(path)
    found = []
    try:
        for entry in os.scandir(folder):
            if entry.name == name or entry.name.startswith((name + ".", name + "-")):
                about = entry.stat()
                if entry.is_file() and about.st_mtime >= since:
                    found.append((about.st_mtime, os.path.join(folder, entry.name), about.st_ino, about.st_size))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Trouble(f"{folder} cannot be read: {error.strerror}") from None
    return [each[1:] for each in sorted(found)]


def lines_of(path, since):
    """Whole lines since then: epoch|call|queue|agent|event|..."""
    opening = gzip.open if path.endswith(".gz") else open
    with opening(path, "rb") as file:
        for line in file:
            stamp = line.partition(b"|")[0]
            if line.endswith(b"\n") and stamp.isdigit() and int(stamp) >= since:
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                if text.count("|") >= 4:
                    yield text


def lost_calls(lines, rules, now):
    """Each number's last lost call, the oldest first; without numbers that were answered later or wait again."""
    caller, entered, answered, lost = {}, {}, {}, {}
    for at, call, queue, _, event, *data in lines:
        at = int(at)
        if event == "QUEUESTART":
            entered.clear()  # Asterisk started anew: nobody waits
        elif event == "ENTERQUEUE" and len(data) > 1:
            caller[call], entered[call] = data[1].strip(), at
        elif event == "CONNECT" and call in caller:
            answered[caller[call]] = at
            entered.pop(call, None)
        elif event in ENDS:
            entered.pop(call, None)
            if event in rules["lost"] and queue in rules["queues"] and may_be_called(call, caller.get(call, ""), rules):
                waited = int(data[2]) if len(data) > 2 and data[2].isdigit() else 0
                if waited >= rules["min_wait"]:
                    lost[caller[call]] = {"number": caller[call], "queue": queue, "at": at, "waited": waited}
    waiting = {caller[call] for call, at in entered.items() if at > now - LONGEST_WAIT}
    return sorted(
        (
            call
            for number, call in lost.items()
            if answered.get(number, 0) < call["at"]
            and number not in waiting
            and now - rules["look_back"] <= call["at"] <= now - rules["after"]
        ),
        key=lambda call: call["at"],
    )


def may_be_called(call, number, rules):
    """The dialer's own calls, whose ids begin with wbt-, have rules of their own in their campaign."""
    return not call.startswith("wbt-") and any(each.fullmatch(number) for each in rules["numbers"])


# ---- tools/agi_scripts/programs/recall_lost_calls.py ----------------------------------------------------------------


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
