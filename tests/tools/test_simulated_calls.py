"""The shipped dialplan on a real Asterisk: what each simulated number and end point does, seen over AMI."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.tools.ami import Ami
from tools.provision.asterisk import AsteriskInstance


@pytest.fixture(scope="module")
def ami(asterisk: AsteriskInstance) -> Iterator[Ami]:
    with Ami(asterisk) as session:
        yield session


@pytest.mark.parametrize(
    ("number", "cause", "dial_status"),
    [
        ("55520100", "17", "BUSY"),
        ("55520000", "17", "BUSY"),
        ("55540100", "1", "NOANSWER"),
        ("55550100", "34", "CONGESTION"),
        ("55560100", "21", "NOANSWER"),
        ("55560000123", "21", "NOANSWER"),
    ],
)
def test_refusals_pass_their_cause(ami: Ami, number: str, cause: str, dial_status: str) -> None:
    response, hangup = ami.ended(attempt := ami.originate(number))
    assert (response["Response"], response["Reason"]) == ("Failure", "0")
    assert hangup["Cause"] == cause
    assert ami.event("DialEnd", attempt)["DialStatus"] == dial_status


@pytest.mark.parametrize("number", ["55530000", "55580000", "55590000"])
def test_no_answer_until_the_timeout(ami: Ami, number: str) -> None:
    response, hangup = ami.ended(ami.originate(number, timeout=0.5))
    assert (response["Response"], response["Reason"]) == ("Failure", "3")
    assert hangup["Cause"] in {"0", "19"}


def test_rings_answers_and_hangs_up_in_its_time(ami: Ami) -> None:
    began = time.monotonic()
    attempt = ami.originate("55510304")
    assert ami.event("Newstate", attempt)["ChannelStateDesc"] == "Ringing"
    ami.event("Newstate", attempt, ChannelStateDesc="Up")
    answered = time.monotonic()
    response, hangup = ami.ended(attempt)
    ended = time.monotonic()
    assert (response["Response"], response["Reason"], hangup["Cause"]) == ("Success", "4", "16")
    # A busy machine is late, never early.
    assert answered - began >= 0.3
    assert ended - answered >= 0.35


def test_no_ring_time_no_ringing(ami: Ami) -> None:
    attempt = ami.originate("55510001")
    ami.ended(attempt)
    assert ami.event("Newstate", attempt)["ChannelStateDesc"] == "Up"


@pytest.mark.parametrize(("number", "reason"), [("55570001", "0"), ("55580001", "3")])
def test_second_attempt_is_answered(ami: Ami, number: str, reason: str) -> None:
    first, _ = ami.ended(ami.originate(number, timeout=0.5, variables={"WOMBAT_RETRY_NO": "0"}))
    second, _ = ami.ended(ami.originate(number, variables={"WOMBAT_RETRY_NO": "1"}))
    assert (first["Response"], first["Reason"]) == ("Failure", reason)
    assert (second["Response"], second["Reason"]) == ("Success", "4")


def test_a_callee_that_never_hangs_up(ami: Ami) -> None:
    attempt = ami.originate("55510000", exten="101")
    ami.event("Newstate", attempt, ChannelStateDesc="Up")
    ami.act("Hangup", Channel=f"wbt-{attempt}", Cause=16)
    assert ami.ended(attempt)[1]["Cause"] == "16"


def test_message_end_point_tells_status_and_attribute(ami: Ami) -> None:
    attempt = ami.originate("55510000", exten="100")
    ami.ended(attempt)
    assert ami.event("UserEvent", attempt, UserEvent="CALLSTATUS")["V"] == "1"
    assert ami.event("UserEvent", attempt, UserEvent="ATTRIBUTE")["HEARD"] == "yes"


def test_waiting_end_point_tells_its_status_at_once(ami: Ami) -> None:
    attempt = ami.originate("55510000", exten="103")
    assert ami.event("UserEvent", attempt)["V"] == "2"
    ami.act("Hangup", Channel=f"wbt-{attempt}")
    ami.ended(attempt)


@pytest.mark.parametrize("exten", ["102", "900", "903"])
def test_end_point_that_hangs_up(ami: Ami, exten: str) -> None:
    attempt = ami.originate("55510000", exten=exten)
    response, _ = ami.ended(attempt)
    assert response["Response"] == "Success"


def test_fastagi_end_point_asks_the_port_of_the_call(ami: Ami) -> None:
    """Its port is a global of the dialplan, or an attribute of the call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(15)
        port = str(server.getsockname()[1])
        attempt = ami.originate("55510000", exten="104", variables={"WOMBAT_AGI_PORT": port})
        asked = []
        for _ in range(3):
            link, _address = server.accept()
            with link, link.makefile("rb") as lines:
                environment = iter(lambda lines=lines: lines.readline().decode().strip(), "")  # type: ignore[misc]
                asked.append(dict(line.split(": ", 1) for line in environment if ": " in line))
    ami.ended(attempt)
    assert [request["agi_network_script"] for request in asked] == [
        "callstatus?V=3",
        "attribute?HEARD=agi",
        "append?HEARD=twice",
    ]
    assert {request["agi_uniqueid"] for request in asked} == {f"wbt-{attempt}"}
