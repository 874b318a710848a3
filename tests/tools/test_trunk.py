"""The sample trunk context over real SIP: a second Asterisk plays the carrier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.tools.ami import Ami
from tools.provision.asterisk import AsteriskInstance
from tools.provision.errors import ProvisionError
from tools.provision.process import wait_until

# The carrier tells in a user event what the INVITE asked for.
CARRIER = {
    "pjsip.d/dialer.conf": """
[dialer]
type = endpoint
context = from-dialer
disallow = all
allow = ulaw
[dialer]
type = identify
endpoint = dialer
match = 127.0.0.1
""",
    "extensions.d/from-dialer.conf": """
[from-dialer]
exten => _X.,1,UserEvent(INVITED,From:${PJSIP_HEADER(read,From)},Privacy:${PJSIP_HEADER(read,Privacy)})
 same => n,Goto(simulated-network,${EXTEN},1)
""",
}
TRUNK = """
[wombat-carrier]
type = endpoint
aors = wombat-carrier
disallow = all
allow = ulaw
from_user = 0123
[wombat-carrier]
type = aor
contact = sip:127.0.0.1:{port}
"""


@dataclass
class Sip:
    """A PBX whose trunk leads to a carrier."""

    pbx: AsteriskInstance
    carrier: AsteriskInstance
    ami: Ami
    carrier_ami: Ami


@pytest.fixture(scope="module")
def sip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sip]:
    try:
        with AsteriskInstance(tmp_path_factory.mktemp("carrier"), name="carrier", extra_conf=CARRIER) as carrier:
            trunk = {"pjsip.d/carrier.conf": TRUNK.format(port=carrier.sip_port)}
            with (
                AsteriskInstance(tmp_path_factory.mktemp("pbx"), extra_conf=trunk) as pbx,
                Ami(pbx) as ami,
                Ami(carrier) as carrier_ami,
            ):
                yield Sip(pbx, carrier, ami, carrier_ami)
    except ProvisionError as error:
        pytest.fail(str(error), pytrace=False)


def _gone(pbx: AsteriskInstance, attempt: str) -> list[str]:
    def value() -> str:
        answer = pbx.cli(f"database get wombat-gone {attempt[:3]}/wbt-{attempt}")
        return answer.partition("Value: ")[2].strip()

    wait_until(lambda: bool(value()), timeout=10)
    return value().split("|")


@pytest.mark.parametrize(
    ("number", "cause", "dial_status"),
    [("55520100", "17", "BUSY"), ("55540000", "1", "CHANUNAVAIL"), ("55550000", "34", "CONGESTION"),
     ("55560000", "21", "CHANUNAVAIL")],
)  # fmt: skip
def test_the_carriers_cause_passes(sip: Sip, number: str, cause: str, dial_status: str) -> None:
    attempt = sip.ami.originate(number, trunk="wombat-trunk")
    response, hangup = sip.ami.ended(attempt)
    carrier_leg = sip.ami.wait(
        lambda m: m.get("Event") == "Hangup" and m.get("Linkedid") == f"wbt-{attempt}" and "PJSIP" in m["Channel"]
    )
    assert response["Response"] == "Failure"
    assert (hangup["Cause"], carrier_leg["Cause"]) == (cause, cause)
    assert _gone(sip.pbx, attempt)[:4] == [cause, dial_status, "0", "0"]


def test_answered(sip: Sip) -> None:
    attempt = sip.ami.originate("55510205", trunk="wombat-trunk", exten="101")
    response, hangup = sip.ami.ended(attempt)
    assert (response["Reason"], hangup["Cause"]) == ("4", "16")
    cause, _, answered, duration, _ = _gone(sip.pbx, attempt)
    assert (cause, answered) == ("16", "1")
    assert 400 <= int(duration) < 5000


@pytest.mark.parametrize(("presentation", "hidden"), [("", False), ("allowed", False), ("prohib", True)])
def test_presentation_is_applied(sip: Sip, presentation: str, hidden: bool) -> None:
    number = f"5552000{len(presentation)}"
    attempt = sip.ami.originate(number, trunk="wombat-trunk", variables={"WOMBAT_PRES": presentation})
    sip.ami.ended(attempt)
    invited = sip.carrier_ami.wait(lambda m: m.get("UserEvent") == "INVITED" and m["Exten"] == number)
    assert ("anonymous" in invited["From"].lower()) is hidden
