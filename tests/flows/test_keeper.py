"""Flows in their own process, as the dialer runs them: whatever a flow does, the dialer lives and the caller goes on.

Real processes and the real reactor; the caller is a line that the test holds.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.process import reapAllProcesses

from wombat_ari.flows.errands import Errands, Limits
from wombat_ari.flows.keeper import Ended, How, Keeper
from wombat_ari.flows.line import CallerHungUp, CallFacts, FlowError, RecordEnd, Recording, Spoken
from wombat_ari.flows.office import CallOffice
from wombat_ari.model.events import AttributeSet, CallEvent, StatusSet

FLOWS = """
import asyncio, os, sys, threading, time

async def plays(call):
    await call.play("hello")
    await call.status("1")
    await call.attribute("NAME", call.attributes["NAME"])
    return 42

async def raises(call):
    await call.play("hello")
    raise ValueError("of the site")

async def sleeps(call):
    time.sleep(1000)

async def spins(call):
    while True:
        pass

async def waits(call):
    try:
        await asyncio.sleep(1000)
    finally:
        await call.attribute("END", "hung up" if call.hung_up else "over")

async def listens(call):
    try:
        await call.digits(4)
    finally:
        await call.attribute("END", call.hung_up)

async def swallows(call):
    while True:
        try:
            await call.digits(4)
        except Exception:
            pass

async def dies(call):
    await call.play("hello")
    os._exit(3)

async def exits(call):
    sys.exit(1)

async def floods(call):
    await call.set_variable("X", "x" * 1_000_000)
    await call.play("hello")

async def refused(call):
    try:
        await call.play("nosuch")
    except Exception as wrong:
        await call.attribute("WRONG", wrong)

async def _hidden(call):
    pass

def no_flow(call):
    pass
