"""What refuses a deletion is named as far as the caller sees it: a campaign of others uses a trunk of all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.rights import visible
from wombat_ari.store import entities, glances
from wombat_ari.store.campaigns import CAMPAIGN
from wombat_ari.store.database import Database
from wombat_ari.store.saving import InUse, Kind

UNSEEN = "what you do not see"
_KINDS: dict[str, tuple[Kind[Any], Callable[[Database], list[Any]]]] = {
    "trunk": (entities.TRUNK, entities.list_trunks),
    "end point": (entities.END_POINT, entities.list_end_points),
}


@contextmanager
def told_as_seen(caller: Caller, db: Database) -> Iterator[None]:
    """Around the deletion of a server, trunk, end point, list, or opening hours."""
    try:
        yield
    except InUse as refusal:
        if caller.keyring.master:
            raise
        users = [(label, _seen(caller, db, label, names)) for label, names in refusal.users]
        told = [(label, names) for label, names in users if names]
        raise InUse(refusal.what, told if users == refusal.users else [*told, (UNSEEN, [])]) from None


def _seen(caller: Caller, db: Database, label: str, names: list[str]) -> list[str]:
    """Those of the names that are seen. What is no trunk, end point or campaign is a run: seen as its campaign."""
    kind, things = _KINDS.get(label, (CAMPAIGN, glances.campaigns))
    known = visible(caller, things(db), lambda: entities.infos(db, kind))
    seen = {each.name for each in known}
    if label not in ("campaign", *_KINDS):
        seen = set(glances.runs_named(db, names, campaigns={each.id for each in known}))
    return [name for name in names if name in seen]
