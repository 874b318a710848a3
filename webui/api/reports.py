"""What runs did: statistics, attempts, export."""

from flask import Response

from webui import attempts_csv
from webui.api import shapes_work as shapes
from webui.api.frame import Answer, Call, Route
from webui.api.shapes import Page, page_of, told
from wombat_ari.app.service import reports
from wombat_ari.app.service.rights import Right

TAG = "Reports"
SEE = (Right.SEE_REPORTS,)
COLUMNS = tuple(shapes.LoggedCall.model_fields)


def statistics(call: Call) -> Answer:
    """Statistics over the chosen runs."""
    return told(shapes.Statistics, reports.statistics(call.caller, call.db, _runs(call)))


def attempts(call: Call) -> Answer:
    """Attempts of the chosen runs, in the order of their WOMBATIDs.

    ``next`` is the WOMBATID to go on behind.
    """
    query = call.query
    found = reports.page_of_attempts(call.caller, call.db, _runs(call), after=query.after, limit=query.limit + 1)
    items = [told(shapes.LoggedCall, one) for one in found]
    return page_of(Page[shapes.LoggedCall], items, limit=query.limit, ident="wombatid")


def export(call: Call) -> Answer:
    """All attempts of the chosen runs as CSV, streamed, run by run.

    Attributes are JSON in their column.
    """
    found = reports.export_attempts(call.caller, call.db, _runs(call))
    answer = Response(attempts_csv.pieces(found, COLUMNS), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="attempts.csv"'
    return answer


def _runs(call: Call) -> list[int]:
    return list(dict.fromkeys(call.query.run))


ROUTES = (
    Route("GET", "/reports/statistics", statistics, SEE, TAG, shapes.Statistics, query=shapes.RunIdsQuery),
    Route("GET", "/reports/attempts", attempts, SEE, TAG, Page[shapes.LoggedCall], query=shapes.AttemptsQuery),
    Route("GET", "/reports/attempts/export", export, SEE, TAG, query=shapes.RunIdsQuery, media=("text/csv",)),
)
