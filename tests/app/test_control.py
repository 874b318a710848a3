"""The control socket: AMP over a real UNIX socket, with a stand-in for the engine behind it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import defer, task

from wombat_ari.app import control, control_commands
from wombat_ari.app.control import ControlClient
from wombat_ari.app.control_server import ControlFactory
from wombat_ari.engine.append import CallAsked
from wombat_ari.model.calls import SystemLogEntry
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.live import CallOrder, CallsWanted


class FakeObey:
    """Answers as ``engine/obey`` does and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.lines: list[Any] = []  #: for the system log
        self.picture: dict[str, Any] = {"state": "READY"}
        self.trouble: Exception | None = None
        self.silent = False

    async def start_run(self, campaign: str, by: str) -> dict[str, Any]:
        return await self._run("start", campaign, by)

    async def pause_run(self, campaign: str, by: str) -> dict[str, Any]:
        return await self._run("pause", campaign, by)

    async def resume_run(self, campaign: str, by: str) -> dict[str, Any]:
        return await self._run("resume", campaign, by)

    async def remove_run(self, campaign: str, by: str) -> dict[str, Any]:
        return await self._run("remove", campaign, by)

    def hang_up(self, wombatid: int) -> None:
        self._note("hang_up", wombatid)

    def reserve(self, agent: str, line: Any = None) -> dict[str, Any]:
        self._note("reserve", agent)
        self.lines.append(line)
        return {"id": 2**53 - 1, "number": "5551", "attributes": {"NAME": "Zoë", "A": "1"}}

    def dial_reserved(self, wombatid: int, line: Any = None) -> None:
        self._note("dial", wombatid)
        self.lines.append(line)

    def skip_reserved(self, wombatid: int, code: str, line: Any = None) -> None:
        self._note("skip", wombatid, code)
        self.lines.append(line)

    def note(self, line: Any) -> None:
        self.lines.append(line)

    async def add_call(
        self, campaign: str, number: str, attributes: dict[str, str], due: float | None, by: str, origin: str
    ) -> int:
        self._note("add_call", campaign, number, attributes, due, by, origin)
        return 2**53 - 1

    async def add_calls(self, asked: list[CallAsked]) -> list[int | Exception]:
        return [
            await self.add_call(each.campaign, each.number, dict(each.attributes), each.due, each.by, each.origin)
            for each in asked
        ]

    async def call_info(self, wombatid: int) -> dict[str, Any]:
        self._note("call_info", wombatid)
        return {"wombatid": wombatid, "number": "é", "is_live": False}

    def numbers_came(self, *asked: Any) -> None:
        self._note("numbers_came", *asked)

    def set_status(self, *asked: Any) -> None:
        self._note("set_status", *asked)

    def set_attribute(self, *asked: Any) -> None:
        self._note("set_attribute", *asked)

    def append_attribute(self, *asked: Any) -> None:
        self._note("append_attribute", *asked)

    def clear_attribute(self, *asked: Any) -> None:
        self._note("clear_attribute", *asked)

    def snapshot(self, *, calls: bool = True) -> dict[str, Any]:
        self.asked.append(("snapshot", calls))
        return self.picture

    def live_calls(self, wanted: CallsWanted) -> dict[str, Any]:
        self.asked.append(("live_calls", wanted))
        return self.picture

    def _note(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.trouble:
            raise self.trouble

    async def _run(self, what: str, campaign: str, by: str) -> dict[str, Any]:
        self.asked.append((what, campaign, by))
        if self.trouble:
            raise self.trouble
        if self.silent:
            await defer.Deferred()
        return {"id": 7, "campaign": campaign, "state": "RUNNING"}


class Wire:
    """Server and client on one reactor, which the test turns."""

    def __init__(self, folder: Path) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        if not self.reactor.running:
            self.reactor.startRunning(installSignalHandlers=False)
        self.socket = folder / "control.sock"
        self.obey = FakeObey()
        self.client = ControlClient(self.reactor, self.socket)
        self._ports: list[Any] = []

    def listen(self) -> None:
        factory: Any = ControlFactory(self.obey)  # type: ignore[arg-type]
        self._ports.append(self.reactor.listenUNIX(str(self.socket), factory, mode=0o600))

    def stop_listening(self) -> None:
        for port in self._ports:
            self.result(defer.maybeDeferred(port.stopListening))
        self._ports.clear()

    def ask(self, name: str, *arguments: Any, **named: Any) -> Any:
        return self.result(defer.Deferred.fromCoroutine(getattr(self.client, name)(*arguments, **named)))

    def result(self, waiting: "defer.Deferred[Any]") -> Any:
        got: list[Any] = []
        waiting.addBoth(got.append)
        self.wait(lambda: bool(got))
        if hasattr(got[0], "raiseException"):
            got[0].raiseException()
        return got[0]

    def wait(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come true"
            self.reactor.iterate(0.01)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    wire = Wire(tmp_path)
    yield wire
    wire.client.close()
    wire.stop_listening()


@pytest.mark.parametrize("what", ["start", "pause", "resume", "remove"])
def test_commands_about_runs(wire: Wire, what: str) -> None:
    wire.listen()
    assert wire.ask(f"{what}_run", "Frühling & Söhne", by="ada") == {
        "id": 7,
        "campaign": "Frühling & Söhne",
        "state": "RUNNING",
    }
    assert wire.obey.asked == [(what, "Frühling & Söhne", "ada")]


def test_a_hang_up(wire: Wire) -> None:
    wire.listen()
    assert wire.ask("hang_up", 2**53 - 1) is None
    assert wire.obey.asked == [("hang_up", 2**53 - 1)]


@pytest.mark.parametrize("calls", [True, False])
def test_a_small_snapshot(wire: Wire, calls: bool) -> None:
    wire.listen()
    wire.obey.picture = {"state": "READY", "number": "é", "share": None}
    assert wire.ask("snapshot", calls=calls) == wire.obey.picture
    assert wire.obey.asked == [("snapshot", calls)]


@pytest.mark.parametrize("calls", [0, 1, 2, 300, 5000])
def test_a_large_snapshot_comes_in_parts_and_is_of_one_moment(wire: Wire, calls: int) -> None:
    wire.listen()
    wire.obey.picture = {"calls": [{"number": f"é{n:060}"} for n in range(calls)]}
    size = len(json.dumps(wire.obey.picture, separators=(",", ":")))
    assert (size > 0xFFFF) == (calls == 5000)
    assert wire.ask("snapshot") == wire.obey.picture
    assert len(wire.obey.asked) == 1, "the picture was taken more than once"


def test_a_page_of_live_calls_is_asked_for_whole_and_comes_in_parts(wire: Wire) -> None:
    wire.listen()
    wire.obey.picture = {"calls": ["é" * 100_000], "total": 1}
    wanted = CallsWanted(frozenset({3, 2**53 - 1}), CallOrder.AGENT, descending=True, skip=50, limit=25, number="+é")
    assert wire.ask("live_calls", wanted) == wire.obey.picture
    assert wire.obey.asked == [("live_calls", wanted)]
    everything = CallsWanted()
    wire.ask("live_calls", everything)
    assert wire.obey.asked[1:] == [("live_calls", everything)]


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_snapshot_of_exactly_one_part(wire: Wire, over: int) -> None:
    wire.listen()
    empty = len(json.dumps({"x": ""}, separators=(",", ":")))
    wire.obey.picture = {"x": "a" * (2 * control_commands.PART - empty + over)}
    assert wire.ask("snapshot") == wire.obey.picture


def test_two_who_ask_at_the_same_time_do_not_mix_their_snapshots(wire: Wire) -> None:
    """Threads of the console share one client; the dialer keeps one picture for each connection."""
    wire.listen()
    wire.obey.picture = {"calls": ["a" * 200_000]}
    asked = [defer.Deferred.fromCoroutine(wire.client.snapshot()) for _ in range(3)]
    wire.wait(lambda: len(wire.obey.asked) == 1)
    wire.obey.picture = {"calls": ["b" * 150_000]}
    first, *others = [wire.result(waiting)["calls"][0] for waiting in asked]
    assert set(first) == {"a"}
    assert {"".join(sorted(set(other))) for other in others} <= {"a", "b"}
    assert len(first) == 200_000


def test_two_clients_do_not_mix_their_snapshots(wire: Wire) -> None:
    wire.listen()
    other = ControlClient(wire.reactor, wire.socket)
    first = {"calls": ["a" * 100_000]}
    second = {"calls": ["b" * 150_000]}
    wire.obey.picture = first
    waiting = defer.Deferred.fromCoroutine(wire.client.snapshot())
    wire.wait(lambda: len(wire.obey.asked) == 1)
    wire.obey.picture = second
    assert wire.result(defer.Deferred.fromCoroutine(other.snapshot())) == second
    assert wire.result(waiting) == first
    other.close()


def test_a_refusal_has_its_text_on_this_side(wire: Wire) -> None:
    wire.listen()
    wire.obey.trouble = UserError("campaign 'Sales' has no trunk – add one", code="no-trunk")
    for name, arguments in (("start_run", ("Sales",)), ("pause_run", ("Sales",))):
        with pytest.raises(UserError, match=r"^campaign 'Sales' has no trunk – add one$") as caught:
            wire.ask(name, *arguments, by="ada")
        assert caught.value.code == "no-trunk"
    with pytest.raises(UserError, match="has no trunk"):
        wire.ask("hang_up", 5)


@pytest.mark.parametrize(
    ("name", "argument", "code"),
    [
        ("reserve", "PJSIP/1", "AGENT_NOT_AVAILABLE"),
        ("reserve", "PJSIP/1", "AGENT_CANNOT_RESERVE"),
        ("dial_reserved", 7, "ID_NOT_FOUND"),
        ("skip_reserved", 7, "ID_FOUND_WRONG_STATE"),
    ],
)
def test_preview_refuses_with_the_words_of_the_api(wire: Wire, name: str, argument: Any, code: str) -> None:
    wire.listen()
    wire.obey.trouble = UserError("agent: nobody; not here", code=code)
    with pytest.raises(UserError, match=r"^agent: nobody; not here$") as caught:
        wire.ask(name, argument)
    assert caught.value.code == code


def test_preview(wire: Wire) -> None:
    wire.listen()
    reserved = wire.ask("reserve", "PJSIP/ä")
    assert reserved == {"id": 2**53 - 1, "number": "5551", "attributes": {"NAME": "Zoë", "A": "1"}}
    assert wire.ask("dial_reserved", reserved["id"]) is None
    assert wire.ask("skip_reserved", 7) is None
    assert wire.ask("skip_reserved", 7, "LATER") is None
    assert wire.obey.asked == [
        ("reserve", "PJSIP/ä"), ("dial", 2**53 - 1), ("skip", 7, ""), ("skip", 7, "LATER"),
    ]  # fmt: skip


def test_calls_from_outside(wire: Wire) -> None:
    wire.listen()
    assert wire.ask("add_call", "Söhne", "+39 02", attributes={"NAME": "Zoë, \u2028:"}, due=1790000000.25) == 2**53 - 1
    assert wire.ask("add_call", "c", "1", by="ada", origin="from ::1") == 2**53 - 1
    assert wire.obey.asked == [
        ("add_call", "Söhne", "+39 02", {"NAME": "Zoë, \u2028:"}, 1790000000.25, "", ""),
        ("add_call", "c", "1", {}, None, "ada", "from ::1"),
    ]  # fmt: skip
    assert wire.ask("call_info", 7) == {"wombatid": 7, "number": "é", "is_live": False}


def test_attributes_that_are_too_long_for_the_socket_are_refused(wire: Wire) -> None:
    wire.listen()
    with pytest.raises(UserError, match="more than 65535 bytes"):
        wire.ask("add_call", "c", "1", attributes={f"A{n}": "é" * 1000 for n in range(40)})
    for half in ({"number": "\ud800"}, {"number": "1", "attributes": {"A": "\udfff"}}):
        with pytest.raises(UserError, match="half a character"):
            wire.ask("add_call", "c", **half)
    assert wire.ask("add_call", "c", "1", attributes={f"A{n}": "é" * 1000 for n in range(30)})


@pytest.mark.parametrize("text", ["[1]", '{"A": 1}', '"A"'])
def test_attributes_that_are_no_texts_are_refused(wire: Wire, text: str) -> None:
    wire.listen()
    asked = wire.client._ask(control_commands.AddCall, campaign="c", number="1", attributes=text, due=None)
    with pytest.raises(UserError, match="an object of texts"):
        wire.result(defer.Deferred.fromCoroutine(asked))


def test_words_about_a_call(wire: Wire) -> None:
    wire.listen()
    asked: list[tuple[Any, ...]] = [
        ("set_status", 7, "SÖLD"), ("set_attribute", 7, "A", ""), ("append_attribute", 7, "A", "é"),
        ("clear_attribute", 7, "A"), ("numbers_came", "list é"),
    ]  # fmt: skip
    for name, *arguments in asked:
        assert wire.ask(name, *arguments) is None
    assert wire.obey.asked == asked
    wire.obey.trouble = UserError("no live call has the WOMBATID 7", code="no-call")
    for name, *arguments in asked:
        with pytest.raises(UserError, match="no live call") as caught:
            wire.ask(name, *arguments)
        assert caught.value.code == "no-call"


@pytest.mark.parametrize(
    "asked",
    [
        ("hang_up", 7), ("set_status", 7, "S"), ("set_attribute", 7, "A", "b"), ("append_attribute", 7, "A", "b"),
        ("clear_attribute", 7, "A"), ("reserve", "SIP/1"), ("dial_reserved", 7), ("skip_reserved", 7, "S"),
    ],
)  # fmt: skip
def test_what_the_system_log_is_to_say_goes_along_and_only_if_it_was_done(wire: Wire, asked: tuple[Any, ...]) -> None:
    wire.listen()
    line = SystemLogEntry(1790000000.25, "söhne", "hang up", "Sales", 'call 7; "from" ::1')
    wire.ask(*asked, line=line)
    assert wire.obey.lines == [line]
    wire.obey.trouble = UserError("no", code="no-call")
    with pytest.raises(UserError):
        wire.ask(*asked, line=line)
    assert wire.obey.lines == [line]


def test_trouble_with_the_database_has_its_text_on_this_side(wire: Wire) -> None:
    wire.listen()
    wire.obey.trouble = StoreError("database x: the disk is full; make room", transient=True)
    with pytest.raises(UserError, match="the disk is full; make room"):
        wire.ask("start_run", "Sales", by="ada")


def test_a_mistake_of_the_dialer_is_said_and_the_connection_stays(wire: Wire) -> None:
    wire.listen()
    wire.obey.trouble = ZeroDivisionError("secret inner word")
    with pytest.raises(UserError, match="see its log") as caught:
        wire.ask("start_run", "Sales", by="ada")
    assert caught.value.code == "dialer-failed"
    assert "secret inner word" not in str(caught.value)
    wire.obey.trouble = None
    assert wire.ask("start_run", "Sales", by="ada")["id"] == 7


def test_no_dialer(wire: Wire) -> None:
    with pytest.raises(UserError, match=r"the dialer is not running .*control\.sock.*wombat-ari serve") as caught:
        wire.ask("snapshot")
    assert caught.value.code == "dialer-down"


def test_a_socket_that_a_dead_dialer_left(wire: Wire) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(wire.socket))
    assert wire.socket.exists()
    with pytest.raises(UserError, match="the dialer is not running"):
        wire.ask("snapshot")


def test_a_dialer_that_comes_back_is_found_again(wire: Wire) -> None:
    wire.listen()
    assert wire.ask("snapshot")["state"] == "READY"
    connection = wire.client._connection
    wire.stop_listening()
    assert connection is not None
    connection.transport.loseConnection()
    wire.wait(lambda: connection.transport is None)
    with pytest.raises(UserError, match="not running"):
        wire.ask("snapshot")
    wire.listen()
    assert wire.ask("snapshot")["state"] == "READY"


def test_a_dialer_that_dies_while_it_is_asked(wire: Wire) -> None:
    wire.listen()
    wire.obey.silent = True
    waiting = defer.Deferred.fromCoroutine(wire.client.start_run("Sales", by="ada"))
    wire.wait(lambda: bool(wire.obey.asked))
    connection = wire.client._connection
    assert connection is not None
    connection.transport.abortConnection()
    with pytest.raises(UserError, match="the dialer went away") as caught:
        wire.result(waiting)
    assert caught.value.code == "dialer-down"


def test_a_dialer_that_does_not_answer(wire: Wire) -> None:
    """The wait is measured by the clock that the client was given."""
    wire.listen()
    wire.obey.silent = True
    clock = task.Clock()
    real, wire.client._reactor = wire.client._reactor, _Both(wire.reactor, clock)
    waiting = defer.Deferred.fromCoroutine(wire.client.start_run("Sales", by="ada"))
    wire.wait(lambda: bool(wire.obey.asked))
    clock.advance(control.ANSWER_S + 1)
    with pytest.raises(UserError, match=f"did not answer within {control.ANSWER_S:g} s"):
        wire.result(waiting)
    wire.client._reactor = real


class _Both:
    """A reactor whose timers are the test's."""

    def __init__(self, reactor: Any, clock: task.Clock) -> None:
        self._reactor = reactor
        self.callLater = clock.callLater

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


def test_only_its_owner_may_open_it(wire: Wire) -> None:
    wire.listen()
    assert wire.socket.stat().st_mode & 0o777 == 0o600
