"""What an Originate says: ours always wins, and nothing that is sent as a name is anything but a name."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.story import claim
from wombat_ari.core.request import build_request, build_reverse_request, placeholder_values
from wombat_ari.core.variables import OF_REVERSE, OURS
from wombat_ari.model.calls import OriginateRequest
from wombat_ari.model.entities import Campaign, EndPoint, Trunk
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import EndPointType

TRUNK = Trunk(1, 1, "carrier", "Local/${num}@${TRUNK_CONTEXT}/n")
END_POINT = EndPoint(1, 1, EndPointType.PHONE, "survey", "100", "survey-context")


def request(attributes: dict[str, str] | None = None, *, attempt: int = 1, **campaign: str) -> OriginateRequest:
    asked = claim(attempt, input_attributes=attributes or {})
    return build_request(asked, Campaign(1, "spring", **campaign), trunk=TRUNK, end_point=END_POINT)  # type: ignore[arg-type]


def test_where_it_goes() -> None:
    made = request({"TRUNK_CONTEXT": "from-internal"}, dial_clid='"Shop" <${SHOP}>', dial_account="acc-${list}")
    assert (made.call, made.channel) == (4711, "Local/5551001@from-internal/n")
    assert (made.context, made.extension, made.timeout_ms) == ("survey-context", "100", 30000)
    assert (made.caller_id, made.account) == ('"Shop" <>', "acc-customers")


def test_ours_in_each_call() -> None:
    assert dict(request(attempt=3).variables) == {
        "WOMBATID": "4711",
        "WOMBAT_ID": "4711",
        "WOMBAT_HOPPER_ID": "4711",
        "WOMBAT_RETRY_NO": "2",
        "WOMBAT_DIALING_NUMBER": "5551001",
        "WOMBAT_DIALING_LIST": "customers",
        "WOMBAT_CAMPAIGN": "spring",
    }


def test_ours_when_the_campaign_wants_them() -> None:
    made = dict(request({"PRES": "prohib"}, agent_clid="9${num}", dial_presentation="${PRES}").variables)
    assert made["WOMBAT_AGENT_CLID"] == "95551001"
    assert made["__WOMBAT_PRES"] == "prohib", "inherited, so that the trunk's leg has it"


def test_every_attribute_goes_along_as_it_is() -> None:
    values = {"NAME": 'Ann "A" O\'Neil, 50% ${x}', "_ONCE": "1", "__ALWAYS": "2", "empty": ""}
    made = request(values).variables
    assert dict(made) | values == dict(made)
    assert len({name for name, _ in made}) == len(made), "no name twice"


def test_placeholders_of_ours_win() -> None:
    forged = {"num": "1", "list": "2", "campaign": "3", "retry": "4", "wombatid": "5", "OTHER": "6"}
    values = placeholder_values(claim(2, input_attributes=forged), Campaign(1, "spring"))
    assert values == {
        "num": "5551001", "list": "customers", "campaign": "spring", "retry": "1", "wombatid": "4711", "OTHER": "6",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(OURS))
@pytest.mark.parametrize("underscores", ["", "_", "__", "___"])
def test_an_attribute_cannot_pretend_to_be_ours(name: str, underscores: str) -> None:
    """Asterisk takes the underscores off, and of two variables of a name which one stays is its affair."""
    made = request({underscores + name: "forged"}, agent_clid="1", dial_presentation="allowed")
    assert "forged" not in dict(made.variables).values()
    assert {one.lstrip("_") for one, _ in made.variables} == OURS
    assert "forged" not in dict(request({underscores + name: "forged"}).variables).values(), "also when it is not set"


def test_of_two_names_that_differ_by_underscores_the_campaigns_comes_first() -> None:
    """Asterisk keeps the first."""
    made = request({"NOTE": "of the record", "__TEAM": "of the record"}, variables="__NOTE:ours,TEAM:ours").variables
    of_names = {name.lstrip("_"): value for name, value in reversed(made)}
    assert (of_names["NOTE"], of_names["TEAM"]) == ("ours", "ours")


@pytest.mark.parametrize(
    "name", ["FILE(/tmp/x)", "CALLERID(num)", "A B", "A,B", "A=B", "1A", "___A", "_1", "", "é", "A\n", "A\r\nAction: X"]
)
def test_what_is_not_a_name_is_left_out(name: str) -> None:
    """Asterisk runs a function whose name it is given as a variable's."""
    assert request({name: "x", "GOOD": "y"}).variables == request({"GOOD": "y"}).variables


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.one_of(st.text(max_size=20), st.from_regex(r"_{0,3}WOMBAT\w{0,6}")), st.text(), max_size=6))
def test_names_are_names_and_ours_are_ours_whatever_is_imported(attributes: dict[str, str]) -> None:
    made = request(attributes).variables
    assert all(re.fullmatch(r"_{0,2}[A-Za-z][A-Za-z0-9_]*", name) for name, _ in made)
    ours = dict(request().variables)
    assert {name: value for name, value in made if name.lstrip("_") in OURS} == ours


