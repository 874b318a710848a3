"""The lines of queue_log: who enters, connects, completes, abandons; nothing breaks a line apart."""

from dataclasses import replace

from tests.core.story import CREATED, SUCCEEDED, WOMBATID, Story, failed, hung_up, status
from wombat_ari.core import queuelog
from wombat_ari.core.queuelog import Line
from wombat_ari.model import events as ev
from wombat_ari.model.entities import Campaign
from wombat_ari.model.states import CallLogging

CAMPAIGN = Campaign(1, "Spring", logging=CallLogging.QM_COMPATIBLE)
ID = "wbt-0000000000004711"


def test_only_campaigns_that_want_it() -> None:
    assert queuelog.wanted(CAMPAIGN)
    assert not queuelog.wanted(Campaign(1, "Spring"))


def test_answered() -> None:
    story = Story().at(10, CREATED).at(4000, SUCCEEDED)
    assert queuelog.dialled(story.call, CAMPAIGN) == Line("Spring", "ENTERQUEUE", ID, "NONE", "|5551001|1")
    line = queuelog.answered(story.call, CAMPAIGN, end_point="Agent/101")
    assert line == Line("Spring", "CONNECT", ID, "Agent/101", f"4|{ID}|4")
    story.at(5000, status("7")).at(34_000, hung_up(16))
    assert queuelog.ended(story.call, CAMPAIGN, end_point="Agent/101") == [
        Line("Spring", "COMPLETECALLER", ID, "Agent/101", "4|30|1"),
        Line("Spring", "CALLSTATUS", ID, "Agent/101", "7"),
    ]


def test_ended_by_us() -> None:
    story = Story(closure_s=10).at(10, CREATED).at(1000, SUCCEEDED).at(11_050, hung_up(16))
    assert [line.event for line in queuelog.ended(story.call, CAMPAIGN, end_point="e")] == ["COMPLETEAGENT"]


def test_ended_by_the_agent_of_a_queue() -> None:
    story = Story().at(10, CREATED).at(1000, SUCCEEDED).at(9000, ev.AgentHungUp(WOMBATID), hung_up(16))
    assert [line.event for line in queuelog.ended(story.call, CAMPAIGN, end_point="e")] == ["COMPLETEAGENT"]


def test_never_answered() -> None:
    story = Story().at(10, CREATED).at(20_000, failed(3), hung_up(19))
    assert queuelog.ended(story.call, CAMPAIGN, end_point="e") == [Line("Spring", "ABANDON", ID, "NONE", "1|1|20")]


def test_the_alias_and_what_would_break_a_line() -> None:
    story = Story().at(10, CREATED).at(1000, SUCCEEDED, status("a|b\nc")).at(2000, hung_up(16))
    lines = queuelog.ended(story.call, replace(CAMPAIGN, logging_alias="q|1"), end_point="x\r\ny")
    assert {line.queue for line in lines} == {"q/1"}
    assert lines[1].message == "a/b c"
    assert lines[0].interface == "x  y"


def said(name: str, value: str) -> ev.AttributeSet:
    return ev.AttributeSet(WOMBATID, name, value)


def test_named_attributes_are_told_after_the_status_in_the_campaigns_order() -> None:
    campaign = replace(CAMPAIGN, logging_attributes="HEARD,CITY, NOBODY ,A")
    story = Story()
    story.call.claim.input_attributes.update({"CITY": "Bern|Thun", "OTHER": "x", "A": "in"})
    story.at(10, CREATED).at(1000, SUCCEEDED, status("7"), said("HEARD", "yes"), said("A", "out"))
    story.at(2000, hung_up(16))
    assert [(line.event, line.message) for line in queuelog.ended(story.call, campaign, end_point="e")] == [
        ("COMPLETECALLER", "1|1|1"),
        ("CALLSTATUS", "7"),
        ("INFO", "HEARD|yes"),
        ("INFO", "CITY|Bern/Thun"),
        ("INFO", "A|out"),
    ]
    assert queuelog.attribute(story.call, campaign, name="A", value="x\ny", end_point="e").message == "A|x y"
    never = Story().at(10, CREATED).at(20_000, failed(3), hung_up(19))
    assert [line.event for line in queuelog.ended(never.call, campaign, end_point="e")] == ["ABANDON"]
