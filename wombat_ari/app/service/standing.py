"""The dialer status page: how everything stands, as far as the caller may see it.

A server, trunk or end point is shown when the caller sees it itself, or a live run of a campaign that uses it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from wombat_ari.app.service import campaigns, end_points, servers, trunks
from wombat_ari.app.service.asks import Picture
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.pictures import Pictures
from wombat_ari.app.service.rights import Infos, Right, demand, may, visible
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import DialerState
from wombat_ari.store import entities, glances
from wombat_ari.store.campaigns import CAMPAIGN
from wombat_ari.store.database import Database
from wombat_ari.store.saving import Kind


@dataclass(frozen=True, slots=True)
class Standing:
    """``state``: None while its process is there and does not answer. ``picture``: what of the dialer's picture may
    be seen, empty when there is none; ``trouble`` says why. ``receivers`` are named to who may see the outbox.
    """

    state: DialerState | None
    trouble: str
    database_trouble: str
    picture: Picture
    receivers: tuple[Picture, ...]
    may_control: bool


def standing(caller: Caller, db: Database, pictures: Pictures, *, running: bool = False) -> Standing:
    """``running``: whether the dialer's process is there. Nothing but the trouble while the database is away: who may
    see what cannot be told then."""
    demand(caller, Right.SEE_STATUS)
    control = may(caller, Right.CONTROL_DIALER)
    try:
        picture, trouble = pictures.overview(), ""
        state: DialerState | None = DialerState(picture["state"])
    except UserError as refusal:
        picture, trouble, state = {}, str(refusal), None if running else DialerState.DOWN
    try:
        db.is_alive()
        seen = seen_of(caller, db, picture) if picture else {}
    except StoreError as error:
        return Standing(state, trouble, str(error), {}, (), control)
    receivers = picture.get("outbox", {}).get("receivers", ()) if may(caller, Right.SEE_OUTBOX) else ()
    return Standing(state, trouble, picture.get("database_trouble", ""), seen, tuple(receivers), control)


def seen_of(caller: Caller, db: Database, picture: Picture) -> Picture:
    """What of the dialer's picture the caller may see: nothing of what has a key that they lack."""
    hidden = {
        name: _hidden(caller, db, kind, infos)
        for name, kind, infos in (
            ("campaigns", CAMPAIGN, campaigns.infos_of(db)),
            ("pbxs", entities.SERVER, servers.infos_of(db)),
            ("trunks", entities.TRUNK, trunks.infos_of(db)),
            ("end_points", entities.END_POINT, end_points.infos_of(db)),
        )
    }
    runs = [run for run in picture["runs"] if run["campaign_id"] not in hidden["campaigns"]]
    used = {name: {key for run in runs for key in run[name]} for name in ("trunks", "end_points")}
    found = {
        name: [each for each in picture[name] if each["id"] not in hidden[name] or each["id"] in used[name]]
        for name in used
    }
    on = {each["server_id"] for name in used for each in found[name] if each["id"] in used[name]}
    pbxs = [pbx for pbx in picture["pbxs"] if pbx["id"] not in hidden["pbxs"] or pbx["id"] in on]
    known = {run["id"] for run in runs}
    end_points_seen = [_with_callers_seen(each, known) for each in found["end_points"]]
    return {
        **picture,
        "runs": runs,
        "trunks": found["trunks"],
        "end_points": end_points_seen,
        "pbxs": pbxs,
        "channels_in_use": sum(trunk["used"] for trunk in found["trunks"]),
    }


def _hidden(caller: Caller, db: Database, kind: Kind[Any], infos: Infos) -> set[int | None]:
    """The ids of those that are not there for the caller."""
    every = glances.locked(db, kind)
    return {each.id for each in every} - {each.id for each in visible(caller, every, infos)}


def _with_callers_seen(end_point: Picture, runs: Iterable[int]) -> Picture:
    """Whom other campaigns have dialled is not told; that somebody waits is."""
    queue = end_point["queue"]
    if queue is None:
        return end_point
    callers = [
        each if each["run"] is None or each["run"] in runs else each | {"number": ""} for each in queue["callers"]
    ]
    return end_point | {"queue": queue | {"callers": callers}}