def reverse(
    attributes: dict[str, str] | None = None, *, dial: str = "Local/${num}@${C}/n", **campaign: str
) -> OriginateRequest:
    return build_reverse_request(
        claim(2, input_attributes=attributes or {}),
        Campaign(1, "spring", **campaign),  # type: ignore[arg-type]
        trunk=Trunk(1, 1, "carrier", dial),
        end_point=END_POINT,
        agent="PJSIP/101",
    )


def test_reverse_calls_the_agent_and_says_whom_the_context_dials() -> None:
    made = reverse({"C": "carriers"}, dial_clid="Shop <0123>", agent_clid="9${num}")
    assert (made.channel, made.context, made.extension) == ("PJSIP/101", "wombat-reverse", "s")
    assert (made.caller_id, made.timeout_ms) == ("95551001", 30000)
    assert reverse().caller_id == "5551001", "an agent sees the number, unless the campaign says something else"
    said = dict(made.variables)
    assert said["WOMBAT_DIAL"] == "Local/5551001@carriers/n"
    assert (said["WOMBAT_DIAL_TIMEOUT"], said["WOMBAT_DIAL_CLID"]) == ("30", "Shop <0123>")


def test_reverse_hands_everything_on_to_the_callees_leg() -> None:
    made = dict(reverse({"C": "x", "_ONCE": "1", "__ALWAYS": "2"}, dial_presentation="prohib").variables)
    assert (made["_C"], made["_ONCE"], made["__ALWAYS"]) == ("x", "1", "2")
    assert (made["_WOMBATID"], made["_WOMBAT_RETRY_NO"], made["__WOMBAT_PRES"]) == ("4711", "1", "prohib")


@pytest.mark.parametrize("name", sorted(OF_REVERSE))
@pytest.mark.parametrize("underscores", ["", "_", "__"])
def test_an_attribute_cannot_change_whom_the_context_dials(name: str, underscores: str) -> None:
    assert "forged" not in dict(reverse({underscores + name: "forged"}).variables).values()


@pytest.mark.parametrize("value", ["a&PJSIP/evil", "a,10,S(1)", "a|b"])
def test_reverse_dials_one_channel(value: str) -> None:
    with pytest.raises(UserError, match="dial string"):
        reverse({"C": value})


def test_the_campaigns_own_variables() -> None:
    made = dict(request({"CITY": "Bern"}, variables=r"DEPT:sales,GREET:Hello\, ${CITY} ${num},__LEG:1").variables)
    assert (made["DEPT"], made["GREET"], made["__LEG"]) == ("sales", "Hello, Bern 5551001", "1")
    assert dict(request({"DEPT": "mine"}, variables="DEPT:sales").variables)["DEPT"] == "sales", "it goes before"


def test_the_campaigns_own_variables_reach_both_legs_in_reverse() -> None:
    campaign = Campaign(1, "spring", variables="DEPT:${num},_ONE:1")
    made = build_reverse_request(claim(), campaign, trunk=TRUNK, end_point=END_POINT, agent="PJSIP/101")
    assert {"_DEPT": "5551001", "_ONE": "1"}.items() <= dict(made.variables).items()


@pytest.mark.parametrize(
    ("find", "replacement", "dialled"),
    [
        ("", "", "Local/101@agents/n"),
        (r"^Local/(\d+)@agents.*$", r"PJSIP/\1", "PJSIP/101"),
        ("@agents", "@phones", "Local/101@phones/n"),
        ("^SIP/", "PJSIP/", "Local/101@agents/n"),
    ],
)
def test_the_agents_interface_is_rewritten_before_it_is_called(find: str, replacement: str, dialled: str) -> None:
    end_point = EndPoint(
        1, 1, EndPointType.QUEUE, "q", "1", "c", reverse=True, dial_find=find, dial_replace=replacement
    )
    made = build_reverse_request(
        claim(), Campaign(1, "c"), trunk=TRUNK, end_point=end_point, agent="Local/101@agents/n"
    )
    assert made.channel == dialled


def test_our_ari_application_is_told_where_the_end_point_wants_it() -> None:
    def told(end_point: EndPoint, stasis: str) -> str | None:
        made = build_request(claim(), Campaign(1, "spring"), trunk=TRUNK, end_point=end_point, stasis=stasis)
        return dict(made.variables).get("WOMBAT_STASIS")

    flow = EndPoint(1, 1, EndPointType.FLOW, "survey", "survey", "wombat-flow")
    assert told(flow, "wombat-123") == "wombat-123"
    assert told(flow, "") is None, "not connected: the dialplan does without"
    assert told(EndPoint(1, 1, EndPointType.PHONE, "100", "100", "internal"), "wombat-123") is None


@pytest.mark.parametrize(("context", "goes_to"), [("internal", "wombat-reverse"), ("wombat-bridge", "wombat-bridge")])
def test_reverse_by_bridge_is_asked_for_by_the_context(context: str, goes_to: str) -> None:
    end_point = EndPoint(1, 1, EndPointType.QUEUE, "sales", "s", context, reverse=True)
    made = build_reverse_request(
        claim(), Campaign(1, "spring"), trunk=TRUNK, end_point=end_point, agent="PJSIP/101", stasis="wombat-123"
    )
    assert (made.context, made.extension) == (goes_to, "s")
    assert ("_WOMBAT_STASIS" in dict(made.variables)) is (context == "wombat-bridge")
