"""What may be configured, field by field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wombat_ari.core import validate
from wombat_ari.model.entities import (
    ActivePeriod,
    CallList,
    Campaign,
    DispositionRule,
    EndPoint,
    OpeningHours,
    OpeningRule,
    Record,
    RescheduleRule,
    Server,
    Trunk,
)
from wombat_ari.model.errors import UserError
from wombat_ari.model.secret import Secret
from wombat_ari.model.states import DispositionVerb, EndPointType

SERVER = Server(None, "pbx", login="wombat")
TRUNK = Trunk(None, 1, "t", "PJSIP/${num}@carrier", 10)
PHONE = EndPoint(None, 1, EndPointType.PHONE, "e", "100", "default")
QUEUE = EndPoint(None, 1, EndPointType.QUEUE, "q", "100", "default")
FLOW = EndPoint(None, 1, EndPointType.FLOW, "f", "survey", "")
CAMPAIGN = Campaign(None, "c")
RULE = RescheduleRule("RS_BUSY", "", 3, 60)


def wrong(check: Any, value: Any, reason: str, **fields: Any) -> None:
    with pytest.raises(UserError, match=reason):
        check(replace(value, **fields))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"description": "  "}, "server description: it must not be empty"),
        ({"description": "x" * 81}, "81 characters, 80 are allowed"),
        ({"description": "a\nb"}, "control characters"),
        ({"address": ""}, "server address"),
        ({"address": "a b"}, "blanks"),
        ({"port": 0}, "AMI port 0: it must be a whole number from 1 to 65535"),
        ({"port": 65536}, "AMI port"),
        ({"port": 5038.0}, "AMI port"),
        ({"login": "a\r\nb"}, "server login"),
        ({"password": Secret("a\r\nAction: Originate")}, "server password: line breaks"),
        ({"unit_length_ms": 0}, "unit length"),
        ({"max_messages_per_unit": 0}, "max messages"),
        ({"ari_url": "ftp://x"}, "ARI URL"),
    ],
)
def test_servers(fields: dict[str, Any], reason: str) -> None:
    wrong(validate.check_server, SERVER, reason, **fields)


def test_a_flow_has_its_shipped_context() -> None:
    assert validate.check_end_point(FLOW)[0].context == "wombat-flow"
    assert validate.check_end_point(replace(FLOW, context="mine"))[0].context == "mine"


@pytest.mark.parametrize("extension", ["", "h", "failed", "100", "my-flow", "über", "a b", "x" * 81])
def test_a_flow_is_named_as_a_function_is(extension: str) -> None:
    wrong(validate.check_end_point, FLOW, "not the name of a flow", extension=extension)


def test_a_refused_password_is_not_shown() -> None:
    with pytest.raises(UserError) as caught:
        validate.check_server(replace(SERVER, password=Secret("hunter2\n")))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "trunk name"),
        ({"capacity": 0}, "trunk capacity 0: it must be a whole number from 1"),
        ({"capacity": True}, "trunk capacity"),
        ({"dial_string": ""}, "dial string: it must not be empty"),
        ({"dial_string": "${num}"}, "TECHNOLOGY/"),
        ({"dial_string": "SIP/"}, "TECHNOLOGY/"),
        ({"dial_string": "SIP/${num}\r\nX: y"}, "control characters"),
        ({"dial_string": "SIP/" + "x" * 252}, "256 characters"),
    ],
)
def test_trunks(fields: dict[str, Any], reason: str) -> None:
    wrong(validate.check_trunk, TRUNK, reason, **fields)


@pytest.mark.parametrize(
    ("dial_string", "warned"),
    [
        ("PJSIP/${num}@carrier", []),
        ("DAHDI/g0/0${num}", []),
        ("Local/${num}@from-internal/n", []),
        ("Local/${num}@from-internal/nj", []),
        ("Local/${num}@from-internal", ["/n"]),
        ("local/${num}@/nx-context", ["/n"]),
        ("SIP/provider/", ["${num}"]),
        ("Local/s@load", ["${num}", "/n"]),
    ],
)
def test_trunk_warnings(dial_string: str, warned: list[str]) -> None:
    _, warnings = validate.check_trunk(replace(TRUNK, dial_string=dial_string))
    assert len(warnings) == len(warned)
    assert all(word in warning for word, warning in zip(warned, warnings, strict=True))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "end point name"),
        ({"extension": ""}, "extension"),
        ({"extension": "1 00"}, "blanks"),
        ({"context": ""}, "context"),
        ({"max_channels": 0}, "max channels"),
        ({"boost_factor": 0.0}, "boost factor 0: it must be above 0"),
        ({"boost_factor": -1.0}, "boost factor"),
        ({"boost_factor": float("nan")}, "boost factor"),
        ({"boost_factor": 1000.0}, "boost factor"),
        ({"max_waiting": -1}, "max waiting"),
        ({"wrap_up_s": -1}, "wrap-up"),
        ({"reverse": True}, "only a QUEUE"),
        ({"manual_preview": True}, "needs reverse"),
    ],
)
def test_end_points(fields: dict[str, Any], reason: str) -> None:
    wrong(validate.check_end_point, PHONE, reason, **fields)


def test_a_queue_may_be_reverse_with_preview() -> None:
    value = replace(QUEUE, reverse=True, manual_preview=True, boost_factor=0.5)
    assert validate.check_end_point(value) == (value, [])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "\t"}, "campaign name"),
        ({"priority": -1}, "priority"),
        ({"batch_size": 0}, "batch size"),
        ({"answer_timeout_ms": 0}, "answer timeout"),
        ({"forced_closure_s": -1}, "forced closure"),
        ({"dial_clid": "a\nb"}, "campaign dial clid"),
        ({"logging_alias": "x" * 81}, "logging alias"),
        ({"http_notify_url": "javascript:alert(1)"}, "must begin with http"),
        ({"http_notify_url": "http://"}, "must begin with http"),
        ({"notify_secret": Secret("x" * 1001)}, "notification secret"),
        ({"email_addresses": "a@b, nobody"}, "'nobody'"),
        ({"active_period": ActivePeriod(start_s=-1)}, "start of active period"),
        ({"active_period": ActivePeriod(end_s=86400)}, "end of active period"),
        ({"active_period": ActivePeriod(days="")}, "allowed days"),
        ({"active_period": ActivePeriod(days="0")}, "allowed days"),
        ({"active_period": ActivePeriod(days="128")}, "allowed days"),
        ({"active_period": ActivePeriod(zone="Europe/Atlantis")}, "IANA"),
        ({"active_period": ActivePeriod(zone="../../etc/passwd")}, "IANA"),
    ],
)
def test_campaigns(fields: dict[str, Any], reason: str) -> None:
    wrong(validate.check_campaign, CAMPAIGN, reason, **fields)


def test_campaigns_are_tidied() -> None:
    period = ActivePeriod(80000, 100, "7115", " Europe/Rome ")
    value = replace(CAMPAIGN, name=" c ", email_addresses=" a@b ,, c@d", active_period=period)
    tidy, warnings = validate.check_campaign(value)
    assert (tidy.name, tidy.email_addresses, warnings) == ("c", "a@b, c@d", [])
    assert tidy.active_period == ActivePeriod(80000, 100, "157", "Europe/Rome")


def test_a_secret_over_http_is_warned_of() -> None:
    _, warnings = validate.check_campaign(replace(CAMPAIGN, http_notify_url="http://x/", notify_secret=Secret("k")))
    assert len(warnings) == 1
    rule = RescheduleRule("RS_BLACKLIST", "", 2, 300)
    assert "RS_BLACKLIST" in validate.check_campaign(replace(CAMPAIGN, rules=(rule,)))[1][0]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "BUSY"}, "'BUSY': it must be one of .*RS_BUSY"),
        ({"max_attempts": 0}, "max attempts"),
        ({"retry_after_s": 0}, "retry after"),
        ({"extended_status": "x" * 81}, "extended status"),
    ],
)
def test_rules(fields: dict[str, Any], reason: str) -> None:
    wrong(validate.check_rule, RULE, reason, **fields)


def test_good_ones_come_back() -> None:
    assert validate.check_server(SERVER) == (SERVER, [])
    assert validate.check_trunk(replace(TRUNK, name=" t ")) == (TRUNK, [])
    assert validate.check_end_point(PHONE) == (PHONE, [])
    assert validate.check_list(CallList(None, " l ")) == (CallList(None, "l"), [])
    assert validate.check_rule(RULE) == RULE
    assert validate.check_record(Record(None, 1, " 5-5 ", {"A": "1"})) == (Record(None, 1, "55", {"A": "1"}), [])
    with pytest.raises(UserError, match="A: its value must not hold LF"):
        validate.check_record(Record(None, 1, "5", {}, {"A": "\n"}))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"variables": "WOMBATID:1"}, "set by the dialer itself"),
        ({"variables": "__WOMBAT_DIAL:SIP/1"}, "set by the dialer itself"),
        ({"variables": "SHELL(id):1"}, "letters, digits and _"),
        ({"variables": "___A:1"}, "up to two _ in front"),
        ({"variables": "A:1,A:2"}, "given twice"),
        ({"variables": "A"}, "must be NAME:value"),
        ({"variables": ",".join(f"A{n}:1" for n in range(17))}, "16 are allowed"),
        ({"variables": "A:" + "x" * 4000}, "4000 are allowed"),
        ({"logging_attributes": "A,B C"}, "attribute name 'B C'"),
        ({"boost": 0.0}, "boost 0: it must be above 0"),
        ({"boost": float("nan")}, "boost nan"),
    ],
)
def test_what_else_a_campaign_has(fields: dict[str, Any], reason: str) -> None:
    wrong(validate.check_campaign, CAMPAIGN, reason, **fields)


def test_logged_attributes_are_tidied() -> None:
    campaign, _ = validate.check_campaign(replace(CAMPAIGN, logging_attributes=" CITY, AGE,,CITY "))
    assert campaign.logging_attributes == "CITY,AGE"


@pytest.mark.parametrize(
    ("find", "replacement", "reason"),
    [
        ("(", "", "missing \\)"),
        ("a", r"\1", "invalid group reference"),
        ("(?P<x>a)", r"\g<y>", "unknown group name"),
        ("", "x", "needs a dial find"),
        ("(a+)+$", "", "none of a group"),
        ("(a|a){9}$", "", "none of a group"),
        (".*.*.*.*x", "", "at most 3 repeats"),
        ("a?a?a?a?", "", "at most 3 repeats"),
    ],
)
def test_rewriting_of_interfaces(find: str, replacement: str, reason: str) -> None:
    wrong(validate.check_end_point, QUEUE, reason, dial_find=find, dial_replace=replacement)


@pytest.mark.parametrize("find", [r"^Local/(\d+)@.*$", r"^(?:SIP|IAX2)/", r"\(\*\+\?x"])
def test_useful_rewriting_is_allowed(find: str) -> None:
    end_point = replace(QUEUE, reverse=True, dial_find=find, dial_replace="PJSIP/")
    assert validate.check_end_point(end_point) == (end_point, [])
    assert "off" in validate.check_end_point(replace(end_point, reverse=False))[1][0]


HOURS = OpeningHours(None, "office", rules=(OpeningRule(),))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"from_date": "2026-02-29"}, "no date"),
        ({"from_date": "02-30"}, "no date"),
        ({"from_date": "20260201"}, "no date"),
        ({"from_date": "2026-W05-1"}, "no date"),
        ({"to_date": "1-1"}, "no date"),
        ({"from_date": "2026-03-01", "to_date": "2026-02-01"}, "end is before the begin"),
        ({"from_date": "2026-03-01", "to_date": "04-01"}, "both with a year, or both without"),
        ({"days": ""}, "digits 1"),
        ({"days": "18"}, "digits 1"),
        ({"start_s": -1}, "start of opening rule 1"),
        ({"end_s": 86400}, "end of opening rule 1"),
        ({"comment": "x" * 81}, "80 are allowed"),
    ],
)
def test_opening_rules(fields: dict[str, Any], reason: str) -> None:
    rule = replace(HOURS.rules[0], **fields)
    wrong(validate.check_opening_hours, HOURS, reason, rules=(rule,))


def test_opening_hours_come_back_tidied() -> None:
    rules = (OpeningRule(False, " 02-29 ", "12-31", "7711"), OpeningRule(False, "12-24", "01-06"))
    hours, warnings = validate.check_opening_hours(replace(HOURS, name=" office ", rules=rules))
    assert hours == replace(HOURS, rules=(OpeningRule(False, "02-29", "12-31", "17"), rules[1]))
    assert not warnings
    assert validate.check_opening_hours(replace(hours, default_open=False))[1] == [
        "opening hours office: no rule opens them, so campaigns that keep to them never dial"
    ]
    wrong(validate.check_opening_hours, HOURS, "must not be empty", name=" ")


GET = DispositionRule(verb=DispositionVerb.HTTP_GET, destination="https://crm/x?n=${num}")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "BUSY"}, "must be \\* or one of"),
        ({"destination": ""}, "must not be empty"),
        ({"destination": "crm/x"}, "must begin with http"),
        ({"destination": "https://${HOST}/x"}, "host without"),
        ({"destination": "https://crm.${HOST}/x"}, "host without"),
        ({"destination": "https://crm/a b"}, "hold no blanks"),
        ({"delay_s": -1}, "disposition delay"),
        ({"extra": "A"}, "must be NAME:value"),
        ({"text": "a\x00"}, "control characters"),
        ({"verb": DispositionVerb.EMAIL, "destination": ""}, "needs addresses"),
        ({"verb": DispositionVerb.EMAIL, "destination": "${MAIL}, no"}, "e-mail address 'no'"),
        ({"verb": DispositionVerb.ADD_LIST, "destination": " "}, "disposition list"),
        ({"verb": DispositionVerb.BLACK_LIST, "destination": "x" * 81}, "80 are allowed"),
        ({"verb": DispositionVerb.RESCHEDULE, "destination": ""}, "disposition campaign"),
    ],
)
def test_dispositions(fields: dict[str, Any], reason: str) -> None:
    wrong(validate.check_disposition, GET, reason, **fields)


def test_good_dispositions() -> None:
    assert validate.check_disposition(replace(GET, extended_status=" X ", text="a\nb")) == replace(
        GET, extended_status="X", text="a\nb"
    )
    for verb, destination in (("EMAIL", "a@b.c, ${MAIL}"), ("ADD_LIST", "later ${CITY}"), ("NONE", "")):
        rule = replace(GET, verb=DispositionVerb(verb), destination=destination)
        assert validate.check_disposition(rule) == rule
