"""A reverse call of the fake PBX: the agent's phone first, then the callee, as the shipped context does it.

Agents are ``Local/AARRTT@simulated-agents/n``, as in ``asterisk_conf``: RR is the time they ring, TT the time until
they hang up, in tenths of a second; RR 99: they ring for ever, 98: they reject the call. A member of a ``FakeQueue``
is in use while it is called or talks. Callees are numbers as in ``scenes``.
"""

import re
from typing import Any

from tools.fake_pbx.scenes import CAUSE_TEXTS, Behaviour, FakeCall

_AGENT = re.compile(r"Local/(\d\d)(\d\d)(\d\d)@simulated-agents/n")
_STATUS = {1: "CHANUNAVAIL", 17: "BUSY", 21: "CHANUNAVAIL", 34: "CONGESTION"}


class FakeReverseCall(FakeCall):
    """``up``: the agent is there. ``bridged``: the callee is, too."""

    def __init__(self, pbx: Any, headers: dict[str, str], variables: dict[str, str]) -> None:
        super().__init__(pbx, headers, variables)
        self.interface = headers["channel"]
        agent = _AGENT.fullmatch(self.interface)
        self._agent = agent and (int(agent[2]), int(agent[3]) / 10)
        self.number = re.sub(r"^[^/]*/|@.*$", "", variables["WOMBAT_DIAL"])
        self._wait_s = float(variables["WOMBAT_DIAL_TIMEOUT"])
        self._ended_as = ("", 0)  #: DialStatus and talk of the callee
        self.channel = f"{self.interface.removesuffix('/n')}-{pbx.next_serial():08x};1"
        self._words |= {
            "AGENT": self.interface[6:12],
            "NUMBER": self.number,
            "SERIAL": self.channel[-10:-2],
            "LEGSERIAL": f"{pbx.next_serial():08x}",
            "CALLEEID": f"pbx1-{pbx.next_serial()}",
        }

    def begin(self) -> None:
        if self._agent is None:
            self._play("no_channel")
            return
        rings, _ = self._agent
        self.pbx.took(self)
        self._in_use(True)
        self._play("reverse_agent_rings")
        if rings == 98:
            self._later(0.1, self._agent_fails, 0, 21)
        elif rings == 99 or rings / 10 >= self._timeout:
            self._later(self._timeout, self._agent_fails, 3, 19)
        else:
            self._later(rings / 10, self._agent_answers)

    def hang_up(self, cause: int) -> None:
        if self.bridged:
            self._talk_ends(cause)
        elif self.up:
            self._callee_fails("CANCEL", cause)
        else:
            self._agent_fails(0, cause)

    def note(self, cause: int) -> str:
        status, talk_ms = self._ended_as
        return f"{cause}|{status}|{int(status == 'ANSWER')}|{talk_ms}|{int(self.pbx.clock.seconds())}"

    def _agent_fails(self, reason: int, cause: int) -> None:
        self._over(cause)
        self._play("reverse_agent_fails", REASON=str(reason), CAUSE=str(cause), CAUSETEXT=_text(cause))

    def _agent_answers(self) -> None:
        assert self._agent is not None
        self.up = True
        self._play("reverse_agent_answers")
        if self._agent[1]:
            self._later(self._agent[1], self.hang_up, 16)
        does = Behaviour.of(self.number, int(self.variables.get("_WOMBAT_RETRY_NO") or 0))
        if does is None:
            self._ends("CHANUNAVAIL", 3)
            return
        self._play("reverse_callee_rings")
        if (not does.answers and not does.cause) or does.ring_s >= self._wait_s:
            self._later(self._wait_s, self._callee_fails, "NOANSWER", 16)
        elif does.answers:
            self._later(does.ring_s, self._callee_answers, does.talk_s)
        else:
            self._later(does.ring_s, self._callee_fails, _STATUS[does.cause], does.cause)

    def _callee_answers(self, talk_s: float) -> None:
        self.bridged, self.answered_at = True, self.pbx.clock.seconds()
        self._play("reverse_callee_answers")
        if talk_s:
            self._later(talk_s, self._talk_ends, 16)

    def _callee_fails(self, status: str, cause: int) -> None:
        self._play("reverse_callee_fails", STATUS=status if status != "CHANUNAVAIL" else "NOANSWER")
        self._ends(status, cause)

    def _talk_ends(self, cause: int) -> None:
        self._ends("ANSWER", cause, round((self.pbx.clock.seconds() - self.answered_at) * 1000))

    def _ends(self, status: str, cause: int, talk_ms: int = 0) -> None:
        self._ended_as = (status, talk_ms)
        self._over(cause)
        told = {"STATUS": status, "CAUSE": str(cause), "LEGCAUSE": str(cause), "TALK": str(talk_ms)}
        self._play("reverse_callee_ends", **told, CAUSETEXT=_text(cause))

    def _over(self, cause: int) -> None:
        self._cancel()
        self.pbx.ended(self, cause)
        self._in_use(False)

    def _in_use(self, used: bool) -> None:
        for queue in self.pbx.queues.values():
            if self.interface in queue.agents:
                queue.private_call(self.interface, used)


def _text(cause: int) -> str:
    return CAUSE_TEXTS.get(cause, "Unknown")
