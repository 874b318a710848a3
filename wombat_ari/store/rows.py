"""How model values are spelled in columns: attributes as JSON text, and the order of an attempt's columns."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from wombat_ari.model.calls import CallResult, Claim
from wombat_ari.model.states import Outcome
from wombat_ari.store.database import Row, Transaction, marks

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quote = json.encoder.encode_basestring
_decode = json.JSONDecoder().decode

#: of a new attempt, as ``attempt_row`` gives them
ATTEMPT_COLUMNS = (
    "wombatid, run_id, record_id, list_id, list_name, number, attempt, input_attributes, output_attributes, "
    "state, state_at"
)


class RunNames(NamedTuple):
    """What a row of the log says of its run."""

    campaign_id: int
    campaign_name: str
    name: str
    live: bool


def dump(attributes: dict[str, Any]) -> str:
    return _encode(attributes) if attributes else "{}"


def dump_texts(attributes: dict[str, str]) -> str:
    """The same where all values are texts, for rows by the million."""
    if not attributes:
        return "{}"
    return "{" + ",".join([f"{_quote(name)}:{_quote(value)}" for name, value in attributes.items()]) + "}"


def load(text: str) -> dict[str, Any]:
    return {} if text == "{}" else _decode(text)


def claim_row(claim: Claim) -> Row:
    """The columns before ``state``."""
    head = (claim.wombatid, claim.run_id, claim.record_id, claim.list_id, claim.list_name, claim.number, claim.attempt)
    return (*head, dump(claim.input_attributes), dump(claim.output_attributes))


def claim_of(row: Row) -> Claim:
    """The other way."""
    wombatid, run_id, record_id, list_id, list_name, number, attempt, inputs, outputs = row[:9]
    return Claim(wombatid, run_id, record_id, list_id, list_name, number, attempt, load(inputs), load(outputs))


#: of the call log, as ``log_row`` and ``blacklist_row`` give them
LOG_COLUMNS = (
    "wombatid, run_id, run_name, campaign_id, campaign_name, list_id, list_name, record_id, number, attempt, outcome, "
    "extended_status, attempted_at, ended_at, wait_pre_ms, wait_after_ms, talk_ms, retry_in_s, server_id, trunk_id, "
    "trunk_name, end_point_id, end_point_name, agent, channel, unique_id, cause, sip_code, dial_status, message, "
    "input_attributes, output_attributes"
)
LOG_WIDTH = LOG_COLUMNS.count(",") + 1


def log_row(result: CallResult, run: RunNames, retry_in_s: int) -> Row:
    """A result as a row of the call log. Texts from outside are cut to what their column holds, never refused."""
    claim = result.claim
    return (
        claim.wombatid, claim.run_id, run.name, run.campaign_id, run.campaign_name, claim.list_id, claim.list_name,
        claim.record_id, claim.number, claim.attempt, result.outcome.value, result.extended_status[:80],
        result.attempted_at, result.ended_at, result.wait_pre_ms, result.wait_after_ms, result.talk_ms, retry_in_s,
        result.server_id, result.trunk_id, result.trunk_name[:80], result.end_point_id, result.end_point_name[:80],
        result.agent[:80], result.channel[:80], result.unique_id[:80], result.cause, result.sip_code[:80],
        result.dial_status[:16], result.message[:255], dump(claim.input_attributes), dump(result.output_attributes),
    )  # fmt: skip


def blacklist_row(head: Row, run: RunNames, now: float) -> Row:
    """A record that was on a black list: logged, never dialled. ``head`` is as ``claim_row`` gives it."""
    wombatid, run_id, record_id, list_id, list_name, number, attempt, inputs, _ = head
    place = (None, None, "", None, "", "", "", "", None, "", "", "")
    return (
        wombatid, run_id, run.name, run.campaign_id, run.campaign_name, list_id, list_name, record_id, number, attempt,
        Outcome.RS_BLACKLIST.value, "", now, now, 0, 0, 0, 0, *place, inputs, "{}",
    )  # fmt: skip


def blacklisted(claim: Claim, now: float) -> CallResult:
    """The same as a result, for whoever is told of it."""
    return CallResult(
        claim=claim, outcome=Outcome.RS_BLACKLIST, extended_status="", output_attributes={}, attempted_at=now,
        ended_at=now, wait_pre_ms=0, wait_after_ms=0, talk_ms=0, retry_in_s=0, trunk_id=None, trunk_name="",
        end_point_id=None, end_point_name="", server_id=None, agent="", channel="", unique_id="", cause=None,
        sip_code="", dial_status="",
    )  # fmt: skip


def insert_log(tx: Transaction, rows: Sequence[Row]) -> None:
    tx.many(f"INSERT INTO call_log ({LOG_COLUMNS}) VALUES ({marks(LOG_WIDTH)})", rows)


def was_answered(result: CallResult) -> bool:
    """What the run's counter ``answered`` counts; the same test in SQL is ``ANSWERED``."""
    return result.outcome is Outcome.TERMINATED or result.talk_ms > 0


ANSWERED = "(outcome = 'TERMINATED' OR talk_ms > 0)"
