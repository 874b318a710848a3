"""The FastAGI server: sessions on a clock, byte by byte."""

import logging
from typing import Any

import pytest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.wire.recordings import DATA
from wombat_ari.model.events import (
    AttributeAppended,
    AttributeCleared,
    AttributeSet,
    CallEvent,
    EndPointSeen,
    StatusSet,
)
from wombat_ari.pbx.allowed import Allowed
from wombat_ari.pbx.fastagi import (
    AGICommandFailure,
    AGIHangup,
    AGITimeout,
    FastAGIFactory,
    FastAGIProtocol,
    Refusal,
)
from wombat_ari.pbx.fastagi_verbs import verb_factory

PEER = IPv4Address("TCP", "127.0.0.1", 40000)
OURS = "wbt-0000000000000042"


class Session:
    """One session of a factory, with what it wrote."""

    def __init__(self, factory: FastAGIFactory, clock: Clock) -> None:
        self.clock = clock
        self.transport = StringTransport(peerAddress=PEER)
        self.agi: FastAGIProtocol = factory.buildProtocol(PEER)
        self.agi.makeConnection(self.transport)
        self.got: list[Any] = []

    def says(self, text: str) -> None:
        self.agi.dataReceived(text.encode())

    def begins(self, script: str, *arguments: str, unique_id: str = OURS) -> None:
        lines = ["agi_network: yes", f"agi_network_script: {script}", f"agi_uniqueid: {unique_id}"]
        lines += [f"agi_arg_{number}: {value}" for number, value in enumerate(arguments, 1)]
        self.says("\n".join([*lines, "", ""]))

    def written(self) -> list[str]:
        text = self.transport.value().decode()
        self.transport.clear()
        return text.splitlines()

    def ends(self) -> None:
        self.agi.connectionLost(Failure(ConnectionDone()))

    @property
    def closed(self) -> bool:
        return bool(self.transport.disconnecting or self.transport.disconnected)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[CallEvent]:
    return []


@pytest.fixture
def session(clock: Clock, told: list[CallEvent]) -> Session:
    return Session(verb_factory(told.append, clock=clock), clock)


def run(clock: Clock, main: Any, **options: Any) -> Session:
    session = Session(FastAGIFactory(main, clock=clock, **options), clock)
    session.begins("x")
    return session


# The dialer's verbs


@pytest.mark.parametrize(
    ("script", "arguments", "events"),
    [
        ("callstatus?V=1", (), [StatusSet(42, "1")]),
        ("CallStatus?v=1&V=%20A%2CB ", (), [StatusSet(42, "A,B")]),
        ("callstatus", ("7",), [StatusSet(42, "7")]),
        ("attribute?NAME=J%2C%20%22D%22%20%28%24%7BX%7D&AGE=7", (), [
            AttributeSet(42, "NAME", 'J, "D" (${X}'), AttributeSet(42, "AGE", "7")]),
        ("attribute?N=", (), [AttributeSet(42, "N", "")]),
        ("attribute?N=%C5%BB%F0%9F%98%80+1", (), [AttributeSet(42, "N", "Ż😀+1")]),
        ("attribute", ("N", "a", "b"), [AttributeSet(42, "N", "a,b")]),
        ("append?N=more", (), [AttributeAppended(42, "N", "more")]),
        ("clear?N", (), [AttributeCleared(42, "N")]),
        ("clear", ("N", "M"), [AttributeCleared(42, "N"), AttributeCleared(42, "M")]),
    ],
)  # fmt: skip
def test_a_verb(
    session: Session, told: list[CallEvent], script: str, arguments: tuple[str, ...], events: list[CallEvent]
) -> None:
    session.begins(script, *arguments)
    assert told == [EndPointSeen(42), *events]
    # Asterisk carries out what it has read before it sees the end: nothing is waited for.
    assert session.written() == ['SET VARIABLE "WOMBAT_AGI_RESULT" "OK"']
    assert session.closed


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("nosuch?V=1", "unknown verb 'nosuch'"),
        ("", "unknown verb ''"),
        ("callstatus", "callstatus needs V"),
        ("attribute", "attribute needs NAME=VALUE"),
        ("attribute?=x", "attribute needs NAME=VALUE"),
        ("append", "append needs NAME=VALUE"),
        ("clear", "clear needs the name"),
        ("bad%0Averb", "unknown verb"),
    ],
)
def test_a_mistake_is_said_in_the_channel_and_in_the_log(
    session: Session, told: list[CallEvent], caplog: pytest.LogCaptureFixture, script: str, word: str
) -> None:
    with caplog.at_level(logging.WARNING):
        session.begins(script)
    command, end = session.written()
    assert command.startswith('SET VARIABLE "WOMBAT_AGI_RESULT" "ERROR: ')
    assert end == "FAILURE"  # AGISTATUS
    assert word in command
    assert word in caplog.text
    assert told == []
    assert session.closed


