"""Plan files: what they make; a second time changes nothing; a mistake names the thing and writes nothing."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wombat_ari.app.plan import Done, apply_plan, read_plan
from wombat_ari.app.service.caller import Caller, machine_caller
from wombat_ari.model.admin import Keyring
from wombat_ari.model.entities import OpeningRule
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.states import ListUse, RetryMode
from wombat_ari.store import campaigns, entities, migrations, opening_hours, syslog
from wombat_ari.store.database import Database, open_database

PLAN = """\
[[server]]
name = "pbx"
address = "127.0.0.1"
port = 5039
login = "wombat"
password = "amp111"

[[trunk]]
name = "Trunk"
dial_string = "PJSIP/${num}@carrier"
capacity = 10

[[end_point]]
name = "Message"
server = "pbx"
type = "PHONE"
extension = "100"
context = "ivr"

[[list]]
name = "People"

[[list]]
name = "Never"

[[campaign]]
name = "Sales"
trunks = ["Trunk"]
end_points = ["Message"]
lists = ["People"]
black_lists = ["Never"]
answer_timeout_ms = 20000
active_from = "08:30"
active_to = 18:00:30
allowed_days = "23456"
time_zone = "Europe/Rome"

  [[campaign.rule]]
  status = "RS_BUSY"
  max_attempts = 3
  retry_after_s = 300
  mode = "MULTI"
