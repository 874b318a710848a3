"""Each outcome of spec 04's table on a real Asterisk, by real processes, on both databases.

The scene is played once for each database (about 15 s); each test looks at one side of what came of it. Times are
compared with what the dialplan noted by its own clock, not with what the numbers ask for: a busy machine makes
Asterisk late, and the dialer must log what really happened.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system import scene as play
from tests.system.scene import BLACK, CALLEE, FAILING, FORCED_S, NAMES, NOTES, RETRIED, TIMEOUT_MS, WAITS_S, Scene
from tests.system.site import Site, until
from tests.system.witness import LOGIN, SECRET, Witness
from tests.tools.ami import Ami
from tools.provision.mariadb import MariaDBInstance

CLOSE_S = 0.150  #: the dialer's times are as near as this to the dialplan's


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, witness: Witness
) -> Iterator[Scene]:
    url = ""
    if request.param == "mysql":
        server: MariaDBInstance = request.getfixturevalue("mariadb")
        server.create_database("outcomes")
        url = server.url("outcomes")
    site = Site(tmp_path_factory.mktemp(request.param), url=url)
    try:
        yield play.play(site, witness)
    finally:
        site.close()
        if url:
            server.drop_database("outcomes")


def _near(scene: Scene, logged: float, really: float, what: str) -> None:
    """Within 150 ms, and what the machine itself held up everybody."""
    allowed = CLOSE_S + scene.stall_s
    assert abs(logged - really) <= allowed, f"{what}: logged {logged:.3f}, really {really:.3f}, {allowed=:.3f}"


def _phases(row: dict[str, Any]) -> tuple[float, float, float, float]:
    """When it was requested, dialling, connected, ended, from the row's waits."""
    dialling = row["attempted_at"] + row["wait_pre_ms"] / 1000
    connected = dialling + row["wait_after_ms"] / 1000
    return row["attempted_at"], dialling, connected, connected + row["talk_ms"] / 1000


def _check_answered(scene: Scene, row: dict[str, Any], *, by: str) -> None:
    """All three phases are what the dialplan noted; ``by``: which leg hung up (ended: the callee's, left: ours)."""
    seen = scene.seen[row["wombatid"]]
    requested, dialling, connected, ended = _phases(row)
    (began,) = seen.began
    really_ended = seen.ended[0] if by == "ended" else seen.left
    assert seen.answered is not None
    assert really_ended is not None
    _near(scene, dialling, began, f"{row['number']}: the channel")
    _near(scene, connected, seen.answered, f"{row['number']}: the answer")
    _near(scene, ended, really_ended, f"{row['number']}: the end")
    _near(scene, row["wait_pre_ms"] / 1000, began - requested, f"{row['number']}: wait pre")
    _near(scene, row["wait_after_ms"] / 1000, seen.answered - began, f"{row['number']}: wait after")
    _near(scene, row["talk_ms"] / 1000, really_ended - seen.answered, f"{row['number']}: talk")
    _near(scene, row["ended_at"], ended, f"{row['number']}: the phases add up")


# Outcomes


@pytest.mark.parametrize("number", CALLEE)
def test_answered_and_hung_up_by_the_callee(scene: Scene, number: str) -> None:
    row = scene.one("callee", number)
    assert (row["outcome"], row["cause"], row["retry_in_s"]) == ("TERMINATED", 16, 0)
    _check_answered(scene, row, by="ended")
    assert row["wait_after_ms"] >= int(number[4:6]) * 100 - 1000 * CLOSE_S
    assert row["talk_ms"] >= int(number[6:8]) * 100 - 1000 * CLOSE_S


@pytest.mark.parametrize("number", ["5551000001", "5551050001"])
def test_answered_and_hung_up_by_the_end_point(scene: Scene, number: str) -> None:
    row = scene.one("end point", number)
    assert (row["outcome"], row["cause"]) == ("TERMINATED", 16)
    _check_answered(scene, row, by="left")


@pytest.mark.parametrize("number", ["5551000001", "5551010001"])
def test_answered_and_hung_up_at_once(scene: Scene, number: str) -> None:
    row = scene.one("at once", number)
    assert row["outcome"] == "TERMINATED"
    _check_answered(scene, row, by="left")


