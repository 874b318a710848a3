"""Around it: the picture of now, as plain values for the control socket, the status page and the terminal."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from wombat_ari.bridge.journal import Journal
from wombat_ari.core.pacing import blocked_by_waiting
from wombat_ari.core.progress import Progress, progress_of
from wombat_ari.core.receivers import Receiver
from wombat_ari.core.routes import WhyNot
from wombat_ari.engine.board import Board, Clock, LiveRun, Pbx
from wombat_ari.engine.deliver import Deliver
from wombat_ari.engine.glance import Glance, calls_by_state, open_calls
from wombat_ari.engine.observe import Observe
from wombat_ari.engine.schedule import Schedule
from wombat_ari.model.calls import RunList
from wombat_ari.model.entities import EndPoint
from wombat_ari.model.states import EndPointType, RunState
from wombat_ari.pbx.driver import Ari

LATE_S = 15.0  #: the worst delay of the event loop is shown for one to two of these
_PROGRESS = tuple(field.name for field in fields(Progress))

Snapshot = dict[str, Any]
Reasons = Callable[[LiveRun], WhyNot | None]


class Publish:
    """``snapshot()`` is made of JSON types only. Times are epoch seconds."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        *,
        journal: Journal,
        schedule: Schedule,
        observe: Observe,
        deliver: Deliver,
        version: str,
        zone: str,
    ) -> None:
        self._board = board
        self._clock = clock
        self._journal = journal
        self._schedule = schedule
        self._observe = observe
        self._deliver = deliver
        self._version = version
        self._zone = zone
        self._glance = Glance(board, clock)
        self.page = self._glance.page
        self._started = clock.seconds()
        self.outcomes: Mapping[str, int] = {}  #: of calls since the start
        self._late = [0.0, 0.0]  #: s, the worst of this window and of the one before
        self._window_ends, self._ticked_at = 0.0, self._started

    def snapshot(self, *, calls: bool = True) -> Snapshot:
        """Everything the status page shows; ``calls`` adds a row for each live call. ``counts`` are ``glance``'s."""
        board, counts = self._board, self._glance.counts()
        open_of, why_not = open_calls(counts), self._schedule.reasons()
        return {
            "version": self._version,
            "state": str(board.state),
            "now": self._clock.seconds(),
            "up_since": self._started,
            "channels_in_use": sum(lines.used for lines in board.trunk_lines.values()),
            "placed": board.placed,
            "outcomes": dict(self.outcomes),
            "calls_by_state": calls_by_state(counts),
            "counts": counts,
            "event_loop_delay_ms": round(max(self._late) * 1000, 1),
            "journal": {
                "waiting": self._journal.waiting,
                "written": self._journal.written,
                "refused": self._journal.poisoned,
            },
            "outbox": {
                "in_flight": self._deliver.in_flight,
                "trouble": self._deliver.says,
                "receivers": [_receiver(each) for each in self._deliver.receivers()],
            },
            "database_trouble": board.database_trouble or self._journal.says,
            "odd_events": board.odd_events,
            "pbxs": [self._pbx(pbx) for pbx in board.pbxs.values()],
            "runs": [self._run(run, open_of.get(run.id, 0), why_not) for run in board.runs.values()],
            "trunks": [self._trunk(key) for key in board.trunk_lines],
            "end_points": [self._end_point(key) for key in board.end_point_lines],
            "calls": self._glance.calls() if calls else [],
        }

    def ticked(self, every_s: float) -> None:
        """Called every so many seconds by a timer: how late it comes is how long others had to wait for the reactor."""
        now = self._clock.seconds()
        if now >= self._window_ends:
            self._late, self._window_ends = [0.0, self._late[0]], now + LATE_S
        self._late[0] = max(self._late[0], now - self._ticked_at - every_s)
        self._ticked_at = now

    def _pbx(self, pbx: Pbx) -> Snapshot:
        return {
            "id": pbx.id,
            "name": pbx.server.description,
            "connected": pbx.driver.connected and pbx.ready,
            "version": pbx.driver.version,
            "since": pbx.since,
            "error": "; ".join(filter(None, (pbx.leaving, pbx.driver.last_error or pbx.trouble))),
            "waiting_for_channel": pbx.pressure.waiting,
            "orders_waiting": len(pbx.orders) + len(pbx.urgent),
            "slowed_to": pbx.pressure.allowed if pbx.pressure.lowered else None,
            "ari": _ari(pbx.ari) if pbx.ari is not None else None,
        }

    def _run(self, run: LiveRun, open_calls: int, why_not: Reasons) -> Snapshot:
        """``attempts`` have ended, ``placed`` are those and the calls that live; ``cached`` is the hopper and the open
        retries; ``closed`` are records that are done with for good.
        """
        now, tally = self._clock.seconds(), run.tally
        cached = len(run.hopper) + tally.open_retries
        progress = progress_of(
            attempts=tally.attempts,
            rescheduled=tally.rescheduled,
            unfinished=run.remaining + cached + len(run.flights),
            started_at=run.started_at,
            now=now,
        )
        return {
            "id": run.id,
            "campaign": run.name,
            "campaign_id": run.campaign.id,
            "name": run.title,
            "state": str(run.machine.state),
            "priority": run.campaign.priority,
            "boost": run.boost,
            "started_at": run.started_at,
            "taken": tally.taken,
            "closed": tally.closed,
            "attempts": tally.attempts,
            "placed": tally.attempts + open_calls,
            "answered": tally.answered,
            "open_retries": tally.open_retries,
            "in_hopper": len(run.hopper),
            "open_calls": open_calls,
            "cached": cached,
            "remaining": run.remaining,
            "next_retry_at": run.hopper.next_retry_at if tally.open_retries else None,
            "why_not": self._out_of_hours(run) or self._why_not(run, why_not(run)),
            "opens_at": run.opens_at if run.machine.state == RunState.WRONG_TIME else None,
            "lists": [_list(each) for each in run.lists.values()],
            "trunks": list(run.campaign.trunk_ids),
            "end_points": list(run.campaign.end_point_ids),
            **{name: getattr(progress, name) for name in _PROGRESS},
        }

    def _why_not(self, run: LiveRun, why: WhyNot | None) -> str:
        """Of end points without room it is said what is in their way, where it is the same for all."""
        if why is not WhyNot.NO_AGENT:
            return str(why or "")
        lines = (each for way in run.contender.ways for each in way.end_points)
        end_points = (self._board.end_points[each.key] for each in lines)
        obstacles = {self._obstacle(each) for each in end_points if each.type == EndPointType.QUEUE}
        return obstacles.pop() or str(why) if len(obstacles) == 1 else str(why)

    def _obstacle(self, end_point: EndPoint) -> str:
        """Why nothing is placed for a QUEUE end point whoever is idle; empty if it is agents that it waits for."""
        queues = self._observe.queues(end_point.server_id)
        if not queues.listed:
            return "the PBX has not told its queues yet"
        if not queues.known(end_point.name):
            return f"Asterisk has no queue {end_point.name!r}"
        if end_point.manual_preview:
            return "preview: its agents ask for their numbers"
        waits = not end_point.reverse and blocked_by_waiting(self._observe.load(end_point), end_point.max_waiting)
        return f"more callers wait in queue {end_point.name!r} than may" if waits else ""

    def _out_of_hours(self, run: LiveRun) -> str:
        """Until when, by the clock of the campaign; empty when it is not."""
        if run.machine.state != RunState.WRONG_TIME:
            return ""
        if run.opens_at is None:
            return "out of its hours, for more than a year"
        zone = ZoneInfo(run.campaign.active_period.zone or self._zone)
        return f"out of its hours until {datetime.fromtimestamp(run.opens_at, zone):%a %Y-%m-%d %H:%M:%S %Z}"

    def _trunk(self, key: int) -> Snapshot:
        lines = self._board.trunk_lines[key]
        return {
            "id": key,
            "name": lines.name,
            "server_id": lines.server_id,
            "server": self._server_name(lines.server_id),
            "up": self._up(lines.server_id),
            "capacity": lines.capacity,
            "used": lines.used,
        }

    def _end_point(self, key: int) -> Snapshot:
        lines, end_point = self._board.end_point_lines[key], self._board.end_points[key]
        is_queue = end_point.type == EndPointType.QUEUE
        return {
            "id": key,
            "name": lines.name,
            "type": str(end_point.type),
            "server_id": lines.server_id,
            "server": self._server_name(lines.server_id),
            "up": self._up(lines.server_id),
            "capacity": lines.capacity,
            "used": lines.used,
            "free": self._observe.room(lines),
            "queue": self._observe.view(end_point) if is_queue else None,
        }

    def _server_name(self, server_id: int) -> str:
        return self._board.pbx_name(server_id)

    def _up(self, server_id: int) -> bool:
        pbx = self._board.pbxs.get(server_id)
        return bool(pbx and pbx.ready and pbx.driver.connected)


def _ari(ari: Ari) -> Snapshot:
    """``calls`` are in the hands of the dialer there."""
    return {"connected": ari.connected, "error": ari.last_error, "application": ari.app, "calls": ari.calls}


def _list(each: RunList) -> Snapshot:
    """How far a list of a run is; ``high_water`` is the id of the last record taken, 0 before the first."""
    return {
        "name": each.name,
        "paused": each.paused,
        "taken": each.taken,
        "remaining": max(0, each.remaining),
        "high_water": each.high_water,
    }


def _receiver(receiver: Receiver) -> Snapshot:
    """``waiting`` and ``parked`` are some seconds old."""
    return {
        "name": receiver.name,
        "waiting": receiver.waiting,
        "parked": receiver.parked,
        "in_flight": receiver.in_flight,
        "ok_since": receiver.ok_since,
        "failing_since": receiver.failing_since,
        "next_try_at": receiver.held_until or None,
        "error": receiver.error,
    }