"""
TABLES = ("asterisk_server", "trunk", "end_point", "call_list", "campaign", "reschedule_rule", "audit", "system_log")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'w.db'}", key_file=tmp_path / "key")
    migrations.migrate(database, now=1.0)
    yield database
    database.close()


def _apply(database: Database, folder: Path, text: str) -> list[Done]:
    file = folder / "plan.toml"
    file.write_text(text, encoding="utf-8")
    return apply_plan(machine_caller("tester", at=time.time()), database, read_plan(file))


def _counts(database: Database) -> dict[str, int]:
    with database.transaction(write=False) as tx:
        return {table: tx.value(f"SELECT COUNT(*) FROM {table}") for table in TABLES}


def _said(done: list[Done]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.what) for one in done]


def test_everything_is_made(database: Database, tmp_path: Path) -> None:
    done = _apply(database, tmp_path, PLAN)
    assert _said(done) == [
        ("server", "pbx", "made"),
        ("trunk", "Trunk", "made"),
        ("end point", "Message", "made"),
        ("list", "People", "made"),
        ("list", "Never", "made"),
        ("campaign", "Sales", "made"),
    ]
    (server,) = entities.list_servers(database)
    assert (server.port, server.password.reveal()) == (5039, "amp111")
    sales = campaigns.load_campaign(database, "Sales")
    assert sales.trunk_ids == tuple(trunk.id for trunk in entities.list_trunks(database))
    assert sales.end_point_ids == tuple(end_point.id for end_point in entities.list_end_points(database))
    assert [(item.name, item.use) for item in sales.lists] == [("People", ListUse.NORMAL), ("Never", ListUse.BLACK)]
    assert [(rule.status, rule.max_attempts, rule.mode) for rule in sales.rules] == [("RS_BUSY", 3, RetryMode.MULTI)]
    period = sales.active_period
    assert (period.start_s, period.end_s, period.days, period.zone) == (30600, 64830, "23456", "Europe/Rome")


def test_a_second_time_nothing_changes(database: Database, tmp_path: Path) -> None:
    _apply(database, tmp_path, PLAN)
    before, sales = _counts(database), campaigns.load_campaign(database, "Sales")
    assert {what for _, _, what in _said(_apply(database, tmp_path, PLAN))} == {"unchanged"}
    assert _counts(database) == before
    assert campaigns.load_campaign(database, "Sales") == sales


def test_what_was_done_is_in_the_system_log(database: Database, tmp_path: Path) -> None:
    _apply(database, tmp_path, PLAN)
    _apply(database, tmp_path, PLAN.replace("capacity = 10", "capacity = 12"))
    lines = [(line.user, line.action, line.object) for _, line in reversed(syslog.page(database))]
    assert lines[0] == ("tester", "server made", "pbx")
    assert lines[6:] == [("tester", "trunk changed", "Trunk")]


def test_a_plan_is_for_who_holds_all_keys(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(PLAN, encoding="utf-8")
    before = _counts(database)
    keys = frozenset({"USER", "ADMIN", "LISTS", "CAMPAIGNS"})
    with pytest.raises(UserError, match="only a master"):
        apply_plan(Caller("some", Keyring("some", False, keys), 1.0), database, read_plan(file))
    assert _counts(database) == before


def test_only_what_differs_is_changed(database: Database, tmp_path: Path) -> None:
    _apply(database, tmp_path, PLAN)
    done = _apply(database, tmp_path, PLAN.replace("capacity = 10", "capacity = 12").replace("amp111", "amp222"))
    assert {name for _, name, what in _said(done) if what != "unchanged"} == {"pbx", "Trunk"}
    assert entities.list_servers(database)[0].password.reveal() == "amp222"
    assert entities.list_trunks(database)[0].capacity == 12


def test_what_is_not_named_stays(database: Database, tmp_path: Path) -> None:
    _apply(database, tmp_path, PLAN)
    _apply(database, tmp_path, '[[campaign]]\nname = "Sales"\npriority = 3\n')
    sales = campaigns.load_campaign(database, "Sales")
    assert (sales.priority, sales.answer_timeout_ms, len(sales.lists), len(sales.rules)) == (3, 20000, 2, 1)
    assert sales.active_period.zone == "Europe/Rome"


def test_rules_and_lists_are_replaced_as_a_whole(database: Database, tmp_path: Path) -> None:
    _apply(database, tmp_path, PLAN)
    rule = '[[campaign.rule]]\nstatus = "RS_NOANSWER"\nretry_after_s = 5\n'
    text = f'[[campaign]]\nname = "Sales"\nlists = ["Never"]\n{rule}'
    done = _apply(database, tmp_path, text)
    assert _said(done) == [("campaign", "Sales", "changed")]
    sales = campaigns.load_campaign(database, "Sales")
    assert [(item.name, item.use) for item in sales.lists] == [("Never", ListUse.NORMAL)]
    assert [rule.status for rule in sales.rules] == ["RS_NOANSWER"]


def test_names_of_things_that_exist_already_may_be_used(database: Database, tmp_path: Path) -> None:
    _apply(database, tmp_path, PLAN)
    text = '[[campaign]]\nname = "Other"\ntrunks = ["Trunk"]\nend_points = ["Message"]\nlists = ["People"]\n'
    assert _said(_apply(database, tmp_path, text)) == [("campaign", "Other", "made")]


def test_warnings_are_handed_on(database: Database, tmp_path: Path) -> None:
    done = _apply(database, tmp_path, PLAN.replace("PJSIP/${num}@carrier", "Local/${num}@trunk"))
    assert any("should end in /n" in warning for one in done for warning in one.warnings)


MORE = """
[[opening_hours]]
name = "office"
comment = "all of us"
default_open = false

  [[opening_hours.rule]]
  open = false
  from_date = "12-24"
  to_date = "01-06"

  [[opening_hours.rule]]
  from_date = 2026-01-01
  days = "23456"
  from_time = 08:30:00
  to_time = "17:00"

[[campaign]]
name = "Sales"
opening_hours = ["office"]
logging_attributes = "CITY"
variables = "DEPT:sales,GREET:Hello ${NAME}"
boost = 2
starts_paused = true

  [[campaign.disposition]]
  status = "TERMINATED"
  extended_status = "SALE"
  verb = "HTTP_POST"
  destination = "https://crm.example.com/sale"
  text = '{"number": "${num}"}'

  [[campaign.disposition]]
  verb = "ADD_LIST"
  destination = "Later"
  attributes = "INPUT"
  delay_s = 60