@pytest.mark.parametrize(("number", "outcome"), FAILING.items())
def test_not_answered(scene: Scene, number: str, outcome: str) -> None:
    row = scene.one("callee", number)
    assert row["outcome"] == outcome
    seen = scene.seen[row["wombatid"]]
    _, dialling, _, ended = _phases(row)
    assert row["talk_ms"] == 0
    _near(scene, dialling, seen.began[0], "the channel")
    _near(scene, ended, seen.ended[0], "the end")
    _near(scene, row["wait_after_ms"] / 1000, seen.ended[0] - seen.began[0], "wait after")
    if outcome == "RS_NOANSWER":
        assert row["wait_after_ms"] >= TIMEOUT_MS - 50
    assert seen.reached is None


def test_forced_closure(scene: Scene) -> None:
    row = scene.one("forced", "5551010001")
    assert row["outcome"] == "RS_TIMEOUT"
    assert row["talk_ms"] >= FORCED_S * 1000 - 10
    _check_answered(scene, row, by="left")
    _near(scene, row["talk_ms"] / 1000, FORCED_S, "talk")
    before = scene.one("forced", "5551001001")
    assert (before["outcome"], before["talk_ms"] < FORCED_S * 1000) == ("TERMINATED", True)


@pytest.mark.parametrize(
    ("campaign", "outcome"),
    [
        ("unknown number", "RS_REJECTED"),
        ("no context", "RS_REJECTED"),
        ("no technology", "RS_NUMBER"),
        ("no PJSIP end point", "RS_NUMBER"),
    ],
)
def test_what_is_not_there(scene: Scene, campaign: str, outcome: str) -> None:
    row = scene.one(campaign)
    assert (row["outcome"], row["talk_ms"], row["retry_in_s"]) == (outcome, 0, 0)


@pytest.mark.parametrize(
    ("number", "outcome"),
    [("100", "RS_BUSY"), ("200", "RS_REJECTED"), ("300", "RS_REJECTED"), ("400", "RS_NOANSWER")],
    ids=["Busy()", "Congestion()", "Dial() to nobody", "Dial() that gives up"],
)
def test_a_trunk_context_that_hides_the_cause(scene: Scene, number: str, outcome: str) -> None:
    assert scene.one("applications", number)["outcome"] == outcome


def test_an_end_point_that_is_not_there_is_told_in_asterisks_words(scene: Scene) -> None:
    row = scene.one("nowhere")
    assert (row["outcome"], row["message"]) == ("RS_ERROR", "Extension does not exist.")
    assert row["wombatid"] not in scene.seen
    assert "Extension does not exist." in scene.site.log()


def test_more_than_an_action_of_ami_takes_is_told_and_not_dialled(scene: Scene) -> None:
    row = scene.one("too long")
    assert row["outcome"] == "RS_ERROR"
    assert "headers, Asterisk takes 128" in row["message"]
    assert row["wombatid"] not in scene.seen


def test_a_number_on_a_black_list_is_logged_and_not_dialled(scene: Scene) -> None:
    row = scene.one("black", BLACK)
    assert (row["outcome"], row["attempt"], row["retry_in_s"]) == ("RS_BLACKLIST", 1, 0)
    assert row["wombatid"] not in scene.seen
    assert {each["outcome"] for each in scene.of("black") if each["number"] != BLACK} == {"TERMINATED"}


def test_where_a_call_went_is_in_its_row(scene: Scene) -> None:
    row = scene.one("callee", CALLEE[0])
    assert (row["trunk_name"], row["end_point_name"], row["attempt"]) == ("network", "waits", 1)
    assert row["unique_id"] == f"wbt-{row['wombatid']:016}"
    assert row["channel"].startswith(f"Local/{CALLEE[0]}@watched-")


# Retries


@pytest.mark.parametrize(("number", "outcomes"), RETRIED.items())
def test_exactly_as_many_attempts_as_the_rules_say(scene: Scene, number: str, outcomes: list[str]) -> None:
    rows = scene.of("retried", number)
    assert [row["outcome"] for row in rows] == outcomes
    assert [row["attempt"] for row in rows] == list(range(1, len(rows) + 1))
    for place, (before, after) in enumerate(itertools.pairwise(rows)):
        wanted = WAITS_S[before["outcome"]][place]
        assert before["retry_in_s"] == wanted
        waited = after["attempted_at"] - before["ended_at"]
        assert wanted <= waited <= wanted + 0.8 + scene.stall_s, f"after {before['outcome']}: {waited:.3f} s"
    assert rows[-1]["retry_in_s"] == 0


