"""A call centre at work: a private Asterisk with agents, a console and a dialer, a run that is over, others go on."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.demonstration import campaign as shown
from tools.demonstration import keeper, show
from wombat_ari.model.admin import User
from wombat_ari.store import users
from wombat_ari.store.database import Database, open_database

PASSWORD = "for the picture"
AGENTS = ("Anna", "Bruno", "Carla", "Diego", "Elena")
#: lists: name -> numbers as the simulated network knows them (docs/asterisk.md), most of them answer
CUSTOMERS = [f"555{kind}{ring}00{serial:03}" for serial, (kind, ring) in enumerate(
    [("1", "20"), ("1", "35"), ("2", "18"), ("1", "28"), ("3", "00"), ("1", "45"), ("7", "12"), ("1", "15")] * 60
)]  # fmt: skip
PANEL = [f"5551{ring:02}00{serial:03}" for serial, ring in enumerate(list(range(10, 60, 3)) * 12)]
RENEWALS = [f"5558{ring:02}50{serial:03}" for serial, ring in enumerate(list(range(10, 50, 5)) * 10)]


@dataclass(frozen=True)
class Stage:
    """``login`` may do everything; ``agent`` previews."""

    address: str
    login: str
    about: dict[str, Any]
    database: Database


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """All of it, as it is some moments after the calls have begun; ended with the context."""
    about = show._begin(folder)
    try:
        state = folder / "state"
        database = open_database(f"sqlite:///{state / 'wombat.db'}", key_file=state / "secret.key")
        _set_up(folder, about, database)
        yield Stage(about["console"].rstrip("/"), "carol", about, database)
        database.close()
    finally:
        keeper.stop(folder)


def _set_up(folder: Path, about: dict[str, Any], database: Database) -> None:
    plan = folder / "plan.toml"
    plan.write_text(_plan(about), encoding="utf-8")
    show._wombat(about, "apply", str(plan), capture=True)
    for name, text in _lists().items():
        file = folder / "numbers.txt"
        file.write_text(text, encoding="utf-8")
        show._wombat(about, "import", name, str(file), capture=True)
    _people(database)
    _agents(about)
    show._wombat(about, "run", shown.CAMPAIGN, capture=True)  # until it is over
    for name in ("Spring offer", "Customer survey", "Renewals"):
        show._wombat(about, "run", name, "--no-watch", capture=True)
    time.sleep(8)


def _people(database: Database) -> None:
    now = time.time()
    users.create_admin(database, PASSWORD, now=now, login="carol")
    classes = {one.name: one.id for one in users.list_classes(database)}
    for login, real_name, of, token in (
        ("carol", "Carol Mendes", "ADMIN", ""), ("sara", "Sara Lind", "SUPERVISOR", ""),
        ("tom", "Tom Okafor", "SUPERVISOR", ""), ("anna", "Anna Rossi", "AGENT", "SIP/201"),
        ("crm", "CRM", "ROBOT", ""),
    ):  # fmt: skip
        known = {one.login: one for one in users.list_users(database)}.get(login)
        user = User(known.id if known else None, login, real_name, class_id=classes[of], token=token,
                    master=login == "carol")  # fmt: skip
        users.save_user(database, user, by="carol", now=now)


def _agents(about: dict[str, Any]) -> None:
    """Log them on to the queue 999: they ring a second or two and talk some seconds."""
    with socket.create_connection(("127.0.0.1", about["ami_port"]), timeout=5) as link:
        actions = [{"Action": "Login", "Username": about["login"], "Secret": about["secret"], "Events": "off"}]
        actions += [
            {
                "Action": "QueueAdd", "Queue": "999", "Interface": f"Local/{place:02}1390@simulated-agents/n",
                "MemberName": name, "StateInterface": f"Custom:agent{place:02}",
            }
            for place, name in enumerate(AGENTS, 1)
        ]  # fmt: skip
        for action in actions:
            text = "".join(f"{name}: {value}\r\n" for name, value in action.items())
            link.sendall(f"{text}\r\n".encode())
        link.settimeout(2)
        answered = b""
        while answered.count(b"Response:") < len(actions):
            answered += link.recv(65536)


def _lists() -> dict[str, str]:
    people = shown.PEOPLE

    def named(numbers: list[str]) -> str:
        return "".join(f"{number},NAME:{people[place % len(people)]}\n" for place, number in enumerate(numbers))

    return {
        shown.LIST: shown.list_text(), "Customers": named(CUSTOMERS), "Panel": named(PANEL),
        "Contracts that end": named(RENEWALS), "Do not call": "5559990001\n5559990002\n5559990003\n",
    }  # fmt: skip


def _plan(about: dict[str, Any]) -> str:
    """The demonstration's, and what goes on at the same time."""
    base = shown.plan_text(port=about["ami_port"], login=about["login"], password=about["secret"])
    lists = "".join(f'[[list]]\nname = "{name}"\n' for name in _lists() if name != shown.LIST)
    return (
        base
        + lists
        + """
[[trunk]]
name = "Carrier A"
server = "pbx"
dial_string = "Local/${num}@simulated-network/n"
capacity = 14

[[trunk]]
name = "Carrier B"
server = "pbx"
dial_string = "Local/${num}@simulated-network/n"
capacity = 8

[[end_point]]
name = "999"
server = "pbx"
type = "QUEUE"
extension = "999"
context = "simulated-endpoints"
max_channels = 30
boost_factor = 1.5
description = "Sales agents"

[[end_point]]
name = "Survey IVR"
server = "pbx"
type = "PHONE"
extension = "990"
context = "simulated-endpoints"
max_channels = 6
description = "Two questions, then good-bye"

[[opening_hours]]
name = "Office"
comment = "When people may be called"

  [[opening_hours.rule]]
  from_date = "12-25"
  to_date = "12-26"
  open = false
  comment = "Christmas"

[[campaign]]
name = "Spring offer"
trunks = ["Carrier A"]
end_points = ["999"]
lists = ["Customers"]
black_lists = ["Do not call"]
priority = 5
answer_timeout_ms = 12000
dial_clid = "ACME <5550000>"
opening_hours = ["Office"]

  [[campaign.rule]]
  status = "RS_BUSY"
  max_attempts = 3
  retry_after_s = 300

  [[campaign.rule]]
  status = "RS_NOANSWER"
  max_attempts = 2
  retry_after_s = 3600

[[campaign]]
name = "Customer survey"
trunks = ["Carrier B"]
end_points = ["Survey IVR"]
lists = ["Panel"]

[[campaign]]
name = "Renewals"
trunks = ["Carrier B"]
end_points = ["Message"]
lists = ["Contracts that end"]
idles_on_termination = true
priority = 20

[[campaign]]
name = "Summer offer"
trunks = ["Carrier A", "Carrier B"]
end_points = ["999"]
lists = ["Customers"]
"""
    )
