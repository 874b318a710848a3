"""The control calls, asked as different people; what they ask of the dialer is recorded. See tests/system too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.store.builders import add_campaign, add_list
from tests.store.conftest import NOW
from tests.store.test_claims import start
from tests.webui.conftest import Api, Dialer, Switch
from webui import create_app
from webui.compat import to_list
from wombat_ari.app.config import Settings
from wombat_ari.app.service import jobs
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.entities import CallList
from wombat_ari.model.errors import UserError
from wombat_ari.store import campaigns, entities, lists, syslog, users
from wombat_ari.store.database import Database

WOMBATID = 4070054310401053


@dataclass
class Recorder(Dialer):
    """A dialer that does what it is asked, or refuses with the error it was given."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[tuple[str, ...]] = field(default_factory=list)  #: that the dialer is asked to write
    refusal: UserError | None = None
    campaign: str = "Sales"

    def __post_init__(self) -> None:
        self.picture = None

    def _do(self, *asked: Any) -> dict[str, Any]:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(asked)
        return {}

    def _note(self, line: SystemLogEntry) -> None:
        self.lines.append((line.user, line.action, line.object, line.detail))

    def add_call(
        self, campaign: str, number: str, *, attributes: Any = None, due: float | None = None, by: str, origin: str
    ) -> int:
        self._do("add", campaign, number, attributes, due)
        self.lines.append((by, origin))
        return WOMBATID

    def call_info(self, wombatid: int) -> dict[str, Any]:
        if wombatid != WOMBATID:
            raise UserError("no such call", code="missing")
        known = {
            "wombatid": wombatid,
            "campaign_name": self.campaign,
            "number": "1",
            "output_attributes": {"A": "1", "B": "2"},
        }
        return {**known, "agent_interface": "SIP/2"}

    def start_run(self, campaign: str, *, by: str) -> dict[str, Any]:
        return self._do("start", campaign, by)

    def pause_run(self, campaign: str, *, by: str) -> dict[str, Any]:
        return self._do("pause", campaign)

    def boost(self, campaign: str, factor: float) -> dict[str, Any]:
        return self._do("boost", campaign, factor)

    def set_status(self, wombatid: int, code: str, *, line: Any) -> None:
        self._note(line)
        self._do("status", wombatid, code)

    def set_attribute(self, wombatid: int, name: str, value: str, *, line: Any) -> None:
        self._note(line)
        self._do("set", name, value)

    def append_attribute(self, wombatid: int, name: str, value: str, *, line: Any) -> None:
        self._note(line)
        self._do("append", name, value)

    def clear_attribute(self, wombatid: int, name: str, *, line: Any) -> None:
        self._note(line)
        self._do("clear", name)

    def numbers_came(self, name: str) -> None:
        self._do("came", name)

    def run_lists(self, campaign: str) -> list[dict[str, Any]]:
        return [{"name": "a:b", "paused": False, "taken": 3, "remaining": 4, "high_water": 7}]

    def add_list(self, campaign: str, name: str) -> list[dict[str, Any]]:
        self._do("add list", name)
        return self.run_lists(campaign)

    def pause_list(self, campaign: str, name: str, *, paused: bool) -> list[dict[str, Any]]:
        self._do("pause list", name, paused)
        return self.run_lists(campaign)

    def reserve(self, agent: str, *, line: Any) -> dict[str, Any]:
        self._note(line)
        self._do("reserve", agent)
        return {"id": 366253628, "number": "301", "attributes": {"A": "1", "B": "two\nlines"}}

    def dial_reserved(self, wombatid: int, *, line: Any) -> None:
        self._note(line)
        self._do("dial", wombatid)

    def hang_up(self, wombatid: int, *, line: Any) -> None:
        self._note(line)

    def skip_reserved(self, wombatid: int, code: str = "", *, line: Any) -> None:
        self._note(line)
        self._do("skip", wombatid, code)


