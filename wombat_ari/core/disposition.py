"""What a campaign's disposition rules do about an attempt that ended, as errands (spec 05, spec 10.6; pure).

Every rule that fits is done, in the order of the rules. A rule fits by outcome and by extended status, each by itself;
unlike in rescheduling, a rule with the very code does not put out one with ``*``.

A record that is handed on (ADD_LIST, RESCHEDULE) carries how often it was in the attribute ``HOPS``: so a circle of
campaigns that hand it to each other ends, whatever is restarted or imported in between (``MAX_HOPS``).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from wombat_ari.core.letters import form_of, receiver_of
from wombat_ari.core.numbers import MAX_VALUE, is_name, parse_pairs
from wombat_ari.core.placeholders import expand
from wombat_ari.core.request import values_of_ours
from wombat_ari.model.calls import CallResult
from wombat_ari.model.entities import Campaign, DispositionRule
from wombat_ari.model.errands import MAIL, Errand, ErrandKind
from wombat_ari.model.states import DispositionVerb, SentAttributes

ANY = "*"
HOPS = "WOMBAT_HOPS"  #: attribute: how often the record was handed on
MAX_HOPS = 10
SUBJECT = "${campaign}: ${num} ${outcome} ${extstatus}"

_BREAKS = str.maketrans("\r\n\0", "   ")

Values = Mapping[str, str]
Payloads = Iterator[tuple[str, dict[str, object]]]  #: receiver and payload of each errand


def fitting(campaign: Campaign, result: CallResult) -> list[DispositionRule]:
    """The rules that this attempt calls for, in order."""
    return [rule for rule in campaign.dispositions if _fits(rule, result)]


def dispose(
    rules: list[DispositionRule], result: CallResult, campaign: Campaign, *, run_name: str, now: float
) -> Iterator[Errand]:
    """The errands of these rules for this attempt. One that is delayed is due so long after the attempt ended."""
    if not rules:
        return
    values = _values(result, campaign, run_name)
    for rule in rules:
        for receiver, payload in _PAYLOADS[rule.verb](rule, result, values):
            yield Errand(
                kind=ErrandKind(rule.verb.value),
                receiver=receiver,
                payload=payload,
                created_at=now,
                due_at=max(now, result.ended_at + rule.delay_s),
                campaign_id=campaign.id,
                run_id=result.claim.run_id,
                wombatid=result.claim.wombatid,
            )


def _fits(rule: DispositionRule, result: CallResult) -> bool:
    return (
        rule.status in (ANY, result.outcome)
        and rule.extended_status in (ANY, result.extended_status)
        and (rule.with_retries or result.retry_in_s == 0)
    )


def _values(result: CallResult, campaign: Campaign, run_name: str) -> dict[str, str]:
    """Every name that a placeholder may use: the attributes, and ours, which win."""
    return {
        **result.claim.input_attributes,
        **result.output_attributes,
        **values_of_ours(result.claim, campaign),
        "run": run_name,
        "outcome": result.outcome.value,
        "extstatus": result.extended_status,
        "reschedule": str(result.retry_in_s),
        "agent": result.agent,
        "trunk": result.trunk_name,
        "endpoint": result.end_point_name,
        "talk": str(round(result.talk_ms / 1000)),
    }


def _get(rule: DispositionRule, result: CallResult, values: Values) -> Payloads:
    """The URL says what is sent; attributes go along where it or the extra ones name them."""
    url = expand(rule.destination, _quoted(values))
    extra = _extra(rule, values)
    yield receiver_of(url), {"url": url, **({"fields": extra} if extra else {})}


def _post(rule: DispositionRule, result: CallResult, values: Values) -> Payloads:
    """With a text that text, as JSON if it is some; without one the form of the campaign's notification."""
    url = expand(rule.destination, _quoted(values))
    if rule.text:
        is_json = rule.text.lstrip()[:1] in ("{", "[")
        body = expand(rule.text, _in_json(values) if is_json else values)
        kind = "application/json" if is_json else "text/plain; charset=utf-8"
        yield receiver_of(url), {"url": url, "body": body, "content_type": kind}
        return
    form = form_of(result, campaign=values["campaign"], run_name=values["run"])
    hidden = {SentAttributes.ALL: (), SentAttributes.INPUT: ("O_",), SentAttributes.OUTPUT: ("I_",)}
    left_out = hidden.get(rule.attributes, ("I_", "O_"))
    fields = {name: value for name, value in form.items() if not name.startswith(left_out)}
    yield receiver_of(url), {"url": url, "fields": {**fields, **_extra(rule, values)}}


