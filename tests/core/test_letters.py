"""What those outside are told: the form of an attempt, the letters of a run, and who is told at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.store.builders import result_of
from wombat_ari.core.errands import errands_of, late_errands_of
from wombat_ari.core.letters import RunNews, form_of, notification, receiver_of, run_letters
from wombat_ari.core.progress import progress_of
from wombat_ari.model.calls import Claim, RunCounters
from wombat_ari.model.entities import ActivePeriod, Campaign
from wombat_ari.model.errands import MAIL, ErrandKind
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import EmailEvents, Outcome, RunState

AT = 1_789_992_000.75  #: 2026-09-21 12:00:00 UTC
CLAIM = Claim(2**52, 7, 42, 3, "people", "5556785", 3, {"HH": "11", "MM": "00"}, {})
RESULT = replace(
    result_of(CLAIM, Outcome.TERMINATED, at=AT + 30, retry_in_s=300),
    attempted_at=AT, extended_status="0", output_attributes={"APPT": "PSYC"}, talk_ms=12345,
)  # fmt: skip
CAMPAIGN = Campaign(5, "Sales", http_notify_url="https://User:pass@CRM.example:8443/x", notify_secret=Secret("s3cret"))


def test_the_form_is_that_of_the_manual_and_then_ours() -> None:
    assert list(form_of(RESULT, campaign="Sales", run_name="Sales 2026").items()) == [
        ("num", "5556785"), ("state", "TERMINATED"), ("extstate", "0"), ("retry", "2"), ("reschedule", "300"),
        ("I_HH", "11"), ("I_MM", "00"), ("O_APPT", "PSYC"),
        ("wombatid", str(2**52)), ("campaign", "Sales"), ("run", "Sales 2026"), ("list", "people"),
        ("attempt_at", "2026-09-21T12:00:00Z"), ("wait_pre", "120"), ("wait_after", "3400"), ("talk", "12345"),
    ]  # fmt: skip


def test_a_notification_has_its_place_in_the_order_of_its_record_and_no_secret() -> None:
    (errand,) = notification(RESULT, CAMPAIGN, run_name="r", now=AT + 31)
    assert (errand.kind, errand.receiver, errand.sequence) == (ErrandKind.NOTIFY, "crm.example:8443", "7/42")
    assert (errand.campaign_id, errand.run_id, errand.wombatid) == (5, 7, 2**52)
    assert (errand.created_at, errand.due_at) == (AT + 31, AT + 31)
    assert "s3cret" not in repr(errand)


def test_nobody_is_told_without_a_url() -> None:
    assert errands_of(RESULT, Campaign(5, "Sales"), run_name="r", now=AT) == ()


def test_late_words_are_told_when_they_change_the_status() -> None:
    def told(**changes: object) -> int:
        late = replace(RESULT, **changes)  # type: ignore[arg-type]
        return len(late_errands_of(late, RESULT, CAMPAIGN, run_name="r", now=AT))

    assert told(extended_status="1") == 1
    assert told(extended_status="0") == 0
    assert told(output_attributes={"APPT": "NONE"}) == 0


@pytest.mark.parametrize(
    ("url", "receiver"),
    [
        ("http://a.example", "a.example"),
        ("https://me:secret@A.example:99/x?y@z", "a.example:99"),
        ("http://[::1]:80/", "[::1]:80"),
        ("http://[oops/", "unreadable URL"),
    ],
)
def test_a_receiver_is_named_without_its_password(url: str, receiver: str) -> None:
    assert receiver_of(url) == receiver


def news(state: RunState) -> RunNews:
    counters = RunCounters(
        taken=60, closed=40, attempts=50, answered=20, rescheduled=10, open_attempts=5, open_retries=9
    )
    progress = progress_of(attempts=50, rescheduled=10, unfinished=60, started_at=AT - 3661, now=AT)
    return RunNews(7, "Sales 2026-09-21 10:58:59", state, AT, "dialer", counters, progress)


def campaign(events: EmailEvents, addresses: str = "a@x.org, b@x.org") -> Campaign:
    period = ActivePeriod(zone="Europe/Rome")
    return Campaign(5, "Sales", email_addresses=addresses, email_events=events, active_period=period)


def test_each_address_gets_a_letter_of_its_own_in_order() -> None:
    first, second = run_letters(news(RunState.COMPLETED), campaign(EmailEvents.ALL), default_zone="UTC")
    assert [first.payload["to"], second.payload["to"]] == [["a@x.org"], ["b@x.org"]]
    assert (first.kind, first.receiver, first.sequence) == (ErrandKind.EMAIL, MAIL, "7/a@x.org")
    assert first.payload["subject"] == "Sales has completed"
    assert first.payload["body"] == (
        "Campaign:             Sales\n"
        "Run:                  Sales 2026-09-21 10:58:59 (number 7)\n"
        "State:                COMPLETED since 2026-09-21 14:00:00 CEST\n"
        "Changed by:           dialer\n"
        "Running for:          1:01:01\n"
        "\n"
        "Calls attempted:      50\n"
        "Answered:             20 (40% of attempts)\n"
        "Records taken:        60\n"
        "Closed for good:      40\n"
        "Open retries:         9\n"
        "Calls open:           5\n"
        "Rescheduled:          10 (20% of attempts)\n"
        "Remaining, estimated: 75\n"
        "Attempts per hour:    49\n"
        "Completions per hour: 39\n"
    )


@pytest.mark.parametrize("state", [state for state in RunState if state != RunState.RUNNABLE])
def test_which_changes_are_told(state: RunState) -> None:
    def told(events: EmailEvents, addresses: str = "a@x.org") -> int:
        return len(run_letters(news(state), campaign(events, addresses), default_zone="UTC"))

    assert told(EmailEvents.ALL) == 1
    assert told(EmailEvents.COMPLETION) == (state in (RunState.COMPLETED, RunState.REMOVED))
    assert told(EmailEvents.NONE) == told(EmailEvents.ALL, "") == 0
