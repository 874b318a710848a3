"""Imports, the generator, pages, edits and exports."""

from __future__ import annotations

import threading
from io import BytesIO
from typing import Any

import pytest

from tests.store.builders import BY, add_list
from tests.store.conftest import NOW
from wombat_ari.model.entities import Record
from wombat_ari.model.errors import StoreError, UserError
from wombat_ari.model.lists import CsvPreview, ImportSummary, Refusal
from wombat_ari.store import entities, exporting, lists, reading
from wombat_ari.store.database import Database, Transaction


def native(db: Database, list_id: int, text: str | bytes, **options: object) -> ImportSummary:
    source = BytesIO(text) if isinstance(text, bytes) else text
    return lists.import_native(db, list_id, source=source, by=BY, now=NOW, **options)  # type: ignore[arg-type]


def from_csv(db: Database, list_id: int, text: str | bytes, **options: object) -> ImportSummary:
    source = BytesIO(text) if isinstance(text, bytes) else text
    return lists.import_csv(db, list_id, source=source, by=BY, now=NOW, **options)  # type: ignore[arg-type]


def numbers(db: Database, list_id: int) -> list[str]:
    return [record.number for record in lists.page_of_records(db, list_id, limit=100_000)]


def test_native_text(database: Database) -> None:
    list_id = add_list(database, "a")
    text = "\ufeff555 1234,NAME:Zoë\r\n\r\nbad number!\n5552,A:x\\,y,>Q:1\n5553,A\n"
    summary = native(database, list_id, text)
    assert (summary.read, summary.added, summary.duplicates, summary.refused) == (4, 2, 0, 2)
    assert [refusal.line for refusal in summary.refusals] == [3, 5]
    assert "bad number!" in summary.refusals[0].reason
    assert [(r.number, r.input_attributes, r.output_attributes) for r in lists.page_of_records(database, list_id)] == [
        ("5551234", {"NAME": "Zoë"}, {}),
        ("5552", {"A": "x,y"}, {"Q": "1"}),
    ]
    (entry,) = [e for e in entities.history(database, "call_list", list_id) if e.action == "IMPORTED"]
    assert (entry.login, entry.new_values["records added"]) == (BY, 2)


def test_records_separated_by_bars(database: Database) -> None:
    list_id = add_list(database, "a")
    summary = native(database, list_id, b"1,A:a\\|b|2|x!|\xe9||4\r\n", separator="|")
    assert (summary.added, [r.line for r in summary.refusals]) == (3, [3, 4])
    assert numbers(database, list_id) == ["1", "2", "4"]
    assert lists.page_of_records(database, list_id)[0].input_attributes == {"A": "a|b"}


def test_latin_1_and_utf_8_line_by_line(database: Database) -> None:
    list_id = add_list(database, "a")
    native(database, list_id, "1,A:Zoë €\n".encode() + "2,A:Zoë\n".encode("latin-1"))
    assert [r.input_attributes["A"] for r in lists.page_of_records(database, list_id)] == ["Zoë €", "Zoë"]
    with pytest.raises(UserError, match="UTF-16"):
        native(database, list_id, "1\n".encode("utf-16"))


def test_dedupe(database: Database) -> None:
    list_id, other = add_list(database, "a", ["1", "2"]), add_list(database, "b", ["3"])
    assert native(database, list_id, "1\n1\n") == ImportSummary(2, 2, 0, 0, (), 4)
    summary = native(database, list_id, "2\n3\n(3)\n 3\n4\n", dedupe=True)
    assert (summary.read, summary.added, summary.duplicates) == (5, 2, 3)
    assert numbers(database, list_id) == ["1", "2", "1", "1", "3", "4"]
    assert numbers(database, other) == ["3"]