def test_the_call_is_known_by_its_variable_too(session: Session, told: list[CallEvent]) -> None:
    session.begins("callstatus?V=1", unique_id="1795388519.147")
    assert session.written() == ['GET FULL VARIABLE "${WOMBATID}"']
    session.says("200 result=1 (43)\n")
    assert told == [EndPointSeen(43), StatusSet(43, "1")]
    assert session.written() == ['SET VARIABLE "WOMBAT_AGI_RESULT" "OK"']


@pytest.mark.parametrize("answer", ["200 result=0", "200 result=1 ()", "200 result=1 (x)", "200 result=1 (0)"])
def test_a_channel_that_is_no_call_of_ours(session: Session, told: list[CallEvent], answer: str) -> None:
    session.begins("callstatus?V=1", unique_id="1795388519.147")
    session.written()
    session.says(answer + "\n")
    assert "ERROR: not a call of the dialer" in session.written()[0]
    assert told == []


def test_a_hang_up_in_between_loses_nothing(session: Session, told: list[CallEvent]) -> None:
    session.begins("callstatus?V=1", unique_id="1795388519.147")
    session.says("HANGUP\n")
    assert not session.closed
    session.says("200 result=1 (43)\n")
    assert StatusSet(43, "1") in told
    assert session.closed


def test_a_verb_does_not_hold_a_channel_for_long(session: Session, clock: Clock) -> None:
    session.begins("callstatus?V=1", unique_id="1795388519.147")
    clock.advance(5)
    assert session.closed
    session.ends()
    clock.advance(1)
    assert not clock.getDelayedCalls()


