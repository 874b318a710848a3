"""``/api/v1/events``: what happens, as server-sent events, on the reactor: a listener costs no thread.

One ``Feed`` for the process asks the dialer while anybody listens, and keeps the last events; each ``Listener`` has a
place in them and is given more when its socket takes more. So a slow reader costs no memory: when what it has not read
is not kept any more, it is told that it missed something. Rights are looked up again every some seconds. In the
document of the API it is a route of ``api/system``.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from webui.api.frame import PREFIX
from webui.api.problems import answer_of
from webui.front import Handler, Lobby, answer
from webui.headers import PROTECTION
from wombat_ari.app.service import events
from wombat_ari.app.service.caller import Caller
from wombat_ari.model.errors import StoreError, UserError

KEPT = 10_000
LISTENERS = 200
HEARTBEAT_S = 15.0
RIGHTS_S = 10.0  #: how often it is looked up again what a listener may hear
AGAIN_S = 1.0  #: after the dialer did not answer
HANDFUL = 200  #: events of one write
MISSED = "missed"
RESUME_MS = 2000  #: when a browser comes again

log = Logger()


class Feed:
    """``ask`` is ``ControlClient.events_since``. ``on_more`` of each listener is called when there is more."""

    def __init__(self, clock: Any, ask: Callable[[int], Any]) -> None:
        self._clock = clock
        self._ask = ask
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._listeners: list[Listener] = []
        self._after = -1
        self._asking = False
        self.last: int | None = None  #: id of the last event of all; None: not known yet

    @property
    def full(self) -> bool:
        return len(self._listeners) >= LISTENERS

    def join(self, listener: Listener) -> None:
        self._listeners.append(listener)
        if not self._asking:
            self._asking = True
            self._next()

    def leave(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def behind(self, place: int) -> tuple[bool, list[dict[str, Any]]]:
        """Whether some behind ``place`` are not kept, and the next ones."""
        if not self._kept:
            return False, []
        oldest = self._kept[0]["id"]
        start = max(0, place + 1 - oldest) if self._kept[-1]["id"] - oldest == len(self._kept) - 1 else None
        if start is None:  # another dialer's ids follow
            found = [each for each in self._kept if each["id"] > place][:HANDFUL]
        else:
            found = [self._kept[at] for at in range(start, min(start + HANDFUL, len(self._kept)))]
        return place < oldest - 1, found

    def _next(self) -> None:
        if not self._listeners:
            self._asking, self._after, self.last = False, -1, None
            self._kept.clear()
            return
        asking = Deferred.fromCoroutine(self._ask(self._after))
        asking.addCallbacks(self._told, self._not_told).addErrback(self._fence)

    def _told(self, told: dict[str, Any]) -> None:
        if told["missed"]:
            # Ids of a dialer whose clock was ahead are above those to come: nothing of before is to be compared.
            self._kept.clear()
            first = told["events"][0]["id"] if told["events"] else told["last"] + 1
            self._kept.append({"id": first - 1, "kind": MISSED, "about": "", "data": {}})
            for listener in self._listeners:
                listener.place = min(listener.place, first - 2) if listener.place is not None else None
        elif self._after < 0 and not told["events"]:  # who was told of something before missed what followed
            self._kept.append({"id": told["last"], "kind": MISSED, "about": "", "data": {}})
        self._kept.extend(told["events"])
        self._after = told["events"][-1]["id"] if told["events"] else told["last"]
        if self._after >= told["last"]:
            self.last = told["last"]
        for listener in list(self._listeners):
            listener.on_more()
        self._clock.callLater(0, self._next)

    def _not_told(self, failure: Failure) -> None:
        if failure.check(UserError, StoreError) is None:
            log.failure("events: a mistake of ours", failure=failure)
        self._clock.callLater(AGAIN_S, self._next)

    def _fence(self, failure: Failure) -> None:
        log.failure("events: a mistake of ours", failure=failure)
        self._clock.callLater(AGAIN_S, self._next)


@implementer(IPushProducer)
class Listener:
    """One answer that stays open. ``place`` is the id behind which it is told; None: from now on."""

    def __init__(self, request: Request, feed: Feed, *, place: int | None, only: tuple[str, ...]) -> None:
        self._request = request
        self._feed = feed
        self._only = only
        self._view = events.View(frozenset(), frozenset(), frozenset())
        self._paused = False
        self._denied: set[str] = set()  #: names that were asked for since the last look and are not for this one
        self._looking = False
        self._look_again: Callable[[], Deferred[None]]
        self.gone = False
        self.place = place

    def begin(self, view: events.View, look_again: Callable[[], Deferred[None]]) -> None:
        """``look_again`` tells ``see`` what may be heard now."""
        self._view = view
        self._look_again = look_again
        request = self._request
        request.notifyFinish().addBoth(lambda _: self._over())
        for name, value in (*PROTECTION.items(), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")):
            request.setHeader(name.encode(), value.encode())
        request.setHeader(b"content-type", b"text/event-stream; charset=utf-8")
        unpaced = getattr(request, "paces_itself", None)
        if unpaced is not None:
            unpaced()
        request.registerProducer(self, True)
        request.write(b"retry: %d\n\n" % RESUME_MS)
        self._feed.join(self)
        self.on_more()

    def see(self, view: events.View) -> None:
        self._view = view

    def look(self) -> Deferred[None]:
        """Now and then: what may be heard, and all names anew."""
        self._denied.clear()
        return self._look_again()

    def beat(self) -> None:
        """So that a connection that is dead is noticed, and proxies keep one that is not."""
        if not self._paused and not self.gone:
            self._request.write(b": still here\n\n")

    def end(self) -> None:
        if not self.gone:
            self._request.unregisterProducer()
            self._request.finish()

    def on_more(self) -> None:
        if self.place is None:
            self.place = self._feed.last
        while not self._paused and not self._looking and not self.gone and self.place is not None:
            missed, found = self._feed.behind(self.place)
            if missed and found and found[0]["kind"] != MISSED:
                self._write(found[0]["id"] - 1, MISSED, {})
            if not found:
                return
            for event in found:
                if event["kind"] == MISSED or self._wants(event):
                    self._write(event["id"], event["kind"], event["data"])
                elif self._is_of_something_new(event):
                    self._look_for(event)
                    return
            self.place = found[-1]["id"]

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self.on_more()

    def stopProducing(self) -> None:
        self._over()

    def _wants(self, event: dict[str, Any]) -> bool:
        return self._is_asked_for(event["kind"]) and self._view.shows(event["kind"], event["about"])

    def _is_asked_for(self, kind: str) -> bool:
        return not self._only or kind in self._only or kind.partition(".")[0] in self._only

    def _is_of_something_new(self, event: dict[str, Any]) -> bool:
        """A campaign, a list or a server that may have been made since the last look."""
        return bool(event["about"]) and event["about"] not in self._denied and self._is_asked_for(event["kind"])

    def _look_for(self, event: dict[str, Any]) -> None:
        """Before it is told: a list that a call has made is heard of at once."""
        self.place = event["id"] - 1
        self._looking = True

        def looked(_: object) -> None:
            self._looking = False
            self._denied.add(event["about"])
            self.on_more()

        self._look_again().addBoth(looked)

    def _write(self, id: int, kind: str, data: dict[str, Any]) -> None:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self._request.write(f"id: {id}\nevent: {kind}\ndata: {text}\n\n".encode())

    def _over(self) -> None:
        self.gone = True
        self._feed.leave(self)


class Events:
    """The address. Who is let in is asked again while the answer lasts: a token that was revoked hears no more."""

    def __init__(self, lobby: Lobby, db: Any, control: Any, clock: Any) -> None:
        self._lobby = lobby
        self._db = db
        self._clock = clock
        self._feed = Feed(clock, control.events_since)

    def handlers(self) -> dict[bytes, Handler]:
        return {f"{PREFIX}/events".encode(): self._handle}

    def _handle(self, request: Request) -> bool:
        if request.method != b"GET":
            return False
        opening = Deferred.fromCoroutine(self._open(request)).addErrback(self._refused, request)
        opening.addErrback(lambda failure: log.failure("events: a mistake of ours", failure=failure))
        return True

    async def _open(self, request: Request) -> None:
        place, only = _asked(request)
        if self._feed.full:
            raise UserError(f"{LISTENERS} listen already", code="not-ready")
        view = await self._look(request)
        if request.channel is None:
            return
        listener = Listener(request, self._feed, place=place, only=only)
        listener.begin(view, lambda: self._look_again(request, listener))
        ticks = [LoopingCall(listener.beat), LoopingCall(listener.look)]
        for tick, seconds in zip(ticks, (HEARTBEAT_S, RIGHTS_S), strict=True):
            tick.clock = self._clock
            tick.start(seconds, now=False)
        request.notifyFinish().addBoth(lambda _: [tick.stop() for tick in ticks if tick.running])

    def _look_again(self, request: Request, listener: Listener) -> Deferred[None]:
        def refused(failure: Failure) -> None:
            if failure.check(UserError):
                listener.end()
            elif failure.check(StoreError) is None:
                log.failure("events: a mistake of ours", failure=failure)

        return Deferred.fromCoroutine(self._look(request)).addCallbacks(listener.see, refused)

    async def _look(self, request: Request) -> events.View:
        def look(caller: Caller) -> events.View:
            return events.view(caller, self._db)

        return (await self._lobby.let_in(request, "events", look))[1]

    def _refused(self, failure: Failure, request: Request) -> None:
        error = failure.value
        if not isinstance(error, UserError | StoreError):
            log.failure("events: a mistake of ours", failure=failure)
            error = UserError("this went wrong, see the log", code="mistake")
        answer(request, answer_of(error))


def _asked(request: Request) -> tuple[int | None, tuple[str, ...]]:
    """The id behind which it goes on (the header, or ``last_event_id``), and the kinds that are wanted (``only``)."""
    try:
        values = dict(parse_qsl(request.uri.partition(b"?")[2].decode("ascii")))
    except ValueError:
        raise UserError("the query cannot be read", code="bad-query") from None
    text = (request.getHeader("last-event-id") or values.get("last_event_id", "")).strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 16):
        raise UserError(f"Last-Event-ID is {text[:40]!r}: it must be the id of an event", code="bad-header")
    only = tuple(part for part in values.get("only", "").split(",") if part)
    return (int(text) if text else None), only
