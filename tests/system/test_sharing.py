"""Campaigns that share six lines of a real Asterisk: equals by turns, priorities strictly (spec 03 "Whose turn")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.system.site import Site, Tables, server_of, until
from tests.system.witness import Witness

LINES = 6
EACH = 36
TALKS = "55510103{}{:03}"  #: rings a tenth of a second, talks three; then whose it is


def tables_of(witness: Witness) -> Tables:
    ways = {"trunks": ["shared"], "end_points": ["waits"]}
    names = ("first", "one", "another", "urgent", "other", "narrow", "rest")
    priorities = dict.fromkeys(("first", "urgent", "narrow"), 1)
    ends = {"narrow": ["two"]}
    return {
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "shared", "dial_string": "Local/${num}@watched/n", "capacity": LINES}],
        "end_point": [
            {"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 50},
            {"name": "two", "extension": "101", "context": "watched-ends", "max_channels": 2},
        ],
        "list": [{"name": name} for name in names],
        "campaign": [
            {"name": name, **ways, "lists": [name], "priority": priorities.get(name, 10),
             "end_points": ends.get(name, ["waits"])}
            for name in names
        ],
    }  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Site]:
    with ExitStack() as stack:
        site = Site(tmp_path_factory.mktemp("sharing"))
        stack.callback(site.close)
        tables = tables_of(witness)
        site.apply(tables)
        for serial, each in enumerate(tables["list"]):
            site.fill(each["name"], [TALKS.format(serial, n) for n in range(EACH)])
        site.serve()
        site.await_pbx()
        yield site


def placed(site: Site) -> dict[str, int]:
    """By campaign, for those that are live and not at their ends."""
    return {run["campaign"]: run["placed"] for run in site.snapshot()["runs"] if run["remaining"] + run["in_hopper"]}


def moments(site: Site, campaign: str) -> list[float]:
    return [row["attempted_at"] for row in site.attempts(campaign)]


def most_at_once(rows: Iterable[dict[str, Any]]) -> int:
    """By the log: how many lived at the same time at most."""
    events = sorted((at, step) for row in rows for at, step in ((row["attempted_at"], 1), (row["ended_at"], -1)))
    most = now = 0
    for _, step in events:
        now += step
        most = max(most, now)
    return most


def test_equals_on_a_real_pbx(site: Site, witness: Witness) -> None:
    """They begin together, when a more urgent one is through. By the status at every look, by the log call by call,
    by the notes of Asterisk itself.
    """
    looks: list[int] = []
    site.run("first", "one", "another")
    until(lambda: _looked(site, looks), 60, "one has nothing more to place")
    site.finish()
    assert moments(site, "first")[-1] < min(moments(site, "one")[0], moments(site, "another")[0])
    rows = [*site.attempts("one"), *site.attempts("another")]
    apart = _apart([(row["campaign_name"], row["attempted_at"]) for row in rows])
    seen = witness.seen()
    begun = _apart([(row["campaign_name"], seen[row["wombatid"]].began[0]) for row in rows])
    print(f"{len(looks)} looks; apart {set(looks)} by the status, {set(apart)} in the log, {set(begun)} by Asterisk")
    assert len(looks) > 10
    assert max(looks) == max(apart) == 1
    assert max(begun) <= 2, "threads of Asterisk may overtake each other"
    assert most_at_once(rows) == LINES
    site.check_ledger()


def _looked(site: Site, looks: list[int]) -> bool:
    """Look once; whether it was the last time that both had something to dial."""
    now = placed(site)
    if "one" not in now or "another" not in now:
        return bool(looks)
    looks.append(abs(now["one"] - now["another"]))
    return False


def _apart(order: list[tuple[str, float]]) -> list[int]:
    """After each moment: by how much the numbers placed differ."""
    counted: Counter[str] = Counter(one=0, another=0)
    apart = []
    order = sorted(order, key=lambda each: each[1])
    for (name, at), (_, following) in zip(order, [*order[1:], ("", float("inf"))], strict=True):
        counted[name] += 1
        if following > at:
            apart.append(abs(counted["one"] - counted["another"]))
    return apart


def test_the_urgent_one_goes_first_on_a_real_pbx(site: Site) -> None:
    """While it has numbers nothing of the other is placed; then the other goes on."""
    site.run("other")
    until(lambda: placed(site).get("other", 0) >= LINES, 20, "the other is in full swing")
    site.run("urgent")
    site.finish()
    urgent, other = moments(site, "urgent"), moments(site, "other")
    between = [at for at in other if urgent[0] + 0.1 < at < urgent[-1]]
    print(f"{len(other)} of the other: {sum(at <= urgent[0] + 0.1 for at in other)} before, {len(between)} meanwhile")
    assert between == []
    assert len(urgent) == len(other) == EACH
    assert any(at > urgent[-1] for at in other)
    assert most_at_once([*site.attempts("urgent"), *site.attempts("other")]) == LINES
    site.check_ledger()


def test_what_the_urgent_one_cannot_use_goes_to_the_next_on_a_real_pbx(site: Site) -> None:
    """Its end point has two channels: the other campaign has the other four lines, all the time."""
    site.run("narrow", "rest")
    site.finish()
    narrow, rest = site.attempts("narrow"), site.attempts("rest")
    both = [row for row in rest if row["attempted_at"] < narrow[-1]["attempted_at"]]
    print(f"at once {most_at_once(narrow)} and {most_at_once(both)}; {len(both)} of the rest meanwhile")
    assert most_at_once(narrow) == 2
    assert most_at_once(both) == LINES - 2
    assert most_at_once([*narrow, *rest]) == LINES
    assert len(both) == len(rest) == EACH, "twice as fast as the urgent one with its two channels"
    site.check_ledger()
