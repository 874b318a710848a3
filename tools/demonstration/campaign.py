"""What the demonstration dials: the manual's getting-started campaign, over a simulated network that behaves by number.

The numbers' digits say how the network treats them (asterisk_conf/extensions.d/simulated-network.conf), so how each
record must end can be told beforehand, and is checked afterwards.
"""

from dataclasses import dataclass

CAMPAIGN = "TestCampaign"
LIST = "TestList"
ANSWER_TIMEOUT_S = 5
RULES = {"RS_REJECTED": 2, "RS_BUSY": 2, "RS_NOANSWER": 1}  #: status -> max attempts
RETRY_AFTER_S = {"RS_REJECTED": 6, "RS_BUSY": 5, "RS_NOANSWER": 4}

PEOPLE = (
    "Ada,Bea,Carl,Dora,Emil,Fay,Gus,Hana,Ivo,Jana,Karl,Lea,Max,Nina,Otto,Pia,Quin,Rosa,Sam,Tea,Udo,Vera,Walt,Xena,"
    "Yann,Zoe,Amir,Bora,Chen,Dina,Eli,Fumi,Gael,Hugo,Inga,Joy,Kofi,Luz,Mona,Nils,Olga,Per"
).split(",")


@dataclass(frozen=True, slots=True)
class Kind:
    """Numbers that behave alike: the digits after 555, how they must end, after how many attempts."""

    title: str
    digits: tuple[str, ...]
    outcome: str
    attempts: int
    status: str = ""


def _tries(status: str) -> int:
    return RULES[status] + 1


KINDS = (
    Kind("answer and hear the message", tuple(f"1{ring:02}00" for ring in range(8, 36, 2))[:12], "TERMINATED", 1, "1"),
    Kind("answer and hang up early", ("11005", "11806", "12405", "13106"), "TERMINATED", 1),
    Kind("busy", ("20800", "21200", "21500", "20900", "21800"), "RS_BUSY", _tries("RS_BUSY")),
    Kind("busy at first, answer later", ("70900", "71400", "72000", "71100"), "TERMINATED", 2, "1"),
    Kind("never answer", ("30000", "30001", "30002", "30003"), "RS_NOANSWER", _tries("RS_NOANSWER")),
    Kind("away at first, answer later", ("81500", "82100", "81200"), "TERMINATED", 2, "1"),
    Kind("do not exist", ("40500", "40900", "40700", "40600"), "RS_NUMBER", 1),
    Kind("behind a congested network", ("50600", "50800", "51000"), "RS_REJECTED", _tries("RS_REJECTED")),
    Kind("refuse the call", ("60700", "61100", "60900"), "RS_REJECTED", _tries("RS_REJECTED")),
)  # fmt: skip


def records() -> list[tuple[str, Kind]]:
    """(number, kind) of each record, the kinds mixed as in life; a serial behind the digits makes each unique."""
    numbers = [(f"555{digits}", kind) for kind in KINDS for digits in kind.digits]
    mixed = [numbers[index] for index in sorted(range(len(numbers)), key=lambda index: (index * 17) % len(numbers))]
    return [(f"{number}{serial:02}", kind) for serial, (number, kind) in enumerate(mixed, 1)]


def list_text() -> str:
    """The list in native format: a number and a name on each line."""
    return "".join(f"{number},NAME:{name}\n" for (number, _), name in zip(records(), PEOPLE * 2, strict=False))


def plan_text(*, port: int, login: str, password: str) -> str:
    """The plan that ``wombat-ari apply`` takes: one server, trunk, end point, list and the campaign with its rules."""
    rules = "\n".join(
        f'  [[campaign.rule]]\n  status = "{status}"\n  max_attempts = {RULES[status]}\n  retry_after_s = {wait}'
        for status, wait in RETRY_AFTER_S.items()
    )
    return f"""\
[[server]]
name = "pbx"
address = "127.0.0.1"
port = {port}
login = "{login}"
password = "{password}"

[[trunk]]
name = "Trunk"
server = "pbx"
dial_string = "Local/${{num}}@simulated-network/n"
capacity = 10

[[end_point]]
name = "Message"
server = "pbx"
type = "PHONE"
extension = "100"
context = "simulated-endpoints"
max_channels = 10

[[list]]
name = "{LIST}"

[[campaign]]
name = "{CAMPAIGN}"
trunks = ["Trunk"]
end_points = ["Message"]
lists = ["{LIST}"]
answer_timeout_ms = {ANSWER_TIMEOUT_S * 1000}
dial_clid = "Wombat <5550000>"
{rules}
"""


def faults(attempts: list[dict[str, str | int]]) -> list[str]:
    """What did not end as it must, in words; empty when all is well. ``attempts``: rows of the call log."""
    by_number: dict[str, list[dict[str, str | int]]] = {}
    for attempt in attempts:
        by_number.setdefault(str(attempt["number"]), []).append(attempt)
    wrong = []
    for number, kind in records():
        mine = sorted(by_number.pop(number, []), key=lambda attempt: int(attempt["retry"]))
        if len(mine) != kind.attempts:
            wrong.append(f"{number} ({kind.title}): {len(mine)} attempts, must be {kind.attempts}")
        elif mine[-1]["outcome"] != kind.outcome or mine[-1]["extended_status"] != kind.status:
            ended = f"{mine[-1]['outcome']} {mine[-1]['extended_status']}"
            wrong.append(f"{number} ({kind.title}): ended {ended}, must be {kind.outcome} {kind.status}")
    wrong += [f"{number}: dialled, but on no list" for number in by_number]
    return wrong
