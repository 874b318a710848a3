"""One AMI session of the fake PBX: reads actions, answers them as Asterisk does, passes on what the PBX says."""

import hashlib
from typing import Any

from twisted.internet.protocol import Protocol

Headers = dict[str, str]

BANNER = "Asterisk Call Manager/11.0.0\r\n"
LOG_IN = ("Challenge", "Login", "ListCommands", "CoreSettings")


class FakeSession(Protocol):
    """Made by ``FakePbx``; knows its user's event classes and whether it is logged in."""

    transport: Any

    def __init__(self, pbx: Any) -> None:
        self.pbx = pbx
        self.logged_in = False
        self.classes: frozenset[str] = frozenset()
        self._rest = b""

    def connectionMade(self) -> None:
        if hasattr(self.transport, "setTcpNoDelay"):
            self.transport.setTcpNoDelay(True)  # as Asterisk does
        self.pbx.sessions.append(self)
        if not self.pbx.mute:
            self.say(self.pbx.banner)

    def connectionLost(self, reason: Any = None) -> None:
        if self in self.pbx.sessions:
            self.pbx.sessions.remove(self)

    def dataReceived(self, data: bytes) -> None:
        *actions, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self.pbx.received += data
        for action in actions:
            if not self.pbx.mute:
                self.pbx.clock.callLater(self.pbx.answer_delay, self._act, action.decode("utf-8", "replace"))

    def say(self, text: str) -> None:
        """Write a message, or the part of it before the cut that was ordered."""
        data = text.encode()
        cut, self.pbx.cut_after = self.pbx.cut_after, None
        if cut is not None:
            self.transport.write(data[:cut])
            self.transport.loseConnection()
            return
        self.transport.write(data)

    def hear(self, text: str, event_class: str) -> None:
        if self.logged_in and event_class in self.classes and not (self.pbx.silent and event_class != "system"):
            self.say(text)

    def _act(self, text: str) -> None:
        pairs = [line.partition(": ")[::2] for line in text.split("\r\n")]
        headers = {key.lower(): value for key, value in reversed(pairs)}
        variables = dict(value.partition("=")[::2] for key, value in pairs if key.lower() == "variable")
        name = headers.get("action", "")
        self.pbx.actions.append((name, headers))
        if name in self.pbx.ignores or (self.pbx.silent and name not in LOG_IN):
            return
        act = getattr(self, f"_{name.lower()}", None)
        if act is None or name not in self.pbx.commands:
            self._error(headers, "Invalid/unknown command")
        elif not self.logged_in and name not in ("Login", "Challenge"):
            self._error(headers, "Permission denied")
        elif name == "Originate":
            self._originate(headers, {key: _plain(value) for key, value in variables.items()})
        else:
            act(headers)

    def _answer(self, headers: Headers, *lines: str, word: str = "Success") -> None:
        given = [f"ActionID: {headers['actionid']}"] if "actionid" in headers else []
        self.say("\r\n".join([f"Response: {word}", *given, *lines]) + "\r\n\r\n")

    def _error(self, headers: Headers, message: str) -> None:
        self._answer(headers, f"Message: {message}", word="Error")

    def _list(self, headers: Headers, message: str, *, items: list[list[str]], end: str) -> None:
        self._answer(headers, "EventList: start", f"Message: {message}")
        number = f"ActionID: {headers['actionid']}"
        for lines in items:
            self.say("\r\n".join([lines[0], number, *lines[1:]]) + "\r\n\r\n")
        self.say("\r\n".join([f"Event: {end}", number, "EventList: Complete", f"ListItems: {len(items)}"]) + "\r\n\r\n")

    # Actions

    def _challenge(self, headers: Headers) -> None:
        self._answer(headers, f"Challenge: {self.pbx.challenge}")

    def _login(self, headers: Headers) -> None:
        secret = self.pbx.users.get(headers.get("username", ""))
        key = hashlib.md5(f"{self.pbx.challenge}{secret}".encode()).hexdigest()
        if secret is None or (headers.get("secret") != secret and headers.get("key") != key):
            self._error(headers, "Authentication failed")
            self.transport.loseConnection()
            return
        self.logged_in = True
        asked = headers.get("events", "on")
        self.classes = frozenset(("call", "system", "user", "agent") if asked == "on" else asked.split(","))
        self._answer(headers, "Message: Authentication accepted")
        uptime = int(self.pbx.clock.seconds() - self.pbx.booted_at)
        if self.pbx.tells_boot:
            self.hear(
                f"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: {uptime}\r\nLastReload: {uptime}\r\n"
                "Status: Fully Booted\r\n\r\n",
                "system",
            )

    def _logoff(self, headers: Headers) -> None:
        self._answer(headers, "Message: Thanks for all the fish.", word="Goodbye")
        self.transport.loseConnection()

    def _ping(self, headers: Headers) -> None:
        self._answer(headers, "Ping: Pong", f"Timestamp: {self.pbx.clock.seconds():.6f}")

    def _listcommands(self, headers: Headers) -> None:
        self._answer(headers, *[f"{name}: (fake)  (Priv: all)" for name in self.pbx.commands])

    def _coresettings(self, headers: Headers) -> None:
        self._answer(headers, "AMIversion: 11.0.0", f"AsteriskVersion: {self.pbx.version}")

    def _originate(self, headers: Headers, variables: Headers) -> None:
        refusal = self.pbx.originate_refusal
        if refusal:
            self._error(headers, refusal)
            return
        self._answer(headers, "Message: Originate successfully queued")
        self.pbx.originate(headers, variables)

    def _hangup(self, headers: Headers) -> None:
        call = self.pbx.find(headers.get("channel", ""))
        if call is None:
            self._error(headers, "No such channel")
        else:
            self._answer(headers, "Message: Channel Hungup")
            call.hang_up(int(headers.get("cause", 0)))

    def _absolutetimeout(self, headers: Headers) -> None:
        call = self.pbx.find(headers.get("channel", ""))
        if call is None:
            self._error(headers, "No such channel")
        else:
            self._answer(headers, "Message: Timeout Set")
            call.limit(int(headers["timeout"]))

    def _getvar(self, headers: Headers) -> None:
        call = self.pbx.find(headers.get("channel", ""))
        if call is None:
            self._error(headers, "No such channel")
        else:
            name = headers["variable"]
            self._answer(headers, f"Variable: {name}", f"Value: {call.variables.get(name, '')}")

    def _status(self, headers: Headers) -> None:
        wanted = headers.get("channel")
        calls = [call for call in self.pbx.live.values() if wanted in (None, call.unique_id, call.channel)]
        if wanted and not calls:
            self._error(headers, "No such channel")
            return
        items = [["Event: Status", "Privilege: Call", *self._shown(call)] for call in calls]
        self._list(headers, "Channel status will follow", items=items, end="StatusComplete")

    def _coreshowchannels(self, headers: Headers) -> None:
        items = [["Event: CoreShowChannel", *self._shown(call)] for call in self.pbx.live.values()]
        items += [channel for queue in self.pbx.queues.values() for channel in queue.channels()]
        self._list(headers, "Channels will follow", items=items, end="CoreShowChannelsComplete")

    def _shown(self, call: Any) -> list[str]:
        age = int(self.pbx.clock.seconds() - call.began)
        duration = f"{age // 3600:02}:{age // 60 % 60:02}:{age % 60:02}"
        queue = next((name for name, queue in self.pbx.queues.items() if queue.has(call.unique_id)), "")
        return [
            f"Channel: {call.channel}",
            f"ChannelState: {6 if call.up else 5}",
            f"Uniqueid: {call.unique_id}",
            f"Linkedid: {call.unique_id}",
            f"BridgeId: {'bridge' if call.bridged else ''}",
            f"Seconds: {age}",
            f"Duration: {duration}",
            f"Application: {'Queue' if queue else 'AppDial2'}",
            f"ApplicationData: {queue}",
        ]

    def _queuestatus(self, headers: Headers) -> None:
        items = [lines for queue in self.pbx.queues.values() for lines in queue.listed()]
        self._list(headers, "Queue status will follow", items=items, end="QueueStatusComplete")

    def _dbgettree(self, headers: Headers) -> None:
        family = headers["family"]
        notes = self.pbx.notes if family == "wombat-gone" else {}
        items = [
            ["Event: DBGetTreeResponse", f"Key: /{family}/{key[4:7]}/{key}", f"Val: {note}"]
            for key, note in notes.items()
        ]
        self._list(headers, "Result will follow", items=items, end="DBGetTreeComplete")

    def _dbget(self, headers: Headers) -> None:
        note = self.pbx.notes.get(_of_note(headers["key"]))
        if note is None:
            self._error(headers, "Database entry not found")
            return
        item = ["Event: DBGetResponse", f"Family: {headers['family']}", f"Key: {headers['key']}", f"Val: {note}"]
        self._list(headers, "Result will follow", items=[item], end="DBGetComplete")

    def _dbdel(self, headers: Headers) -> None:
        if self.pbx.notes.pop(_of_note(headers["key"]), None) is None:
            self._error(headers, "Database entry could not be deleted")
        else:
            self._answer(headers, "Message: Key deleted successfully")

    def _dbdeltree(self, headers: Headers) -> None:
        below = [key for key in self.pbx.notes if headers.get("key", "") in ("", key[4:7])]
        if below:
            for key in below:
                del self.pbx.notes[key]
            self._answer(headers, "Message: Key tree deleted successfully")
        else:
            self._error(headers, "Database entry not found")

    def _command(self, headers: Headers) -> None:
        self._answer(headers, "Message: Command output follows", f"Output: {headers['command']}")


def _of_note(key: str) -> str:
    """``123/wbt-123...`` -> ``wbt-123...``; any other key is not one of a note."""
    tree, _, attempt = key.partition("/")
    return attempt if attempt[4:7] == tree else ""


def _plain(value: str) -> str:
    """A variable's value as Asterisk stores it: the escapes undone."""
    out, escaped = [], False
    for character in value:
        if character == "\\" and not escaped:
            escaped = True
            continue
        out.append(character)
        escaped = False
    return "".join(out)