"""


def test_opening_hours_dispositions_and_what_else_a_campaign_has(database: Database, tmp_path: Path) -> None:
    assert _said(
        _apply(database, tmp_path, PLAN + MORE.replace('[[campaign]]\nname = "Sales"', '[[campaign]]\nname = "S2"'))
    )[-2:] == [
        ("campaign", "Sales", "made"),
        ("campaign", "S2", "made"),
    ]
    (office,) = opening_hours.list_opening_hours(database)
    assert (office.name, office.comment, office.default_open) == ("office", "all of us", False)
    assert office.rules == (
        OpeningRule(False, "12-24", "01-06"),
        OpeningRule(True, "2026-01-01", days="23456", start_s=30600, end_s=61200),
    )
    made = campaigns.load_campaign(database, "S2")
    assert made.opening_hours_ids == (office.id,)
    assert (made.logging_attributes, made.boost, made.starts_paused) == ("CITY", 2.0, True)
    assert made.variables == "DEPT:sales,GREET:Hello ${NAME}"
    assert [(rule.status, rule.verb, rule.delay_s, rule.attributes) for rule in made.dispositions] == [
        ("TERMINATED", "HTTP_POST", 0, "ALL"),
        ("*", "ADD_LIST", 60, "INPUT"),
    ]
    changed = _apply(database, tmp_path, MORE)
    assert _said(changed) == [("opening hours", "office", "unchanged"), ("campaign", "Sales", "changed")]
    assert campaigns.load_campaign(database, "Sales").opening_hours_ids == (office.id,)
    before = _counts(database)
    assert {one.what for one in _apply(database, tmp_path, MORE)} == {"unchanged"}
    fewer = '[[opening_hours]]\nname = "office"\nrule = []\n[[campaign]]\nname = "Sales"\ndisposition = []\n'
    done = _apply(database, tmp_path, fewer)
    assert [one.what for one in done] == ["changed", "changed"]
    assert "never dial" in done[0].warnings[0]
    assert opening_hours.load_opening_hours(database, "office").rules == ()
    assert campaigns.load_campaign(database, "Sales").dispositions == ()
    assert _counts(database)["audit"] == before["audit"] + 2


MISTAKES = {
    "wrong days": ('[[campaign]]\nname = "Two"\nallowed_days = "89"\n', ["campaign 'Two': allowed days '89'"]),
    "unknown outcome": (
        '[[campaign]]\nname = "Two"\n[[campaign.rule]]\nstatus = "RS_FOO"\n',
        ["campaign 'Two'", "reschedule rule status 'RS_FOO'"],
    ),
    "a list twice": ('[[campaign]]\nname = "Two"\nlists = ["People", "People"]\n', ["'Two': lists has 'People' twice"]),
    "unknown table": ("[[severs]]\n", ["unknown table 'severs'", "did you mean 'server'"]),
    "a table that is none": ("[[campaign]]\nname = 'c'\n[[campaign.rule]]\nstatus = []\n", ["'c'", "rule"]),
    "server that is no name": ('[[trunk]]\nname = "t"\nserver = ["pbx"]\n', ["trunk 't'", "no server ['pbx']"]),
    "list of numbers": ("[[campaign]]\nname = 'c'\nlists = [1]\n", ["campaign 'c'", "lists is [1]", "list of names"]),
    "not TOML": ("[[server]\n", ["is not valid TOML"]),
    "no name": ("[[trunk]]\ncapacity = 1\n", ["a trunk has no name"]),
    "blank name": ('[[list]]\nname = " "\n', ["a list has no name"]),
    "name that is a number": ("[[list]]\nname = 5\n", ["a list has no name"]),
    "unknown key": (
        '[[list]]\nname = "x"\nhiden = true\n',
        ["list 'x'", "unknown key 'hiden'", "did you mean 'hidden'"],
    ),
    "an id": ('[[list]]\nname = "x"\nid = 7\n', ["list 'x'", "unknown key 'id'"]),
    "wrong type": ('[[trunk]]\nname = "t"\ncapacity = "2"\n', ["trunk 't': capacity is '2'", "a whole number"]),
    "yes or no for a number": ('[[trunk]]\nname = "t"\ncapacity = true\n', ["trunk 't': capacity is True"]),
    "wrong word": ('[[end_point]]\nname = "e"\ntype = "FAX"\n', ["end_point 'e': type is 'FAX'", "PHONE, QUEUE"]),
    "wrong value": (
        '[[trunk]]\nname = "t"\ndial_string = "PJSIP/${num}"\ncapacity = 0\n',
        ["trunk capacity 0", "from 1 to 1000000"],
    ),
    "no such server": ('[[trunk]]\nname = "t"\nserver = "pbx2"\n', ["trunk 't'", "no server 'pbx2'", "mean 'pbx'"]),
    "no such trunk": ('[[campaign]]\nname = "c"\ntrunks = ["Trnk"]\n', ["campaign 'c'", "no trunk 'Trnk'", "'Trunk'"]),
    "no such end point": ('[[campaign]]\nname = "c"\nend_points = ["M"]\n', ["campaign 'c'", "no end point 'M'"]),
    "no such list": ('[[campaign]]\nname = "c"\nlists = ["Peple"]\n', ["campaign 'c'", "no list 'Peple'", "'People'"]),
    "no such black list": ('[[campaign]]\nname = "c"\nblack_lists = ["N"]\n', ["campaign 'c'", "no list 'N'"]),
    "time of day": ('[[campaign]]\nname = "c"\nactive_from = "25:00"\n', ["campaign 'c'", "'25:00' is no time of day"]),
    "time that is no time": ('[[campaign]]\nname = "c"\nactive_to = "noon"\n', ["campaign 'c'", "'noon'", "HH:MM:SS"]),
    "time of one number": ("[[campaign]]\nname = 'c'\nactive_to = 8\n", ["campaign 'c'", "8 is no time of day"]),
    "days": ("[[campaign]]\nname = 'c'\nallowed_days = '8'\n", ["allowed days '8'"]),
    "days as a number": ("[[campaign]]\nname = 'c'\nallowed_days = 23456\n", ["campaign 'c': allowed_days", "a text"]),
    "zone": ("[[campaign]]\nname = 'c'\ntime_zone = 'Mars'\n", ["time zone 'Mars'", "IANA"]),
    "rule without status": ("[[campaign]]\nname = 'c'\n[[campaign.rule]]\nmax_attempts = 1\n", ["'c'", "no status"]),
    "rule status": (
        "[[campaign]]\nname = 'c'\n[[campaign.rule]]\nstatus = 'BUSY'\nretry_after_s = 1\n",
        ["'BUSY'", "RS_BUSY"],
    ),
    "rule key": (
        "[[campaign]]\nname = 'c'\n[[campaign.rule]]\nstatus = 'RS_BUSY'\nretry_after = 1\n",
        ["campaign 'c', rule RS_BUSY", "unknown key 'retry_after'", "'retry_after_s'"],
    ),
    "rule mode": (
        "[[campaign]]\nname = 'c'\n[[campaign.rule]]\nstatus = 'RS_BUSY'\nretry_after_s = 1\nmode = 'DOUBLE'\n",
        ["mode is 'DOUBLE'", "FIXED, MULTI"],
    ),
    "lists that are no list": ("[[campaign]]\nname = 'c'\nlists = 'People'\n", ["campaign 'c'", "lists", "list of"]),
    "rule that is no table": ("[[campaign]]\nname = 'c'\nrule = 'RS_BUSY'\n", ["campaign 'c'", "[[campaign.rule]]"]),
    "control character": ('[[list]]\nname = "a\\u0007b"\n', ["list name", "control characters"]),
    "links by id": ("[[campaign]]\nname = 'c'\ntrunk_ids = [1]\n", ["'c'", "unknown key 'trunk_ids'", "'trunks'"]),
    "hours by id": ("[[campaign]]\nname = 'c'\nopening_hours_ids = [1]\n", ["'c'", "unknown key 'opening_hours_ids'"]),
    "rules under another name": ("[[campaign]]\nname = 'c'\ndispositions = []\n", ["unknown key 'dispositions'"]),
    "no such hours": ("[[campaign]]\nname = 'c'\nopening_hours = ['x']\n", ["'c'", "no opening hours 'x'"]),
    "opening rule": (
        "[[opening_hours]]\nname = 'h'\n[[opening_hours.rule]]\nfrom_date = 'Xmas'\n",
        ["opening rule 1", "'Xmas' is no date"],
    ),
    "opening rule key": (
        "[[opening_hours]]\nname = 'h'\n[[opening_hours.rule]]\nfrom_tme = '8:00'\n",
        ["opening_hours 'h', rule 1", "unknown key 'from_tme'", "'from_time'"],
    ),
    "opening rule in seconds": (
        "[[opening_hours]]\nname = 'h'\n[[opening_hours.rule]]\nstart_s = 1\n",
        ["'h', rule 1", "from_time and to_time"],
    ),
    "disposition verb": (
        "[[campaign]]\nname = 'c'\n[[campaign.disposition]]\nverb = 'CALL'\n",
        ["campaign 'c', disposition 1", "verb is 'CALL'", "ADD_LIST"],
    ),
    "disposition without what it needs": (
        "[[campaign]]\nname = 'c'\n[[campaign.disposition]]\nverb = 'EMAIL'\n",
        ["needs addresses"],
    ),
    "variable of ours": ("[[campaign]]\nname = 'c'\nvariables = 'WOMBATID:1'\n", ["set by the dialer itself"]),
    "boost": ("[[campaign]]\nname = 'c'\nboost = 0\n", ["campaign boost 0"]),
    "twice in one file": ('[[list]]\nname = "x"\n[[list]]\nname = "x"\n', ["list 'x' is in it twice"]),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_and_nothing_is_written(
    database: Database, tmp_path: Path, text: str, said: list[str]
) -> None:
    """Each mistake stands behind a plan that is right, so that a half-done plan would be seen."""
    before = _counts(database)
    with pytest.raises(UserError) as caught:
        _apply(database, tmp_path, PLAN + text)
    for part in said:
        assert part in str(caught.value)
    assert _counts(database) == before


@pytest.mark.parametrize("text", ['[server]\nname = "x"\n', "server = 1\n", "server = [1]\n"])
def test_a_table_needs_double_brackets(database: Database, tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"plan\.toml: write \[\[server\]\] with double brackets"):
        _apply(database, tmp_path, text)


def test_a_secret_is_in_no_message(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        _apply(database, tmp_path, '[[server]]\nname = "s"\npassword = "hun\\nter2"\n')
    assert "hun" not in str(caught.value)
    with pytest.raises(UserError) as caught:
        _apply(database, tmp_path, '[[server]]\nname = "s"\npassword = 12345\n')
    assert "12345" not in str(caught.value)


def test_which_server_must_be_said_when_there_are_two(database: Database, tmp_path: Path) -> None:
    text = '[[server]]\nname = "a"\n[[server]]\nname = "b"\n[[trunk]]\nname = "t"\ndial_string = "PJSIP/${num}@c"\n'
    with pytest.raises(UserError, match="trunk 't': say on which server it is"):
        _apply(database, tmp_path, text)


def test_a_plan_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the plan .*none\.toml: No such file"):
        read_plan(tmp_path / "none.toml")


TWO_PBXS = """\
[[server]]
name = "a"
login = "wombat"

