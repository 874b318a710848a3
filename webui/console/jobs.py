"""Long work under way: how far it is, what came of it, calling it off. It is begun by the page that wants it.

What a job of a kind leads to when it is done is said by the template ``job_KIND.html``, if there is one.
"""

from __future__ import annotations

from flask import Response, current_app, make_response, request, url_for

from webui.console.pages import Answer, Pages, Visit
from wombat_ari.app.service import jobs
from wombat_ari.app.service.jobs import Job
from wombat_ari.app.service.rights import Right


def add_to(pages: Pages) -> None:
    pages.get("/jobs", name="jobs")(_mine)
    pages.get("/jobs/<job_id>", name="job")(_job)
    pages.get("/jobs/<job_id>/part", name="job_part")(_part)
    pages.post("/jobs/<job_id>/cancel", name="job_cancel")(_cancel)


def _mine(visit: Visit) -> Answer:
    """With ``part`` what of the page refreshes itself, until all jobs are over."""
    mine = jobs.mine(visit.caller, visit.db)
    if "part" not in request.args:
        return visit.page("jobs.html", jobs=mine)
    answer = make_response(visit.part("jobs_part.html", jobs=mine))
    if all(job.over for job in mine):
        answer.headers["X-Stop"] = "over"
    return answer


def _job(visit: Visit, job_id: str) -> Answer:
    return visit.page("job.html", **_known(visit, jobs.find(visit.caller, visit.db, job_id)))


def _part(visit: Visit, job_id: str) -> Response:
    """The part that refreshes itself, until the job is over."""
    job = jobs.find(visit.caller, visit.db, job_id)
    answer = make_response(visit.part("job_part.html", **_known(visit, job)))
    if job.over:
        answer.headers["X-Stop"] = "over"
    return answer


def _cancel(visit: Visit, job_id: str) -> Answer:
    jobs.cancel(visit.caller, visit.db, job_id)
    return visit.go("job", job_id=job_id)


def _known(visit: Visit, job: Job) -> dict[str, object]:
    """``list_address``: of the page of the list that it is about, for who may see it."""
    subject, _, which = job.about.partition(" ")
    shows_list = subject == "list" and visit.may(Right.SEE_RECORDS) and _has("lists_one")
    return {
        "job": job,
        "list_address": url_for("console.lists_one", which=which) if shows_list else "",
        "campaigns_address": url_for("console.campaigns")
        if visit.may(Right.CHANGE_CAMPAIGNS) and _has("campaigns")
        else "",
    }


def _has(endpoint: str) -> bool:
    return f"console.{endpoint}" in current_app.view_functions