def test_an_answered_call_is_tried_again_when_its_status_says_so(scene: Scene) -> None:
    rows = scene.of("again by status")
    assert [(row["outcome"], row["extended_status"], row["retry_in_s"]) for row in rows] == [
        ("TERMINATED", "2", 1),
        ("TERMINATED", "2", 0),
    ]


def test_every_attempt_was_one_originate(scene: Scene) -> None:
    """The log and the dialplan know the same attempts, each begun once."""
    through = [row for rows in scene.attempts.values() for row in rows if row["trunk_name"] == "network"]
    placed = {row["wombatid"]: row["number"] for row in through if row["outcome"] not in ("RS_ERROR", "RS_BLACKLIST")}
    ours = {wombatid: seen for wombatid, seen in scene.seen.items() if wombatid in {row["wombatid"] for row in through}}
    assert {wombatid: seen.number for wombatid, seen in ours.items()} == placed
    assert all(len(seen.began) == len(seen.ended) == 1 for seen in ours.values())


def test_the_ledger_is_right(scene: Scene) -> None:
    counted = scene.site.check_ledger()
    assert sum(run.taken for run in counted) == sum(len(each["numbers"]) for each in play.CAMPAIGNS)
    assert all(run.taken == run.closed and not run.open_attempts and not run.open_retries for run in counted)
    states = scene.site.rows("SELECT DISTINCT state FROM run")
    assert states == [("COMPLETED",)]


def test_nothing_odd_happened(scene: Scene) -> None:
    assert scene.site.snapshot()["odd_events"] == 0
    assert "mistake of ours" not in scene.site.log()
    assert "Traceback" not in scene.site.log()


# What the dialplan tells, what it is told


def test_status_and_attribute_by_user_event(scene: Scene) -> None:
    message = scene.one("message")
    assert (message["outcome"], message["extended_status"]) == ("TERMINATED", "1")
    assert message["output_attributes"] == {"HEARD": "yes"}
    status = scene.one("status")
    assert (status["outcome"], status["extended_status"], status["output_attributes"]) == ("TERMINATED", "2", {})


def test_status_and_attributes_by_fastagi(scene: Scene) -> None:
    row = scene.one("agi")
    assert (row["outcome"], row["extended_status"]) == ("TERMINATED", "3")
    assert row["output_attributes"] == {"HEARD": "agitwice"}
    assert row["input_attributes"]["NAME"] == 'quoted "so", and a comma'


@pytest.mark.parametrize(("number", "note"), NOTES.items(), ids=NAMES.values())
def test_any_text_reaches_the_dialplan_and_comes_back(scene: Scene, number: str, note: str) -> None:
    row = scene.one("echo", number)
    seen = scene.seen[row["wombatid"]]
    assert (seen.name, seen.note) == (NAMES[number], note)
    assert row["output_attributes"] == {"ECHO": note, "NAME": NAMES[number]}
    assert row["extended_status"] == NAMES[number]
    stored = scene.site.rows("SELECT output_attributes FROM record WHERE number = %s", (number,))
    assert len(stored) == 1


def test_outputs_are_on_the_record_and_in_the_export(scene: Scene) -> None:
    said = scene.site.wombat("export", "agi").stdout
    assert ">HEARD:agitwice" in said
    assert 'NAME:quoted "so"\\, and a comma' in said


def test_a_status_that_comes_after_the_hang_up_is_still_added(scene: Scene) -> None:
    row = scene.of("retried")[-1]
    with Ami(scene.witness.pbx, user=LOGIN, secret=SECRET) as ami:
        ami.act("UserEvent", UserEvent="CALLSTATUS", Uniqueid=row["unique_id"], V="late")
        ami.act("UserEvent", UserEvent="ATTRIBUTE", Uniqueid=row["unique_id"], WHEN="after")

        def added() -> bool:
            now = next(each for each in scene.site.attempts("retried") if each["wombatid"] == row["wombatid"])
            return bool((now["extended_status"], now["output_attributes"].get("WHEN")) == ("late", "after"))

        until(added, 20, "the late words are in the log")
