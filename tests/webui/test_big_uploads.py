"""Uploads of many numbers into the real ``wombat-ari serve``: all forms that curl sends, memory, errors by line."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.system.site import Site

MOST_MB = 150
MANY = int(os.environ.get("WOMBAT_TEST_NUMBERS", "100000"))  #: a million takes a minute


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("uploads"))
    site.wombat("init")
    site.serve(ready=False)
    try:
        site.await_ready()
        yield site
    finally:
        site.close()


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each with an attribute; the tenth is none, and so is the last but one."""
    file = tmp_path_factory.mktemp("numbers") / "numbers"
    with file.open("w") as out:
        for place in range(1, MANY + 1):
            number = "" if place in (10, MANY - 1) else str(39 * 10**8 + place)
            out.write(f"{number},NAME:Ann Müller {place}{'|' if place < MANY else ''}")
    encoded = file.with_suffix(".encoded")  # curl encodes no more than 8 MB itself
    with encoded.open("w") as out:
        out.write(f"numbers={quote_plus(file.read_text())}")
    return file


def peak_mb(site: Site) -> float:
    """The most memory that the web process ever had."""
    status = Path(f"/proc/{site.supervisor_pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def upload(site: Site, *arguments: str) -> list[str]:
    address = f"http://127.0.0.1:{site.console_port}/wombat/api/lists/"
    done = subprocess.run(
        ["curl", "-sS", *arguments, address], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


REFUSED = ["refused: record 10: the number is empty", f"refused: record {MANY - 1}: the number is empty"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("encoded", ["--data-binary", "@{}.encoded", "--url-query", "op=addToList", "--url-query", "list=encoded"]),
        ("file", ["-F", "op=addToList", "-F", "list=file", "-F", "numbers=@{}"]),
        ("field", ["-F", "op=addToList", "-F", "list=field", "-F", "numbers=<{}"]),
        (
            "chunked",
            [
                "-H",
                "Transfer-Encoding: chunked",
                "--data-binary",
                "@{}.encoded",
                "--url-query",
                "op=addToList",
                "--url-query",
                "list=chunked",
            ],
        ),
    ],
)
def test_many_numbers_in_little_memory(site: Site, numbers: Path, name: str, form: list[str]) -> None:
    answer = upload(site, *(each.format(numbers) for each in form))
    assert answer == [f"OK: 2 refused, {MANY - 2} of {MANY} added to list {name}", *REFUSED]
    assert site.rows("SELECT records FROM call_list WHERE name = %s", [name]) == [(MANY - 2,)]
    assert peak_mb(site) < MOST_MB


def test_duplicates_are_left_out(site: Site, numbers: Path) -> None:
    form = ("-F", "op=addToList", "-F", "list=once", "-F", "dedupe=1", "-F", f"numbers=@{numbers}")
    assert upload(site, *form)[0] == f"OK: 2 refused, {MANY - 2} of {MANY} added to list once"
    assert upload(site, *form)[0] == f"OK: 2 refused, {MANY - 2} were there already, 0 of {MANY} added to list once"
    assert peak_mb(site) < MOST_MB
