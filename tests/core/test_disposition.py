"""Which disposition rules fit, and what each verb makes of an attempt."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.story import claim
from wombat_ari.core.disposition import HOPS, MAX_HOPS, dispose, fitting
from wombat_ari.core.errands import errands_of, late_errands_of
from wombat_ari.core.numbers import check_attributes
from wombat_ari.model.calls import CallResult
from wombat_ari.model.entities import Campaign, DispositionRule
from wombat_ari.model.errands import MAIL, Errand, ErrandKind
from wombat_ari.model.states import DispositionVerb, Outcome, SentAttributes

NOW = 1_790_000_000.0
V = DispositionVerb

RESULT = CallResult(
    claim=claim(2, input_attributes={"CITY": "Bern & Thun", "X": "in"}), outcome=Outcome.RS_BUSY, extended_status="",
    output_attributes={"HEARD": 'a "b"', "X": "out"}, attempted_at=NOW - 60, ended_at=NOW - 1, wait_pre_ms=1,
    wait_after_ms=2, talk_ms=3400, retry_in_s=0, trunk_id=1, trunk_name="T", end_point_id=1, end_point_name="e",
    server_id=1, agent="Ann", channel="", unique_id="", cause=17, sip_code="", dial_status="BUSY",
)  # fmt: skip


def campaign(*rules: DispositionRule, **values: object) -> Campaign:
    return Campaign(7, "Spring", dispositions=rules, **values)  # type: ignore[arg-type]


def errands(rule: DispositionRule, result: CallResult = RESULT) -> list[Errand]:
    return list(dispose([rule], result, campaign(rule), run_name="Spring 1", now=NOW))


def payload(verb: DispositionVerb, destination: str, **values: object) -> dict[str, object]:
    (errand,) = errands(DispositionRule(verb=verb, destination=destination, **values))  # type: ignore[arg-type]
    assert errand.kind == verb.value
    assert (errand.campaign_id, errand.run_id, errand.wombatid) == (7, RESULT.claim.run_id, 4711)
    return errand.payload


@pytest.mark.parametrize(
    ("rule", "outcome", "code", "retry_in_s", "fits"),
    [
        (("*", "*"), "RS_BUSY", "", 0, True),
        (("*", "*"), "TERMINATED", "7", 0, True),
        (("RS_BUSY", "*"), "RS_BUSY", "7", 0, True),
        (("RS_BUSY", "*"), "RS_NOANSWER", "7", 0, False),
        (("RS_BUSY", ""), "RS_BUSY", "", 0, True),
        (("RS_BUSY", ""), "RS_BUSY", "7", 0, False),
        (("RS_BUSY", "7"), "RS_BUSY", "7", 0, True),
        (("RS_BUSY", "7"), "RS_BUSY", "77", 0, False),
        (("RS_BUSY", "7"), "RS_BUSY", "", 0, False),
        (("*", "*"), "RS_BUSY", "", 60, False),
        (("*", "*", True), "RS_BUSY", "", 60, True),
        (("*", "*", True), "RS_BUSY", "", 0, True),
    ],
)
def test_which_fit(rule: tuple[object, ...], outcome: str, code: str, retry_in_s: int, fits: bool) -> None:
    result = replace(RESULT, outcome=Outcome(outcome), extended_status=code, retry_in_s=retry_in_s)
    one = DispositionRule(*rule)  # type: ignore[arg-type]
    assert fitting(campaign(one), result) == ([one] if fits else [])


def test_all_that_fit_in_their_order() -> None:
    rules = [DispositionRule("RS_BUSY", code, verb=V.ADD_LIST, destination=name) for code, name in
             (("*", "a"), ("9", "b"), ("", "c"))]  # fmt: skip
    made = errands_of(RESULT, campaign(*rules), run_name="r", now=NOW)
    assert [errand.receiver for errand in made] == ["list a", "list c"]
    with_url = errands_of(RESULT, campaign(*rules, http_notify_url="https://crm/n"), run_name="r", now=NOW)
    assert [errand.kind for errand in with_url] == [ErrandKind.NOTIFY, ErrandKind.ADD_LIST, ErrandKind.ADD_LIST]


def test_get() -> None:
    said = payload(V.HTTP_GET, "https://crm:8/${CITY}?n=${num}&o=${outcome}&x=${nobody}", extra=r"WHO:${agent}\, ${X}")
    assert said == {
        "url": "https://crm:8/Bern%20%26%20Thun?n=5551001&o=RS_BUSY&x=",
        "fields": {"WHO": "Ann, out"},
    }
    assert payload(V.HTTP_GET, "https://crm/x") == {"url": "https://crm/x"}
    assert errands(DispositionRule(verb=V.HTTP_GET, destination="https://u:p@CRM:8/x"))[0].receiver == "crm:8"


def test_post_of_a_form() -> None:
    fields = payload(V.HTTP_POST, "https://crm/x", extra="MORE:${talk}")["fields"]
    assert isinstance(fields, dict)
    assert (fields["num"], fields["state"], fields["retry"], fields["run"]) == ("5551001", "RS_BUSY", "1", "Spring 1")
    assert (fields["I_CITY"], fields["O_HEARD"], fields["MORE"]) == ("Bern & Thun", 'a "b"', "3")


@pytest.mark.parametrize(
    ("attributes", "prefixes"),
    [
        (SentAttributes.ALL, {"I_", "O_"}),
        (SentAttributes.INPUT, {"I_"}),
        (SentAttributes.OUTPUT, {"O_"}),
        (SentAttributes.NONE, set()),
    ],
)
def test_which_attributes_go_along(attributes: SentAttributes, prefixes: set[str]) -> None:
    fields = payload(V.HTTP_POST, "https://crm/x", attributes=attributes)["fields"]
    assert isinstance(fields, dict)
    assert {name[:2] for name in fields if name[:2] in ("I_", "O_")} == prefixes
    handed = payload(V.ADD_LIST, "l", attributes=attributes)["attributes"]
    assert isinstance(handed, dict)
    assert ("CITY" in handed, "HEARD" in handed) == ("I_" in prefixes, "O_" in prefixes)
    assert handed[HOPS] == "1"


def test_post_of_a_text() -> None:
    json_text = payload(V.HTTP_POST, "https://crm/x", text='{"heard": "${HEARD}"}')
    assert json_text["body"] == '{"heard": "a \\"b\\""}'
    assert json_text["content_type"] == "application/json"
    plain = payload(V.HTTP_POST, "https://crm/${CITY}", text="${HEARD} ${extstatus}.")
    assert (plain["url"], plain["body"]) == ("https://crm/Bern%20%26%20Thun", 'a "b" .')
    assert plain["content_type"] == "text/plain; charset=utf-8"


def test_email() -> None:
    rule = DispositionRule(
        verb=V.EMAIL, destination="a@b.c, ${MAIL}, d@e.f, a@b.c", text="Call ${num}\nIt was ${outcome}.\n${HEARD}",
        attributes=SentAttributes.INPUT,
    )  # fmt: skip
    first, second = errands(rule)
    assert {first.receiver, second.receiver} == {MAIL}
    assert [errand.payload["to"] for errand in (first, second)] == [["a@b.c"], ["d@e.f"]]
    assert first.payload["subject"] == "Call 5551001"
    assert first.payload["body"] == 'It was RS_BUSY.\na "b"\n\nCITY: Bern & Thun\nX: in\n'
    (plain,) = errands(DispositionRule(verb=V.EMAIL, destination="a@b.c", attributes=SentAttributes.NONE))
    assert plain.payload["subject"] == "Spring: 5551001 RS_BUSY"
    broken = replace(RESULT, output_attributes={"HEARD": "x\r\nBcc: y"})
    (letter,) = errands(replace(rule, destination="a@b.c", text="${HEARD}"), broken)
    assert letter.payload["subject"] == "x Bcc: y"


def test_lists_and_campaigns() -> None:
    assert payload(V.ADD_LIST, "later ${CITY}", extra="WHY:${outcome}") == {
        "list": "later Bern & Thun",
        "number": "5551001",
        "attributes": {"CITY": "Bern & Thun", "X": "out", "HEARD": 'a "b"', "WHY": "RS_BUSY", HOPS: "1"},
    }
    assert payload(V.BLACK_LIST, "never") == {"list": "never", "number": "5551001"}
    said = payload(V.RESCHEDULE, "Summer", attributes=SentAttributes.NONE)
    assert said == {"campaign": "Summer", "number": "5551001", "attributes": {HOPS: "1"}}
    assert errands(DispositionRule(verb=V.RESCHEDULE, destination="Summer"))[0].receiver == "campaign Summer"


def test_what_a_dialplan_left_keeps_no_record_from_being_handed_on() -> None:
    odd = {"LONG": "x" * 1500, "LINES": "a\r\nb", "no name": "1", "": "2", "GOOD": "y"}
    (errand,) = errands(DispositionRule(verb=V.ADD_LIST, destination="l"), replace(RESULT, output_attributes=odd))
    attributes = errand.payload["attributes"]
    assert isinstance(attributes, dict)
    check_attributes(attributes)
    assert attributes["LONG"] == "x" * 1000
    assert (attributes["LINES"], attributes["GOOD"]) == ("a  b", "y")
    assert set(attributes) == {"CITY", "X", "LONG", "LINES", "GOOD", HOPS}


@pytest.mark.parametrize(("before", "after"), [("0", "1"), ("9", "10"), ("10", "11"), ("x", "11"), ("9" * 40, "11")])
def test_how_often_it_was_handed_on_is_counted_and_cannot_be_set_back(before: str, after: str) -> None:
    result = replace(RESULT, claim=claim(1, input_attributes={HOPS: before}))
    rule = DispositionRule(verb=V.RESCHEDULE, destination="c", extra=f"{HOPS}:0", attributes=SentAttributes.NONE)
    (errand,) = errands(rule, result)
    assert errand.payload["attributes"] == {HOPS: after}
    assert int(after) <= MAX_HOPS + 1


def test_when_it_is_due() -> None:
    rule = DispositionRule(verb=V.BLACK_LIST, destination="n")
    assert errands(rule)[0].due_at == NOW, "never before it is made"
    assert errands(replace(rule, delay_s=100))[0].due_at == NOW + 99, "after the attempt's end"
    assert errands(DispositionRule()) == []


def test_a_later_status_fires_what_did_not_fire_yet() -> None:
    rules = [
        DispositionRule(verb=V.ADD_LIST, destination="any"),
        DispositionRule(extended_status="", verb=V.ADD_LIST, destination="none"),
        DispositionRule(extended_status="9", verb=V.ADD_LIST, destination="nine"),
        DispositionRule(extended_status="9", with_retries=True, verb=V.ADD_LIST, destination="nine, always"),
    ]
    spring = campaign(*rules)
    done = fitting(spring, RESULT)
    assert done == rules[:2]

    def late(result: CallResult, done: list[DispositionRule]) -> list[str]:
        made = late_errands_of(result, RESULT, spring, run_name="r", now=NOW, done=done)
        return [errand.receiver for errand in made]

    nine = replace(RESULT, extended_status="9")
    assert late(nine, done) == ["list nine", "list nine, always"]
    assert late(replace(nine, retry_in_s=60), done) == ["list nine, always"], "it leads to a retry"
    assert late(nine, rules) == [], "it was nine before"
    assert late(RESULT, []) == [], "nothing is new"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["A", "B", "HEARD", HOPS]), texts), texts)
def test_a_value_stays_a_value(attributes: dict[str, str], code: str) -> None:
    """Whatever an attribute holds: the host stays, a parameter is one, JSON is JSON, a subject is one line."""
    import json
    from urllib.parse import parse_qs, urlsplit

    result = replace(RESULT, claim=claim(1, input_attributes=attributes), extended_status=code)
    (get,) = errands(DispositionRule(verb=V.HTTP_GET, destination="https://crm/${A}?b=${B}&c=${extstatus}"), result)
    url = urlsplit(str(get.payload["url"]))
    assert (url.netloc, get.receiver) == ("crm", "crm")
    assert set(parse_qs(url.query, keep_blank_values=True)) == {"b", "c"}
    body = DispositionRule(verb=V.HTTP_POST, destination="https://crm/", text='{"a": "${A}", "c": "${extstatus}"}')
    assert json.loads(str(errands(body, result)[0].payload["body"])) == {"a": attributes.get("A", ""), "c": code}
    (letter,) = errands(DispositionRule(verb=V.EMAIL, destination="a@b.c", text="${A}\n${B}"), result)
    assert len(str(letter.payload["subject"]).splitlines()) <= 1
