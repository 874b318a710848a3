"""docs/cookbook/social.md: a call that a program asks for is placed at once, and says what was given with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notify.receiver import Receiver
from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen
from tests.system.agents import Floor
from tests.system.site import until


@pytest.fixture(scope="module")
def told() -> Iterator[Receiver]:
    """What hears of each call."""
    told = Receiver()
    yield told
    told.close()


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor, told: Receiver) -> Kitchen:
    """A run that has had the call of the recipe, and idles."""
    kitchen = cook("social")
    kitchen.hurry(answer_timeout_ms=1000, http_notify_url=told.url)
    assert "social is IDLE" in kitchen.follow()
    return kitchen


def said_to(floor: Floor, wombatid: int) -> list[tuple[str, str]]:
    """What the dialplan said to the callee: application and what was to be said."""
    ours = f"wbt-{wombatid:016}"
    heard = [each for each in floor.heard if each["Event"] == "Newexten" and each["Uniqueid"] == ours]
    speaking = ("Playback", "SayDigits", "SayNumber")
    return [(each["Application"], each["AppData"]) for each in heard if each["Application"] in speaking]


def state(kitchen: Kitchen) -> str:
    return str(kitchen.site.snapshot()["runs"][0]["state"])


def test_what_was_given_with_the_call_is_said(kitchen: Kitchen, floor: Floor) -> None:
    row = until(lambda: kitchen.site.attempts("social"), 30, "the call of the recipe has ended")[0]
    assert (row["number"], row["outcome"], row["extended_status"]) == ("55510200", "TERMINATED", "1")
    assert row["input_attributes"] == {"user": "1234", "friends": "127"}
    assert row["output_attributes"] == {"told": "127"}
    assert said_to(floor, row["wombatid"]) == [
        ("Playback", "hello"),
        ("SayDigits", "1234"),
        ("Playback", "vm-youhave"),
        ("SayNumber", "127"),
        ("Playback", "vm-Friends"),
        ("Playback", "vm-goodbye"),
    ]
    assert kitchen.site.rows("SELECT name FROM call_list") == [("social/AUTO",)]


def test_each_hears_their_own_and_who_is_busy_is_called_again(kitchen: Kitchen, floor: Floor) -> None:
    until(lambda: state(kitchen) == "IDLE", 10, "the run idles")
    calls = {
        kitchen.addcall("5551000801", "user:1,friends:3"): [("TERMINATED", "")],
        kitchen.addcall("5552000002", "user:2,friends:4"): [("RS_BUSY", "")] * 4,
        kitchen.addcall("5557000003", "user:7,friends:1000"): [("RS_BUSY", ""), ("TERMINATED", "1")],
    }
    assert state(kitchen) in ("IDLE", "RUNNING")
    until(lambda: sum(map(len, kitchen.results().values())) == 8, 40, "all have ended")
    results = kitchen.results()
    assert [results[number] for number in ("5551000801", "5552000002", "5557000003")] == list(calls.values())
    (heard,) = [row for row in kitchen.site.attempts("social") if row["output_attributes"] == {"told": "1000"}]
    assert heard["number"] == "5557000003"
    assert ("SayNumber", "1000") in said_to(floor, heard["wombatid"])
    until(lambda: state(kitchen) == "IDLE", 10, "the run idles again")


def test_the_program_is_told_what_became_of_each(told: Receiver) -> None:
    def of(number: str) -> list[tuple[str, str, str, str]]:
        forms = [letter.form for letter in told.letters if letter.form["num"] == number]
        return [(form["state"], form["extstate"], form["retry"], form["reschedule"]) for form in forms]

    until(lambda: len(of("5557000003")) == 2, 10, "both tries are told")
    assert of("5557000003") == [("RS_BUSY", "", "0", "1"), ("TERMINATED", "1", "1", "0")]
    (last,) = [letter.form for letter in told.letters if letter.form.get("O_told") == "1000"]
    assert (last["I_user"], last["I_friends"], last["campaign"]) == ("7", "1000", "social")


def test_a_paused_run_takes_calls_and_places_them_later(kitchen: Kitchen) -> None:
    kitchen.do("wombat-ari pause social")
    added = kitchen.addcall("5552000005", "user:5,friends:5")
    assert not kitchen.site.rows("SELECT wombatid FROM call_log WHERE wombatid = %s", (added,))
    kitchen.do("wombat-ari resume social")
    assert kitchen.ended(added)["outcome"] == "RS_BUSY"


def test_without_a_live_run_the_answer_says_so(kitchen: Kitchen) -> None:
    kitchen.do("wombat-ari pause social")
    kitchen.do("wombat-ari remove social")
    status, said = kitchen.site.get("/wombat/api/calls/?op=addcall&campaign=social&number=5551")
    assert (status, said.split(":")[0]) == (200, "ERROR")
    assert "social" in said
