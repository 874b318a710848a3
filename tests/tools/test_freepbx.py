"""The contexts for FreePBX in a dialplan that is built as FreePBX builds its own: calls go out through its routes, come
to its queues, and their ends are told from each other, by the AMI user for FreePBX.

FreePBX itself is not here: imitated is the way from ``from-internal`` to a trunk and to a queue (FreePBX 16, 17).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import started
from tests.system.site import Site, server_of, until
from tests.tools.ami import Ami
from tools.provision.asterisk import AsteriskInstance
from tools.provision.config import SHIPPED

DIALPLAN = """
[from-internal]
include => from-internal-xfer
include => bad-number

[from-internal-xfer]
include => from-internal-custom
include => from-internal-additional

[from-internal-custom]

[from-internal-additional]
include => ext-queues
include => outbound-allroutes

[ext-queues]
exten => 999,1,Gosub(macro-user-callerid,s,1())
 same => n,Answer()
 same => n,Set(__FROMQUEUEEXTEN=${CALLERID(number)})
 same => n,Set(__NODEST=${EXTEN})
 same => n,Set(__QCONTEXT=ext-queues)
 same => n(qcall),Queue(999,t,,,,,,,)
 same => n,Set(__NODEST=)
 same => n,Hangup()
exten => h,1,Hangup()

[outbound-allroutes]
include => outrt-1

[outrt-1]
exten => _555.,1,Gosub(macro-user-callerid,s,1(LIMIT,EXTERNAL))
 same => n,Set(_NODEST=)
 same => n,Gosub(macro-dialout-trunk,s,1(1,${EXTEN},,off))
 same => n,Gosub(macro-outisbusy,s,1())

[macro-user-callerid]
exten => s,1,ExecIf($["${REALCALLERIDNUM:1:2}" = ""]?Set(REALCALLERIDNUM=${CALLERID(number)}))
 same => n,Set(CHANNEL(language)=en)
 same => n,Return()

[macro-dialout-trunk]
exten => s,1,Set(DIAL_TRUNK=${ARG1})
 same => n,Set(OUTNUM=${ARG2})
 same => n,Set(GROUP()=OUT_${DIAL_TRUNK})
 same => n,Dial(Local/${OUTNUM}@simulated-network/n,300,T)
 same => n,NoOp(Dial failed for some reason with DIALSTATUS = ${DIALSTATUS} and HANGUPCAUSE = ${HANGUPCAUSE})
 same => n,Goto(s-${DIALSTATUS},1)
exten => s-BUSY,1,Busy(20)
exten => s-NOANSWER,1,Playtones(congestion)
 same => n,Congestion(20)
exten => s-CANCEL,1,Hangup()
exten => _s-.,1,Return()
exten => h,1,Hangup()

[macro-outisbusy]
exten => s,1,Progress()
 same => n,Playback(all-circuits-busy-now&please-try-call-later,noanswer)
 same => n,Congestion(20)

[bad-number]
exten => _X.,1,Progress()
 same => n,Wait(1)
 same => n,Playback(silence/1&cannot-complete-as-dialed&check-number-dial-again,noanswer)
 same => n,Congestion(20)
"""
USER = "freepbx"
NUMBERS = {
    "55510100": ["TERMINATED"],  # answered; the agent hangs up
    "55520101": ["RS_BUSY"],
    "55530000": ["RS_NOANSWER"],
    "55540101": ["RS_NUMBER"],  # though FreePBX says congestion
    "55560101": ["RS_REJECTED"],
    "77712345": ["RS_NOANSWER"],  # no route: FreePBX plays what it thinks of it, longer than the answer timeout
}
#: Its flow sends it to the queue by FreePBX's own way.
BY_FLOW = {"555101001": ["TERMINATED"]}
FLOW = """
async def asks(call):
    await call.transfer("999", "wombat-freepbx")
"""
#: By Local/NUMBER@from-internal/n, without a context of ours.
PLAIN = {"55510101": ["TERMINATED"], "55520102": ["RS_BUSY"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AsteriskInstance, Site]]:
    folder = tmp_path_factory.mktemp("freepbx")
    user = (SHIPPED / "freepbx/manager_custom.conf").read_text()
    conf = {
        "extensions.d/freepbx-core.conf": DIALPLAN,
        "extensions.d/freepbx.conf": (SHIPPED / "freepbx/extensions_custom.conf").read_text(),
        "manager.d/freepbx.conf": user.replace("[wombat]", f"[{USER}]"),
    }
    with ExitStack() as stack:
        pbx = started(stack, lambda: AsteriskInstance(folder / "pbx", extra_conf=conf))
        site = Site(folder / "site")
        stack.callback(site.close)
        (site.state / "flows").mkdir(parents=True)
        (site.state / "flows" / "site.py").write_text(FLOW)
        pbx.cli(f"dialplan set global WOMBAT_AGI_PORT {site.agi_port}")
        site.apply({
            "server": [server_of(pbx, login=USER, password="change-me")],
            "trunk": [{"name": "routes", "dial_string": "Local/${num}@wombat-freepbx/n", "capacity": 9},
                      {"name": "plain", "dial_string": "Local/${num}@from-internal/n", "capacity": 9}],
            "end_point": [{"name": "999", "type": "QUEUE", "extension": "999", "context": "wombat-freepbx",
                           "max_channels": 9, "boost_factor": 9},
                          {"name": "asks", "type": "FLOW", "extension": "asks", "context": ""}],
            "list": [{"name": "numbers"}, {"name": "plain"}, {"name": "flow"}],
            "campaign": [{"name": "c", "trunks": ["routes"], "end_points": ["999"], "lists": ["numbers"],
                          "answer_timeout_ms": 3000},
                         {"name": "plain", "trunks": ["plain"], "end_points": ["999"], "lists": ["plain"]},
                         {"name": "flow", "trunks": ["plain"], "end_points": ["asks"], "lists": ["flow"]}],
        })  # fmt: skip
        site.fill("numbers", list(NUMBERS))
        site.fill("plain", list(PLAIN))
        site.fill("flow", list(BY_FLOW))
        with Ami(pbx) as ami:
            ami.act("QueueAdd", Queue="999", Interface="Local/010210@simulated-agents/n", MemberName="Ann",
                    StateInterface="Custom:agent01")  # fmt: skip
            site.serve()
            site.await_pbx()
            site.run("c", "plain", "flow")
            site.finish(60)
        yield pbx, site


def test_outcomes(site: tuple[AsteriskInstance, Site]) -> None:
    assert site[1].outcomes("c") == NUMBERS
    assert site[1].outcomes("plain") == PLAIN
    assert site[1].outcomes("flow") == BY_FLOW
    assert (site[0].directory / "log/messages.log").read_text().count("WARNING") == 0


def test_agent_of_the_queue(site: tuple[AsteriskInstance, Site]) -> None:
    answered = {row["number"]: row for row in site[1].attempts()}
    assert "Ann" in answered["55510100"]["agent"]
    assert 900 < answered["55510100"]["talk_ms"] < 2500
    assert "Ann" in answered["555101001"]["agent"]


def test_notes_for_a_dialer_that_was_away(site: tuple[AsteriskInstance, Site]) -> None:
    pbx = site[0]
    notes = until(lambda: pbx.cli("database show wombat-gone"), 5)
    assert f"{len(NUMBERS) + 2} results found" in notes, notes  # of the others, those which reached the queue
    assert "17|" in notes
