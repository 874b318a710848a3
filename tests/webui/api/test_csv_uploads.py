"""A long CSV through the JSON API of the real ``wombat-ari serve``: progress, errors by line, memory, duplicates."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.site import Site

PASSWORD = "correct-horse-battery"
MANY = int(os.environ.get("WOMBAT_TEST_NUMBERS", "50000"))  #: a million: docs/performance.md
MOST_MB = 150
WRONG = (7, MANY - 1)  #: lines whose number is none


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("csv"), settings={"WOMBAT_ARI_ADMIN_PASSWORD": PASSWORD})
    site.wombat("init")
    site.apply({"list": [{"name": "all"}, {"name": "once"}]})
    try:
        site.serve()
        site.token = site.wombat("token", "add", "admin", "crm", "--scope", "CONTROL").stdout.strip()  # type: ignore[attr-defined]
        yield site
    finally:
        site.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("numbers") / "numbers.csv"
    with file.open("w") as out:
        out.write("NUMBER,NAME,CITY,NOTE\n")
        for line in range(2, MANY + 2):
            number = "" if line in WRONG else str(39 * 10**8 + line)
            out.write(f'{number},"Müller, Ann",Lyon,note {line}\n')
    return file


def curl(site: Site, *arguments: str, who: str = "") -> Any:
    """With a token; ``who``: as this header says."""
    address = f"http://127.0.0.1:{site.console_port}/api/v1"
    *options, path = arguments
    done = subprocess.run(
        ["curl", "-sS", "-H", who or f"Authorization: Bearer {site.token}", *options, address + path],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def log_on(site: Site) -> None:
    """Somebody's password is checked meanwhile, twice: that takes memory too."""
    for password, status in ((PASSWORD, None), (PASSWORD + "x", 401)):
        credentials = base64.b64encode(f"admin:{password}".encode()).decode()
        assert curl(site, "/lists/1", who=f"Authorization: Basic {credentials}").get("status") == status


def imported(site: Site, file: Path, list_id: int, *, dedupe: bool) -> tuple[dict[str, Any], float, int]:
    """What is told of the import when it is over, how long it took, and how many different steps were seen."""
    query = "?dedupe=1" if dedupe else ""
    began = time.monotonic()
    told = curl(site, "-H", "Content-Type: text/csv", "--data-binary", f"@{file}", f"/lists/{list_id}/imports{query}")
    seen = [told["read"]]
    log_on(site)
    while told["state"] in ("WAITING", "RUNNING"):
        time.sleep(0.1)
        told = curl(site, f"/imports/{told['id']}")
        seen.append(told["read"])
    assert seen == sorted(seen)
    assert (told["state"], told["bytes_read"]) == ("DONE", file.stat().st_size)
    return told, time.monotonic() - began, len(set(seen))


def peak_mb(site: Site) -> float:
    """The most memory that the web process ever had."""
    status = Path(f"/proc/{site.supervisor_pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def test_a_long_csv_in_little_memory(site: Site, file: Path) -> None:
    took, steps = {}, {}
    for list_id, dedupe in ((1, False), (2, True)):
        told, took[dedupe], steps[dedupe] = imported(site, file, list_id, dedupe=dedupe)
        assert (told["read"], told["added"], told["refused"]) == (MANY, MANY - 2, 2)
        assert [each["line"] for each in told["refusals"]] == list(WRONG)
        assert told["refusals"][0]["detail"] == "the number is empty"
    again, took_again, steps_again = imported(site, file, 2, dedupe=True)
    assert (again["added"], again["duplicates"]) == (0, MANY - 2)
    # One who looks seldom, on a busy machine, may come for the end of an import; hardly each time.
    assert max(*steps.values(), steps_again) > 2, "their progress is to be seen"
    print(
        f"{MANY} lines: {took[False]:.1f} s; dedupe {took[True]:.1f} s, all there {took_again:.1f} s;"
        f" at most {peak_mb(site):.0f} MB"
    )
    assert peak_mb(site) < MOST_MB
