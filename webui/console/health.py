"""``/healthz``: for watchers on the machine itself."""

from typing import Any

from flask import abort

from webui.console.pages import Pages
from webui.doors import LOOPBACK, networks_of
from wombat_ari.model.errors import StoreError, UserError


def add_to(pages: Pages) -> None:
    tools, near = pages.tools, networks_of(LOOPBACK)

    @pages.open("/healthz")
    def health() -> Any:
        """200 when dialer and database answer, else 503 with what is wrong."""
        if not tools.doors.origin().is_in(near):
            abort(403)
        state, trouble = "DOWN", ""
        try:
            snapshot = tools.ask.snapshot(calls=False)
            state, trouble = snapshot["state"], snapshot.get("database_trouble", "")
            if not trouble:  # else it is known, and asking would wait for it
                tools.db.is_alive()
        except (UserError, StoreError) as error:
            trouble = str(error)
        return {"state": state, "trouble": trouble}, 200 if state == "READY" and not trouble else 503
