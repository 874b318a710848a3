"""docs/cookbook/strangelove.md: people hear of their appointment, choose and confirm, and the office is told."""

from __future__ import annotations

import wave
from collections.abc import Iterator

import pytest

from tests.notify.receiver import Receiver
from tests.recipes.conftest import Cook
from tests.recipes.kitchen import Kitchen
from tests.system.agents import Floor
from tests.system.site import until

SECRET = "of the office"
ADA, BEA, CARL, DORA, EMIL = "5550021511111111", "5550021522222222", "5551021003", "5552030004", "5553000005"
WENT_DIFFERENT_WAYS = "7712"  #: chooses 1, cancels
LISTENS_AND_CONFIRMS = "7721"
WRONG_KEY = "7792"  #: 9 is no choice, so that it is asked anew: then 2, and 2
SILENT, LEAVES = "7821", "7911"  #: at the first call
TIME = "HH:10,MM:30"
SAID = ("TERMINATED", "0")
END = {
    CARL: [SAID] * 4,
    DORA: [("RS_BUSY", "")] * 6,
    EMIL: [("RS_NOANSWER", "")] * 6,
    WENT_DIFFERENT_WAYS: [("TERMINATED", "2")],
    LISTENS_AND_CONFIRMS: [("TERMINATED", "1")],
    WRONG_KEY: [("TERMINATED", "2")],
    SILENT: [("RS_TIMEOUT", "0"), ("TERMINATED", "1")],
    LEAVES: [SAID, ("TERMINATED", "1")],
}
CHOSEN = {ADA: "APPE", BEA: "PSYC", "7712": "APPE", "7721": "PSYC", "7792": "PSYC", "7821": "PSYC", "7911": "APPE"}


@pytest.fixture(scope="module")
def office() -> Iterator[Receiver]:
    """The office's system, which is told of each call."""
    with Receiver() as office:
        yield office


@pytest.fixture(scope="module")
def kitchen(cook: Cook, floor: Floor, office: Receiver) -> Kitchen:
    """The list is through, and those whom the office added."""
    kitchen = cook("strangelove")
    kitchen.hurry(answer_timeout_ms=1000, forced_closure_s=15, http_notify_url=office.url, notify_secret=SECRET)
    since = floor.now()
    kitchen.pbx.cli("channel originate Local/s@wombat-strangelove-make/n application Wait 60")
    kitchen.do(kitchen.then[0])
    floor.await_event("Newexten", since=since, limit=60, Context="wombat-strangelove-make", Application="Hangup")
    kitchen.do(kitchen.then[1])
    kitchen.addcall(SILENT, TIME)
    until(lambda: {ADA, BEA} <= {row["number"] for row in kitchen.site.attempts()}, 30, "they have decided")
    kitchen.do(kitchen.then[2])
    for number in (WENT_DIFFERENT_WAYS, LISTENS_AND_CONFIRMS, WRONG_KEY, LEAVES):
        kitchen.addcall(number, TIME)
    until(lambda: len(kitchen.site.attempts()) == sum(map(len, END.values())) + 3, 60, "everybody was called")
    return kitchen


def test_what_they_chose_and_whether_they_confirmed(kitchen: Kitchen) -> None:
    results = kitchen.results()
    assert results.pop(ADA) == [("TERMINATED", "1")] * 2, "the second is the recipe's third command"
    assert results.pop(BEA) == [("TERMINATED", "2")]
    assert results == END
    chosen = {row["number"]: row["output_attributes"].get("APPT") for row in kitchen.site.attempts()}
    assert {number: choice for number, choice in chosen.items() if choice} == CHOSEN
    until(lambda: kitchen.site.snapshot()["runs"][0]["state"] == "IDLE", 10, "nothing is left to do")


def test_everybody_hears_the_time_of_their_own_appointment(kitchen: Kitchen, floor: Floor) -> None:
    said = {each["AppData"] for each in floor.heard if each["Application"] == "Set"}
    for time in ("10 30", "11 00", "16 45"):
        assert f"TEXT=Your appointment with doctor Strangelove is for tomorrow at {time}." in said
    spoken = floor.await_event("Newexten", Application="Playback", Context="wombat-strangelove")["AppData"]
    with wave.open(f"{kitchen.pbx.directory}/{spoken.removeprefix('/mnt/')}.wav") as sound:
        assert sound.getnframes() / sound.getframerate() > 1


def test_the_office_is_told_of_each_call(kitchen: Kitchen, office: Receiver) -> None:
    rows = {str(row["wombatid"]): row for row in kitchen.site.attempts()}
    until(lambda: len(office.accepted) >= len(rows), 20, "the office was told")
    assert {letter.is_signed_with(SECRET) for letter in office.letters} == {True}
    forms = {letter.form["wombatid"]: letter.form for letter in office.accepted}
    assert forms.keys() == rows.keys()
    for wombatid, row in rows.items():
        form = forms[wombatid]
        assert (form["num"], form["state"], form["extstate"]) == (row["number"], row["outcome"], row["extended_status"])
        assert form["I_HH"] == row["input_attributes"]["HH"]
        assert form.get("O_APPT") == row["output_attributes"].get("APPT")
        assert (form["retry"], form["reschedule"]) == (str(row["attempt"] - 1), str(row["retry_in_s"]))


def test_the_queue_log_has_the_choice(kitchen: Kitchen) -> None:
    (row,) = [row for row in kitchen.site.attempts() if row["number"] == BEA]
    ours = f"wbt-{row['wombatid']:016}"

    def events() -> list[list[str]]:
        return [line[4:] for line in kitchen.queue_log("strangelove") if line[1] == ours]

    until(lambda: ["INFO", "APPT", "PSYC"] in events(), 10, "it is written")
    assert [each[0] for each in events()] == ["ENTERQUEUE", "CONNECT", "COMPLETECALLER", "CALLSTATUS", "INFO"]
    assert ["CALLSTATUS", "2"] in events()


def test_without_speech_nobody_is_called_again(kitchen: Kitchen) -> None:
    """tts.py takes 2000 characters at most."""
    kitchen.forgiven = "tts.py: ERROR: the text has"
    row = kitchen.ended(kitchen.addcall("7711", f"HH:{'1' * 990},MM:{'2' * 990}"))
    assert (row["outcome"], row["extended_status"], row["retry_in_s"]) == ("TERMINATED", "MUTE", 0)