@pytest.fixture
def dialer() -> Recorder:
    return Recorder()


@pytest.fixture
def sales(database: Database) -> str:
    add_campaign(database, normal=[add_list(database, "numbers")])
    return "Sales"


def said(answer: Any, status: int = 200) -> str:
    text = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype) == (status, "text/plain"), text
    return str(text)


def test_a_call_is_added(api: Api, dialer: Recorder, sales: str) -> None:
    answer = api.get("calls/", op="addcall", campaign=sales, number="555 1234", attrs="ID:2301,PERS:John Doe: 2nd")
    assert said(answer) == f"OK\nWOMBATID:{WOMBATID}\n"
    assert dialer.asked == [("add", "Sales", "555 1234", {"ID": "2301", "PERS": "John Doe: 2nd"}, None)]


def test_by_post_and_with_index_jsp(api: Api, dialer: Recorder, sales: str) -> None:
    for path in ("calls", "calls/", "calls/index.jsp"):
        form = {"op": "ADDCALL", "campaign": sales, "number": "1"}
        assert said(api.post(path, form)).startswith("OK")
    assert len(dialer.asked) == 3


def test_for_later(api: Api, dialer: Recorder, sales: str) -> None:
    """Seconds from now, or by the clock of the campaign; it has none, so by the dialer's (Europe/Rome)."""
    said(api.get("calls/", op="addcall", campaign=sales, number="1", schedule="15"))
    for text in ("2027-03-18.00:00:00", "2027-03-18T00:00:00", "2027-03-18 00:00:00"):
        said(api.get("calls/", op="addcall", campaign=sales, number="1", schedule=text))
    soon, *later = (asked[4] for asked in dialer.asked)
    assert soon > NOW
    assert later == [1805324400.0] * 3


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "parameter op is missing"),
        ({"op": "dance"}, "op is 'dance': it must be one of addcall, extstatus"),
        ({"op": "addcall", "number": "1"}, "parameter campaign is missing"),
        ({"op": "addcall", "campaign": "Sales"}, "parameter number is missing"),
        ({"op": "addcall", "campaign": "nobody", "number": "1"}, "there is no campaign nobody"),
        ({"op": "addcall", "campaign": "Sales", "number": "1", "attrs": "9x:1"}, "9x"),
        ({"op": "addcall", "campaign": "Sales", "number": "1", "schedule": "tomorrow"}, "time 'tomorrow'"),
        ({"op": "extstatus", "status": "x"}, "parameter wombatid is missing"),
        ({"op": "extstatus", "wombatid": "x"}, "wombatid is 'x': it must be a whole number"),
        ({"op": "extstatus", "wombatid": "1"}, "there is no call 1"),
        ({"op": "attr", "wombatid": str(WOMBATID)}, "parameter attr is missing"),
    ],
)
def test_what_is_wrong_is_said(api: Api, dialer: Recorder, sales: str, params: dict[str, str], words: str) -> None:
    answer = said(api.get("calls/", **params))
    assert answer.startswith("ERROR: ")
    assert words in answer
    assert dialer.asked == []


def test_status_and_attributes(api: Api, dialer: Recorder, sales: str) -> None:
    one = {"wombatid": WOMBATID}
    assert "Event CALLSTATUS queued" in said(api.get("calls/", op="extstatus", status="XY", **one))
    assert said(api.get("calls/", op="attr", attr="AB", val="CD", **one)).startswith("OK")
    assert said(api.get("calls/", op="attrAppend", attr="AB", val="EF", **one)).startswith("OK")
    assert said(api.get("calls/", op="attrClear", attr="AB", **one)).startswith("OK")
    assert said(api.get("calls/", op="attrClear", **one)).startswith("OK")
    assert dialer.asked == [
        ("status", WOMBATID, "XY"), ("set", "AB", "CD"), ("append", "AB", "EF"), ("clear", "AB"), ("clear", "A"),
        ("clear", "B"),
    ]  # fmt: skip


