"""How a number behaves, and the life of one fake call. Every word on the wire was said by a real Asterisk (``data/``).

Numbers are ``555BRRTT`` and any further digits: RR is the ring time, TT the talk time, in tenths of a second.
 1 answers after RR, the callee hangs up after TT (00: never)    5 after RR congestion (cause 34)
 2 rings RR, then busy (17)                                      6 after RR rejected (21)
 3 rings for ever                                                7 first attempt busy, then as 1
 4 after RR unallocated number (1)                               8 first attempt rings out, then as 1
Any other number: no channel can be made. End points are extensions: 100 tells a status and an attribute and hangs up,
101 waits, 102 hangs up at once, 103 tells a status and waits, 9XX hangs up after XX tenths of a second. The name of a
queue leads to it.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parent / "data"
_NUMBER = re.compile(r"555(\d)(\d\d)(\d\d)\d*")
_CAUSES = {2: 17, 4: 1, 5: 34, 6: 21}
CAUSE_TEXTS = {0: "Unknown", 1: "Unallocated (unassigned) number", 16: "Normal Clearing", 17: "User busy"}


@cache
def part(name: str) -> tuple[str, ...]:
    """The messages of one part of a call's life, in the recorded order."""
    return tuple(block + "\n\n" for block in (_DATA / f"{name}.txt").read_text().strip("\n").split("\n\n"))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the network does with a number. ``cause`` 0: it is answered."""

    ring_s: float
    talk_s: float  #: 0: the callee never hangs up
    cause: int
    answers: bool

    @classmethod
    def of(cls, number: str, attempt: int) -> "Behaviour | None":
        """None: no channel can be made. ``attempt`` is 0 for the first try."""
        match = _NUMBER.fullmatch(number)
        if match is None or match[1] in "09":
            return None
        kind = {7: 2 if attempt == 0 else 1, 8: 3 if attempt == 0 else 1}.get(int(match[1]), int(match[1]))
        return cls(int(match[2]) / 10, int(match[3]) / 10, _CAUSES.get(kind, 0), kind == 1)


class FakeCall:
    """One call in the fake PBX."""

    def __init__(self, pbx: Any, headers: dict[str, str], variables: dict[str, str]) -> None:
        self.pbx = pbx
        self.unique_id = headers["channelid"]
        self.variables = variables
        self.number = re.sub(r"^[^/]*/|@.*$", "", headers["channel"])
        self.channel = f"Local/{self.number}@simulated-network-{pbx.next_serial():08x};1"
        self.up = False
        self.bridged = False  #: with a callee: reverse calls only
        self.began = pbx.clock.seconds()
        self.answered_at = 0.0
        self._extension = headers["exten"]
        self._timeout = int(headers["timeout"]) / 1000
        self._timers: list[Any] = []
        self._words = {
            "OURS": self.unique_id,
            "OTHER": headers.get("otherchannelid", ""),
            "NUMBER": self.number,
            "SERIAL": self.channel[-10:-2],
            "DIALSTRING": headers["channel"],
            "CONTEXT": headers["context"],
            "EXTEN": self._extension,
        }

    def begin(self) -> None:
        does = Behaviour.of(self.number, int(self.variables.get("WOMBAT_RETRY_NO") or 0))
        if does is None:
            self._play("no_channel")
            return
        self.pbx.took(self)
        self._play("made")
        rings = not does.answers and not does.cause
        if does.ring_s or rings:
            self._play("ringing")
        if rings or does.ring_s >= self._timeout:
            self._later(self._timeout, self._ring_out)
        else:
            self._later(does.ring_s, self._network, does)

    def hang_up(self, cause: int) -> None:
        """As the AMI action does."""
        self._end("hung_up_talking" if self.up else "hung_up_ringing", cause)

    def leave_end_point(self) -> None:
        """Who talks at the end point hangs up."""
        self._end("end_point_hangs", 16)

    def note(self, cause: int) -> str:
        """What the hang-up handler leaves."""
        now = self.pbx.clock.seconds()
        talk_ms = round((now - self.answered_at) * 1000) if self.up else 0
        return f"{cause}||{int(self.up)}|{talk_ms}|{int(now)}"

    def die(self) -> None:
        """Without a word: the PBX is killed."""
        self._cancel()

    def _network(self, does: Behaviour) -> None:
        if not does.answers:
            self._end(f"failed_{does.cause}", does.cause)
            return
        self.up = True
        self.answered_at = self.pbx.clock.seconds()
        self._play("answered")
        if does.talk_s:
            self._later(does.talk_s, self._end, "callee_hangs", 16)
        self._end_point(self._extension)

    def _end_point(self, extension: str) -> None:
        status = {"100": "1", "103": "2"}.get(extension)
        if status:
            self.user_event("CALLSTATUS", f"Uniqueid: {self.unique_id}", f"V: {status}")
        if extension == "100":
            self.user_event("ATTRIBUTE", f"Uniqueid: {self.unique_id}", "HEARD: yes")
        if extension in self.pbx.queues:
            queue = self.pbx.queues[extension]
            self._later(queue.ivr_s, queue.join, self.unique_id)
        elif re.fullmatch(r"9\d\d|100|102", extension):
            self._later(int(extension[1:]) / 10 if extension[0] == "9" else 0, self._end, "end_point_hangs", 16)

    def user_event(self, name: str, *lines: str) -> None:
        self._play("user_event", USER="\n".join([f"UserEvent: {name}", *lines]))

    def _ring_out(self) -> None:
        self._end("rings_out", 19)

    def _end(self, name: str, cause: int) -> None:
        self._cancel()
        self.pbx.ended(self, cause)
        self._play(name, CAUSE=str(cause), CAUSETEXT=CAUSE_TEXTS.get(cause, "Unknown"))

    def _play(self, name: str, **words: str) -> None:
        known = {**self._words, **words}
        self.pbx.say([text.format_map(known) for text in part(name)])

    def _later(self, seconds: float, function: Any, *arguments: Any) -> None:
        self._timers.append(self.pbx.clock.callLater(seconds, function, *arguments))

    def limit(self, seconds: float) -> None:
        """As the action AbsoluteTimeout does."""
        self._later(seconds, self.hang_up, 0)

    def _cancel(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()
