"""The page of an agent who previews: takes the next number, looks at it, has it dialled or skips it.

``/agents/rd_pop.jsp?agent=&url=&inset=`` of the original leads here. ``url`` is the page of a CRM: ``<NAME>`` in it is
the number (NUMBER), the WOMBATID or an attribute, quoted. Sites of ``console.frame_origins`` may show it in a frame.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from flask import g, make_response, request, session

from webui.console.pages import Answer, Pages, Visit
from webui.headers import CSP
from wombat_ari.app.service import preview
from wombat_ari.app.service.rights import Right
from wombat_ari.model.errors import UserError

PARAMETERS = ("agent", "url", "inset")
KEPT = 20  #: calls that the browser's session knows as its own
_MARK = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>|%3C([A-Za-z_][A-Za-z0-9_]*)%3E", re.IGNORECASE)
REFUSALS = {
    "AGENT_NOT_AVAILABLE": "not available",
    "AGENT_CANNOT_RESERVE": "no number",
    "ID_NOT_FOUND": "gone",
    "ID_FOUND_WRONG_STATE": "not possible now",
}


def add_to(pages: Pages) -> None:
    origins = tuple(pages.tools.settings["console.frame_origins"])
    prefix = pages.tools.settings["api.prefix"].rpartition("/")[0]

    @pages.get("/preview", Right.PREVIEW, name="preview")
    def preview_page(visit: Visit) -> Answer:
        g.policy = policy(origins, _place(request.args.get("url", "")))
        return visit.page("preview.html", **_known(visit))

    @pages.get("/preview/part", Right.PREVIEW)
    def preview_part(visit: Visit) -> Answer:
        known = _known(visit)
        answer = make_response(visit.part("preview_part.html", **known))
        if not known["follows"]:
            answer.headers["X-Stop"] = "over"
        return answer

    @pages.post("/preview/reserve", Right.PREVIEW)
    def preview_reserve(visit: Visit) -> Answer:
        agent = request.form.get("agent", "").strip()
        try:
            call = preview.reserve(visit.caller, visit.db, visit.ask, agent=agent)
        except UserError as refusal:
            return _refused(visit, refusal, None)
        session["calls"] = [call["id"], *(one for one in session.get("calls", []) if one != call["id"])][:KEPT]
        return visit.go("preview", call=call["id"], **_parameters(request.form))

    @pages.post("/preview/<int:wombatid>/dial", Right.PREVIEW)
    def preview_dial(visit: Visit, wombatid: int) -> Answer:
        try:
            preview.dial(visit.caller, visit.db, visit.ask, wombatid=wombatid)
        except UserError as refusal:
            return _refused(visit, refusal, wombatid)
        return visit.go("preview", call=wombatid, **_parameters(request.form))

    @pages.post("/preview/<int:wombatid>/skip", Right.PREVIEW)
    def preview_skip(visit: Visit, wombatid: int) -> Answer:
        code = request.form.get("status", "").strip()
        try:
            preview.skip(visit.caller, visit.db, visit.ask, wombatid=wombatid, code=code)
        except UserError as refusal:
            return _refused(visit, refusal, wombatid)
        visit.say("Skipped.")
        return visit.go("preview", **_parameters(request.form))

    def original(visit: Visit) -> Answer:
        return visit.go("preview", **_parameters(request.args))

    pages.get("/agents/rd_pop.jsp", Right.PREVIEW, name="rd_pop")(original)
    if prefix:
        pages.get(f"{prefix}/agents/rd_pop.jsp", Right.PREVIEW, name="rd_pop_below")(original)


def _refused(visit: Visit, refusal: UserError, wombatid: int | None) -> Answer:
    if refusal.code not in REFUSALS and refusal.code not in ("dialer-down", "forbidden"):
        raise refusal
    visit.say(str(refusal), "bad")
    return visit.go("preview", call=wombatid, **_parameters(request.form))


def _parameters(given: Any) -> dict[str, str]:
    """Those of the address that go along."""
    return {name: given[name] for name in PARAMETERS if given.get(name)}


def _known(visit: Visit) -> dict[str, Any]:
    own = preview.channels_of(visit.caller, visit.db)
    agent = request.args.get("agent", "").strip() or (own[0] if own and len(own) == 1 else "")
    call, trouble, again = None, "", False
    text = request.args.get("call", "")
    if text.isascii() and text.isdecimal() and len(text) < 17:
        try:
            mine = int(text) in session.get("calls", [])
            call = preview.follow(visit.caller, visit.db, visit.ask, wombatid=int(text), mine=mine)
        except UserError as refusal:
            trouble, again = str(refusal), refusal.code == "dialer-down"
    url = _place(request.args.get("url", ""))
    return {
        "agent": agent, "own": own, "call": call, "asked": text, "trouble": trouble,
        "follows": again or bool(call and call["is_live"]), "inset": request.args.get("inset") == "1",
        "given": _parameters(request.args), "address": filled(url, call) if url and call else "",
        "url_refused": bool(request.args.get("url")) and not url,
    }  # fmt: skip


def _place(url: str) -> str:
    """The address of a CRM when it may be one: http and https only."""
    parts = urlsplit(_MARK.sub("x", url))
    return url if parts.scheme in ("http", "https") and parts.netloc and url.isprintable() else ""


def filled(url: str, call: dict[str, Any]) -> str:
    """With every ``<NAME>`` behind the host replaced by its value, quoted; unknown ones become empty."""
    values = {**call["input_attributes"], **call["output_attributes"]}
    values |= {"NUMBER": call["number"], "NUM": call["number"], "WOMBATID": str(call["wombatid"])}
    folded = {name.upper(): value for name, value in values.items()}

    def value(mark: re.Match[str]) -> str:
        name = mark[1] or mark[2]
        return quote(values.get(name, folded.get(name.upper(), "")), safe="")

    return _MARK.sub(value, url)


def policy(origins: tuple[str, ...], url: str) -> str:
    """Of the agent page: which sites may frame it, and whose page it may frame."""
    parts = urlsplit(_MARK.sub("x", url))
    frames = f"frame-src {parts.scheme}://{parts.netloc}; " if url and _safe(parts.netloc) else ""
    ancestors = " ".join(origins) or "'none'"
    return CSP.replace("frame-ancestors 'none'", f"{frames}frame-ancestors {ancestors}")


def _safe(netloc: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", netloc) is not None