def test_runs(api: Api, dialer: Recorder, sales: str) -> None:
    assert said(api.get("campaigns/", op="start", campaign=sales)) == "OK: campaign Sales started\n"
    assert said(api.get("campaigns/", op="boost", campaign=sales, factor=150)) == "OK: campaign Sales boosted to 150%\n"
    assert dialer.asked == [("start", "Sales", "admin"), ("boost", "Sales", 1.5)]
    dialer.refusal = UserError("campaign 'Sales' has no live run", code="no-run")
    assert said(api.get("campaigns/", op="pause", campaign=sales)).startswith("OK: ignored: campaign 'Sales'")
    dialer.refusal = UserError("campaign 'Sales' cannot start: it has no trunk")
    assert said(api.get("campaigns/", op="start", campaign=sales)).startswith("ERROR: campaign 'Sales' cannot start")
    dialer.refusal = UserError("the dialer is not running", code="dialer-down")
    assert said(api.get("campaigns/", op="start", campaign=sales), 503).startswith("ERROR: the dialer is not running")


def test_clone_and_link_a_list(api: Api, database: Database, sales: str) -> None:
    add_list(database, "more")
    assert said(api.get("campaigns/", op="clone", campaign=sales, newcampaign="Two")).startswith("OK")
    for _ in "twice":
        assert said(api.get("campaigns/", op="addList", campaign="Two", list="more")).startswith("OK")
    assert [entry.name for entry in campaigns.load_campaign(database, "Two").lists] == ["numbers", "more"]
    assert said(api.get("campaigns/", op="addList", campaign="Two", list="none")) == "ERROR: there is no list none\n"
    assert said(api.get("campaigns/", op="clone", campaign=sales, newcampaign="Two")).startswith("ERROR")


def test_numbers_onto_a_list(api: Api, database: Database, dialer: Recorder) -> None:
    answer = said(api.get("lists/", op="addToList", list="new", numbers="1234,AA:bb,CC:dd|5678,XX:yy|,Q:1|1234"))
    assert answer.startswith("OK: 1 refused, 3 of 4 added to list new\nrefused: record 3: ")
    body = {"op": "addToList", "list": "new", "dedupe": "1", "numbers": "1234|999"}
    for post in (api.post("lists/", body), api.post("lists/", {"numbers": "999|77"}, op="addToList", list="new")):
        assert said(post).startswith("OK")
    found = lists.page_of_records(database, entities.load_list(database, "new").id or 0)
    assert [record.number for record in found] == ["1234", "5678", "1234", "999", "999", "77"]
    assert found[0].input_attributes == {"AA": "bb", "CC": "dd"}
    assert dialer.asked == [("came", "new")] * 3
    assert said(api.get("lists/", op="addToList", list="new")).startswith("ERROR: parameter numbers is missing")
    text = "\r\n1,A:b|\r\n2,A:c\r\n|3,A:d|\n4\n"
    answer = said(api.post("lists/", {"numbers": text}, op="addToList", list="lines"))
    assert answer == "OK: 4 of 4 added to list lines\n", "a file ends with a line break"
    answer = said(api.get("lists/", op="addToList", list="lines", numbers="5,A:b\n6"))
    assert answer.startswith("OK: 1 refused"), "in the middle it may be anything"
    assert said(api.get("lists/", op="addToList", numbers="1")).startswith("ERROR: parameter list is missing")