def _email(rule: DispositionRule, result: CallResult, values: Values) -> Payloads:
    """The first line of the text is the subject. One letter an address; a placeholder that is empty is none."""
    subject, _, body = (rule.text or SUBJECT).partition("\n")
    attributes = "".join(f"{name}: {value}\n" for name, value in _handed_on(rule, result, values).items())
    parts = (expand(body, values).rstrip(), attributes.rstrip())
    letter = {
        "subject": " ".join(expand(subject, values).split()),
        "body": "\n\n".join(part for part in parts if part) + "\n",
    }
    addresses = dict.fromkeys(part.strip() for part in expand(rule.destination, values).split(",") if part.strip())
    for address in addresses:
        yield MAIL, {"to": [address], **letter}


def _add_list(rule: DispositionRule, result: CallResult, values: Values) -> Payloads:
    name = expand(rule.destination, values).strip()
    yield f"list {name}", {"list": name, **_record(rule, result, values)}


def _black_list(rule: DispositionRule, result: CallResult, values: Values) -> Payloads:
    name = expand(rule.destination, values).strip()
    yield f"list {name}", {"list": name, "number": result.claim.number}


def _reschedule(rule: DispositionRule, result: CallResult, values: Values) -> Payloads:
    name = expand(rule.destination, values).strip()
    yield f"campaign {name}", {"campaign": name, **_record(rule, result, values)}


def _record(rule: DispositionRule, result: CallResult, values: Values) -> dict[str, object]:
    """The record as it is handed on: what a call left is what the next one is dialled with. What a dialplan left may be
    no attribute as it is: it is cut, or left out, rather than that the record is not handed on.
    """
    hops = result.claim.input_attributes.get(HOPS, "0")
    counted = {HOPS: str(int(hops) + 1 if hops.isdecimal() and len(hops) < 9 else MAX_HOPS + 1)}
    attributes = {name: _fitted(value) for name, value in _handed_on(rule, result, values).items() if is_name(name)}
    return {"number": result.claim.number, "attributes": {**attributes, **counted}}


def _fitted(value: str) -> str:
    return value.translate(_BREAKS)[:MAX_VALUE]


def _handed_on(rule: DispositionRule, result: CallResult, values: Values) -> dict[str, str]:
    inputs = result.claim.input_attributes if rule.attributes in (SentAttributes.ALL, SentAttributes.INPUT) else {}
    outputs = result.output_attributes if rule.attributes in (SentAttributes.ALL, SentAttributes.OUTPUT) else {}
    return {**inputs, **outputs, **_extra(rule, values)}


def _extra(rule: DispositionRule, values: Values) -> dict[str, str]:
    return {name: expand(value, values) for name, value in parse_pairs(rule.extra).items()}


def _quoted(values: Values) -> dict[str, str]:
    """In a URL a value can neither end a parameter nor begin another."""
    return {name: quote(value, safe="") for name, value in values.items()}


def _in_json(values: Values) -> dict[str, str]:
    """Within the quotes of a JSON text."""
    return {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in values.items()}


_PAYLOADS: dict[DispositionVerb, Callable[[DispositionRule, CallResult, Values], Payloads]] = {
    DispositionVerb.NONE: lambda rule, result, values: iter(()),
    DispositionVerb.HTTP_GET: _get,
    DispositionVerb.HTTP_POST: _post,
    DispositionVerb.EMAIL: _email,
    DispositionVerb.ADD_LIST: _add_list,
    DispositionVerb.BLACK_LIST: _black_list,
    DispositionVerb.RESCHEDULE: _reschedule,
}
