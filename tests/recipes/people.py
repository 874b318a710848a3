"""People of the tests' own: callers, and callees on the simulated network who press keys until these were taken.

What callees were heard to press they read from the end point's channel, the other half of their own.
"""

from __future__ import annotations

import itertools
import time

from tests.system.agents import Floor

_callers = itertools.count(1)

CONF = {
    "extensions.d/recipe-people.conf": r"""
[simulated-network]
; 77KC: presses K until the end point has taken a choice, then C.
exten => _77XX,1,Gosub(wombat-track,s,1)
 same => n,Answer(,i)
 same => n,Set(KEYS=${EXTEN:2})
 same => n,Goto(recipe-people,s,1)
; 78KC: says nothing at first, 79KC: hangs up at once at first; when called again as 77KC.
exten => _78XX,1,GotoIf($[0${WOMBAT_RETRY_NO} > 0]?77${EXTEN:2},1)
 same => n,Gosub(wombat-track,s,1)
 same => n,Answer(,i)
 same => n,Wait(3600)
exten => _79XX,1,GotoIf($[0${WOMBAT_RETRY_NO} > 0]?77${EXTEN:2},1)
 same => n,Gosub(wombat-track,s,1)
 same => n,Answer(,i)
 same => n,Wait(0.5)
 same => n,Hangup(16)

; Presses when it is asked, so that no key is for the next question, however slow the machine.
[recipe-people]
exten => s,1,Set(OTHER=${CHANNEL:0:-1}1)
 same => n(listen),Wait(0.1)
 same => n,GotoIf($["${IMPORT(${OTHER},CHANNEL(appname))}" != "Read"]?listen)
 same => n,Set(HAD=${IMPORT(${OTHER},CHOICE)})
 same => n,SendDTMF(${IF($["${HAD}" = ""]?${KEYS:0:1}:${KEYS:1:1})})
 same => n,Set(PATIENCE=50)
 same => n(look),Wait(0.1)
 same => n,GotoIf($["${IMPORT(${OTHER},CHOICE)}" != "${HAD}"]?listen)
 same => n,Set(PATIENCE=$[${PATIENCE} - 1])
 same => n,GotoIf(${PATIENCE}?look:listen)
"""
}


class Caller:
    """Somebody who calls in, and presses keys when they are asked. ``variables`` are those of their channel."""

    def __init__(self, floor: Floor, context: str, **variables: str) -> None:
        self._floor = floor
        self._since = floor.now()
        number = f"{next(_callers):06}"
        one, self._inside = f"caller-{number}", f"inside-{number}"
        floor.act(
            "Originate", variables=variables, Channel=f"Local/s@{context}/n", Application="Wait", Data=3600,
            Async="true", Timeout=30000, ChannelId=one, OtherChannelId=self._inside,
        )  # fmt: skip
        self._channel = floor.await_event("Newchannel", since=self._since, Uniqueid=one)["Channel"]

    def hears(self, sound: str) -> None:
        """Wait until an AGI program plays this sound to them."""
        command = f'STREAM FILE "{sound}" "0123456789*#"'
        self._floor.await_event("AGIExecStart", since=self._since, Uniqueid=self._inside, Command=command)

    def reaches(self, application: str, data: str) -> None:
        """Wait until their dialplan executes this."""
        self._floor.await_event(
            "Newexten", since=self._since, Uniqueid=self._inside, Application=application, AppData=data
        )

    def presses(self, keys: str) -> None:
        self._since = self._floor.now()
        for key in keys:
            self._floor.act("PlayDTMF", Channel=self._channel, Digit=key, Duration=80)
            time.sleep(0.2)  # two keys at once would be one

    def hangs_up(self) -> None:
        self._floor.hang_up(self._channel)
