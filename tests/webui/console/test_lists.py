"""Lists: numbers pasted, uploaded, generated, edited, taken out; a ragged CSV with semicolons; who may see them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.store.conftest import NOW
from tests.system.site import until
from tests.webui.console.conftest import Desk, Visitor
from wombat_ari.model.entities import CallList, Record
from wombat_ari.store import entities, lists, syslog
from wombat_ari.store.database import Database

Visitors = Callable[..., Visitor]
Persons = Callable[..., str]
Desks = Callable[..., Desk]
BY: dict[str, Any] = {"by": "admin", "now": NOW}
RAGGED = (
    "NUM;NAME;CITY;>SOLD\r\n"
    "5551;Ann;Roma;yes\r\n"
    "5552;\"Bo; the second\"\r\n"  # cells are missing
    "\r\n"
    "5553;Città;Milano;;;\r\n"  # too many
    "not a number!;x;y;z\r\n"
    "5554;\"open quote;a;b\r\n"
    "+39 (02) 555.5;Zoë;Lodi\r\n"
)  # fmt: skip


@pytest.fixture
def numbers(database: Database) -> int:
    return entities.save_list(database, CallList(None, "Numbers"), **BY).id or 0


def stored(database: Database, which: int) -> list[Record]:
    return lists.page_of_records(database, which, limit=1000)


def test_a_ragged_file_with_semicolons_by_clicks(desk: Desks, database: Database, numbers: int, tmp_path: Path) -> None:
    file = tmp_path / "ragged.csv"
    file.write_bytes(RAGGED.encode())
    page = desk().go("/lists")
    page.get_by_role("link", name="Numbers").click()
    page.get_by_role("link", name="Add numbers").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("columnheader", name="Number").wait_for()
    assert page.get_by_label("Delimiter").input_value() == ";"
    assert page.get_by_role("cell", name="Bo; the second").is_visible()
    page.get_by_label("Delimiter").select_option(",")
    page.get_by_text("it must be NUM or NUMBER").wait_for()
    page.get_by_label("Delimiter").select_option(";")
    page.get_by_label("Attribute of column 2").fill("FIRST")
    page.get_by_label("Attribute of column 3").fill("")
    page.get_by_role("button", name="Import").click()
    page.get_by_text("Lines that were refused").wait_for()
    for text in ("it has 6 columns, the line of labels has 4", "only digits, letters and"):
        assert page.get_by_text(text).is_visible()
    assert [(one.number, one.input_attributes, one.output_attributes) for one in stored(database, numbers)] == [
        ("5551", {"FIRST": "Ann"}, {"SOLD": "yes"}),
        ("5552", {"FIRST": "Bo; the second"}, {}),
        ("+39025555", {"FIRST": "Zoë"}, {}),
    ]


def test_pasted(visitor: Visitors, database: Database, numbers: int) -> None:
    one = visitor()
    answer = one.post(f"/lists/{numbers}/paste", numbers="5551,NAME:Ann\\, B\r\n\r\nx y\r\n5551\r\n", dedupe="1")
    page = one.get(answer.location).text
    for text in ("Read <b>3</b>", "Added <b>1</b>", "Duplicates <b>1</b>", "Refused <b>1</b>"):
        assert text in page
    assert [(row.number, row.input_attributes) for row in stored(database, numbers)] == [("5551", {"NAME": "Ann, B"})]
    assert one.post(f"/lists/{numbers}/paste", numbers=" ").status_code == 400


def test_a_text_file_and_a_latin_1_csv(visitor: Visitors, database: Database, numbers: int) -> None:
    one = visitor()
    answer = one.post(f"/lists/{numbers}/upload", kind="native", file=(io.BytesIO(b"1\n2,A:b\n"), "n.txt"))
    assert "Added <b>2</b>" in one.get(answer.location).text
    answer = one.post(
        f"/lists/{numbers}/upload", kind="csv", file=(io.BytesIO("NUM,N\n3,Zoë\n".encode("latin-1")), "n")
    )
    assert "Zoë" in one.get(answer.location).text
    assert one.post(answer.location, delimiter=",", label=["N"]).status_code == 303
    assert stored(database, numbers)[2].input_attributes == {"N": "Zoë"}
    assert one.post(f"/lists/{numbers}/upload", kind="csv").status_code == 400


def test_what_cannot_be_a_csv_adds_nothing(visitor: Visitors, database: Database, numbers: int) -> None:
    one = visitor()
    for content in (b"", b"NAME,X\n1,2\n", b"NUM,A,A\n1,2,3\n"):
        answer = one.post(f"/lists/{numbers}/upload", kind="csv", file=(io.BytesIO(content), "n.csv"))
        preview = one.get(answer.location)
        taken = one.post(answer.location, delimiter=",", label=["A", "A"])
        assert (preview.status_code, taken.status_code) == (200, 400), content
    assert stored(database, numbers) == []


def test_an_upload_is_its_owners(visitor: Visitors, person: Persons, numbers: int) -> None:
    one, bob = visitor(), visitor(person("bob", "LISTS"))
    address = one.post(f"/lists/{numbers}/upload", kind="csv", file=(io.BytesIO(b"NUM,A\n1,2\n"), "n")).location
    assert bob.get(address).status_code == 404
    assert bob.post(address, delimiter=",", label=["A"]).status_code == 404


def test_generated(visitor: Visitors, database: Database, numbers: int) -> None:
    one = visitor()
    assert "Added <b>3</b>" in one.get(one.post(f"/lists/{numbers}/generate", first="0998", count="3").location).text
    assert [row.number for row in stored(database, numbers)] == ["0998", "0999", "1000"]
    for first, count in (("12a", "3"), ("1", "0"), ("1", "-4"), ("1", "9" * 8), ("1", "")):
        answer = one.post(f"/lists/{numbers}/generate", first=first, count=count)
        assert answer.status_code == 400, (first, count)
    assert "how many, &#39;some&#39;" in one.post(f"/lists/{numbers}/generate", first="1", count="some").text
    assert lists.count_records(database, numbers) == 3


def test_a_record_is_edited(visitor: Visitors, database: Database, numbers: int) -> None:
    one = visitor()
    one.post(f"/lists/{numbers}/paste", numbers="5551,NAME:Ann")
    record = stored(database, numbers)[0]
    page = one.get(f"/records/{record.id}").text
    assert "NAME:Ann" in page
    assert "Not called yet." in page
    changed = one.post(f"/records/{record.id}", number="5552", attributes="NAME:Ann: B, C\r\n>APPT:9:30\r\n")
    assert changed.status_code == 303
    after = stored(database, numbers)[0]
    assert (after.number, after.input_attributes, after.output_attributes) == (
        "5552", {"NAME": "Ann: B, C"}, {"APPT": "9:30"}
    )  # fmt: skip
    wrong = one.post(f"/records/{record.id}", number="5552", attributes="nonsense")
    assert (wrong.status_code, "line 1: it must be NAME:value" in wrong.text) == (400, True)
    assert one.post(f"/lists/{numbers}/records/new", number="5559", attributes="").status_code == 303
    assert lists.count_records(database, numbers) == 2


def test_paging_and_search(visitor: Visitors, database: Database, numbers: int) -> None:
    lists.generate(database, numbers, first="5500", count=120, **BY)
    one, path = visitor(), f"/lists/{numbers}/records"
    assert "page 1 of 3, 120 in all" in one.get(path).text
    last = one.get(path, page=3).text
    assert "5619" in last
    assert "5500" not in last
    found = one.get(path, q="551").text
    assert "5510" in found
    assert "5519" in found
    assert "5520" not in found
    assert "Nothing found." in one.get(path, q="<b>").text
    assert one.get(path, page="99999999").status_code == 200


def test_exports(visitor: Visitors, numbers: int) -> None:
    one = visitor()
    one.post(f"/lists/{numbers}/paste", numbers="5551,NAME:Ann\\, B\n5552,>APPT:9")
    csv, native = (one.get(f"/lists/{numbers}/export", format=kind) for kind in ("csv", "native"))
    assert csv.text.splitlines() == ["NUMBER,NAME,>APPT", '5551,"Ann, B",', "5552,,9"]
    assert native.text.splitlines() == ["5551,NAME:Ann\\, B", "5552,>APPT:9"]
    assert csv.headers["Content-Disposition"] == 'attachment; filename="Numbers.csv"'


def test_keys(visitor: Visitors, person: Persons, database: Database) -> None:
    secret = entities.save_list(database, CallList(None, "Secret", security_key="VIP"), **BY).id
    record = lists.save_record(database, Record(None, secret or 0, "5551"), **BY)
    ned, bob, eve = (
        visitor(person("ned", "LIVE")),
        visitor(person("bob", "LISTS")),
        visitor(person("eve", "LISTS", "VIP")),
    )
    paths = [f"/lists/{secret}{more}" for more in ("", "/records", "/add", "/export", "/info", "/records/new")]
    for path in (*paths, f"/records/{record.id}"):
        assert eve.get(path).status_code == 200, path
        assert bob.get(path).status_code == 404, path
        assert ned.get(path).status_code == 403, path
    for path, form in (
        ("clone", {"name": "copy"}),
        ("paste", {"numbers": "1"}), ("generate", {"first": "1", "count": "1"}), ("delete", {}), ("", {"name": "x"}),
        ("records/new", {"number": "1"}), ("upload", {"kind": "csv", "file": (io.BytesIO(b"NUM\n1\n"), "n")}),
    ):  # fmt: skip
        answer = bob.post(f"/lists/{secret}/{path}".rstrip("/"), **form)
        assert answer.status_code == 404, path
    assert lists.count_records(database, secret or 0) == 1
    assert [one.name for one in entities.list_lists(database)] == ["Secret"]
    assert "Secret" not in bob.get("/lists").text
    assert "Secret" in eve.get("/lists").text


def test_the_table_says_how_many_numbers_each_has(visitor: Visitors, database: Database, numbers: int) -> None:
    other = entities.save_list(database, CallList(None, "zero"), by="admin", now=NOW)
    visitor().post(f"/lists/{numbers}/paste", numbers="".join(f"{number}\n" for number in range(5550000, 5551234)))
    page = visitor().get("/lists", sort="-1").text
    assert '<td data-label="Records" class="n">1,234</td>' in page
    assert page.index(f"/lists/{numbers}?") < page.index(f"/lists/{other.id}?")


def test_a_clone_has_all_that_stands_on_the_list(visitor: Visitors, database: Database) -> None:
    of = entities.save_list(database, CallList(None, "Leads", hidden=True, security_key="VIP"), **BY)
    text = b"5551,NAME:Ann\\, B,>APPT:9\n5552\n5551\n"
    lists.import_native(database, of.id or 0, source=io.BytesIO(text), **BY)
    admin = visitor()
    entities_before = entities.list_lists(database)
    taken = "there is one of that name already"
    for name, status, why in (("", 400, "must not be empty"), ("Leads", 409, taken), ("x" * 81, 400, "80 are")):
        refused = admin.post(f"/lists/{of.id}/clone", name=name)
        assert refused.status_code == status
        assert why in refused.text
        assert entities.list_lists(database) == entities_before
    job = admin.post(f"/lists/{of.id}/clone", name="Leads again").location
    until(lambda: ">Ended<" in admin.get(job).text, 20, "the job is over")
    assert "<b>3</b> records are on the" in admin.get(job).text
    made = entities.load_list(database, "Leads again")
    assert (made.hidden, made.security_key) == (True, "VIP")
    there, copied = stored(database, of.id or 0), stored(database, made.id or 0)
    assert [replace(one, id=None, list_id=0) for one in copied] == [replace(one, id=None, list_id=0) for one in there]
    assert there[0].output_attributes == {"APPT": "9"}
    (entry,) = syslog.read(database, action="list cloned")
    assert entry.object == "Leads again"
    assert entry.detail.startswith("3 of 3 records of list Leads;")
