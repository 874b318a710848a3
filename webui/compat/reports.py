"""``reports/runs``, ``reports/stats``, ``reports/logs`` and ``runs/export.jsp``: what runs did."""

from collections import Counter
from datetime import datetime, timedelta

from flask import Response

from webui import attempts_csv
from webui.compat.calls import call_object
from webui.compat.frame import Address, Answer, Call, Kind, envelope
from webui.compat.live import answered, run_object
from wombat_ari.app.service import reports
from wombat_ari.model.errors import UserError

FORMS = ("%Y-%m-%d.%H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d.%H:%M", "%Y-%m-%d")
MOST = 10_000


def found_runs(call: Call) -> Answer:
    """Started from ``from`` to ``to`` (days or moments in the dialer's zone; a day counts as a whole)."""
    first, last = _moment(call, "from", end=False), _moment(call, "to", end=True)
    found = reports.find_runs(
        call.caller, call.db, from_at=0.0 if first is None else first, to_at=1e12 if last is None else last
    )
    return answered({"runs": [run_object(call, run) for run in found]})


def statistics(call: Call) -> Answer:
    """Over the runs ``id=1,3``: each outcome with its number of calls, and with each extended status apart."""
    run_ids = call.params.wholes("id")
    chosen = reports.chosen_runs(call.caller, call.db, run_ids)
    stats = reports.statistics(call.caller, call.db, run_ids)
    states: Counter[str] = Counter()
    for part in stats.outcomes:
        states[part.outcome] += part.calls
    return answered({
        "campaignsToConsider": [run_object(call, run) for run in chosen],
        "statsOut": [{"gbState": state, "nCalls": calls} for state, calls in states.most_common()],
        "statsExt": [
            {"gbState": part.outcome, "gbStateExt": part.extended_status, "nCalls": part.calls}
            for part in stats.outcomes
        ],
        "statsTrunk": [{"trunk": part.name, "nCalls": part.calls} for part in stats.trunks],
        "nCalls": stats.calls, "nAnswered": stats.answered, "nRescheduled": stats.rescheduled,
        "talk": stats.talk_ms, "waitPre": stats.wait_pre_ms, "waitAfter": stats.wait_after_ms,
    })  # fmt: skip


def logs(call: Call) -> Answer:
    """Attempts of the runs ``id=1,3`` in their order, ``items`` of them from the one at ``from`` on."""
    start, limit = call.params.whole("from", 0), min(call.params.whole("items", 100) or 100, MOST)
    found = reports.slice_of_attempts(call.caller, call.db, call.params.wholes("id"), skip=start, limit=limit)
    objects = [call_object(one, call.zone) for one in found.calls]
    return {**envelope(objects, began=call.began, total=found.total, start=start), "result": {"logs": objects}}


def export(call: Call) -> Answer:
    """All attempts of the runs ``runId=1,3`` as CSV, streamed."""
    mode = call.params.text("mode", "csv").lower()
    if mode != "csv":
        raise UserError(f"mode is {mode[:20]!r}: it must be csv")
    calls = reports.export_attempts(call.caller, call.db, call.params.wholes("runId"))
    answer = Response(attempts_csv.pieces(calls), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="runs.csv"'
    return answer


def _moment(call: Call, name: str, *, end: bool) -> float | None:
    text = call.params.text(name, "").strip()
    if not text:
        return None
    for form in FORMS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=call.zone)
        except ValueError:
            continue
        whole_day = end and form == "%Y-%m-%d"
        return (moment + timedelta(days=1)).timestamp() if whole_day else moment.timestamp()
    raise UserError(f"parameter {name} is {text[:40]!r}: it must be a day, YYYY-MM-DD, or YYYY-MM-DD.HH:MM:SS")


ADDRESSES = (
    Address("reports/runs", found_runs, Kind.JSON),
    Address("reports/stats", statistics, Kind.JSON),
    Address("reports/logs", logs, Kind.JSON),
    Address("runs/export.jsp", export, Kind.JSON),
)
