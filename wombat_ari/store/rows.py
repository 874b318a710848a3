"""How model values are spelled in columns: attributes as JSON text, and the order of an attempt's columns."""

import json
from typing import Any

from wombat_ari.model.calls import Claim
from wombat_ari.store.database import Row

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode

#: of a new attempt, as ``attempt_row`` gives them
ATTEMPT_COLUMNS = (
    "wombatid, run_id, record_id, list_id, list_name, number, attempt, input_attributes, output_attributes, state, state_at"
)


def dump(attributes: dict[str, Any]) -> str:
    return _encode(attributes) if attributes else "{}"


def load(text: str) -> dict[str, Any]:
    return {} if text == "{}" else _decode(text)


def claim_row(claim: Claim) -> Row:
    """The columns before ``state``."""
    head = (claim.wombatid, claim.run_id, claim.record_id, claim.list_id, claim.list_name, claim.number, claim.attempt)
    return (*head, dump(claim.input_attributes), dump(claim.output_attributes))


def claim_of(row: Row) -> Claim:
    """The other way."""
    return Claim(*row[:7], load(row[7]), load(row[8]))
