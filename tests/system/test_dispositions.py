"""Dispositions and late statuses on a real Asterisk: a black list, a list, another campaign, a retry by an agent."""

from __future__ import annotations

import json

from tests.system.conftest import NewSite
from tests.system.site import Tables, server_of, until
from tests.system.witness import Witness

BUSY, ANSWERS, LATE = "5552050711", "5551050012", "5551050013"  #: these two wait for the end of the message


def tables(witness: Witness) -> Tables:
    common = {"trunks": ["T"], "end_points": ["message"], "idles_on_termination": True}
    sales = {
        "name": "Sales",
        "lists": ["people"],
        "logging": "QM_COMPATIBLE",
        "variables": "DEPT:sales of ${CITY}",
        "rule": [{"status": "TERMINATED", "extended_status": "AGAIN", "max_attempts": 1, "retry_after_s": 1}],
        "disposition": [
            {"status": "RS_BUSY", "verb": "BLACK_LIST", "destination": "Never"},
            {"status": "RS_BUSY", "verb": "ADD_LIST", "destination": "Busy in ${CITY}"},
            {"extended_status": "1", "verb": "RESCHEDULE", "destination": "Later", "extra": "WHY:${outcome}"},
        ],
    }
    return {
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "T", "dial_string": "Local/${num}@simulated-network/n", "capacity": 5}],
        "end_point": [
            {"name": "message", "extension": "100", "context": "simulated-endpoints", "max_channels": 5},
        ],
        "list": [{"name": "people"}, {"name": "later"}, {"name": "Never"}],
        "campaign": [{**common, **sales}, {**common, "name": "Later", "lists": ["later"], "black_lists": ["Never"]}],
    }


def test_what_is_done_about_a_call_and_what_an_agent_says_after_it(new_site: NewSite, witness: Witness) -> None:
    site = new_site()
    site.apply(tables(witness))
    site.fill("people", [f"{number},CITY:Bern" for number in (BUSY, ANSWERS, LATE)])
    site.fill("later", [BUSY])
    site.serve()
    site.await_pbx()
    site.run("Later")
    until(lambda: len(site.attempts("Later")) == 1, 20, "Later has dialled what it has: nobody is on a black list yet")
    site.run("Sales")
    until(lambda: len(site.attempts("Sales")) == 3, 20, "each was tried once")

    # An agent's dialplan sets a status after the hang-up.
    wombatid = next(row["wombatid"] for row in site.attempts("Sales") if row["number"] == LATE)
    status = f"CALLSTATUS,Uniqueid:wbt-{wombatid:016d},V:AGAIN"
    witness.pbx.cli(f"channel originate Local/100@simulated-endpoints/n application UserEvent {status}")
    until(lambda: site.outcomes("Sales")[LATE] == ["TERMINATED"] * 2, 20, "the late status led to a retry")
    tries = [row for row in site.attempts("Sales") if row["number"] == LATE]
    assert [(row["extended_status"], row["retry_in_s"]) for row in tries] == [("AGAIN", 1), ("1", 0)]

    # What the rules hand on. LATE had the status 1 before, and has it again after its retry.
    until(lambda: not site.rows("SELECT id FROM outbox"), 20, "all errands are done")
    until(lambda: len(site.attempts("Later")) == 4, 20, "what was handed on is dialled")
    handed = [row for row in site.attempts("Later") if row["number"] != BUSY]
    assert sorted(row["number"] for row in handed) == [ANSWERS, LATE, LATE]
    assert {json.dumps(row["input_attributes"]) for row in handed} == {
        json.dumps({"CITY": "Bern", "HEARD": "yes", "WHY": "TERMINATED", "WOMBAT_HOPS": "1"})
    }
    lists = site.rows("SELECT l.name, r.number FROM record r JOIN call_list l ON l.id = r.list_id")
    assert ("Never", BUSY) in lists
    assert ("Busy in Bern", BUSY) in lists
    log = (witness.pbx.directory / "log" / "queue_log").read_text("utf-8").splitlines()
    told = [line.split("|")[4:] for line in log if line.split("|")[1] == f"wbt-{wombatid:016d}"]
    assert told[-2:] == [["CALLSTATUS", "1"], ["CALLSTATUS", "AGAIN"]]
    site.check_ledger()
    assert "Traceback" not in site.log()
