"""An Asterisk whose dialplan notes what it does, by its own clock: what a test compares the dialer's log with.

The contexts ``watched`` (before ``simulated-network``) and ``watched-ends`` (before ``simulated-endpoints``) append a
line to a file at the begin, the answer and the end of each leg. A line is written in the channel's own thread before
the dialplan goes on, so it is there even if Asterisk is killed right afterwards.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path

from tools.provision.asterisk import AsteriskInstance

FILE = "log/witness"
LOGIN = SECRET = "tester"
"""An AMI user who may do everything."""

_NOTE = "Set(FILE(/mnt/log/witness,,,al,u)={}|${{WOMBATID}}|${{STRFTIME(,,%s%3q)}}|{})"


def _note(what: str, more: str = "") -> str:
    return _NOTE.format(what, more)


CONF = {
    "manager.d/witness.conf": f"[{LOGIN}]\nsecret = {SECRET}\nread = all\nwrite = all\n",
    "extensions.d/witness.conf": f"""\
[watched]
exten => _X.,1,{_note("began", "${EXTEN}")}
 same => n,Set(CHANNEL(hangup_handler_push)=watched-end,s,1)
 same => n,Goto(simulated-network,${{EXTEN}},1)

[watched-end]
exten => s,1,{_note("ended", "${WOMBAT_UP}|${HANGUPCAUSE}")}
 same => n,Return()

[watched-ends]
exten => _XXX,1,{_note("reached", "${BASE64_ENCODE(${NAME})}|${BASE64_ENCODE(${NOTE})}|${WOMBAT_RETRY_NO}")}
 same => n,Set(CHANNEL(hangup_handler_push)=watched-ends-end,s,1)
 same => n,Goto(simulated-endpoints,${{EXTEN}},1)

; Says back over FastAGI what it was given.
exten => 700,1,{_note("reached", "${BASE64_ENCODE(${NAME})}|${BASE64_ENCODE(${NOTE})}|${WOMBAT_RETRY_NO}")}
 same => n,AGI(agi://127.0.0.1:${{WOMBAT_AGI_PORT}}/attribute?ECHO=${{URIENCODE(${{NOTE}})}}&NAME=${{URIENCODE(${{NAME}})}})
 same => n,AGI(agi://127.0.0.1:${{WOMBAT_AGI_PORT}}/callstatus?V=${{URIENCODE(${{NAME}})}})
 same => n,Hangup()

[watched-ends-end]
exten => s,1,{_note("left")}
 same => n,Return()

; What the manual's recipe does with a number that a caller has left.
[callback]
exten => s,1,Answer()
 same => n,Set(WHEN=${{STRFTIME(${{EPOCH}},,%y%m%d%H%M%S)}})
 same => n,Set(PARM=number=${{CBNUM}}&attrs=orgQ:400%2Cwhen:${{WHEN}})
 same => n,Set(foo=${{CURL(${{API}}/calls/?op=addcall&campaign=callback&${{PARM}})}})
 same => n,Hangup()

; Trunks that fail in other ways than the simulated network's.
[trunk-of-applications]
exten => _1.,1,Busy()
exten => _2.,1,Congestion()
exten => _3.,1,Dial(PJSIP/${{EXTEN}}@nosuch)
exten => _4.,1,Dial(Local/55530000@simulated-network/n,1)
""",
}


@dataclass(slots=True)
class Seen:
    """What the dialplan did for one WOMBATID. Times are epoch seconds to the millisecond, None: it did not happen."""

    began: list[float] = field(default_factory=list)  #: the network's leg; once for each Originate
    ended: list[float] = field(default_factory=list)
    answered: float | None = None  #: just before Answer()
    reached: float | None = None  #: the end point's leg
    left: float | None = None
    number: str = ""
    name: str = ""
    note: str = ""


class Witness:
    """``seen()`` reads the notes of all calls so far."""

    def __init__(self, pbx: AsteriskInstance) -> None:
        """Before its start: the dialplan appends to a file that is there."""
        self.pbx = pbx
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.touch()

    @property
    def file(self) -> Path:
        return self.pbx.directory / FILE

    def seen(self) -> dict[int, Seen]:
        """By WOMBATID."""
        found: dict[int, Seen] = {}
        for line in self.lines():
            what, wombatid, at, *more = line.split("|")
            _add(found.setdefault(int(wombatid), Seen()), what, int(at) / 1000, more)
        return found

    def lines(self) -> list[str]:
        try:
            return self.file.read_text().splitlines()
        except FileNotFoundError:
            return []


def _add(seen: Seen, what: str, at: float, more: list[str]) -> None:
    if what == "began":
        seen.began.append(at)
        seen.number = more[0]
    elif what == "ended":
        seen.ended.append(at)
        seen.answered = int(more[0]) / 1000 if more[0] else None
    elif what == "reached":
        seen.reached = at
        seen.name, seen.note = (base64.b64decode(text).decode() for text in more[:2])
    else:
        seen.left = at
