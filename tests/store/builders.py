"""A small call centre in the database, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.store.conftest import NOW
from wombat_ari.model.calls import CallResult, Claim
from wombat_ari.model.entities import CallList, Campaign, CampaignList, EndPoint, Server, Trunk
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import EndPointType, ListUse, Outcome
from wombat_ari.store import entities
from wombat_ari.store.database import Database

BY = "tester"


def add_list(db: Database, name: str, numbers: Sequence[str] = ()) -> int:
    """A list with numbers; each record has one attribute, ``N``, its place."""
    stored = entities.save_list(db, CallList(None, name), by=BY, now=NOW)
    assert stored.id is not None
    add_records(db, stored.id, numbers)
    return stored.id


def add_records(db: Database, list_id: int, numbers: Sequence[str]) -> None:
    with db.transaction() as tx:
        tx.many(
            "INSERT INTO record (list_id, number, input_attributes, output_attributes) VALUES (%s, %s, %s, %s)",
            [(list_id, number, f'{{"N":"{place}"}}', "{}") for place, number in enumerate(numbers)],
        )
        tx.run("UPDATE call_list SET records = records + %s WHERE id = %s", (len(numbers), list_id))


def add_campaign(
    db: Database, name: str = "Sales", *, normal: Sequence[int] = (), black: Sequence[int] = (), on: str = "pbx"
) -> Campaign:
    """A campaign with a server, a trunk and an end point of its own."""
    server = entities.save_server(db, Server(None, f"{on} of {name}", password=Secret("amp111")), by=BY, now=NOW)
    assert server.id is not None
    trunk = entities.save_trunk(db, Trunk(None, server.id, f"t {name}", "PJSIP/${num}@carrier", 10), by=BY, now=NOW)
    end_point = EndPoint(None, server.id, EndPointType.PHONE, f"e {name}", "100", "from-internal", 10)
    end_point = entities.save_end_point(db, end_point, by=BY, now=NOW)
    assert trunk.id is not None
    assert end_point.id is not None
    lists = [CampaignList(one, "") for one in normal] + [CampaignList(one, "", ListUse.BLACK) for one in black]
    campaign = Campaign(None, name, trunk_ids=(trunk.id,), end_point_ids=(end_point.id,), lists=tuple(lists))
    return entities.save_campaign(db, campaign, by=BY, now=NOW)


def result_of(claim: Claim, outcome: Outcome = Outcome.RS_BUSY, *, at: float = NOW, retry_in_s: int = 0) -> CallResult:
    answered = outcome is Outcome.TERMINATED
    return replace(_TEMPLATE, claim=claim, outcome=outcome, ended_at=at, talk_ms=5000 * answered, retry_in_s=retry_in_s)


_TEMPLATE = CallResult(
    claim=Claim(0, 0, 0, 0, "", "", 1),
    outcome=Outcome.RS_BUSY,
    extended_status="",
    output_attributes={},
    attempted_at=NOW,
    ended_at=NOW,
    wait_pre_ms=120,
    wait_after_ms=3400,
    talk_ms=0,
    retry_in_s=0,
    trunk_id=1,
    trunk_name="t1",
    end_point_id=1,
    end_point_name="e1",
    server_id=1,
    agent="",
    channel="PJSIP/carrier-00000001",
    unique_id="wbt-0000000000000001",
    cause=17,
    sip_code="",
    dial_status="BUSY",
)
