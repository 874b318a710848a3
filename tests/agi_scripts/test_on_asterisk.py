"""The scripts where they belong: run by a real Asterisk, with the Python and the speech engine of its Debian, telling a
real dialer.
"""

from __future__ import annotations

import shutil
import subprocess
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.agi_scripts.pipes import NAMES, SCRIPTS
from tests.conftest import started
from tests.system.site import Site, server_of, until
from tests.tools.ami import Ami
from tools.provision.asterisk import AsteriskInstance

NOTES = {
    "55510001001": 'she said "no", (and {then [left\\',
    "55510001002": "Zoë – 日本語 – 🐨, ${EXTEN} $[1+1]; | = & % +  ",
    "55510001003": "x, " * 240,
    "55510001004": "🐨" * 1000,
    "55510001005": "1) Ann: yes; 2) Bob): (no}",
}
LOST = "0557654321"  #: hangs up in the queue 999, where no agent is

DIALPLAN = r"""
[agi-ends]
exten => tells,1,Answer(,i)
 same => n,AGI(callstatus.py,6)
 same => n,AGI(attribute.py,--variable,NOTE,--variable,STATE=CHANNEL(state))
 same => n,Set(TOLD=${WOMBAT_AGI_RESULT})
 same => n,Set(TEN=éééééééééé)
 same => n,Set(HUNDRED=${TEN}${TEN}${TEN}${TEN}${TEN}${TEN}${TEN}${TEN}${TEN}${TEN})
 same => n,Set(H=${HUNDRED})
 same => n,Set(LONG=${H}${H}${H}${H}${H}${H}${H}${H}${H}${H})
 same => n,AGI(attribute.py,LONG)
 same => n,AGI(attribute.py,CUT,${LONG}${LONG})
 same => n,Set(CUT=${WOMBAT_AGI_RESULT:0:29})
 same => n,AGI(attribute.py,CUT)
 same => n,AGI(attribute.py,GONE,soon)
 same => n,AGI(clear.py,GONE)
 same => n,AGI(append.py,PIECES,one,two)
 same => n,AGI(callstatus.py,--id,1,9)
 same => n,AGI(attribute.py,TOLD,${TOLD} then ${WOMBAT_AGI_RESULT} and ${AGISTATUS})
 same => n,Hangup()
; In h only variables can be read and set; the script tells all the same.
exten => h,1,AGI(callstatus.py,7)

exten => asks,1,Answer(,i)
 same => n,AGI(collect_number.py,--min,7,--max,7,--tries,9,--ask,beep,--said,,--confirm,beep)
 same => n,AGI(tts.py,--keys,1,Thank you. We call you back soon. Press one now. What follows is about us and our past.)
 same => n,AGI(addcall.py,--variable,WANTED=WOMBAT_NUMBER,--in,3000,other,${WOMBAT_NUMBER})
 same => n,AGI(attribute.py,ALL,${WOMBAT_NUMBER} ${WOMBAT_TTS_KEY} ${WOMBAT_AGI_RESULT} ${AGISTATUS})
 same => n,AGI(attribute.py,--variable,SOUND=WOMBAT_TTS_FILE)
 same => n,Hangup()

exten => speaks,1,Answer(,i)
 same => n,AGI(tts.py,One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. Eleven. Twelve. Thirteen. Fourteen.)
 same => n,Hangup()
exten => waits,1,Answer(,i)
 same => n,Queue(999)

exten => recalls,1,Answer(,i)
 same => n,AGI(recall_lost_calls.py,--after,0,other,999)
 same => n,UserEvent(RECALLED,Result:${WOMBAT_AGI_RESULT})
 same => n,Hangup()

; A callee who again and again enters 7654321 and confirms it; the ones end what is said as well.
[agi-callees]
exten => _555X.,1,Answer(,i)
 same => n,GotoIf($["${EXTEN}" = "55520"]?keys)
 same => n,Wait(60)
 same => n(keys),Wait(1)
 same => n,SendDTMF(*7654321,100)
 same => n,Wait(4)
 same => n,SendDTMF(1,100)
 same => n,Wait(2)
 same => n,Goto(keys)
"""


class Stage:
    """A PBX with the scripts, and a dialer that has called everybody."""

    def __init__(self, pbx: AsteriskInstance, site: Site) -> None:
        self.pbx, self.site = pbx, site

    def of(self, number: str) -> dict[str, Any]:
        return next(row for row in self.site.attempts() if row["number"] == number)


