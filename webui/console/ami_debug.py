"""The AMI debugger: what is said to and by a PBX, while somebody looks."""

from __future__ import annotations

from typing import Any

from flask import make_response, request

from webui.console.pages import BAD, Answer, Pages, Visit
from wombat_ari.app.service.ami_debug import ANSWERS, EVENTS, OURS, AmiDebug, Look, list_watchable
from wombat_ari.app.service.rights import Right
from wombat_ari.model.errors import UserError

NOT_NOW = ("no-link", "dialer-down")  #: codes of what may be well again in a moment
KINDS = {OURS: "what the dialer asks", ANSWERS: "answers", EVENTS: "events"}


def add_to(pages: Pages) -> None:
    ear = AmiDebug()

    @pages.get("/ami", Right.DEBUG_AMI)
    def ami_debug(visit: Visit) -> Answer:
        return visit.page("ami_debug.html", servers=list_watchable(visit.caller, visit.db), **_view(ear, visit))

    @pages.get("/ami/part", Right.DEBUG_AMI)
    def ami_debug_part(visit: Visit) -> Answer:
        """What was said; reading it keeps the debugger on."""
        view = _view(ear, visit)
        answer = make_response(visit.part("ami_debug_part.html", **view))
        if view["look"] is None or not view["look"].on:
            answer.headers["X-Stop"] = "1"
        return answer

    @pages.post("/ami", Right.DEBUG_AMI)
    def ami_debug_begin(visit: Visit) -> Answer:
        wanted = request.form.get("server", "")
        server = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 18 else 0
        try:
            ear.begin(visit.caller, visit.db, visit.ask, server)
        except UserError as refusal:
            if refusal.code not in NOT_NOW:
                raise
            visit.say(str(refusal), BAD)
            return visit.go("ami_debug")
        return visit.go("ami_debug", server=server, **_filter(request.form))


def _view(ear: AmiDebug, visit: Visit) -> dict[str, Any]:
    wanted = request.args.get("server", "")
    server = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 18 else 0
    look: Look | None = None
    trouble = ""
    if server:
        kinds = frozenset(kind for kind in request.args.getlist("kind") if kind in KINDS)
        try:
            look = ear.look(
                visit.caller, visit.db, visit.ask, server_id=server, wanted=request.args.get("text", ""), kinds=kinds
            )
        except UserError as refusal:
            if refusal.code not in NOT_NOW:
                raise
            trouble = str(refusal)
    return {"look": look, "trouble": trouble, "server": server, "kinds": KINDS, "filter": _filter(request.args)}


def _filter(given: Any) -> dict[str, Any]:
    """Text and kinds, as the address has them."""
    kinds = [kind for kind in given.getlist("kind") if kind in KINDS]
    text = given.get("text", "")[:200]
    return {**({"text": text} if text else {}), **({"kind": kinds} if kinds else {})}
