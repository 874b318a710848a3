"""What a PBX says of its queues, over AMI: the events as they come, and a full list when it is asked for.

A list replaces what was known. It is collected over a moment in which events go on; those are told again behind it, so
that what came later is not undone by what was listed earlier. Told twice they change nothing.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from wombat_ari.model.queues import AnyQueueEvent
from wombat_ari.pbx.ami import AMIProtocol
from wombat_ari.wire.ami import Message
from wombat_ari.wire.queue_events import TABLE, queue_event_of, queues_listed


class AmiQueues:
    """``tell`` is given every event. One for each driver."""

    def __init__(self, server_id: int, clock: Any, tell: Callable[[AnyQueueEvent], None]) -> None:
        self._server_id = server_id
        self._clock = clock
        self._tell = tell
        self._meanwhile: list[AnyQueueEvent] | None = None

    def register(self, ami: AMIProtocol) -> None:
        """Hear the queue events of a connection."""
        self._meanwhile = None
        for name in TABLE:
            ami.registerEvent(name, self._heard)

    async def list(self, ami: AMIProtocol) -> None:
        """Ask for all queues and tell them. PbxError when the link goes down or nothing is answered."""
        self._meanwhile = []
        asked: Deferred[list[Message]] = ami.collectDeferred({"action": "QueueStatus"})
        try:
            items = await asked
        finally:
            meanwhile, self._meanwhile = self._meanwhile or [], None
        self._tell(queues_listed(items, self._server_id, now=self._clock.seconds()))
        for event in meanwhile:
            self._tell(event)

    def _heard(self, _: AMIProtocol, message: Message) -> None:
        event = queue_event_of(message, self._server_id, now=self._clock.seconds())
        if event is None:
            return
        if self._meanwhile is not None:
            self._meanwhile.append(event)
        self._tell(event)
