"""Who hung up in a queue, by Asterisk's queue_log."""

import gzip
import os
import time
import zlib

from tools.agi_scripts.parts.agi import Trouble

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
