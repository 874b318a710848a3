"""Flows on a real Asterisk, by real processes: end points of type FLOW without ARI, callers who press keys.

All campaigns run at the same time, once. A callee of ``flow-callees`` presses the digits of its number behind the first
one: ``5`` waits until it is hung up afterwards, ``6`` hangs up after them, ``7`` hangs up after so many tenths of a
second (two digits; what follows is for the flow).
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.agi_scripts.pipes import SCRIPTS
from tests.conftest import started
from tests.system.site import Site, server_of, until
from tools.provision.asterisk import AsteriskInstance
from tools.provision.root import ensure_asterisk
from wombat_ari.core.numbers import format_native

CALLEES = """\
[globals]
WOMBAT_AGI_PORT = {port}

[flow-callees]
exten => _5X.,1,Answer()
 same => n,Wait(0.4)
 same => n,SendDTMF(${{EXTEN:1}},200,80)
 same => n,Wait(60)
exten => _6X.,1,Answer()
 same => n,Wait(0.4)
 same => n,SendDTMF(${{EXTEN:1}},200,80)
 same => n,Hangup()
exten => _7XX!,1,Answer()
 same => n,Wait($[${{EXTEN:1:2}} / 10])
 same => n,Hangup()

[flow-desk]
exten => 100,1,AGI(agi://127.0.0.1:{port}/attribute?DESK=reached)
 same => n,Hangup()
exten => 101,1,Wait(60)
 same => n,Hangup()

; A flow that fails hands the caller back to the dialplan that called it, and one that has hung up does not.
[flow-behind]
exten => 100,1,AGI(agi://127.0.0.1:{port}/flow/breaks)
 same => n,AGI(agi://127.0.0.1:{port}/attribute?SORRY=${{URIENCODE(${{AGISTATUS}} ${{WOMBAT_AGI_RESULT}})}})
 same => n,Hangup()
exten => 101,1,AGI(agi://127.0.0.1:{port}/flow/hangs_up)
 same => n,AGI(agi://127.0.0.1:{port}/attribute?WENT_ON=yes)
 same => n,Wait(60)

; By verbs: the note in the query, and by the name of its variable; then a call more.
[flow-verbs]
exten => 100,1,AGI(agi://127.0.0.1:{port}/attribute?QUERY=${{URIENCODE(${{NOTE}})}})
 same => n,Set(FIRST=${{AGISTATUS}} ${{WOMBAT_AGI_RESULT}})
 same => n,AGI(agi://127.0.0.1:{port}/attribute,NOTE)
 same => n,AGI(agi://127.0.0.1:{port}/attribute?FIRST=${{URIENCODE(${{FIRST}})}})
 same => n,AGI(agi://127.0.0.1:{port}/addcall?campaign=answers&number=551&OF=${{WOMBATID}}&NOTE=a%2Cb)
 same => n,AGI(agi://127.0.0.1:{port}/attribute?ADDED=${{WOMBAT_ADDED}})
 same => n,AGI(agi://127.0.0.1:{port}/addcall?campaign=nosuch&number=551)
 same => n,AGI(agi://127.0.0.1:{port}/attribute?REFUSED=${{AGISTATUS}})
 same => n,Hangup()
"""

#: An agent who answers at once and hangs up after half a second; in flow-empty there is nobody.
QUEUES = """\
[flow-queue]
member => Local/010005@simulated-agents/n,0,Flora,Custom:agent01

[flow-empty]
joinempty = yes
"""

FLOWS = """\
import asyncio
import time


async def answers(call):
    await call.status("0")
    await call.attribute("CODE", await call.digits(4, prompt="hello-world"))
    await call.attribute("MENU", await call.menu(("beep", "beep"), "12", tries=2, timeout=2))
    await call.attribute("LAST", await call.digits(5, terminator="#", timeout=2))
    await call.status("1")


async def records(call):
    made = await call.record(limit=0.6, silence=0, terminator="", beep=False)
    await call.attribute("END", made.end)
    await call.play(made.sound)
    await call.say_digits("1")
    await call.say_number(2)
    await call.attribute("PRESSED", await call.say_date(1790000000, interrupt="*"))


async def echoes(call):
    note = call.attributes["NOTE"]
    await call.attribute("ECHO", note)
    await call.attribute("SAME", await call.get_variable("NOTE") == note)
    if len(note) < 300:
        await call.set_variable("COPY", note)
        await call.attribute("COPY", await call.get_variable("COPY"))


async def leaves(call):
    try:
        await call.play("no-such-sound")
    except Exception as wrong:
        await call.attribute("SOUND", wrong)
    try:
        await call.transfer("nobody", "flow-desk")
    except Exception as wrong:
        await call.attribute("NOBODY", wrong)
    await call.transfer("100", "flow-desk")


async def listens(call):
    try:
        while True:
            await call.digits(4, prompt="hello-world", timeout=20)
    finally:
        await call.attribute("FINALLY", call.hung_up)
        await call.status("left")


async def leaving(call):
    step = call.attributes["NOTE"]
    acts = {
        "play": lambda: call.play("silence/9"),
        "play, interrupted by keys": lambda: call.play("silence/9", interrupt="1"),
        "say_digits": lambda: call.say_digits("0123456789" * 9),
        "say_number": lambda: call.say_number(987654321),
        "say_date": lambda: call.say_date(1790000000),
        "say_text": lambda: call.say_text("%(text)s"),
        "digits": lambda: call.digits(4),
        "digit": lambda: call.digit(),
        "menu": lambda: call.menu("silence/2", "1"),
        "record": lambda: call.record(limit=60, silence=0, attribute="SAID"),
        "get_variable": lambda: call.get_variable("NOTE"),
        "set_variable": lambda: call.set_variable("NOTE", "x"),
        "something of its own": lambda: asyncio.sleep(60),
        "something that blocks": lambda: blocks_shortly(call),
    }
    try:
        while True:
            await acts[step]()
    finally:
        await call.attribute("LEFT", f"{step}: {call.hung_up}")
        await call.status("left")


async def blocks_shortly(call):
    time.sleep(1.5)
    await call.get_variable("NOTE")


async def sent_on(call):
    if call.attributes["NOTE"] == "desk":
        await call.transfer("101", "flow-desk")
    else:
        await call.queue(call.attributes["NOTE"])
    await call.status("sent")
    try:
        await call.play("beep")
    except Exception as wrong:
        await call.attribute("WRONG", wrong)


async def hangs_up(call):
    try:
        await call.play("beep")
        await call.hang_up()
        await call.play("beep")
    finally:
        await call.attribute("HUNG_UP", call.hung_up)


async def speaks(call):
    sound = await call.speech("%(text)s")
    began = time.monotonic()
    await call.play(sound)
    await call.attribute("LASTED", time.monotonic() - began)
    await call.attribute("SOUND", sound)
    await call.say_text("%(text)s", interrupt="2")
    await call.attribute("PRESSED", await call.menu(await call.speech("Press one, or two."), "12", timeout=2))


async def breaks(call):
    await call.status("1")
    return call.attributes["NOT THERE"]


async def blocks(call):
    time.sleep(1)
    await call.attribute("BLOCKED", "yes")
    while True:
        pass


async def adds(call):
    added = await call.add_call("answers", "552", OF=call.wombatid, NOTE="x, y")
    await call.attribute("ADDED", added)
"""

#: A thousand characters, with one of each kind that needs care: as long as a line of AMI may be, to the byte.
LONG = (
    ',"é🐨'
    + (
        "".join(chr(33 + number % 90) for number in range(1200))
        .replace(",", ".")
        .replace('"', "'")
        .replace("\\", "/")[:996]
    )
)
NOTES = {
    "5101": "commas, \"quotes\" and 'others', C:\\new\\",
    "5102": "${EXTEN} $[1+1] ${SHELL(id)} %41 + ; | &x=y",
    "5103": "  Zoë, Łódź – 日本語 – 🐨👩‍👩‍👧  ",
    "5104": LONG,
    "5105": "🐨é" * 160,  # 960 bytes: as a query three times as long, which Asterisk cuts
    "5106": ('1) Ann: 日é🐨,"\\ ${A} (' * 60)[:1000],  # more bytes than a line of AMI takes
    "5107": "🐨" * 1000,  # 4,000 bytes
}
TEXT = "Your appointment is tomorrow at half past ten."
#: What a flow is in when its caller hangs up, by the callee's number.
STEPS = {
    f"710{number:02}": step
    for number, step in enumerate((
        "play", "play, interrupted by keys", "say_digits", "say_number", "say_date", "say_text", "digits", "digit",
        "menu", "record", "get_variable", "set_variable", "something of its own", "something that blocks",
    ))
}  # fmt: skip
#: Where a flow sends its caller.
PLACES = {"511": "flow-queue", "71000": "flow-empty", "71001": "desk"}
#: Campaign: end point, numbers.
CAMPAIGNS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "answers": ({"extension": "answers"}, ["512342987#", "51234"]),
    "records": ({"extension": "records"}, ["5" + "9*" * 19]),
    "echoes": ({"extension": "echoes"}, list(NOTES)),
    "verbs": ({"extension": "100", "type": "PHONE", "context": "flow-verbs"}, list(NOTES)),
    "leaves": ({"extension": "leaves"}, ["511"]),
    "listens": ({"extension": "listens"}, ["703", "712", "6123"]),
    "breaks": ({"extension": "breaks"}, ["511"]),
    "blocks": ({"extension": "blocks"}, ["511"]),
    "adds": ({"extension": "adds"}, ["511"]),
    "none": ({"extension": "nosuchflow"}, ["511"]),
    "sorry": ({"extension": "100", "type": "PHONE", "context": "flow-behind"}, ["511"]),
    "leaving": ({"extension": "leaving"}, list(STEPS)),
    "sent_on": ({"extension": "sent_on"}, list(PLACES)),
    "hangs_up": ({"extension": "101", "type": "PHONE", "context": "flow-behind"}, ["511"]),
    "speaks": ({"extension": "speaks"}, ["5" + "2" * 35]),
}
GIVEN = {"leaving": STEPS, "sent_on": PLACES}


@dataclass
class Scene:
    site: Site
    pbx: AsteriskInstance
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def one(self, campaign: str, number: str | None = None) -> dict[str, Any]:
        (row,) = (row for row in self.rows[campaign] if number in (None, row["number"]))
        return row

    def amended(self, campaign: str, number: str, status: str) -> dict[str, Any]:
        """The same, once what the flow said after the call's end is there too."""
        one = self.one(campaign, number)["wombatid"]

        def found() -> list[dict[str, Any]]:
            return [row for row in self.site.attempts(campaign) if row["wombatid"] == one]

        until(lambda: found()[0]["extended_status"] == status, 10, f"{number} is amended: {found()}")
        return found()[0]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("flows")
    with ExitStack() as stack:
        speech = {
            "WOMBAT_ARI_FLOWS_SPEECH_COMMAND": _speech_command(),
            "WOMBAT_ARI_FLOWS_SPEECH_FOLDER": str(_seen_by_both(stack)),
        }
        site = Site(folder / "site", settings={"WOMBAT_ARI_FLOWS_SILENCE": "3", **speech})
        stack.callback(site.close)
        conf = {
            "extensions.d/flow-test.conf": CALLEES.format(port=site.agi_port),
            "queues.d/flow-test.conf": QUEUES,
        }
        pbx = started(stack, lambda: AsteriskInstance(folder / "pbx", name="pbx", extra_conf=conf))
        (site.state / "flows").mkdir(parents=True)
        Path(site.state / "flows" / "ours.py").write_text(FLOWS % {"text": TEXT}, encoding="utf-8")
        site.wombat("init")
        site.apply(_plan(pbx))
        for name, (_, numbers) in CAMPAIGNS.items():
            notes = GIVEN.get(name, NOTES)
            site.fill(name, [format_native(number, {"NOTE": notes.get(number, "")}, {}) for number in numbers])
        site.serve()
        site.await_pbx()
        site.run(*CAMPAIGNS)
        expected = {name: len(numbers) for name, (_, numbers) in CAMPAIGNS.items()}
        expected["answers"] += len(NOTES) + 1
        until(lambda: all(len(site.attempts(name)) == many for name, many in expected.items()), 90, "all calls ended")
        scene = Scene(site, pbx, {name: site.attempts(name) for name in CAMPAIGNS})
        yield scene


def _speech_command() -> str:
    """The engine of the PBX's Debian, and for what telephones can carry the conversion of agi_scripts/tts.py."""
    convert = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import tts; tts.to_telephone('/dev/stdin', sys.argv[1])"
    )
    engine = ["/usr/sbin/chroot", str(ensure_asterisk().path), "espeak-ng", "-v", "en", "--stdin", "--stdout"]
    return f"{shlex.join(engine)} | {shlex.join([sys.executable, '-c', convert, '{file}'])}"


def _seen_by_both(stack: ExitStack) -> Path:
    """A folder that has one name for us and for a PBX in a root of its own."""
    inside = Path(tempfile.mkdtemp(prefix="wombat-speech-", dir=ensure_asterisk().inside("/tmp")))
    stack.callback(shutil.rmtree, inside)
    inside.chmod(0o755)
    name = Path("/tmp") / inside.name
    if name != inside:
        name.symlink_to(inside)
        stack.callback(name.unlink)
    return name


def _plan(pbx: AsteriskInstance) -> dict[str, list[dict[str, Any]]]:
    ends = [
        {"name": name, "server": "pbx", "type": "FLOW", "max_channels": 20, **end}
        for name, (end, _) in CAMPAIGNS.items()
    ]
    return {
        "server": [server_of(pbx)],
        "trunk": [{"name": "callees", "server": "pbx", "dial_string": "Local/${num}@flow-callees/n", "capacity": 50}],
        "end_point": ends,
        "list": [{"name": name} for name in CAMPAIGNS],
        "campaign": [
            {
                "name": name, "trunks": ["callees"], "end_points": [name], "lists": [name],
                "idles_on_termination": name == "answers",
            }
            for name in CAMPAIGNS
        ],
    }  # fmt: skip


def test_keys_that_a_caller_presses_reach_the_flow(scene: Scene) -> None:
    row = scene.one("answers", "512342987#")
    assert (row["outcome"], row["extended_status"]) == ("TERMINATED", "1")
    assert row["output_attributes"] == {"CODE": "1234", "MENU": "2", "LAST": "987"}
    silent = scene.one("answers", "51234")
    assert silent["output_attributes"] == {"CODE": "1234", "MENU": "", "LAST": ""}


def test_what_is_recorded_is_played_and_a_key_interrupts(scene: Scene) -> None:
    row = scene.one("records")
    assert row["extended_status"] == "", scene.site.log()
    assert row["output_attributes"] == {"END": "timeout", "PRESSED": "*"}


@pytest.mark.parametrize("number", NOTES)
def test_any_text_comes_to_a_flow_and_back_exactly(scene: Scene, number: str) -> None:
    row, note = scene.one("echoes", number), NOTES[number]
    copy = {"COPY": note} if len(note) < 300 else {}
    assert row["output_attributes"] == {"ECHO": note, "SAME": "True", **copy}


@pytest.mark.parametrize("number", NOTES)
def test_any_text_comes_to_the_dialplan_and_back_exactly(scene: Scene, number: str) -> None:
    found, note = scene.one("verbs", number)["output_attributes"], NOTES[number]
    assert found["NOTE"] == note
    if number == "5106":  # what Asterisk's URIENCODE makes of it: docs/asterisk.md says why
        assert found["QUERY"] == "1"
    elif number in ("5105", "5107"):  # longer than Asterisk's AGI() takes: refused, not cut
        assert "QUERY" not in found
        assert found["FIRST"].startswith("FAILURE ERROR: ")
        assert "2047" in found["FIRST"]
    else:
        assert (found["QUERY"], found["FIRST"]) == (note, "SUCCESS OK")


def test_calls_that_the_dialplan_and_a_flow_have_added(scene: Scene) -> None:
    added = {str(row["wombatid"]): row for row in scene.rows["answers"]}
    for asked in scene.rows["verbs"]:
        row = added[asked["output_attributes"]["ADDED"]]
        assert (row["number"], row["input_attributes"]) == ("551", {"OF": str(asked["wombatid"]), "NOTE": "a,b"})
        assert asked["output_attributes"]["REFUSED"] == "FAILURE"
    asked = scene.one("adds")
    row = added[asked["output_attributes"]["ADDED"]]
    assert row["input_attributes"] == {"OF": str(asked["wombatid"]), "NOTE": "x, y"}


def test_a_caller_goes_on_in_the_dialplan_and_a_refusal_may_be_caught(scene: Scene) -> None:
    found = scene.one("leaves")["output_attributes"]
    assert found["DESK"] == "reached"
    assert "no-such-sound" in found["SOUND"]
    assert "nobody@flow-desk" in found["NOBODY"]


@pytest.mark.parametrize("number", ["703", "712", "6123"])
def test_who_hangs_up_ends_the_flow_cleanly(scene: Scene, number: str) -> None:
    row = scene.one("listens", number)
    assert (row["outcome"], row["extended_status"]) == ("TERMINATED", "left")
    assert row["output_attributes"] == {"FINALLY": "True"}


def test_a_flow_that_breaks_blocks_or_is_not_there_is_an_error_of_the_call(scene: Scene) -> None:
    for name in ("breaks", "blocks", "none"):
        row = scene.one(name)
        assert (row["outcome"], row["extended_status"]) == ("TERMINATED", "RS_ERROR"), name
    assert scene.one("blocks")["output_attributes"] == {"BLOCKED": "yes"}
    log = scene.site.log(2000)
    assert "ours.py" in log
    assert "KeyError: 'NOT THERE'" in log
    assert "it asked nothing for flows.silence, 3 s" in log
    assert "there is no flow 'nosuchflow'" in log


def test_the_dialplan_goes_on_behind_a_flow_that_failed(scene: Scene) -> None:
    row = scene.one("sorry")
    assert row["extended_status"] == "RS_ERROR"
    sorry = row["output_attributes"]["SORRY"]
    assert sorry.startswith("FAILURE ERROR: flow breaks: ours.py:")
    assert "KeyError: 'NOT THERE'" in sorry


@pytest.mark.parametrize("number", STEPS, ids=STEPS.get)
def test_who_hangs_up_in_each_step(scene: Scene, number: str) -> None:
    row = scene.amended("leaving", number, "left")
    said = {"SAID": f"/mnt/spool/recording/flow-{row['wombatid']}"} if STEPS[number] == "record" else {}
    assert (row["outcome"], row["output_attributes"]) == ("TERMINATED", {"LEFT": f"{STEPS[number]}: True", **said})
    for sound in said.values():
        assert Path(f"{sound}.wav".replace("/mnt", str(scene.pbx.directory))).stat().st_size > 0
    assert 500 < row["talk_ms"] < 5000


@pytest.mark.parametrize("number", PLACES, ids=PLACES.get)
def test_who_was_sent_on_is_there_and_the_flow_is_not(scene: Scene, number: str) -> None:
    row, queue = scene.one("sent_on", number), PLACES[number]
    assert (row["outcome"], row["extended_status"]) == ("TERMINATED", "sent")
    assert "nothing more can be asked of them" in row["output_attributes"]["WRONG"]
    assert row["agent"] == ("Flora" if queue == "flow-queue" else "")
    log = (scene.pbx.directory / "log" / "queue_log").read_text(encoding="utf-8").splitlines()
    ours = [line.split("|")[4] for line in log if line.split("|")[1:3] == [f"wbt-{row['wombatid']:016}", queue]]
    expected = {"flow-queue": ["ENTERQUEUE", "CONNECT", "COMPLETEAGENT"], "flow-empty": ["ENTERQUEUE", "ABANDON"]}
    assert ours == expected.get(queue, [])


def test_a_flow_may_hang_up(scene: Scene) -> None:
    row = scene.one("hangs_up")
    assert (row["outcome"], row["output_attributes"]) == ("TERMINATED", {"HUNG_UP": "True"})
    assert row["talk_ms"] < 5000, "the callee would have stayed"


def test_a_real_engine_speaks(scene: Scene) -> None:
    found = scene.one("speaks")["output_attributes"]
    with wave.open(f"{found['SOUND']}.wav") as speech:
        assert speech.getframerate() == 8000
        seconds = speech.getnframes() / 8000
        loudest = max(memoryview(speech.readframes(speech.getnframes())).cast("h"))
    assert 1 < seconds < 10
    assert loudest > 3000
    assert float(found["LASTED"]) > seconds - 0.5, "it was heard to its end"
    assert found["PRESSED"] == "2"


def test_nothing_is_left(scene: Scene) -> None:
    until(lambda: "0 active channels" in scene.pbx.cli("core show channels count"), 10, "no channel is left")
    until(lambda: not _sessions(scene.site.agi_port), 10, "no session is left")
    until(lambda: len(_threads(scene.site)) == 1, 10, "no flow's thread is left")
    log = (scene.pbx.directory / "log" / "messages.log").read_text(encoding="utf-8")
    complaints = [line for line in log.splitlines() if "] ERROR[" in line or "] WARNING[" in line]
    # Of letters that were cut between two lines of AMI Asterisk's log complains, though they come together again.
    forgiven = ("no-such-sound", "variable 'NOTE' had invalid UTF-8")
    assert [line for line in complaints if not any(words in line for words in forgiven)] == []


def _sessions(port: int) -> list[str]:
    """TCP connections to that port that are open, as the kernel has them (state 01)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[2] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]


def _threads(site: Site) -> list[str]:
    """Of the process that the flows run in."""
    dialer = site.dialer_pid()
    for child in Path(f"/proc/{dialer}/task/{dialer}/children").read_text().split():
        if b"wombat_ari.flows.host" in Path(f"/proc/{child}/cmdline").read_bytes():
            return os.listdir(f"/proc/{child}/task")
    return []


def test_nothing_odd_happened(scene: Scene) -> None:
    until(lambda: not scene.site.snapshot()["calls"], 10, "no call is left")
    assert "mistake of ours" not in scene.site.log(2000)
    assert scene.site.snapshot()["odd_events"] == 0
