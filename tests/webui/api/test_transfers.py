"""Imports, CSV previews, exports."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.service.conftest import BOTH
from tests.system.site import until
from tests.webui.api.conftest import Rest
from webui.api import importing
from wombat_ari.app.service import jobs, records
from wombat_ari.model.errors import StoreError

CSV = b'NUM;NAME;CITY\r\n5551;Ann;Rome\r\n5552;"Bob; Jr";\r\nx y z;;\r\n5551;Ann;Rome\r\n'


@pytest.fixture
def numbers(rest: Rest) -> str:
    rest.ok("POST", "/lists", {"name": "numbers"}, status=201)
    return "/lists/1"


def send(rest: Rest, path: str, data: bytes, kind: str = "text/plain", *, status: int = 200) -> Any:
    return rest.ok("POST", path, data=data, content_type=kind, status=status)


@BOTH
def test_in_and_out_again(rest: Rest, numbers: str) -> None:
    done = send(rest, f"{numbers}/imports?dedupe=true", CSV, "text/csv")
    told = {name: done[name] for name in ("state", "read", "added", "duplicates", "refused", "size")}
    assert told == {"state": "DONE", "read": 4, "added": 2, "duplicates": 1, "refused": 1, "size": len(CSV)}
    assert [each["line"] for each in done["refusals"]] == [4]
    assert rest.ok("GET", f"/imports/{done['id']}") == done
    assert rest.ok("GET", f"{numbers}/imports")["items"] == [done]
    send(rest, f"{numbers}/imports", b"5553,NAME:Eve\\, jr\n")
    native = rest.ask("GET", f"{numbers}/export")
    assert native.data.decode() == "5551,NAME:Ann,CITY:Rome\n5552,NAME:Bob; Jr\n5553,NAME:Eve\\, jr\n"
    assert (native.mimetype, "attachment" in native.headers["Content-Disposition"]) == ("text/plain", True)
    as_csv = rest.ask("GET", f"{numbers}/export?format=csv&delimiter=;")
    assert as_csv.data.decode() == 'NUMBER;NAME;CITY\r\n5551;Ann;Rome\r\n5552;"Bob; Jr";\r\n5553;Eve, jr;\r\n'
    rest.ok("POST", "/lists", {"name": "copy"}, status=201)
    assert send(rest, "/lists/2/imports", as_csv.data, "text/csv")["added"] == 3
    assert rest.ask("GET", "/lists/2/export").data == native.data


def test_a_csv_is_looked_at_before(rest: Rest, numbers: str) -> None:
    shown = send(rest, "/csv-previews", CSV, "text/csv")
    assert (shown["delimiter"], shown["labels"], shown["rows"][0]) == (
        ";",
        ["NUM", "NAME", "CITY"],
        ["5551", "Ann", "Rome"],
    )
    problem = rest.refused(422, "POST", f"{numbers}/imports", data=b"A,B\n1,2\n", content_type="text/csv")
    assert "NUM" in problem["detail"]
    assert rest.ok("GET", f"{numbers}/records")["total"] == 0
    rest.refused(415, "POST", f"{numbers}/imports", data=b"5551", content_type="application/json")
    rest.refused(422, "GET", f"{numbers}/export?format=csv&delimiter=a")
    rest.refused(400, "GET", f"{numbers}/export?format=xml")
    rest.refused(404, "GET", f"/imports/{'0' * 32}")
    rest.refused(404, "POST", "/lists/7/imports", data=b"5551", content_type="text/plain")


def test_what_is_long_is_done_aside_and_tells_how_far_it_is(
    rest: Rest, numbers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE_BYTES", 100)
    data = b"".join(b"55%08d\n" % n for n in range(9000)) + b"wrong number\n"
    answer = rest.ask("POST", f"{numbers}/imports", data=data, content_type="text/plain")
    assert answer.status_code == 202
    path = answer.headers["Location"].removeprefix("/api/v1")

    def over() -> Any:
        told = rest.ok("GET", path)
        return told if told["state"] == "DONE" else None

    done = until(over, 60, "the import is over")
    assert (done["added"], done["refused"], done["refusals"][0]["line"]) == (9000, 1, 9001)
    assert done["bytes_read"] == done["size"] == len(data)


def test_one_that_breaks_off_says_so(rest: Rest, numbers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE_BYTES", 0)

    def broken(*args: Any, **options: Any) -> Any:
        raise StoreError("the database is away; the import broke off")

    monkeypatch.setattr(records, "import_numbers", broken)
    begun = send(rest, f"{numbers}/imports", b"5551\n", status=202)
    failed = until(
        lambda: next((one for one in [rest.ok("GET", f"/imports/{begun['id']}")] if one["state"] == "FAILED"), None), 30
    )
    assert "broke off" in failed["error"]
    assert failed["ended_at"]


def test_no_more_wait_than_may(rest: Rest, numbers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE_BYTES", 0)
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)
    problem = rest.refused(429, "POST", f"{numbers}/imports", data=b"5551\n", content_type="text/plain")
    assert problem["code"] == "too-many-jobs"