def tables(pbx: AsteriskInstance) -> dict[str, list[dict[str, Any]]]:
    names = ("tells", "asks")
    common: dict[str, Any] = {"trunks": ["callees"], "answer_timeout_ms": 5000}
    campaigns = [dict(common, name=name, end_points=[name], lists=[name]) for name in names]
    campaigns.append(dict(common, name="other", end_points=["tells"], lists=[], idles_on_termination=True))
    ends = [{"name": name, "extension": name, "context": "agi-ends", "max_channels": 9} for name in names]
    return {
        "server": [server_of(pbx)],
        "trunk": [{"name": "callees", "dial_string": "Local/${num}@agi-callees/n", "capacity": 9}],
        "end_point": ends,
        "list": [{"name": name} for name in names],
        "campaign": campaigns,
    }


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("agi")
    site = Site(folder / "site")
    settings = f"[dialer]\nurl = http://127.0.0.1:{site.console_port}/wombat/api\n"
    conf = {"extensions.d/agi.conf": DIALPLAN, "wombat-agi.conf": settings}
    with ExitStack() as stack:
        pbx = started(stack, lambda: AsteriskInstance(folder / "pbx", extra_conf=conf))
        (pbx.directory / "lib/agi-bin").mkdir(exist_ok=True)
        for name in NAMES:
            shutil.copy(SCRIPTS / name, pbx.directory / "lib/agi-bin" / name)
        stack.callback(site.close)
        site.apply(tables(pbx))
        site.fill("tells", [f"{number},NOTE:{escaped(note)}" for number, note in NOTES.items()])
        site.fill("asks", ["55520"])
        site.serve()
        site.await_pbx()
        site.run("other", "tells", "asks")
        until(lambda: len(site.attempts()) == len(NOTES) + 1, 120, "everybody was called")
        yield Stage(pbx, site)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


@pytest.mark.parametrize("number", NOTES)
def test_any_text_goes_there_and_back(stage: Stage, number: str) -> None:
    row = stage.of(number)
    assert row["output_attributes"] == {
        "NOTE": NOTES[number], "STATE": "Up", "PIECES": "one,two", "GONE": "", "LONG": "é" * 1000,
        "CUT": "ERROR: Asterisk cuts what AGI", "TOLD": "OK then ERROR: there is no call 1 and FAILURE",
    }  # fmt: skip
    assert row["extended_status"] == "7"


def test_number_is_collected_and_thanked_for(stage: Stage) -> None:
    row = stage.of("55520")
    assert row["output_attributes"]["ALL"] == "7654321 1 OK SUCCESS"
    waiting = stage.site.rows("SELECT number FROM open_retry JOIN record ON record.id = open_retry.record_id")
    assert waiting == [("7654321",)]


def test_engine_of_the_pbx_spoke(stage: Stage) -> None:
    sound = stage.of("55520")["output_attributes"]["SOUND"]
    with wave.open(str(stage.pbx.directory / sound.removeprefix("/mnt/")) + ".wav") as speech:
        assert speech.getframerate() == 8000
        assert 3 < speech.getnframes() / 8000 < 20
        data = memoryview(speech.readframes(speech.getnframes())).cast("h")
    assert max(data) > 3000


def test_caller_who_hangs_up_while_spoken_to(stage: Stage) -> None:
    """The script ends with the call, and no channel is left behind."""
    with Ami(stage.pbx) as ami:
        ami.act("Originate", Channel="Local/speaks@agi-ends/n", Application="Wait", Data="3", Async="true")
        until(lambda: scripts_running(stage.pbx), 10, "the script runs")
    until(lambda: "0 active channels" in stage.pbx.cli("core show channels count"), 10, "no channel is left")
    until(lambda: not scripts_running(stage.pbx), 2, "no script is left")


def test_lost_caller_of_a_real_queue_is_called_back(stage: Stage) -> None:
    with Ami(stage.pbx) as ami:
        ami.act("Originate", Channel="Local/waits@agi-ends/n", Application="Wait", Data="1", Async="true",
                CallerID=LOST)  # fmt: skip
        log = stage.pbx.directory / "log/queue_log"
        until(lambda: log.exists() and "|ABANDON|" in log.read_text(), 10, "the caller hung up")
        for _ in range(2):
            ami.messages.clear()
            ami.act("Originate", Channel="Local/recalls@agi-ends/n", Application="Wait", Data="5", Async="true")
            told = ami.wait(lambda m: m.get("UserEvent") == "RECALLED")
            assert told["Result"] == "OK"
    (added,) = stage.site.rows("SELECT number, input_attributes FROM record WHERE number = %s", (LOST,))
    assert "LOST_QUEUE" in str(added[1])


def scripts_running(pbx: AsteriskInstance) -> bool:
    found = subprocess.run(["pgrep", "--parent", str(pbx.pid), "-a"], capture_output=True, text=True, check=False)
    return "tts.py" in found.stdout