def test_many_numbers_are_an_import_that_is_followed_and_called_off(
    api: Api, database: Database, dialer: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_list, "AT_ONCE_BYTES", 10)
    said(api.post("lists/", {"numbers": "1|2"}, op="addToList", list="new"))
    assert jobs.of(database).all() == [], "few are no matter of a job"
    answer = said(api.post("lists/", {"numbers": "5551234||5551235|x y z,A|"}, op="addToList", list="new"))
    assert answer.startswith("OK: 1 refused, 2 of 3 added to list new\nrefused: record 4: ")
    (job,) = jobs.of(database).all(kind="import", about=f"list {entities.load_list(database, 'new').id}")
    assert (job.state, job.title, job.owner) == ("DONE", "Import into new", "admin")
    assert (job.result.added, job.result.refusals[0].line, job.done == job.total) == (2, 4, True)

    def called_off(name: str, heard: Callable[[Any], None]) -> Callable[[Any], None]:
        def tell(so_far: Any) -> None:
            jobs.of(database).cancel(jobs.of(database).all()[0].id)
            heard(so_far)

        return tell

    monkeypatch.setattr(to_list, "_logged", called_off)
    answer = said(api.post("lists/", {"numbers": "5551236|5551237"}, op="addToList", list="new"))
    assert answer == "ERROR: list new: this was called off when 2 numbers had been added\n"
    assert lists.count_records(database, entities.load_list(database, "new").id or 0) == 6


def test_what_is_no_form_is_no_matter_where_nothing_was_sent(api: Api, database: Database, dialer: Recorder) -> None:
    """Clients that name a type of their body in each request, also where they have none."""
    params = {"op": "addToList", "list": "new", "numbers": "1234"}
    for method in ("get", "post"):
        for kind in ("application/json", "text/plain"):
            answer = getattr(api.client, method)(
                "/wombat/api/lists/", query_string=params, headers={**api.headers, "Content-Type": kind}
            )
            assert said(answer) == "OK: 1 of 1 added to list new\n"


def test_who_only_looks_changes_nothing(api: Api, database: Database, dialer: Recorder, sales: str) -> None:
    for path, params in (
        ("calls/", {"op": "addcall", "campaign": sales, "number": "1"}),
        ("campaigns/", {"op": "start", "campaign": sales}),
        ("lists/", {"op": "addToList", "list": "new", "numbers": "1"}),
    ):
        answer = api.client.head(f"/wombat/api/{path}", query_string=params, headers=api.headers)
        assert answer.status_code == 405
        assert "HEAD" not in answer.headers["Allow"]
    assert dialer.asked == []
    assert [each.name for each in entities.list_lists(database)] == ["numbers"]


def test_what_is_no_address_and_no_method_is_told_in_plain_text(api: Api, dialer: Recorder, sales: str) -> None:
    answer = api.get("calls/now", op="addcall", campaign=sales, number="1")
    assert said(answer, 404) == "ERROR: there is no address /wombat/api/calls/now\n"
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        answer = api.client.open("/wombat/api/lists/", method=method, headers=api.headers)
        assert said(answer, 405) == f"ERROR: {method} is not taken here: use GET or POST\n"
        assert answer.headers["Allow"] == "GET, OPTIONS, POST"
    assert dialer.asked == []


def test_blanks_around_a_name_are_none(api: Api, database: Database, dialer: Recorder, sales: str) -> None:
    """Names are stored without: a script that makes one with a blank finds it again with the same."""
    said(api.get("campaigns/", op="clone", campaign=f" {sales}", newcampaign="Two "))
    assert said(api.get("campaigns/", op="addList", campaign="Two ", list="numbers ")).startswith("OK")
    assert said(api.get("campaigns/", op="start", campaign="Two\n")) == "OK: campaign Two started\n"
    assert said(api.get("calls/", op="addcall", campaign="Two ", number="1")).startswith("OK")
    assert said(api.get("campaigns/", op="start", campaign="  ")) == "ERROR: parameter campaign is missing\n"
    assert [asked[1] for asked in dialer.asked] == ["Two", "Two"]


def test_a_yes_that_is_not_understood_is_not_taken_for_a_no(api: Api, database: Database, dialer: Recorder) -> None:
    """Numbers would be twice on the list, and be called twice."""
    answer = said(api.get("lists/", op="addToList", list="new", numbers="1", dedupe="ja"))
    assert answer.startswith("ERROR: parameter dedupe is 'ja'")
    assert dialer.asked == []


