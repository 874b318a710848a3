"""The doctor: what is wrong with the database, the dialer, the PBXs, and what to do about it."""

from __future__ import annotations

from typing import Any

from flask import make_response

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.doctor_words import Finding, Grade
from wombat_ari.app.service.doctor import Doctor
from wombat_ari.app.service.rights import Right


def add_to(pages: Pages) -> None:
    surgery = Doctor(pages.tools.settings, pages.tools.db)

    @pages.get("/doctor", Right.CHANGE_PBX)
    def doctor(visit: Visit) -> Answer:
        return visit.page("doctor.html", **_view(surgery, visit))

    @pages.get("/doctor/part", Right.CHANGE_PBX)
    def doctor_part(visit: Visit) -> Answer:
        """The findings so far, while the examination is under way."""
        view = _view(surgery, visit)
        answer = make_response(visit.part("doctor_part.html", **view))
        if not view["case"] or not view["case"].under_way:
            answer.headers["X-Stop"] = "1"
        return answer

    @pages.post("/doctor", Right.CHANGE_PBX)
    def doctor_begin(visit: Visit) -> Answer:
        surgery.start(visit.caller)
        return visit.go("doctor")


def _view(surgery: Doctor, visit: Visit) -> dict[str, Any]:
    case = surgery.last(visit.caller)
    found = case.findings if case else ()
    return {"case": case, "groups": _grouped(found), "Grade": Grade}


def _grouped(findings: tuple[Finding, ...]) -> list[tuple[str, list[Finding]]]:
    """By what they are about, in the order in which that was first looked at."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.about, []).append(finding)
    return list(groups.items())
