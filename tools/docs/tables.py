"""Outcomes, reasons of the scheduler, the picture of the nine steps and the index of decisions."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import wombat_ari
from tools.docs.page import table
from wombat_ari.core.outcome import BY_CAUSE, BY_DIAL_STATUS, BY_REASON, RULES, decide
from wombat_ari.core.routes import WhyNot
from wombat_ari.model.calls import Evidence
from wombat_ari.model.states import Outcome

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"


def picture() -> str:
    """The docstring of the package: what a newcomer sees first."""
    doc = wombat_ari.__doc__ or ""
    start = doc.index("    step ")
    return f"```\n{doc[start:].split(chr(10) * 2)[0].rstrip()}\n```"


def outcome_rules() -> str:
    """The rules in the order in which they are asked, with what each can say."""
    rows = [("", "what was seen", "outcome")]
    for number, (words, rule) in enumerate(RULES, 1):
        said = {outcome for evidence in _evidences() if (outcome := rule(evidence)) is not None}
        rows.append((str(number), words, " or ".join(outcome for outcome in Outcome if outcome in said)))
    return table(*rows)


def outcome_words() -> str:
    """What the network's words mean, by outcome."""
    rows = [("outcome", "hang-up cause", "DialStatus", "Reason")]
    for outcome in dict.fromkeys([*BY_CAUSE.values(), *BY_DIAL_STATUS.values(), *BY_REASON.values()]):
        rows.append((outcome, _keys(BY_CAUSE, outcome), _keys(BY_DIAL_STATUS, outcome), _keys(BY_REASON, outcome)))
    other = decide(Evidence(channel_seen=True, reason=0, cause=88))
    rows.append((other, "any other, except 0 and 16", "", ""))
    return table(*rows)


def why_not() -> str:
    """The scheduler's reasons, in the order in which they are asked."""
    rows = [("", "reason", "what the console shows")]
    rows += [(str(number), f"`{reason.name}`", reason.value) for number, reason in enumerate(WhyNot, 1)]
    return table(*rows)


def decisions() -> str:
    """The records of decisions by number, with their titles."""
    lines = []
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        number, _, words = title.partition(" ")
        lines.append(f"- [{number}](decisions/{path.name}) {words}")
    return "\n".join(lines)


def _keys(words: Mapping[Any, Outcome], outcome: Outcome) -> str:
    return ", ".join(str(word) for word, means in words.items() if means == outcome)


def _evidences() -> list[Evidence]:
    """Enough kinds of evidence to hear all that a rule can say."""
    plain = Evidence(channel_seen=True)
    flags = [replace(plain) for _ in range(len(fields(Evidence)))]
    for evidence, field in zip(flags, fields(Evidence), strict=True):
        if field.type is bool:
            setattr(evidence, field.name, True)
    causes = [replace(plain, cause=cause) for cause in range(128)]
    statuses = [replace(plain, dial_status=status) for status in BY_DIAL_STATUS]
    reasons = [replace(plain, reason=reason, channel_seen=seen) for reason in range(9) for seen in (True, False)]
    return [*flags, *causes, *statuses, *reasons]