"""


class HeldLine:
    """A caller whose answers the test gives: ``asked`` are verbs that wait."""

    def __init__(self) -> None:
        self.hung_up = False
        self.asked: list[str] = []
        self.holds = False
        self._waiting: list[Deferred[Any]] = []
        self._gone: Deferred[None] = Deferred()

    def goes(self) -> None:
        self.hung_up = True
        self._gone.callback(None)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.errback(CallerHungUp())

    async def _do(self, verb: str) -> str:
        if self.hung_up:
            raise CallerHungUp
        self.asked.append(verb)
        if self.holds:
            held: Deferred[Any] = Deferred()
            self._waiting.append(held)
            await held
        return ""

    async def until_hung_up(self) -> None:
        await self._gone

    async def answer(self) -> None:
        await self._do("answer")

    async def play(self, sound: str, interrupt: str = "") -> str:
        if sound == "nosuch":
            raise FlowError("the PBX has no sound 'nosuch'")
        return await self._do(f"play {sound}")

    async def say(self, kind: Spoken, text: str, interrupt: str = "") -> str:
        return await self._do(f"say {kind} {text}")

    async def digits(self, prompts: Any, *, most: int, timeout_s: float, terminator: str) -> str:
        return await self._do("digits")

    async def record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        return Recording(name, 1.0, RecordEnd.DIGIT)

    async def get_variable(self, name: str) -> str:
        return ""

    async def set_variable(self, name: str, value: str) -> None:
        await self._do(f"set {len(value)}")

    async def transfer(self, context: str, extension: str, priority: int = 1) -> None:
        await self._do("transfer")

    async def hang_up(self) -> None:
        self.goes()


class House:
    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.folder = folder / "flows"
        self.folder.mkdir()
        (self.folder / "site.py").write_text(FLOWS)
        self.told: list[CallEvent] = []
        self.keeper = Keeper(reactor, self.folder, limits)

    def begin(self, name: str, line: HeldLine | None = None, call: int = 7) -> tuple[HeldLine, list[Ended]]:
        line = line or HeldLine()
        ended: list[Ended] = []
        office = CallOffice(call, tell=self.told.append, speak=self._speak, add_call=self._add)
        facts = CallFacts(call, "5551", "c", 1, {"NAME": 'Zoë, "Q" 🐨\n'})
        running = Deferred.fromCoroutine(self.keeper.run(name, line, facts, office))
        running.addCallbacks(ended.append, lambda failure: pytest.fail(str(failure)))
        return line, ended

    def ends(self, name: str, **options: Any) -> Ended:
        _, ended = self.begin(name, **options)
        self.until(lambda: bool(ended))
        return ended[0]

    def until(self, condition: Callable[[], Any], limit: float = 20) -> None:
        late = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < late, (self.told, self.keeper.running)
            self.reactor.iterate(0.01)
            reapAllProcesses()  # as the reactor does by SIGCHLD where it runs

    def of(self, name: str) -> list[str]:
        return [event.value for event in self.told if isinstance(event, AttributeSet) and event.name == name]

    @property
    def statuses(self) -> list[str]:
        return [event.code for event in self.told if isinstance(event, StatusSet)]

    def close(self) -> None:
        done: list[Any] = []
        Deferred.fromCoroutine(self.keeper.stop()).addBoth(done.append)
        self.until(lambda: bool(done))

    async def _speak(self, text: str) -> str:
        return f"/speech/{text}"

    async def _add(self, *given: Any) -> int:
        return 99


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[House]:
    """Its process is up: starting it on a busy machine takes longer than this house waits."""
    house = House(tmp_path, Limits(whole_s=60, silence_s=2.0, wake_s=0.3, stuck_s=1.0))
    house.keeper.start()
    house.begin("plays")
    house.until(lambda: house.keeper.running == 0)
    house.told.clear()
    yield house
    house.close()


def test_a_flow_from_beginning_to_end(house: House) -> None:
    line, ended = house.begin("plays")
    house.until(lambda: bool(ended))
    assert ended == [Ended(How.OK)]
    assert line.asked == ["play hello"]
    assert house.statuses == ["1"]
    assert house.of("NAME") == ['Zoë, "Q" 🐨\n']
    assert house.keeper.running == 0


def test_a_flow_that_raises_is_an_error_of_the_call_and_its_trace_is_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    ended = house.ends("raises")
    assert ended.how is How.FAILED
    assert ended.reason == "site.py:12: ValueError: of the site"
    assert house.statuses == ["RS_ERROR"]
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("name", ["nosuch", "_hidden", "no_flow", "os", "__import__", "../x"])
def test_a_flow_that_is_not_there(house: House, name: str) -> None:
    ended = house.ends(name)
    assert ended.how is How.FAILED
    assert f"there is no flow {name!r}" in ended.reason


@pytest.mark.parametrize("name", ["waits", "spins", "sleeps"])
def test_a_flow_that_asks_nothing_ends(impatient: House, name: str) -> None:
    began = time.monotonic()
    _, others = impatient.begin("plays")
    ended = impatient.ends(name)
    assert time.monotonic() - began < 20
    assert ended.how is How.FAILED
    assert "flows.silence" in ended.reason
    assert "RS_ERROR" in impatient.statuses
    impatient.until(lambda: bool(others))
    assert others == [Ended(How.OK)]
    # What cannot be interrupted goes with the process; a new one takes over.
    impatient.until(lambda: impatient.keeper.running == 0, 30)
    assert impatient.ends("plays") == Ended(How.OK)


def test_a_flow_that_waits_is_told_that_its_time_is_over(impatient: House) -> None:
    impatient.ends("waits")
    impatient.until(lambda: impatient.keeper.running == 0)


@pytest.mark.parametrize("name", ["listens", "waits", "swallows"])
def test_a_hang_up_ends_it_cleanly(tmp_path: Path, name: str) -> None:
    house = House(tmp_path, Limits(whole_s=60, silence_s=20))
    line = HeldLine()
    line.holds = True
    _, ended = house.begin(name, line)
    pause = time.monotonic() + 0.6
    house.until(lambda: "digits" in line.asked or (name == "waits" and time.monotonic() > pause))
    line.goes()
    house.until(lambda: bool(ended))
    assert ended == [Ended(How.HUNG_UP)]
    assert house.statuses == []
    if name != "swallows":
        assert house.of("END") == ["True" if name == "listens" else "hung up"]
    house.close()


@pytest.mark.parametrize("name", ["dies", "exits"])
def test_its_process_may_die(house: House, name: str) -> None:
    line = HeldLine()
    line.holds = True
    _, others = house.begin("listens", line, call=8)
    house.until(lambda: "digits" in line.asked)
    ended = house.ends(name)
    assert ended.how is How.FAILED
    assert "RS_ERROR" in house.statuses
    if name == "dies":
        house.until(lambda: bool(others))
        assert "process of the flows" in others[0].reason
    assert house.ends("plays") == Ended(How.OK)
    line.goes()
    house.until(lambda: bool(others))


def test_a_flow_has_a_time_limit(tmp_path: Path) -> None:
    house = House(tmp_path, Limits(whole_s=0.7, silence_s=60))
    line = HeldLine()
    line.holds = True
    _, ended = house.begin("listens", line)
    house.until(lambda: bool(ended))
    assert "flows.limit" in ended[0].reason
    house.until(lambda: house.keeper.running == 0)
    house.close()


def test_no_more_at_once_than_is_allowed(tmp_path: Path) -> None:
    house = House(tmp_path, Limits(at_once=2, silence_s=60))
    held = HeldLine()
    held.holds = True
    lines = [HeldLine(), HeldLine()]
    for line in lines:
        line.holds = True
        house.begin("listens", line)
    assert "flows.at_once" in house.ends("plays").reason
    for line in lines:
        house.until(lambda line=line: "digits" in line.asked)  # type: ignore[misc]
        line.goes()
    house.until(lambda: house.keeper.running == 0)
    assert house.ends("plays") == Ended(How.OK)
    house.close()


def test_two_hundred_callers_at_once_and_nothing_stays(house: House) -> None:
    house.ends("plays")
    files, threads = _files(house), _threads(house)
    runs = [house.begin("plays", call=number)[1] for number in range(1, 201)]
    house.until(lambda: all(runs), 60)
    assert all(ended == [Ended(How.OK)] for ended in runs)
    house.until(lambda: _files(house) <= files and _threads(house) <= threads)


def test_callers_who_hang_up_leave_nothing_on_either_side(house: House) -> None:
    def hundred() -> None:
        lines, runs = [], []
        for number in range(1, 101):
            line = HeldLine()
            line.holds = True
            runs.append(house.begin("listens" if number % 2 else "waits", line, call=number)[1])
            lines.append(line)
        for line in lines[::2]:
            house.until(lambda line=line: "digits" in line.asked)  # type: ignore[misc]
        for line in lines:
            line.goes()
        house.until(lambda: all(runs))
        assert {ended.how for (ended,) in runs} == {How.HUNG_UP}
        house.told.clear()

    hundred()
    gc.collect()
    kept = _errands()
    files, threads, memory = _files(house), _threads(house), _memory(house)
    for _ in range(4):
        hundred()
    house.until(lambda: _files(house) <= files and _threads(house) <= threads)
    assert _memory(house) - memory < 3 << 20
    house.until(lambda: not house.keeper.running)
    gc.collect()
    assert _errands() <= kept


def test_a_long_text_goes_through(tmp_path: Path) -> None:
    house = House(tmp_path)
    line, ended = house.begin("floods")
    house.until(lambda: bool(ended))
    assert line.asked == ["set 1000000", "play hello"]
    house.close()


def test_what_the_pbx_refuses_may_be_caught(house: House) -> None:
    assert house.ends("refused") == Ended(How.OK)
    assert house.of("WRONG") == ["the PBX has no sound 'nosuch'"]


def test_a_call_that_is_not_ours_has_no_status(house: House) -> None:
    ended = house.ends("plays", call=0)
    assert "not a call of the dialer" in ended.reason
    assert house.told == []


def test_files_are_read_again_and_a_broken_one_keeps_its_version(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def write(text: str) -> None:
        (house.folder / "more.py").write_text(text)

    write("async def more(call):\n    await call.status('old')\n")
    assert house.ends("more") == Ended(How.OK)
    write("async def more(call):\n    await call.status('new')\n")
    assert house.ends("more") == Ended(How.OK)
    write("async def more(call):\n    await call.status('broken'\n")
    assert house.ends("more") == Ended(How.OK)
    assert "more.py:2: SyntaxError" in caplog.text
    write("import nothing_such\nasync def more(call):\n    await call.status('broken')\n")
    assert house.ends("more") == Ended(How.OK)
    assert "more.py:1: ModuleNotFoundError" in caplog.text
    write("async def more(call):\n    await call.status('whole again')\n")
    assert house.ends("more") == Ended(How.OK)
    (house.folder / "more.py").unlink()
    assert "there is no flow 'more'" in house.ends("more").reason
    assert house.statuses == ["old", "new", "new", "new", "whole again", "RS_ERROR"]


def test_helpers_are_read_again_too(house: House) -> None:
    (house.folder / "_helper.py").write_text("CODE = 'old'\n")
    (house.folder / "more.py").write_text(
        "import _helper\nasync def more(call):\n    await call.status(_helper.CODE)\n"
    )
    house.ends("more")
    (house.folder / "_helper.py").write_text("CODE = 'newer'\n")
    house.ends("more")
    assert house.statuses == ["old", "newer"]


def test_the_sites_code_gets_no_secrets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOMBAT_ARI_DATABASE_URL", "mysql://user:secret@host/name")
    (house.folder / "more.py").write_text(
        "import os\nasync def more(call):\n    await call.status('WOMBAT_ARI_DATABASE_URL' in os.environ)\n"
    )
    house.ends("more")
    assert house.statuses == ["False"]


def test_without_a_folder(tmp_path: Path) -> None:
    from twisted.internet import reactor

    keeper = Keeper(reactor, tmp_path / "nowhere")
    keeper.start()
    ended: list[Ended] = []
    office: Any = CallOffice(0, tell=print, speak=None, add_call=None)  # type: ignore[arg-type]
    coroutine: Coroutine[Any, Any, Ended] = keeper.run("survey", HeldLine(), CallFacts(), office)
    Deferred.fromCoroutine(coroutine).addCallback(ended.append)
    assert "is not there" in ended[0].reason
    assert keeper.pid == 0


def _files(house: House) -> int:
    return len(os.listdir(f"/proc/{house.keeper.pid}/fd"))


def _errands() -> int:
    """How many are in memory; other tests of this process may have left some."""
    return sum(isinstance(each, Errands) for each in gc.get_objects())


def _memory(house: House) -> int:
    """Bytes that the flows' process has."""
    return int(Path(f"/proc/{house.keeper.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _threads(house: House) -> int:
    return len(os.listdir(f"/proc/{house.keeper.pid}/task"))
