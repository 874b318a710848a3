"""The live and the status page's services: what is counted, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.app.service.conftest import BOTH, caller
from tests.store.conftest import NOW
from wombat_ari.app.service import live, servers, standing, trunks
from wombat_ari.app.service import runs as run_service
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.live import Look, Sorted, Totals, look
from wombat_ari.app.service.pictures import Pictures
from wombat_ari.app.service.rights import FORBIDDEN
from wombat_ari.model.entities import Campaign, EndPoint, Server, Trunk
from wombat_ari.model.errors import UserError
from wombat_ari.model.live import Act, CallsWanted
from wombat_ari.model.states import CampaignStatus, DialerState, EndPointType, RunState
from wombat_ari.store import campaigns, entities, runs
from wombat_ari.store.database import Database

ROOT = caller("root", master=True)
LIVE = caller("ann", "LIVE")
KEYED = caller("kim", "LIVE", "GOLD")


class Dialer:
    """Answers a picture and pages of its calls, and notes what was asked."""

    def __init__(self, picture: dict[str, Any] | None) -> None:
        self.picture = picture
        self.wanted: list[CallsWanted] = []

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        if self.picture is None:
            raise UserError("the dialer is not running", code="dialer-down")
        return self.picture

    def live_calls(self, wanted: CallsWanted) -> dict[str, Any]:
        self.wanted.append(wanted)
        return {"calls": [], "total": 0, "skip": 0, "now": NOW}


class Site:
    """Two servers, a trunk and an end point on each. Campaign ``open`` uses the first; ``gold`` has the key GOLD and
    uses the second, whose server, trunk and end point have a key of their own."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.servers = [self._server("A"), self._server("B", "BOSS")]
        self.trunks = [self._trunk("T1", 0), self._trunk("T2", 1, "BOSS")]
        self.end_points = [self._end_point("E1", 0), self._end_point("E2", 1, "BOSS")]
        self.campaigns = {"open": self.campaign("open", 0), "gold": self.campaign("gold", 1, security_key="GOLD")}
        self.picture = self._picture()
        self.dialer = Dialer(self.picture)

    def look(self, who: Caller) -> Look:
        return look(who, self.db, self.pictures())

    def pictures(self) -> Pictures:
        return Pictures(self.dialer)  # type: ignore[arg-type]

    def campaign(self, name: str, place: int | None, **values: Any) -> int:
        if place is not None:
            values |= {"trunk_ids": (self.trunks[place],), "end_point_ids": (self.end_points[place],)}
        return campaigns.save_campaign(self.db, Campaign(None, name, **values), by="root", now=NOW).id or 0

    def _server(self, name: str, key: str = "") -> int:
        server = Server(None, name, login="w", security_key=key)
        return entities.save_server(self.db, server, by="root", now=NOW).id or 0

    def _trunk(self, name: str, server: int, key: str = "") -> int:
        trunk = Trunk(None, self.servers[server], name, "SIP/${num}", 10, key)
        return entities.save_trunk(self.db, trunk, by="root", now=NOW).id or 0

    def _end_point(self, name: str, server: int, key: str = "") -> int:
        end_point = EndPoint(None, self.servers[server], EndPointType.QUEUE, name, "1", "x", 10, security_key=key)
        return entities.save_end_point(self.db, end_point, by="root", now=NOW).id or 0

    def _picture(self) -> dict[str, Any]:
        """Run 11 of ``open`` has 3 calls, run 12 of ``gold`` 5, of which one has no line yet."""
        one, two = ((self.servers[n], self.trunks[n], self.end_points[n]) for n in (0, 1))
        return {
            "state": "READY", "now": NOW, "database_trouble": "", "outbox": {"receivers": [{"name": "crm:443"}]},
            "counts": [
                [11, *one, "DIALLING", 2], [11, *one, "CONNECTED", 1], [12, *two, "CONNECTED", 4],
                [12, 0, 0, 0, "RD_RESERVED", 1],
            ],
            "pbxs": [{"id": key, "name": name} for key, name in zip(self.servers, "AB", strict=True)],
            "trunks": [
                {
                    "id": self.trunks[n], "name": f"T{n + 1}", "server": "AB"[n], "server_id": self.servers[n],
                    "used": 3 + n,
                }
                for n in (0, 1)
            ],
            "end_points": [
                {"id": self.end_points[n], "name": f"E{n + 1}", "server_id": self.servers[n], "queue": {"callers": [
                    {"number": "555", "run": 12}, {"number": "556", "run": 11}, {"number": "557", "run": None},
                ]}}
                for n in (0, 1)
            ],
            "runs": [self._run(11, "open", 0, attempts=10, rate=0.5), self._run(12, "gold", 1, attempts=30, rate=0.1)],
        }  # fmt: skip

    def _run(self, run: int, campaign: str, place: int, *, attempts: int, rate: float) -> dict[str, Any]:
        return {
            "id": run, "campaign": campaign, "campaign_id": self.campaigns[campaign], "state": "RUNNING",
            "started_at": NOW + run, "attempts": attempts, "placed": attempts + 3, "cached": 7, "open_calls": 3,
            "termination_rate": rate, "estimated_remaining": 100 * run,
            "trunks": [self.trunks[place]], "end_points": [self.end_points[place]],
        }  # fmt: skip