def test_dedupe_over_batches(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "BATCH", 3)
    monkeypatch.setattr(lists, "_LOOK_UP", 2)
    list_id = add_list(database, "a")
    told: list[ImportSummary] = []
    summary = native(database, list_id, "1\n2\n3\n1\n4\n2\n5\nx!\n", dedupe=True, progress=told.append)
    assert numbers(database, list_id) == ["1", "2", "3", "4", "5"]
    assert (summary.added, summary.duplicates, summary.refused) == (5, 2, 1)
    assert [t.read for t in told] == [3, 6, 8]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv(database: Database, delimiter: str) -> None:
    list_id = add_list(database, "a")
    text = '\ufeffNUMBER,FIRST,LAST\r\n555 1,"Bo, ""B""",\r\n5552,Zoë\r\nx!,a,b\r\n5554,a,b,c\r\n'.replace(
        ",", delimiter
    )
    summary = from_csv(database, list_id, text)
    assert (summary.added, [r.line for r in summary.refusals]) == (2, [4, 5])
    assert [(r.number, r.input_attributes) for r in lists.page_of_records(database, list_id)] == [
        ("5551", {"FIRST": f'Bo{delimiter} "B"'}),
        ("5552", {"FIRST": "Zoë"}),
    ]


def test_csv_labels_can_be_replaced(database: Database) -> None:
    list_id = add_list(database, "a")
    text = "NUM;First name;Secret\n1;Ann;x\n"
    with pytest.raises(UserError, match="column 2: attribute name 'First name'"):
        from_csv(database, list_id, text)
    from_csv(database, list_id, text, labels=["NUM", "FIRST", ""])
    assert lists.page_of_records(database, list_id)[0].input_attributes == {"FIRST": "Ann"}
    with pytest.raises(UserError, match="2 labels were given for 3 columns"):
        from_csv(database, list_id, text, labels=["NUM", "A"])
    with pytest.raises(UserError, match="first label is 'NUM;First name;Secre'"):
        from_csv(database, list_id, text, delimiter=",")
    with pytest.raises(UserError, match="begin with NUM or NUMBER"):
        from_csv(database, list_id, "PHONE,A\n1,2\n")
    with pytest.raises(UserError, match="empty"):
        from_csv(database, list_id, "\n\n")
    assert len(numbers(database, list_id)) == 1


def test_a_forgotten_quote_costs_its_own_line(database: Database) -> None:
    list_id = add_list(database, "a")
    lines = ["NUM,A", '1,"open', *(str(n) for n in range(10, 60))]
    summary = from_csv(database, list_id, "\n".join(lines))
    assert summary.refusals == (
        Refusal(2, "a quoted value does not end on its line; a value cannot hold a line break"),
    )
    assert summary.added == 50


def test_the_lines_of_a_quoted_value_are_no_records(database: Database) -> None:
    list_id = add_list(database, "a")
    summary = from_csv(database, list_id, 'NUM,A\n1,"one\n555\ntwo"\n2,x\n3,"a"b\n')
    assert [(r.line, r.reason.split(":")[0]) for r in summary.refusals] == [
        (2, "a value holds a line break"),
        (6, "a quote is in a wrong place"),
    ]
    assert numbers(database, list_id) == ["2"]


def test_only_the_first_refusals_are_kept(database: Database) -> None:
    summary = native(database, add_list(database, "a"), "x!\n" * 250)
    assert (summary.refused, len(summary.refusals), summary.refusals[-1].line) == (250, 100, 100)