def test_lists_of_a_run(api: Api, database: Database, dialer: Recorder, sales: str) -> None:
    add_list(database, "other")
    assert said(api.get("runlists/", op="list", campaign=sales)) == "OK\nLIST:RUNNING:3:4:7:a:b\n"
    said(api.get("runlists/", op="pause", campaign=sales, list="a:b"))
    said(api.get("runlists/", op="start", campaign=sales, list="a:b"))
    said(api.get("runlists/", op="start", campaign=sales, list="other"))
    assert dialer.asked == [("pause list", "a:b", True), ("pause list", "a:b", False), ("add list", "other")]


def test_preview(api: Api, dialer: Recorder) -> None:
    answer = said(api.get("reserve/", op="reserve", agent="SIP/302"))
    assert answer == "OK\nWOMBATID:366253628\nNUMBER:301\nVAR:A:1\nVAR:B:two lines\n"
    assert said(api.get("reserve/", op="dial", id=123456)) == "DIALING\n"
    assert said(api.get("reserve/", op="skip", id=123456, withStatus="XXX")) == "SKIPPED\n"
    assert dialer.asked == [("reserve", "SIP/302"), ("dial", 123456), ("skip", 123456, "XXX")]
    for word in ("AGENT_NOT_AVAILABLE", "AGENT_CANNOT_RESERVE", "ID_NOT_FOUND", "ID_FOUND_WRONG_STATE"):
        dialer.refusal = UserError("why", code=word)
        assert said(api.get("reserve/", op="dial", id=1)) == f"{word}\n"


def test_an_agent_reserves_for_themselves(api_of: Callable[..., Api], database: Database, dialer: Recorder) -> None:
    agent = api_of("joe", "AGENT")
    joe = users.load_user(database, "joe")
    users.save_user(database, joe.__class__(**{**_fields(joe), "token": "SIP/1 SIP/2"}), by="admin", now=NOW)
    said(agent.get("reserve/", op="reserve", agent="SIP/2"))
    answer = agent.get("reserve/", op="reserve", agent="SIP/3")
    assert "may only be SIP/1 or SIP/2" in said(answer, 403)
    assert said(agent.get("reserve/", op="dial", id=WOMBATID)) == "DIALING\n"
    assert said(agent.get("reserve/", op="skip", id=1)) == "ID_NOT_FOUND\n"
    users.save_user(database, joe.__class__(**{**_fields(joe), "token": "SIP/1"}), by="admin", now=NOW)
    for op in ("dial", "skip"):
        assert said(agent.get("reserve/", op=op, id=WOMBATID)) == "ID_NOT_FOUND\n", "another's"
    assert dialer.asked == [("reserve", "SIP/2"), ("dial", WOMBATID)]


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def test_open_to_trusted_addresses_only(client: FlaskClient, dialer: Recorder, sales: str) -> None:
    inside, outside = Api(client, "", address="127.0.0.1"), Api(client, "")
    assert said(inside.get("calls/", op="addcall", campaign=sales, number="1")).startswith("OK")
    answer = outside.get("calls/", op="addcall", campaign=sales, number="1")
    assert said(answer, 401).startswith("ERROR: this needs a log-on")
    assert len(dialer.asked) == 1


