"""Reports: runs are searched and chosen; the choice stays in the address, so that a report can be kept as a link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response, request

from webui import attempts_csv
from webui.console import charts
from webui.console.pages import Answer, Pages, Visit
from webui.console.report_address import Attempts, Period, chosen_ids
from wombat_ari.app.service import reports
from wombat_ari.app.service.rights import Right
from wombat_ari.model.calls import RunRow
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import AttemptOrder, Hour, Span
from wombat_ari.model.states import CampaignStatus, Outcome

FOUND = 200  #: runs of one search
LATEST = 10  #: attempts on the page of a report
PAGE = 50  #: attempts of a page
MARKS = ("mark-1", "mark-others")
SEE = Right.SEE_REPORTS
#: heads of the table of attempts: title, by what it is sorted, whether it is a number
HEADS = (
    ("Number", AttemptOrder.NUMBER, False), ("Attempted", AttemptOrder.ATTEMPTED, False),
    ("Outcome", AttemptOrder.OUTCOME, False), ("Try", AttemptOrder.ATTEMPT, True),
    ("Wait pre", AttemptOrder.WAIT_PRE, True), ("Wait after", AttemptOrder.WAIT_AFTER, True),
    ("Talk", AttemptOrder.TALK, True),
)  # fmt: skip


def add_to(pages: Pages) -> None:
    pages.get("/reports", SEE, name="reports")(_search)
    pages.get("/reports/runs", SEE, name="report")(_report)
    pages.get("/reports/attempts", SEE, name="attempts")(_attempts)
    pages.get("/reports/attempts/<int:wombatid>", SEE, name="attempt")(_attempt)
    pages.get("/reports/export", SEE, name="report_export")(_export)


def _search(visit: Visit) -> Answer:
    wanted, wrong = Period.asked(visit), ""
    found: list[RunRow] = []
    try:
        from_at, to_at = wanted.moments(visit.zone)
        found = reports.search_runs(
            visit.caller, visit.db, from_at=from_at, to_at=to_at, campaign=wanted.campaign, limit=FOUND + 1
        )
    except UserError as refusal:
        wrong = str(refusal)
    ids = {run.id for run in found[:FOUND]}
    before = [run_id for run_id in chosen_ids() if run_id not in ids]
    chosen = {run.id for run in found[:FOUND]} if request.args.get("all") else set(chosen_ids())
    return visit.page(
        "reports.html", 400 if wrong else 200, period=wanted, wrong=wrong, runs=found[:FOUND], chosen=chosen,
        more=len(found) > FOUND, most=FOUND, ever=bool(found or reports.search_runs(visit.caller, visit.db, limit=1)),
        before=reports.chosen_runs(visit.caller, visit.db, before),
        campaigns=[
            one.name
            for one in reports.campaigns_to_choose(visit.caller, visit.db)
            if one.status is not CampaignStatus.HIDDEN
        ],
    )  # fmt: skip


def _report(visit: Visit) -> Answer:
    run_ids = chosen_ids()
    if not run_ids:
        visit.say("Choose at least one run.", "bad")
        return visit.go("reports", **Period.asked(visit).words())
    found = reports.report(visit.caller, visit.db, run_ids, zone=visit.zone)
    latest = reports.find_attempts(
        visit.caller, visit.db, run_ids, descending=True, limit=LATEST, total=found.statistics.calls
    )
    stacks = (("answered", lambda hour: hour.answered), ("not answered", lambda hour: hour.calls - hour.answered))
    line, day = (
        charts.columns(labels, [(name, [part(hour) for hour in hours]) for name, part in stacks], marks=MARKS)
        for labels, hours in (
            (labels_of(found.timeline, found.span, visit.zone), found.timeline),
            ([f"{hour:02}:00" for hour in range(24)], found.hours_of_day),
        )
    )
    outcomes = [(f"{one.outcome} {one.extended_status}".strip(), one.calls) for one in found.statistics.outcomes]
    return visit.page(
        "report.html", report=found, figures=found.statistics, slices=charts.slices(outcomes), line=line, day=day,
        latest=latest.calls, run_ids=run_ids, period=Period.asked(visit), length=length, heads=HEADS,
    )  # fmt: skip


def _attempts(visit: Visit) -> Answer:
    wanted = Attempts.asked()
    found = reports.find_attempts(
        visit.caller, visit.db, wanted.run_ids, wanted.where, order=wanted.order, descending=wanted.descending,
        skip=(wanted.page - 1) * PAGE, limit=PAGE,
    )  # fmt: skip
    return visit.page(
        "report_attempts.html", wanted=wanted, calls=found.calls, total=found.total, heads=HEADS,
        runs=reports.chosen_runs(visit.caller, visit.db, wanted.run_ids), pages=max(1, -(-found.total // PAGE)),
        outcomes=list(Outcome), length=length,
    )  # fmt: skip


def _attempt(visit: Visit, wombatid: int) -> Answer:
    return visit.page(
        "report_attempt.html", story=reports.attempt_story(visit.caller, visit.db, wombatid), length=length,
        heads=HEADS,
    )  # fmt: skip


def _export(visit: Visit) -> Answer:
    """The attempts that the page of them shows, all of them, as CSV, streamed."""
    wanted = Attempts.asked()
    found = reports.export_attempts(visit.caller, visit.db, wanted.run_ids, wanted.where)
    answer = Response(attempts_csv.pieces(found, zone=visit.zone), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="attempts.csv"'
    return answer


def labels_of(hours: Sequence[Hour], span: Span, zone: ZoneInfo) -> list[str]:
    """Of a timeline. The hour that comes twice in autumn says which of both it is."""
    moments = [datetime.fromtimestamp(hour.at, zone) for hour in hours]
    if span is Span.DAY:
        return [f"{moment:%Y-%m-%d}" for moment in moments]
    form = "%H:%M" if len({moment.date() for moment in moments}) == 1 else "%m-%d %H:%M"
    plain = [moment.strftime(form) for moment in moments]
    twice = {text for text, number in Counter(plain).items() if number > 1}
    return [f"{text} {moment:%Z}" if text in twice else text for text, moment in zip(plain, moments, strict=True)]


def length(ms: int) -> str:
    """``12300`` -> ``12.3 s``; from a minute on ``1:02``, ``1:00:02``."""
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
