"""What is written to those outside: the notification of an attempt (spec 05), the e-mails of a run's life (pure)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from wombat_ari.core.progress import Progress
from wombat_ari.model.calls import CallResult, RunCounters
from wombat_ari.model.entities import Campaign
from wombat_ari.model.errands import MAIL, Errand, ErrandKind
from wombat_ari.model.states import EmailEvents, RunState

#: With COMPLETION these are told. Not IDLE: a run that is fed by an API idles many times a day.
_ENDS = (RunState.COMPLETED, RunState.REMOVED)

_SUBJECTS = {
    RunState.RUNNING: "is running",
    RunState.WRONG_TIME: "waits for its hours",
    RunState.PAUSED: "is paused",
    RunState.IDLE: "is idle: out of numbers",
    RunState.COMPLETED: "has completed",
    RunState.REMOVED: "was removed",
}


def receiver_of(url: str) -> str:
    """Host and port of a URL, as the outbox names it; never the password a URL may hold."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return "unreadable URL"


def notification(result: CallResult, campaign: Campaign, *, run_name: str, now: float) -> Iterator[Errand]:
    """The POST of an attempt; none when the campaign has no URL. Those of one record and run keep their order."""
    if not campaign.http_notify_url:
        return
    claim = result.claim
    yield Errand(
        kind=ErrandKind.NOTIFY,
        receiver=receiver_of(campaign.http_notify_url),
        payload={
            "url": campaign.http_notify_url,
            "fields": form_of(result, campaign=campaign.name, run_name=run_name),
        },
        created_at=now,
        due_at=now,
        sequence=f"{claim.run_id}/{claim.record_id}",
        campaign_id=campaign.id,
        run_id=claim.run_id,
        wombatid=claim.wombatid,
    )


def form_of(result: CallResult, *, campaign: str, run_name: str) -> dict[str, str]:
    """The fields of the form: those of the original first. ``reschedule`` is in s, waits and talk are in ms."""
    claim = result.claim
    return {
        "num": claim.number,
        "state": result.outcome.value,
        "extstate": result.extended_status,
        "retry": str(claim.retry),
        "reschedule": str(result.retry_in_s),
        **{f"I_{name}": value for name, value in claim.input_attributes.items()},
        **{f"O_{name}": value for name, value in result.output_attributes.items()},
        "wombatid": str(claim.wombatid),
        "campaign": campaign,
        "run": run_name,
        "list": claim.list_name,
        "attempt_at": _utc(result.attempted_at),
        "wait_pre": str(result.wait_pre_ms),
        "wait_after": str(result.wait_after_ms),
        "talk": str(result.talk_ms),
    }


@dataclass(frozen=True, slots=True)
class RunNews:
    """A run that has just come into ``state``, with its numbers at that moment."""

    run_id: int
    run_name: str
    state: RunState
    at: float
    by: str  #: who did it, ``dialer`` when it happened by itself
    counters: RunCounters
    progress: Progress


def run_letters(news: RunNews, campaign: Campaign, *, default_zone: str) -> tuple[Errand, ...]:
    """An e-mail to each address of the campaign, when it wants one; each address gets its own in order."""
    if campaign.email_events == EmailEvents.NONE or not campaign.email_addresses:
        return ()
    if campaign.email_events == EmailEvents.COMPLETION and news.state not in _ENDS:
        return ()
    zone = campaign.active_period.zone or default_zone
    subject = f"{campaign.name} {_SUBJECTS.get(news.state, str(news.state))}"
    body = _body(news, campaign, zone=zone)
    addresses = (part.strip() for part in campaign.email_addresses.split(","))
    return tuple(
        Errand(
            kind=ErrandKind.EMAIL,
            receiver=MAIL,
            payload={"to": [address], "subject": subject, "body": body},
            created_at=news.at,
            due_at=news.at,
            sequence=f"{news.run_id}/{address}"[:80],
            campaign_id=campaign.id,
            run_id=news.run_id,
        )
        for address in addresses
        if address
    )


def _body(news: RunNews, campaign: Campaign, *, zone: str) -> str:
    counters, progress = news.counters, news.progress
    lines = [
        ("Campaign", campaign.name),
        ("Run", f"{news.run_name} (number {news.run_id})"),
        ("State", f"{news.state} since {_local(news.at, zone)}"),
        ("Changed by", news.by),
        ("Running for", _long(progress.running_for_s)),
        ("", ""),
        ("Calls attempted", f"{counters.attempts:,}"),
        ("Answered", f"{counters.answered:,}{_share(counters.answered, counters.attempts)}"),
        ("Records taken", f"{counters.taken:,}"),
        ("Closed for good", f"{counters.closed:,}"),
        ("Open retries", f"{counters.open_retries:,}"),
        ("Calls open", f"{counters.open_attempts:,}"),
        ("Rescheduled", f"{counters.rescheduled:,}{_share(counters.rescheduled, counters.attempts)}"),
        ("Remaining, estimated", f"{progress.estimated_remaining:,}"),
        ("Attempts per hour", f"{progress.attempts_per_hour:,.0f}"),
        ("Completions per hour", f"{progress.completions_per_hour:,.0f}"),
    ]
    return "".join(f"{name + ':':22}{text}\n" if name else "\n" for name, text in lines)


def _share(part: int, whole: int) -> str:
    return f" ({part / whole:.0%} of attempts)" if whole else ""


def _long(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _local(at: float, zone: str) -> str:
    return datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %Z")