def test_endless_lines_are_refused_in_constant_memory(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_LINE", 1000)
    monkeypatch.setattr(reading, "_BLOCK", 100)
    list_id = add_list(database, "a")
    summary = native(database, list_id, b"1\n" + b"5" * 50_000 + b"\n2\n" + b"6" * 50_000)
    assert numbers(database, list_id) == ["1", "2"]
    assert [r.line for r in summary.refusals] == [2, 4]


def test_an_import_that_breaks_off_says_how_far_it_came(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "BATCH", 2)
    list_id = add_list(database, "a")
    done: list[ImportSummary] = []

    def tell(summary: ImportSummary) -> None:
        done.append(summary)
        if len(done) == 2:
            monkeypatch.setattr(lists, "_INSERT", "INSERT INTO nowhere VALUES (%s, %s, %s, %s)")

    with pytest.raises(StoreError, match="4 records of the first 4 were added and stay"):
        native(database, list_id, "1\n2\n3\n4\n5\n6\n", progress=tell)
    assert numbers(database, list_id) == ["1", "2", "3", "4"]


def test_an_import_needs_its_list(database: Database) -> None:
    with pytest.raises(UserError, match="there is no list 4711"):
        native(database, 4711, "1\n")


def test_the_generator_keeps_leading_zeros(database: Database) -> None:
    list_id = add_list(database, "a")
    assert lists.generate(database, list_id, first="0098", count=4, by=BY, now=NOW).added == 4
    assert numbers(database, list_id) == ["0098", "0099", "0100", "0101"]
    summary = lists.generate(database, list_id, first="0100", count=3, by=BY, now=NOW, dedupe=True)
    assert (summary.added, summary.duplicates) == (1, 2)


def test_preview(database: Database) -> None:
    stream = BytesIO(b'NUMBER;A;"B"\n1;x;"y;z"\n2;"open\n3\n')
    assert reading.preview_csv(stream) == CsvPreview(
        ";", ("NUMBER", "A", "B"), (("1", "x", "y;z"), ('2;"open',), ("3",))
    )
    assert reading.preview_csv(BytesIO(b"NUM;A\n1;2\n"), delimiter=",").labels == ("NUM;A",)


def test_a_list_is_made_when_needed(database: Database) -> None:
    made = lists.list_named(database, " Sales/AUTO ", by=BY, now=NOW)
    assert made.name == "Sales/AUTO"
    assert lists.list_named(database, "Sales/AUTO", by=BY, now=NOW) == made
    assert lists.list_named(database, "sales/auto", by=BY, now=NOW).id != made.id


def test_two_who_need_a_list_at_once_get_the_same(database: Database) -> None:
    barrier, found = threading.Barrier(4, timeout=30), []

    def ask() -> None:
        database.is_alive()
        barrier.wait()
        found.append(lists.list_named(database, "Sales/AUTO", by=BY, now=NOW).id)
        database.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_pages(database: Database) -> None:
    list_id = add_list(database, "a", ["10", "11", "20", "101"])
    add_list(database, "b", ["10"])
    page = lists.page_of_records(database, list_id, limit=2)
    assert [r.number for r in page] == ["10", "11"]
    assert [r.number for r in lists.page_of_records(database, list_id, after=page[-1].id or 0)] == ["20", "101"]
    assert [r.number for r in lists.page_of_records(database, list_id, number="10")] == ["10", "101"]
    assert lists.count_records(database, list_id) == 4


@pytest.mark.parametrize(("prefix", "found"), [("1", "1 10 10 10 11 19"), ("10", "10 10 10"), ("3", ""), ("2", "2 29")])
def test_pages_of_what_begins_so(database: Database, prefix: str, found: str) -> None:
    """In the order of the numbers, each record once, also where a page ends between equal numbers."""
    list_id = add_list(database, "a", ["19", "10", "2", "1", "10", "11", "0", "10", "29"])
    add_list(database, "b", ["10"])
    numbers: list[str] = []
    after = 0
    while page := lists.page_of_records(database, list_id, number=prefix, after=after, limit=2):
        numbers += [record.number for record in page]
        after = page[-1].id or 0
    assert numbers == found.split()


def test_records_are_edited_never_moved(database: Database) -> None:
    list_id, other = add_list(database, "a"), add_list(database, "b")
    stored = lists.save_record(database, Record(None, list_id, "5-5", {"A": "1"}), by=BY, now=NOW)
    assert stored.number == "55"
    changed = lists.save_record(database, Record(stored.id, other, "56", {"A": "1", "B": "2"}), by="eve", now=NOW + 1)
    assert (changed.list_id, changed.number) == (list_id, "56")
    assert lists.load_record(database, stored.id or 0) == changed
    last = entities.history(database, "record", stored.id or 0)[0]
    assert (last.login, last.old_values["number"], last.new_values["number"]) == ("eve", "55", "56")
    with pytest.raises(UserError, match="no list 4711"):
        lists.save_record(database, Record(None, 4711, "5"), by=BY, now=NOW)
    with pytest.raises(UserError, match="no record 4711"):
        lists.save_record(database, Record(4711, list_id, "5"), by=BY, now=NOW)


RECORDS = [
    Record(None, 0, "1", {"A": 'x, "y" \\ :;', "B_2": "Zoë 😀"}, {"OUT": "a,b"}),
    Record(None, 0, "2", {"C": " blanks "}),
    Record(None, 0, "3"),
]


@pytest.mark.parametrize("kind", ["native", "csv", "csv;"])
def test_what_is_exported_comes_back(database: Database, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    source, target = add_list(database, "a"), add_list(database, "b")
    for record in RECORDS:
        lists.save_record(
            database,
            Record(None, source, record.number, record.input_attributes, record.output_attributes),
            by=BY,
            now=NOW,
        )
    if kind == "native":
        native(database, target, "".join(exporting.export_native(database, source)))
    else:
        delimiter = kind[3:] or ","
        text = "".join(exporting.export_csv(database, source, delimiter=delimiter))
        assert text.startswith(delimiter.join(["NUMBER", "A", "B_2", "C", ">OUT"]) + "\r\n")
        from_csv(database, target, text)
    found = [(r.number, r.input_attributes, r.output_attributes) for r in lists.page_of_records(database, target)]
    assert found == [(r.number, r.input_attributes, r.output_attributes) for r in RECORDS]


def test_an_empty_list_is_exported(database: Database) -> None:
    list_id = add_list(database, "a")
    assert "".join(exporting.export_native(database, list_id)) == ""
    assert "".join(exporting.export_csv(database, list_id)) == "NUMBER\r\n"
    with pytest.raises(UserError, match="no list 4711"):
        next(exporting.export_native(database, 4711))


@pytest.mark.parametrize("csv", [False, True])
def test_a_wrong_alternative_number_is_told_by_its_line_and_harms_nothing(database: Database, csv: bool) -> None:
    list_id = add_list(database, "a")
    if csv:
        text = "NUMBER,MULTINUM1,MULTINUM2\n1,2,\n3,no way,5\nx y,no way,\n"
        summary = lists.import_csv(database, list_id, source=text, by=BY, now=NOW)
    else:
        text = "1,MULTINUM1:2\n\n3,MULTINUM1:no way,MULTINUM2:5\nx y,MULTINUM1:no way\n"
        summary = lists.import_native(database, list_id, source=text, by=BY, now=NOW)
    assert (summary.read, summary.added, summary.refused, summary.remarked) == (3, 2, 1, 1)
    (remark,) = summary.remarks
    assert remark.line == 3
    assert remark.text.startswith("MULTINUM1: number 'no way'")
    assert remark.text.endswith("it will not be dialled")


@pytest.mark.parametrize("dedupe", [False, True])
def test_what_an_import_asks_of_the_database_grows_with_its_length_and_with_nothing_else(
    database: Database, dedupe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: statements, and rows given to them."""
    asked = [0, 0]

    def counted(name: str) -> None:
        real = getattr(Transaction, name)

        def call(self: Transaction, sql: str, params: Any = ()) -> Any:
            asked[0] += 1
            asked[1] += len(params)
            return real(self, sql, params)

        monkeypatch.setattr(Transaction, name, call)

    for name in ("run", "insert", "rows", "many"):
        counted(name)
    list_id = add_list(database, "a", [])

    def cost(first: int, count: int) -> tuple[int, int]:
        asked[:] = [0, 0]
        text = "".join(f"{first + place},A:x\n" for place in range(count))
        assert native(database, list_id, text, dedupe=dedupe).read == count
        return asked[0], asked[1]

    half, whole, behind = cost(10**9, 10_000), cost(2 * 10**9, 20_000), cost(3 * 10**9, 10_000)
    again = cost(10**9, 10_000)
    assert whole[0] <= 2 * half[0] + 2
    assert whole[0] < 20_000 / 100, "records go in company"
    assert behind == half, "a list that is long already costs no more"
    assert again[0] <= half[0], "nor do duplicates"
    assert whole[1] <= 3 * 20_000
