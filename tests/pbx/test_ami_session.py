"""One AMI connection: answers, lists, time-outs, the end, and nothing twice."""

import logging
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from wombat_ari.model.errors import UserError
from wombat_ari.pbx.ami import AMICommandFailure, AMIConnectionLost, AMIFactory, AMIProtocol, AMITimeout
from wombat_ari.pbx.ami_session import GATHER
from wombat_ari.wire.ami import Message


class Line:
    """A protocol with a transport that keeps what was written, and a list of what its Deferreds gave."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.ami: AMIProtocol = AMIFactory("joe", "secret", clock=self.clock, **options).buildProtocol(None)
        self.ami.makeConnection(self.transport)
        self.got: list[Any] = []
        self.says("Asterisk Call Manager/11.0.0\r\n")

    def says(self, text: str) -> None:
        self.ami.dataReceived(text.encode())

    def answers(self, number: str, *lines: str, word: str = "Success") -> None:
        self.says("\r\n".join([f"Response: {word}", f"ActionID: {number}", *lines]) + "\r\n\r\n")

    def written(self) -> list[str]:
        text = self.transport.value().decode()
        self.transport.clear()
        return text.split("\r\n\r\n")[:-1]

    def keep(self, deferred: Any) -> None:
        deferred.addBoth(self.got.append)

    def breaks(self, reason: Exception | None = None) -> None:
        self.ami.connectionLost(Failure(reason or ConnectionLost()))


@pytest.fixture
def line() -> Line:
    return Line()


def test_plain_log_in(line: Line) -> None:
    line.keep(line.ami.login())
    lines = ["Action: Login", "ActionID: w1", "username: joe", "secret: secret", "events: on"]
    assert line.written() == ["\r\n".join(lines)]
    line.answers("w1", "Message: Authentication accepted")
    assert line.got[0].name == "Success"


def test_log_in_by_challenge() -> None:
    line = Line(plaintextLogin=False)
    line.keep(line.ami.login(events="call,user"))
    assert "Action: Challenge" in line.written()[0]
    line.answers("w1", "Challenge: 137")
    (login,) = line.written()
    assert "key: 533fe7c02e0e6bbb6bbd0c17ea9c936d" in login  # MD5 of 137secret
    assert "secret" not in login
    assert "events: call,user" in login


def test_log_in_waits_for_the_banner() -> None:
    clock = Clock()
    ami = AMIFactory("joe", "secret", clock=clock).buildProtocol(None)
    transport = StringTransport()
    ami.makeConnection(transport)
    ami.login()
    assert transport.value() == b""
    ami.dataReceived(b"Asterisk Call Manager/11.0.0\r\n")
    assert b"Action: Login" in transport.value()


def test_refused_log_in(line: Line) -> None:
    line.keep(line.ami.login())
    line.answers("w1", "Message: Authentication failed", word="Error")
    assert line.got[0].check(AMICommandFailure)
    assert str(line.got[0].value) == "Authentication failed"


def test_answers_find_their_action_in_any_order(line: Line) -> None:
    line.keep(line.ami.getVar("a", "X"))
    line.keep(line.ami.getVar("b", "X"))
    line.answers("w2", "Value: two")
    line.answers("w1", "Value: one")
    assert line.got == ["two", "one"]


def test_an_answer_that_nobody_waits_for_changes_nothing(line: Line) -> None:
    line.keep(line.ami.ping())
    line.answers("w99")
    line.says("Response: Success\r\n\r\n")
    assert line.got == []
    line.answers("w1", "Ping: Pong")
    line.answers("w1", "Ping: Pong")
    assert len(line.got) == 1


def test_a_list(line: Line) -> None:
    line.keep(line.ami.coreShowChannels())
    line.answers("w1", "EventList: start")
    line.says("Event: CoreShowChannel\r\nActionID: w1\r\nChannel: A\r\n\r\n")
    line.says("Event: CoreShowChannel\r\nActionID: w7\r\nChannel: somebody else's\r\n\r\n")
    line.says("Event: Hangup\r\nChannel: B\r\n\r\nEvent: CoreShowChannel\r\nActionID: w1\r\nChannel: C\r\n\r\n")
    assert line.got == []
    line.says("Event: CoreShowChannelsComplete\r\nActionID: w1\r\nEventList: Complete\r\nListItems: 2\r\n\r\n")
    assert [message.get("Channel") for message in line.got[0]] == ["A", "C"]


def test_a_refused_list(line: Line) -> None:
    line.keep(line.ami.status("x"))
    line.answers("w1", "Message: No such channel", word="Error")
    assert line.got[0].check(AMICommandFailure)


def test_two_lists_at_once_and_the_filter_after_them(line: Line) -> None:
    line.keep(line.ami.coreShowChannels())
    line.keep(line.ami.dbGetTree("f"))
    for number in ("w2", "w1"):
        line.answers(number, "EventList: start")
        line.says(f"Event: Item\r\nActionID: {number}\r\nKey: {number}\r\n\r\n")
        line.says(f"Event: End\r\nActionID: {number}\r\nEventList: Complete\r\n\r\n")
    assert [[message.get("Key") for message in got] for got in line.got] == [["w2"], ["w1"]]
    assert line.ami.decoder.feed(b"Event: Item\r\nActionID: w2\r\n\r\n") == []  # skipped again


def test_every_action_has_a_time_out(line: Line) -> None:
    line.keep(line.ami.ping())
    line.keep(line.ami.coreShowChannels())
    line.clock.advance(10)
    assert line.got[0].check(AMITimeout)
    line.clock.advance(20)
    assert line.got[1].check(AMITimeout)
    line.answers("w1")
    line.answers("w2", "EventList: start")
    assert len(line.got) == 2
    assert not line.clock.getDelayedCalls()


def test_when_the_connection_breaks_everybody_hears_it(line: Line) -> None:
    for deferred in (line.ami.ping(), line.ami.coreShowChannels(), line.ami.getVar("a", "b")):
        line.keep(deferred)
    line.keep(line.ami.onClose())
    line.breaks()
    assert len(line.got) == 4
    assert all(got.check(AMIConnectionLost) for got in line.got[1:])
    assert isinstance(line.got[0], AMIConnectionLost)  # the end is told first
    assert not line.clock.getDelayedCalls()


def test_after_the_end_nothing_is_written(line: Line) -> None:
    line.written()
    line.breaks(ConnectionDone())
    line.keep(line.ami.ping())
    assert line.got[0].check(AMIConnectionLost)
    assert line.written() == []


def test_an_action_written_by_an_errback_of_the_end_fails_too(line: Line) -> None:
    line.ami.ping().addErrback(lambda _: line.keep(line.ami.ping()))
    line.breaks()
    assert line.got[0].check(AMIConnectionLost)


def test_what_cannot_be_spelled_is_not_written(line: Line) -> None:
    line.written()
    with pytest.raises(UserError, match="channel"):
        line.ami.hangup("a\nAction: Command")
    assert line.written() == []
    assert not line.clock.getDelayedCalls()


def test_events_reach_those_who_registered(line: Line) -> None:
    seen: list[tuple[str, str]] = []

    def one(ami: AMIProtocol, message: Message) -> None:
        assert ami is line.ami
        seen.append(("one", message.name))

    def all_of_them(ami: AMIProtocol, message: Message) -> None:
        seen.append(("*", message.name))

    line.ami.registerEvent("Hangup", one)
    line.says("Event: Hangup\r\n\r\nEvent: Newchannel\r\n\r\n")
    assert seen == [("one", "Hangup")]
    line.ami.registerEvent(None, all_of_them)
    line.says("Event: Hangup\r\n\r\nEvent: Newchannel\r\n\r\n")
    assert seen[1:] == [("one", "Hangup"), ("*", "Hangup"), ("*", "Newchannel")]
    line.ami.deregisterEvent("Hangup", one)
    line.ami.deregisterEvent(None)
    line.says("Event: Hangup\r\n\r\n")
    assert len(seen) == 4


def test_a_handler_that_fails_harms_no_other(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    def bad(ami: AMIProtocol, message: Message) -> None:
        raise RuntimeError("handler")

    line.ami.registerEvent("Hangup", bad)
    line.ami.registerEvent("Hangup", lambda ami, message: seen.append(message.name))
    with caplog.at_level(logging.ERROR):
        line.says("Event: Hangup\r\n\r\nEvent: Hangup\r\n\r\n")
    assert seen == ["Hangup", "Hangup"]
    assert "RuntimeError: handler" in caplog.text


def test_what_is_not_ami_ends_the_connection() -> None:
    ami = AMIFactory("joe", "secret", clock=Clock()).buildProtocol(None)
    transport = StringTransport()
    ami.makeConnection(transport)
    got: list[Any] = []
    ami.login().addErrback(got.append)
    ami.dataReceived(b"HTTP/1.1 400 Bad Request\r\n")
    assert transport.disconnected
    ami.connectionLost(Failure(ConnectionLost()))
    assert "not an AMI" in str(got[0].value)


@implementer(ITCPTransport)
class TcpTransport(StringTransport):
    """A StringTransport that a session takes for TCP."""

    def setTcpNoDelay(self, enabled: bool) -> None: ...

    def setTcpKeepAlive(self, enabled: bool) -> None: ...


def test_a_lone_event_is_taken_at_once_and_a_stream_in_handfuls() -> None:
    clock, transport = Clock(), TcpTransport()
    ami = AMIFactory("joe", "secret", clock=clock).buildProtocol(None)
    ami.makeConnection(transport)
    clock.advance(1)
    ami.dataReceived(b"Asterisk Call Manager/11.0.0\r\n")
    assert transport.producerState == "producing"
    ami.dataReceived(b"Event: Hangup\r\n\r\n")
    assert transport.producerState == "paused"
    clock.advance(GATHER)
    assert transport.producerState == "producing"
    clock.advance(GATHER)
    ami.dataReceived(b"Event: Hangup\r\n\r\n")
    assert transport.producerState == "producing"


def test_an_originate_in_starpys_words(line: Line) -> None:
    line.keep(line.ami.originate("PJSIP/1@t", "ctx", exten="100", callerid="5", variable={"A": "x,y", "B": "z"}))
    (action,) = line.written()
    assert action.split("\r\n") == [
        "Action: Originate",
        "ActionID: w1",
        *("channel: PJSIP/1@t", "async: true", "timeout: 30000", "context: ctx", "exten: 100", "callerid: 5"),
        *("priority: 1", "variable: A=x\\,y", "variable: B=z"),
    ]
    line.keep(line.ami.originate("PJSIP/1@t", "ctx", timeout=0))
    assert line.got[0].check(AMICommandFailure)


def test_the_output_of_a_command(line: Line) -> None:
    line.keep(line.ami.command("core show uptime"))
    line.answers("w1", "Message: Command output follows", "Output: one", "Output: ", "Output: three")
    assert line.got == [["one", "", "three"]]


def test_the_factorys_secret_cannot_be_seen() -> None:
    factory = AMIFactory("joe", "hunter2", clock=Clock())
    assert "hunter2" not in repr(vars(factory))