[[server]]
name = "b"
port = 5039
login = "wombat"

[[trunk]]
name = "T"
server = "b"
dial_string = "PJSIP/${num}@carrier"

[[end_point]]
name = "support"
server = "a"
type = "QUEUE"
extension = "1"
context = "c"

[[end_point]]
name = "support"
server = "b"
type = "QUEUE"
extension = "2"
context = "c"

[[campaign]]
name = "Sales"
trunks = ["T"]
end_points = ["%s"]
"""


def test_two_pbxs_may_have_a_queue_of_one_name(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="several end points 'support', write 'a/support' or 'b/support'"):
        _apply(database, tmp_path, TWO_PBXS % "support")
    _apply(database, tmp_path, TWO_PBXS % "b/support")
    (chosen,) = campaigns.load_campaign(database, "Sales").end_point_ids
    assert entities.load_end_point(database, chosen).extension == "2"
    assert {done.what for done in _apply(database, tmp_path, TWO_PBXS % "b/support")} == {"unchanged"}


def test_the_examples_of_the_page_of_rules(database: Database, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
    text = "\n".join(line[4:] for line in page.splitlines() if line.startswith("    "))
    assert _said(_apply(database, tmp_path, text)) == [
        ("opening hours", "Office", "made"),
        ("campaign", "Spring", "made"),
    ]
    assert len(campaigns.load_campaign(database, "Spring").dispositions) == 2
    assert len(opening_hours.load_opening_hours(database, "Office").rules) == 3


def test_a_database_that_fails_on_the_way_keeps_nothing(database: Database, tmp_path: Path) -> None:
    with database.transaction() as tx:
        tx.run("CREATE TRIGGER broken BEFORE INSERT ON campaign BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")
    before = _counts(database)
    with pytest.raises(StoreError, match="disk on fire"):
        _apply(database, tmp_path, PLAN)
    assert _counts(database) == before
    with database.transaction() as tx:
        tx.run("DROP TRIGGER broken")
    assert all(done.what == "made" for done in _apply(database, tmp_path, PLAN))
