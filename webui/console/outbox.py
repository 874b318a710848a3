"""Notifications that could not be told outside yet: by receiver, each in full, replayed or dropped."""

from __future__ import annotations

from flask import request

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.service import outbox
from wombat_ari.app.service.rights import Right

PAGE = 50


def add_to(pages: Pages) -> None:
    @pages.get("/outbox", Right.SEE_OUTBOX, name="outbox")
    def outbox_page(visit: Visit) -> Answer:
        receiver, text = request.args.get("receiver", ""), request.args.get("after", "0")
        after = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
        parked = request.args.get("parked") == "1"
        rows = outbox.page(visit.caller, visit.db, after=after, limit=PAGE + 1, receiver=receiver, parked=parked)
        return visit.page(
            "outbox.html", rows=rows[:PAGE], more=len(rows) > PAGE, counts=outbox.counts(visit.caller, visit.db),
            receiver=receiver, parked=parked, may_change=visit.may(Right.CHANGE_OUTBOX),
        )  # fmt: skip

    @pages.post("/outbox/replay", Right.CHANGE_OUTBOX)
    def outbox_replay(visit: Visit) -> Answer:
        which, receiver = _which(), request.form.get("receiver", "")
        done = outbox.replay(visit.caller, visit.db, visit.ask, errand_id=which, receiver=receiver)
        later = "" if done.told else " The dialer is not running: they go out when it is."
        visit.say(f"{done.count} {'is' if done.count == 1 else 'are'} tried again at once.{later}")
        return visit.back("outbox")

    @pages.post("/outbox/drop", Right.CHANGE_OUTBOX)
    def outbox_drop(visit: Visit) -> Answer:
        which, receiver = _which(), request.form.get("receiver", "")
        count = outbox.drop(visit.caller, visit.db, errand_id=which, receiver=receiver)
        visit.say(f"{count} {'is' if count == 1 else 'are'} dropped.")
        return visit.back("outbox")


def _which() -> int | None:
    text = request.form.get("id", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
