"""What the reactor answers itself is answered as the application would, and by the same rules."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.system.site import Site, until

PASSWORD = "correct-horse-battery"
ADMIN = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
PLAN = {
    "server": [{"name": "pbx", "address": "127.0.0.1", "port": 1, "login": "x", "password": "x"}],
    "trunk": [{"name": "t", "server": "pbx", "dial_string": "PJSIP/${num}@x"}],
    "end_point": [{"name": "e", "server": "pbx", "type": "PHONE", "extension": "1", "context": "x"}],
    "list": [{"name": "empty"}],
    "campaign": [
        {"name": name, "trunks": ["t"], "end_points": ["e"], "lists": ["empty"], "idles_on_termination": True, **more}
        for name, more in {"Spring": {}, "Secret": {"security_key": "SECRET"}, "Still": {}}.items()
    ],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("front"), settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    site.apply(PLAN)
    try:
        site.serve()
        site.run("Spring", "Secret")
        until(lambda: len(site.snapshot()["runs"]) == 2, 20, "two runs are live")
        yield site
    finally:
        site.close()


def ask(site: Site, *fields: str, form: str = "", headers: tuple[str, ...] = ()) -> tuple[str, list[str]]:
    """The answer's head without what differs each time, and its body."""
    address = f"http://127.0.0.1:{site.console_port}/wombat/api/calls/"
    given = [part for field in fields for part in (form or "--url-query", field)]
    said = [part for header in headers for part in ("-H", header)]
    done = subprocess.run(
        ["curl", "-sSi", *given, *said, address], capture_output=True, text=True, timeout=60, check=True
    )
    head, _, body = done.stdout.replace("\r", "").partition("\n\n")
    differs = ("date:", "content-length:", "vary:")  # the application may have looked for a session
    kept = sorted(line for line in head.splitlines()[1:] if not line.lower().startswith(differs))
    return head.splitlines()[0] + "\n" + "\n".join(line.lower() for line in kept), body.splitlines()


CASES = {
    "no campaign": (("number=5551",), ()),
    "no number": (("campaign=Spring",), ()),
    "unknown campaign": (("campaign=None", "number=5551"), ()),
    "no live run": (("campaign=Still", "number=5551"), ()),
    "a campaign with a key": (("campaign=Secret", "number=5551"), ()),
    "a wrong number": (("campaign=Spring", "number=5&5"), ()),
    "wrong attributes": (("campaign=Spring", "number=5551", "attrs=A-B:1"), ()),
    "a wrong moment": (("campaign=Spring", "number=5551", "schedule=soon"), ()),
    "a wrong password": (("campaign=Spring", "number=5551"), ("Authorization: Basic YWRtaW46eA==",)),
    "a wrong token": (("campaign=Spring", "number=5551"), ("Authorization: Bearer x",)),
    "a page of another site": (("campaign=Spring", "number=5551"), ("Origin: http://evil.example",)),
    "an unknown proxy": (("campaign=Spring", "number=5551"), ("X-Forwarded-For: 192.0.2.1",)),
}


@pytest.mark.parametrize("case", CASES)
def test_refusals_are_those_of_the_application(site: Site, case: str) -> None:
    fields, headers = CASES[case]
    quick = ask(site, "op=addcall", *fields, headers=headers)
    slow = ask(site, "op=addcall", *fields, form="-F", headers=headers)  # multipart: the application reads it
    assert quick == slow
    assert quick[1][0].startswith("ERROR"), quick


def test_calls_are_added_by_all_that_may(site: Site) -> None:
    before = site.rows("SELECT COUNT(*) FROM record")[0][0]
    fields = ("op=AddCall", "number=5552", "attrs=NAME:Ann,CITY:Rome \\, IT")
    answers = [
        ask(site, *fields, "campaign=Spring"),
        ask(site, *fields, "campaign=Spring", form="-d"),
        ask(site, *fields, "campaign=Secret", form="--data-urlencode", headers=(f"Authorization: {ADMIN}",)),
        ask(site, *fields, "campaign=Spring", form="-F"),
    ]
    for head, body in answers:
        assert head == answers[-1][0], "as the application says it"
        assert body[0] == "OK"
    assert len({body[1] for _, body in answers}) == 4
    added = site.rows("SELECT input_attributes FROM record WHERE number = '5552'")
    assert added == [('{"NAME":"Ann","CITY":"Rome , IT"}',)] * 4
    assert site.rows("SELECT COUNT(*) FROM record")[0][0] == before + 4
    noted = site.rows("SELECT login, object, detail FROM system_log WHERE action = 'calls added' ORDER BY id")
    assert [(login, about) for login, about, _ in noted] == [
        ("-", "Spring"), ("-", "Spring"), ("admin", "Secret"), ("-", "Spring"),
    ]  # fmt: skip
    for (_, body), (_, _, detail) in zip(answers, noted, strict=True):
        assert detail == f"call {body[1].partition(':')[2]} to 5552; from 127.0.0.1"


def test_many_at_once_and_each_has_its_own_answer(site: Site) -> None:
    def one(place: int) -> tuple[str, list[str]]:
        number = f"7{place:04}" if place % 5 else ""
        return ask(site, "op=addcall", "campaign=Spring", f"number={number}")

    with ThreadPoolExecutor(16) as pool:
        answers = [body for _, body in pool.map(one, range(60))]
    assert [place for place, body in enumerate(answers) if body[0] != "OK"] == list(range(0, 60, 5))
    found = dict(site.rows("SELECT number, COUNT(*) FROM record WHERE number LIKE '7%%' GROUP BY number"))
    assert found == {f"7{place:04}": 1 for place in range(60) if place % 5}
    assert len({body[1] for body in answers if body[0] == "OK"}) == 48


def test_many_at_once_and_nobody_comes_in_with_another(site: Site) -> None:
    who = {
        "a trusted address": ((), "there is no campaign Secret"),
        "one with the key": ((f"Authorization: {ADMIN}",), "OK"),
        "a wrong token": (("Authorization: Bearer x",), "token"),
        "an unknown proxy": (("X-Forwarded-For: 192.0.2.1",), "log-on"),
    }
    asked = [name for name in who for _ in range(8)]
    with ThreadPoolExecutor(16) as pool:
        answers = pool.map(
            lambda name: ask(site, "op=addcall", "campaign=Secret", "number=5554", headers=who[name][0])[1][0], asked
        )
        for name, answer in zip(asked, answers, strict=True):
            assert who[name][1] in answer, name
    assert site.rows("SELECT COUNT(*) FROM record WHERE number = '5554'")[0][0] == 8


def test_a_key_that_was_set_counts_for_the_next_request(site: Site) -> None:
    fields = ("op=addcall", "campaign=Spring", "number=5553")
    assert ask(site, *fields)[1][0] == "OK"
    for key, answer in (("SECRET", "ERROR: there is no campaign Spring"), ("", "OK")):
        with site.database.transaction() as tx:
            tx.run("UPDATE campaign SET security_key = %s WHERE name = 'Spring'", (key,))
        assert ask(site, *fields)[1][0] == answer