def test_a_refused_variable_ends_the_session(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    session.begins("callstatus?V=1", unique_id="1795388519.147")
    session.says("511 Command Not Permitted on a dead channel or intercept routine\n")
    assert session.closed
    assert "511" in caplog.text


# The server


def test_a_recorded_session_byte_by_byte(clock: Clock) -> None:
    recorded = (DATA / "agi" / "session.txt").read_text().split("=== ")[1]
    env = recorded.split("\n\n")[0].split("\n", 1)[1] + "\n\n"
    steps = [line for line in recorded.splitlines() if line.startswith("<< ")]
    seen: list[Any] = []

    async def main(agi: FastAGIProtocol) -> None:
        for _ in steps_of(steps):
            seen.append(await agi.sendCommand("NOOP"))

    session = Session(FastAGIFactory(main, clock=clock), clock)
    for character in env + "".join(line[3:] + "\n" for line in steps):
        session.says(character)
    assert [reply.code for reply in seen][-1] == 520
    assert seen[0].value == "42"
    assert seen[3].value == 'a, "b" c'
    assert session.closed
    assert session.agi.variables["agi_threadid"] == "139973417105088"


def steps_of(lines: list[str]) -> list[str]:
    """One for each answer: the three lines of the 520 are one."""
    return [line for line in lines if line[3:7] in ("200 ", "510 ", "511 ", "520-")]


def test_answers_come_in_the_order_of_the_commands(clock: Clock) -> None:
    got: list[Any] = []

    def main(agi: FastAGIProtocol) -> Any:
        agi.getVariable("A").addCallback(got.append)
        return agi.getVariable("B").addCallback(got.append)

    session = run(clock, main)
    assert session.written() == ['GET FULL VARIABLE "${A}"', 'GET FULL VARIABLE "${B}"']
    session.says("200 result=1 (one)\n200 result=1 (two)\n")
    assert got == ["one", "two"]
    assert session.closed


@pytest.mark.parametrize("value", ["one\ntwo", "\nHANGUP\n520-x\n200 result=1 (y", "one\n\n", ""])
def test_a_variable_of_several_lines(clock: Clock, value: str) -> None:
    """Such as what CURL() has brought."""
    got: list[Any] = []

    def main(agi: FastAGIProtocol) -> Any:
        agi.getVariable("A").addCallback(got.append)
        return agi.getVariable("B").addCallback(got.append)

    session = run(clock, main)
    session.says(f"200 result=1 ({value})\n200 result=1 (b)\n")
    assert got == [value, "b"]


@pytest.mark.parametrize("text", ["HANGUP\n", "HANGUP\n200 result=1 (late)\n"])
def test_a_hang_up_closes_at_once(clock: Clock, text: str) -> None:
    got: list[Any] = []

    def main(agi: FastAGIProtocol) -> Any:
        return agi.getVariable("A").addErrback(lambda failure: got.append(failure.type))

    session = run(clock, main)
    session.says("HANGUP\n")
    assert got == [AGIHangup]
    assert session.closed
    assert session.agi.hungUp
    session.ends()
    clock.advance(1)
    assert not clock.getDelayedCalls()


def test_a_command_has_a_time_out(clock: Clock) -> None:
    got: list[Any] = []

    def main(agi: FastAGIProtocol) -> Any:
        return agi.getVariable("A").addErrback(lambda failure: got.append(failure.type))

    session = run(clock, main)
    session.written()
    clock.advance(10)
    assert got == [AGITimeout]
    assert session.written() == ["FAILURE"]
    assert session.closed


@pytest.mark.parametrize("reply", ["510 Invalid or unknown command", "200 result=-1", "511 Command Not Permitted"])
def test_a_refused_command(clock: Clock, reply: str) -> None:
    got: list[Any] = []

    def main(agi: FastAGIProtocol) -> Any:
        return agi.answer().addErrback(lambda failure: got.append(failure.type))

    session = run(clock, main)
    session.says(reply + "\n")
    assert got == [AGICommandFailure]


def test_a_failing_main_function_is_logged_and_the_channel_goes_on(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def main(agi: FastAGIProtocol) -> None:
        raise RuntimeError("main")

    session = run(clock, main)
    assert session.written() == ["FAILURE"]
    assert session.closed
    assert "RuntimeError: main" in caplog.text


def test_the_connection_may_end_at_any_time(clock: Clock) -> None:
    got: list[Any] = []

    async def main(agi: FastAGIProtocol) -> None:
        try:
            await agi.getVariable("A")
        except AGIHangup as ended:
            got.append(ended)
            agi.sendCommand("NOOP").addErrback(lambda failure: got.append(failure.type))

    factory = FastAGIFactory(main, clock=clock)
    session = Session(factory, clock)
    session.begins("x")
    session.ends()
    assert got[1] is AGIHangup
    assert not factory.sessions
    clock.advance(1)
    assert not clock.getDelayedCalls()


def test_whoever_says_nothing_is_closed(clock: Clock) -> None:
    session = Session(FastAGIFactory(lambda agi: None, clock=clock), clock)
    session.says("agi_network: yes\n")
    clock.advance(5)
    assert session.closed


@pytest.mark.parametrize(
    "text", ["GET / HTTP/1.1\n\n", "x" * 70_000, "agi_x: y\n" * 400, "agi_x: " + "y" * 70_000 + "\n"]
)
def test_whoever_is_not_asterisk_is_closed(clock: Clock, text: str, caplog: pytest.LogCaptureFixture) -> None:
    ran: list[Any] = []
    session = Session(FastAGIFactory(ran.append, clock=clock), clock)
    session.says(text)
    assert session.closed
    assert not ran
    assert "FastAGI from 127.0.0.1" in caplog.text


def test_an_answer_that_nobody_asked_for_ends_the_session(clock: Clock) -> None:
    from twisted.internet.defer import Deferred

    session = run(clock, lambda agi: Deferred())
    session.says("200 result=1\n")
    assert session.closed


@pytest.mark.parametrize("text", ["200 result=1 (" + "x" * 70_000 + ")\n", "200 result=1 (" + "x" * 70_000])
def test_an_answer_too_long_ends_the_session(clock: Clock, text: str, caplog: pytest.LogCaptureFixture) -> None:
    got: list[Any] = []
    session = run(clock, lambda agi: agi.getVariable("A").addBoth(got.append))
    session.says(text)
    assert session.closed
    assert "a line of more than 65536 bytes" in caplog.text
    session.ends()
    assert got[0].type is AGIHangup


@pytest.mark.parametrize(
    ("host", "welcome"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("10.1.2.3", True), ("10.2.0.1", False), ("8.8.8.8", False)],
)
def test_the_allow_list(clock: Clock, host: str, welcome: bool) -> None:
    factory = FastAGIFactory(lambda agi: None, clock=clock, allow=["127.0.0.0/8", "10.1.0.0/16", "::1"])
    for address in (IPv4Address("TCP", host, 1), IPv6Address("TCP", f"::ffff:{host}", 1)):
        assert isinstance(factory.buildProtocol(address), FastAGIProtocol) == welcome
    assert isinstance(factory.buildProtocol(IPv6Address("TCP", "::1", 1)), FastAGIProtocol)
    assert isinstance(factory.buildProtocol(IPv6Address("TCP", "::2", 1)), Refusal)


def test_the_allow_list_may_change_at_any_time(clock: Clock) -> None:
    allowed = Allowed(["10.0.0.1"])
    factory = FastAGIFactory(lambda agi: None, clock=clock, allow=allowed)
    first, other = IPv4Address("TCP", "10.0.0.1", 1), IPv4Address("TCP", "10.0.0.2", 1)
    assert isinstance(factory.buildProtocol(first), FastAGIProtocol)
    assert isinstance(factory.buildProtocol(other), Refusal)
    assert allowed.replace(["10.0.0.2"])
    assert not allowed.replace(["10.0.0.2"])
    assert isinstance(factory.buildProtocol(first), Refusal)
    assert isinstance(factory.buildProtocol(other), FastAGIProtocol)


def test_a_stranger_is_told_one_word_and_logged_once_a_minute(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    factory = FastAGIFactory(lambda agi: None, clock=clock, allow=["10.0.0.1"])
    for _ in range(20):
        transport = StringTransport(peerAddress=PEER)
        factory.buildProtocol(PEER).makeConnection(transport)
        assert transport.value() == b"FAILURE\n"
        assert transport.disconnecting
    assert caplog.text.count("127.0.0.1 is not on the allow list") == 1
    clock.advance(61)
    factory.buildProtocol(PEER)
    assert caplog.text.count("127.0.0.1 is not on the allow list") == 2
    assert not factory.sessions


def test_there_is_a_limit_to_sessions(clock: Clock) -> None:
    factory = FastAGIFactory(lambda agi: None, clock=clock, maxSessions=1)
    first = Session(factory, clock)
    assert isinstance(factory.buildProtocol(PEER), Refusal)
    first.ends()
    assert isinstance(factory.buildProtocol(PEER), FastAGIProtocol)


def test_commands_in_starpys_words(clock: Clock) -> None:
    from twisted.internet.defer import Deferred

    session = run(clock, lambda agi: Deferred())
    agi = session.agi
    agi.execute("UserEvent", "A", "B:c")
    agi.setVariable("X", 'a "b"')
    agi.verbose("hi")
    agi.streamFile("hello-world", "#")
    agi.sayDigits("12")
    agi.waitForDigit(0.2).addCallback(session.got.append)
    agi.hangup()
    assert session.written() == [
        'EXEC "UserEvent" "A,B:c"',
        'SET VARIABLE "X" "a \\"b\\""',
        'VERBOSE "hi" "1"',
        'STREAM FILE "hello-world" "#"',
        'SAY DIGITS "12" ""',
        'WAIT FOR DIGIT "200"',
        "HANGUP",
    ]
    session.says("200 result=0\n" * 5 + "200 result=49\n")
    assert session.got == ["1"]


def test_the_time_for_the_environment_ends_with_it(clock: Clock) -> None:
    from twisted.internet.defer import Deferred

    session = run(clock, lambda agi: Deferred())
    clock.advance(60)
    assert not session.closed
