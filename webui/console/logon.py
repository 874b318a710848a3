"""Log on, log off."""

from __future__ import annotations

import time
from typing import Any

from flask import Response, g, make_response, redirect, render_template, request, session, url_for

from webui.console.pages import STATUS, Answer, Pages, Visit, here
from webui.doors import SESSION
from wombat_ari.app.service.logon import TooManyTries
from wombat_ari.model.errors import StoreError, UserError


def add_to(pages: Pages) -> None:
    tools = pages.tools

    @pages.open("/log-on", "GET", "POST")
    def log_on() -> Answer:
        wanted = here(request.args.get("next", ""))
        if request.method == "GET":
            return _form(tools, wanted)
        login = request.form.get("login", "").strip()
        address = tools.doors.origin().address
        try:
            text = tools.log_on.open_session(login, request.form.get("password", ""), address=address, now=time.time())
        except TooManyTries as error:
            answer = make_response(_form(tools, wanted, login=login, trouble=f"{str(error).capitalize()}."))
            answer.status_code = 429
            answer.headers["Retry-After"] = str(int(error.wait_s) + 1)
            return answer
        except (UserError, StoreError) as error:
            status = 503 if isinstance(error, StoreError) else STATUS.get(error.code, 400)
            return _form(tools, wanted, login=login, trouble=f"{str(error)[:1].upper()}{str(error)[1:]}."), status
        session.clear()  # nothing of before the log-on stays, also not what forms were protected with
        session[SESSION] = text
        return redirect(wanted or url_for("console.home"), 303)

    @pages.post("/log-off")
    def log_off(visit: Visit) -> Answer:
        tools.log_on.close_session(session.get(SESSION, ""), visit.caller)
        session.clear()
        g.visit = None
        return redirect(url_for("console.log_on", bye=1), 303)


def _form(tools: Any, wanted: str, *, login: str = "", trouble: str = "") -> str | Response:
    try:
        demo = tools.log_on.has_demo()
    except StoreError as error:
        demo, trouble = False, trouble or f"The database cannot be asked now: {error}."
    g.visit = None
    bye = request.args.get("bye") == "1"
    return render_template("log_on.html", next=wanted, login=login, trouble=trouble, bye=bye, is_demo=demo)