@pytest.fixture
def site(database: Database) -> Site:
    return Site(database)


def test_everything_is_counted_for_who_sees_everything(site: Site) -> None:
    charts = live.charts(site.look(ROOT))
    assert charts.servers == (("A", 3), ("B", 4))
    assert charts.states == (("CONNECTED", 5), ("DIALLING", 2), ("RD_RESERVED", 1))
    assert charts.trunk_use == (("gold", 4), ("open", 3))
    assert charts.trunks == (("A/T1", 3), ("B/T2", 4))
    assert charts.end_point_use == (("gold", 4), ("open", 1))
    assert charts.remaining == (("gold", 1200), ("open", 1100))
    assert charts.runs == (("RUNNING", 2),)
    assert live.totals(site.look(ROOT)) == Totals(6, 46, pytest.approx(0.2), 14)


def test_what_belongs_to_a_campaign_that_is_not_seen_is_nowhere(site: Site) -> None:
    seen = site.look(LIVE)
    charts = live.charts(seen)
    assert "gold" not in repr(charts)
    assert "B" not in repr(charts)
    assert (charts.servers, charts.states) == ((("A", 3),), (("CONNECTED", 1), ("DIALLING", 2)))
    assert live.totals(seen) == Totals(3, 13, pytest.approx(0.5), 7)
    assert [run["campaign"] for run in seen.running()] == ["open"]
    assert seen.run(12) is None


def test_a_campaign_that_is_seen_shows_all_that_it_uses(site: Site) -> None:
    assert live.charts(site.look(KEYED)).trunks == (("A/T1", 3), ("B/T2", 4))


def test_calls_are_asked_for_of_the_runs_that_are_seen(site: Site) -> None:
    pictures = site.pictures()
    for who, ids in ((ROOT, None), (KEYED, frozenset({11, 12})), (LIVE, frozenset({11}))):
        live.calls(site.look(who), pictures, CallsWanted(limit=7))
        assert site.dialer.wanted[-1] == CallsWanted(runs=ids, limit=7)
    live.calls(site.look(caller("kit", "LIVE", "GOLD")), pictures, CallsWanted(limit=7))
    assert len(site.dialer.wanted) == 3, "who sees the same is told the same"
    live.calls(site.look(LIVE), pictures, CallsWanted(runs=frozenset({12})))
    assert site.dialer.wanted[-1].runs == frozenset()


def test_who_has_no_right_sees_nothing(site: Site) -> None:
    for see, who in ((look, caller("bo", "STATUS")), (standing.standing, caller("bo", "REPORT"))):
        with pytest.raises(UserError) as caught:
            see(who, site.db, site.pictures())  # type: ignore[operator]
        assert caught.value.code == FORBIDDEN


@pytest.mark.parametrize(
    ("state", "acts"),
    [
        ("RUNNING", {Act.PAUSE}),
        ("PAUSED", {Act.RESUME, Act.REMOVE}),
        ("IDLE", {Act.PAUSE, Act.REMOVE}),
        ("WRONG_TIME", {Act.PAUSE, Act.REMOVE}),
        ("REMOVED", None),
        ("COMPLETED", None),
    ],
)
def test_what_may_be_done_to_a_run(site: Site, state: str, acts: set[Act] | None) -> None:
    site.picture["runs"][0]["state"] = state
    seen = site.look(LIVE)
    assert set(seen.acts(seen.runs[0])) == (set() if acts is None else {Act.RELOAD, *acts})


@BOTH
def test_campaigns_that_can_be_started(site: Site) -> None:
    site.campaign("ready", 0)
    site.campaign("closed", 0, status=CampaignStatus.CLOSED)
    site.campaign("no lines", None)
    site.campaign("kept apart", 0, security_key="GOLD")
    assert [each.name for each in site.look(LIVE).startable()] == ["ready"]
    assert [each.name for each in site.look(KEYED).startable()] == ["kept apart", "ready"]
    site.picture["runs"][0]["state"] = "COMPLETED"
    assert [each.name for each in site.look(LIVE).startable()] == ["open", "ready"]
    site.dialer.picture = None
    down = site.look(LIVE)
    assert [each.name for each in down.startable()] == ["open", "ready"]
    assert (down.trouble, down.may_act, down.is_ready) == ("the dialer is not running", False, False)
    assert live.calls(down, site.pictures(), CallsWanted())["calls"] == []
    assert live.charts(down).states == ()


def test_orders_and_search(site: Site) -> None:
    seen = site.look(ROOT)
    names: Callable[..., list[str]] = lambda **how: [run["campaign"] for run in seen.running(**how)]  # noqa: E731
    assert names() == ["gold", "open"]
    assert names(order=Sorted.NAME_DOWN) == ["open", "gold"]
    assert names(order=Sorted.OLDEST) == ["open", "gold"]
    assert names(order=Sorted.NEWEST) == ["gold", "open"]
    assert names(search=" OPE ") == ["open"]