def test_who_may_not_changes_nothing(
    api_of: Callable[..., Api], client: FlaskClient, database: Database, dialer: Recorder, sales: str
) -> None:
    campaign = campaigns.load_campaign(database, sales)
    secret = campaign.__class__(**{**_fields(campaign), "security_key": "VIP"})
    campaigns.save_campaign(database, secret, by="admin", now=NOW)
    entities.save_list(database, CallList(None, "vip numbers", security_key="VIP"), by="admin", now=NOW)
    calls = [
        ("calls/", {"op": "addcall", "campaign": sales, "number": "1"}),
        ("calls/", {"op": "extstatus", "wombatid": WOMBATID, "status": "x"}),
        ("campaigns/", {"op": "start", "campaign": sales}),
        ("campaigns/", {"op": "clone", "campaign": sales, "newcampaign": "mine"}),
        ("runlists/", {"op": "list", "campaign": sales}),
        ("lists/", {"op": "addToList", "list": "vip numbers", "numbers": "1"}),
    ]
    for api in (api_of("eve", "LIVE", "LISTS", "CAMPAIGNS"), Api(client, "", address="127.0.0.1")):
        for path, params in calls:
            assert said(api.get(path, **params)).startswith("ERROR: there is no ")
    for path, params in calls:
        answer = api_of(f"poor{len(params)}{path[0]}{params['op']}").get(path, **params)
        assert "needs the key" in said(answer, 403)
    assert dialer.asked == []
    assert [campaign.name for campaign in campaigns.list_campaigns(database)] == ["Sales"]
    assert lists.count_records(database, entities.load_list(database, "vip numbers").id or 0) == 0


def test_inspect(api: Api, dialer: Recorder, client: FlaskClient, settings: Settings, switch: Switch) -> None:
    figures = {"state": "READY", "placed": 3, "pbxs": [], "trunks": [], "end_points": [], "channels_in_use": 0}
    dialer.picture = {**figures, "runs": [], "calls": []}
    assert api.get("inspect_dialer/", op="STATUS").json == {"status": "OK", "result": figures}
    assert api.get("inspect_dialer/", op="LIVE_CALLS").json == {"status": "OK", "result": {"calls": []}}
    refused = api.get("inspect_dialer/", op="WHAT")
    assert (refused.status_code, "STATUS, LIVE_RUNS, LIVE_CALLS" in refused.json["error"]) == (400, True)
    assert create_app is not None


def test_who_did_what_from_where_goes_to_the_system_log(
    api: Api, client: FlaskClient, dialer: Recorder, sales: str, database: Database
) -> None:
    """Written behind by the dialer, which knows what was done; what it does not do is written at once."""
    anybody = Api(client, login="", address="127.0.0.1")
    anybody.get("calls/", op="addcall", campaign=sales, number="1")
    api.get("calls/", op="addcall", campaign=sales, number="1")
    about = {"wombatid": WOMBATID}
    anybody.get("calls/", op="extstatus", status="SALE", **about)
    api.get("calls/", op="attr", attr="A", val="a secret", **about)
    api.get("calls/", op="attrAppend", attr="A", val="a secret", **about)
    api.get("calls/", op="attrClear", attr="A", **about)
    anybody.get("reserve/", op="reserve", agent="SIP/1")
    anybody.get("reserve/", op="dial", id=7)
    anybody.get("reserve/", op="skip", id=7)
    call, there, here = f"call {WOMBATID} to 1", "from 192.0.2.7", "from 127.0.0.1"
    assert dialer.lines == [
        ("-", here), ("admin", there), ("-", "status set", sales, f"{call}: SALE; {here}"),
        ("admin", "attribute set", sales, f"{call}: A; {there}"),
        ("admin", "attribute appended", sales, f"{call}: A; {there}"),
        ("admin", "attribute cleared", sales, f"{call}: A; {there}"),
        ("-", "number reserved", "", here), ("-", "reserved number dialled", "", here),
        ("-", "reserved number skipped", "", here),
    ]  # fmt: skip


def test_exports_are_in_the_system_log(api: Api, sales: str, database: Database) -> None:
    campaign = next(one for one in campaigns.list_campaigns(database) if one.name == sales)
    run = start(database, campaign.id)
    assert api.get("runs/export.jsp", runId=run, mode="csv").status_code == 200
    found = [(one.user, one.detail) for one in syslog.read(database, action="report exported")]
    assert found == [("admin", "from 192.0.2.7")]
