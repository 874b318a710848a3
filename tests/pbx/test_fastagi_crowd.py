"""A thousand channels of a real Asterisk in sessions at once."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from tests.conftest import NewAsterisk
from tests.pbx.stage import Heard, RealStage
from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.events import HungUp
from wombat_ari.pbx.fastagi import FastAGIProtocol
from wombat_ari.pbx.fastagi_verbs import verb_factory
from wombat_ari.pbx.prompt import PromptPort

MANY = 1000
DIALPLAN = """
[crowd]
exten => 100,1,AGI(agi://127.0.0.1:{port}/flow/hold)
 same => n,Hangup()
"""


def test_a_thousand_channels_at_once(new_asterisk: NewAsterisk) -> None:
    from twisted.internet import reactor

    main: Any = reactor
    inside: list[int] = []
    given: dict[int, str] = {}
    opened: Deferred[None] = Deferred()

    async def hold(agi: FastAGIProtocol, call: int, name: str) -> str:
        inside.append(call)
        if len(inside) == MANY:
            main.callLater(0, opened.callback, None)
        waiting: Deferred[None] = Deferred()
        opened.addCallback(lambda _: waiting.callback(None))
        await waiting
        given[call] = await agi.getVariable("OWN")
        return ""

    factory = verb_factory(Heard(), run_flow=hold)
    port = PromptPort(0, factory, 1024, "127.0.0.1", main)
    port.startListening()
    stage = RealStage(new_asterisk(extra_conf={"extensions.d/crowd.conf": DIALPLAN.format(port=port.getHost().port)}))
    stage.connected()
    calls = [stage.next_call() for _ in range(MANY)]
    for number, call in enumerate(calls):
        channel = "Local/55510000@simulated-network/n"
        own = (("OWN", f"of {call}"),)
        stage.driver.originate(OriginateRequest(call, channel, "crowd", "100", 60_000, variables=own))
        if number % 20 == 0:
            stage.wait(lambda number=number: len(inside) >= number - 200, 60)  # type: ignore[misc]
    stage.wait(lambda: len(given) == MANY, 120)
    assert given == {call: f"of {call}" for call in calls}
    stage.wait(lambda: len(stage.heard.of(HungUp)) >= MANY, 60)
    stage.wait(lambda: not factory.sessions, 20)
    stage.close()
    port.stopListening()
