"""The shipped event filters, new and old form: what passes, what does not, on a real Asterisk."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import NewAsterisk
from tests.tools.ami import Ami
from tools.provision import config

WANTED = {"FullyBooted", "OriginateResponse", "Newchannel", "DialBegin", "DialEnd", "Newstate", "Hangup", "UserEvent"}


def _old_form() -> str:
    """The sample for Asterisk 16, as a second AMI user. Later versions still know that form."""
    sample = (config.SHIPPED / "manager.d" / "wombat-16.conf.sample").read_text()
    return sample.replace("[wombat]", "[old]").replace("change-me", "old")


@pytest.mark.parametrize("user", ["wombat", "old"])
def test_only_what_is_needed_passes(new_asterisk: NewAsterisk, user: str) -> None:
    pbx = new_asterisk(manager_extra=_old_form())
    login = {} if user == "wombat" else {"user": "old", "secret": "old"}
    with Ami(pbx, **login) as ami:
        attempts = [ami.originate("55510101", exten="103"), ami.originate("55520100")]
        for attempt in attempts:
            ami.ended(attempt)
        # What is in the pipe before the answer to a last question has been seen.
        ami.act("Ping", ActionID="last")
        ami.wait(lambda m: m.get("ActionID") == "last")
    events = [message for message in ami.messages if "Event" in message]
    assert {event["Event"] for event in events} == WANTED
    assert not [event for event in events if event.get("Channel", "").endswith(";2")]
    ours = [event for event in events if event.get("Uniqueid") == f"wbt-{attempts[0]}"]
    assert [event["Event"] for event in ours if event["Event"] in {"Newchannel", "Hangup"}] == ["Newchannel", "Hangup"]


def test_user_may_do_what_the_dialer_asks(new_asterisk: NewAsterisk) -> None:
    pbx = new_asterisk()
    with Ami(pbx) as ami:
        attempt = ami.originate("55510000", exten="101")
        ami.event("Newstate", attempt, ChannelStateDesc="Up")
        channel = f"wbt-{attempt}"
        actions: list[tuple[str, dict[str, Any]]] = [
            ("AbsoluteTimeout", {"Channel": channel, "Timeout": 60}),
            ("Status", {"Channel": channel}),
            ("Getvar", {"Channel": channel, "Variable": "UNIQUEID"}),
            ("Setvar", {"Channel": channel, "Variable": "X", "Value": "1"}),
            ("CoreShowChannels", {}),
            ("CoreStatus", {}),
            ("CoreSettings", {}),
            ("QueueStatus", {}),
            ("QueueLog", {"Queue": "q", "Event": "INFO", "Message": "x"}),
            ("ModuleCheck", {"Module": "app_queue"}),
            ("ModuleCheck", {"Module": "app_amd"}),
            ("ModuleCheck", {"Module": "res_agi"}),
            ("ModuleCheck", {"Module": "res_ari"}),
            ("ModuleCheck", {"Module": "res_musiconhold"}),
            ("ShowDialPlan", {"Context": "simulated-network"}),
            ("Command", {"Command": "core show channeltypes"}),
            ("DBPut", {"Family": "wombat-gone", "Key": "k", "Val": "v"}),
            ("DBGet", {"Family": "wombat-gone", "Key": "k"}),
            ("DBGetTree", {"Family": "wombat-gone"}),
            ("DBDel", {"Family": "wombat-gone", "Key": "k"}),
            ("DBPut", {"Family": "wombat-gone", "Key": "k", "Val": "v"}),
            ("DBDelTree", {"Family": "wombat-gone"}),
            ("Hangup", {"Channel": channel, "Cause": 16}),
        ]
        for number, (action, headers) in enumerate(actions):
            ami.act(action, ActionID=f"a{number}", **headers)
        answers = {
            action: ami.wait(lambda m, n=number: m.get("ActionID") == f"a{n}" and "Response" in m)  # type: ignore[misc]
            for number, (action, _) in enumerate(actions)
        }
        ami.ended(attempt)
    refused = {action: answer for action, answer in answers.items() if answer["Response"] != "Success"}
    assert not refused