def test_runs_that_have_ended(site: Site) -> None:
    def ended(campaign: str, at: float) -> int:
        run = runs.start_run(site.db, site.campaigns[campaign], now=at - 100, by="root")
        runs.set_run_state(site.db, run.id, state=RunState.REMOVED, now=at)
        return run.id

    old, seen, hidden = ended("open", NOW - live.SHOWN_S - 1), ended("open", NOW - 10), ended("gold", NOW - 5)
    for who, expected in ((LIVE, [seen]), (ROOT, [hidden, seen])):
        assert [run.id for run in live.recently_closed(site.look(who), site.db, now=NOW)] == expected
    assert live.stored_run(site.look(LIVE), site.db, old).id == old
    for run in (hidden, 999):
        with pytest.raises(UserError, match=f"there is no run {run}"):
            live.stored_run(site.look(LIVE), site.db, run)


def names_of(picture: dict[str, Any]) -> dict[str, list[str]]:
    return {
        **{kind: [each["name"] for each in picture[kind]] for kind in ("pbxs", "trunks", "end_points")},
        "runs": [run["campaign"] for run in picture["runs"]],
    }


@BOTH
def test_the_status_shows_what_the_caller_sees_or_a_run_of_theirs_uses(site: Site) -> None:
    def shown(who: Caller) -> dict[str, list[str]]:
        return names_of(standing.standing(who, site.db, site.pictures()).picture)

    everything = {"pbxs": ["A", "B"], "trunks": ["T1", "T2"], "end_points": ["E1", "E2"], "runs": ["open", "gold"]}
    assert shown(ROOT) == shown(KEYED) == everything
    for who, used in ((ROOT, 7), (LIVE, 3)):
        assert standing.standing(who, site.db, site.pictures()).picture["channels_in_use"] == used
    assert shown(LIVE) == {"pbxs": ["A"], "trunks": ["T1"], "end_points": ["E1"], "runs": ["open"]}
    assert shown(caller("bo", "STATUS", "BOSS")) == {**everything, "runs": ["open"]}


def test_whom_others_have_dialled_is_not_told_of_a_queue_that_is_shared(site: Site) -> None:
    (end_point,) = standing.standing(LIVE, site.db, site.pictures()).picture["end_points"]
    assert [each["number"] for each in end_point["queue"]["callers"]] == ["", "556", "557"]
    assert site.picture["end_points"][0]["queue"]["callers"][0]["number"] == "555", "the shared picture stays"


def test_receivers_are_named_to_who_may_see_the_outbox(site: Site) -> None:
    assert standing.standing(LIVE, site.db, site.pictures()).receivers == ()
    assert standing.standing(ROOT, site.db, site.pictures()).receivers == ({"name": "crm:443"},)


def test_a_creator_sees_what_they_made(site: Site) -> None:
    maker = caller("maker", "ADMIN", "LIVE")
    server = servers.save_server(maker, site.db, Server(None, "M", login="w"))
    made = trunks.save_trunk(maker, site.db, Trunk(None, server.id or 0, "Mine", "SIP/${num}", 1))
    entities.save_trunk(site.db, Trunk(made.id, made.server_id, "Mine", "SIP/${num}", 1, "FAR"), by="root", now=NOW)
    site.picture["trunks"].append({"id": made.id, "name": "Mine", "server": "M", "server_id": server.id, "used": 0})
    assert "Mine" in names_of(standing.standing(maker, site.db, site.pictures()).picture)["trunks"]
    assert "Mine" not in names_of(standing.standing(LIVE, site.db, site.pictures()).picture)["trunks"]


def test_the_state_of_a_dialer_that_does_not_answer(site: Site) -> None:
    assert standing.standing(LIVE, site.db, site.pictures()).state is DialerState.READY
    site.dialer.picture = None
    down = standing.standing(LIVE, site.db, site.pictures())
    assert (down.state, down.trouble, down.may_control) == (DialerState.DOWN, "the dialer is not running", False)
    assert standing.standing(LIVE, site.db, site.pictures(), running=True).state is None
    assert standing.standing(caller("c", "LIVE", "CTRL_WBT"), site.db, site.pictures()).may_control


def test_all_live_calls_are_asked_for_in_pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_service, "MOST_AT_ONCE", 3)
    every = [{"id": 10 * n, "campaign": "gold" if n == 2 else "open"} for n in range(1, 7)]

    def live_calls(wanted: CallsWanted) -> dict[str, Any]:
        site.dialer.wanted.append(wanted)
        return {"calls": [call for call in every if call["id"] > wanted.after][: wanted.limit]}

    monkeypatch.setattr(site.dialer, "live_calls", live_calls)
    found = run_service.live_calls(LIVE, site.db, site.dialer)  # type: ignore[arg-type]
    assert [call["id"] for _, call in found] == [10, 30, 40, 50, 60]
    assert [(wanted.after, wanted.limit) for wanted in site.dialer.wanted] == [(0, 3), (30, 3), (60, 3)]
