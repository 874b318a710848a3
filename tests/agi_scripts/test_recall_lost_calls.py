"""recall_lost_calls: who is called back from a queue_log, and who must not be."""

from __future__ import annotations

import contextlib
import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agi_scripts.conftest import Dialer
from tests.agi_scripts.pipes import SCRIPTS, Pbx
from wombat_ari.core.numbers import parse_pairs

ANN, BOB, EVE = "0551111111", "0552222222", "0553333333"
DAY = 86400


def call(
    number: str, ago: float, end: str = "ABANDON|1|1|%d", *, queue: str = "300", wait: int = 20, id: str = ""
) -> str:
    """The lines of a call that entered ``ago`` seconds ago and waited ``wait`` seconds. No ``end``: it waits still."""
    at, id = int(time.time() - ago), id or f"{time.time() - ago:.0f}.{number[-2:]}{int(ago) % 97}"
    lines = [f"{at}|{id}|{queue}|NONE|ENTERQUEUE||{number}|1"]
    if end.startswith("CONNECT"):
        lines += [f"{at + wait}|{id}|{queue}|Ann|CONNECT|{wait}|1.2|3"]
        lines += [f"{at + wait + 5}|{id}|{queue}|Ann|COMPLETECALLER|{wait}|5|1"]
    elif end:
        lines += [f"{at + wait}|{id}|{queue}|NONE|{end % wait if '%' in end else end}"]
    return "".join(f"{line}\n" for line in lines)


@dataclass
class Job:
    folder: Path
    dialer: Dialer

    def __post_init__(self) -> None:
        self.dialer.answers = [(200, "OK\nWOMBATID:4712\n")]
        self.log.write_text("")

    @property
    def log(self) -> Path:
        return self.folder / "queue_log"

    @property
    def state(self) -> Path:
        return self.folder / "wombat-recall.json"

    def start(self, *options: str, queues: tuple[str, ...] = ("300", "301")) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(SCRIPTS / "recall_lost_calls.py"), *options, "back", *queues], text=True,
            env={**self.dialer.env, "AST_LOG_DIR": str(self.folder), "AST_SPOOL_DIR": str(self.folder), "TZ": "UTC"},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *options: str, status: int = 0) -> str:
        """What it said; ``dialer.asked`` has what it asked."""
        job = self.start(*options)
        out, err = job.communicate(timeout=60)
        assert job.returncode == status, out + err
        assert "Traceback" not in err
        return out + err

    def called(self, *options: str, status: int = 0) -> list[str]:
        before = len(self.dialer.asked)
        self.run(*options, status=status)
        return [asked["number"] for asked in self.dialer.asked[before:]]

    def age_notes(self, seconds: float) -> None:
        notes = json.loads(self.state.read_text())
        for note in notes.values():
            note["asked_at"] -= seconds
        self.state.write_text(json.dumps(notes))


@pytest.fixture
def job(dialer: Dialer, tmp_path: Path) -> Job:
    return Job(tmp_path, dialer)


def test_lost_caller_is_called_back_once(job: Job) -> None:
    job.log.write_text(call(ANN, 600, wait=33))
    said = job.run()
    (asked,) = job.dialer.asked
    attributes = parse_pairs(asked.pop("attrs"))
    assert asked == {"op": "addcall", "campaign": "back", "number": ANN}
    assert (attributes["LOST_QUEUE"], attributes["LOST_WAIT"]) == ("300", "33")
    assert attributes["LOST_AT"] == time.strftime(
        "%Y-%m-%d %H:%M:%S", time.gmtime(int(job.log.read_text().split("\n")[1][:10]))
    )
    assert said == f"{ANN}, lost in 300 at {attributes['LOST_AT']}, is call 4712\n"
    assert job.called() == []
    assert job.state.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("lines", "called"),
    [
        (lambda: call(ANN, 900) + call(ANN, 600, "CONNECT"), []),  # answered later
        (lambda: call(ANN, 900) + call(ANN, 600, "CONNECT", queue="777"), []),  # in another queue
        (lambda: call(ANN, 900, "CONNECT") + call(ANN, 600), [ANN]),  # answered before
        (lambda: call(ANN, 900) + call(ANN, 100, ""), []),  # waits again
        (lambda: call(ANN, 900) + call(ANN, 800, "") + f"{int(time.time()) - 700}|NONE|NONE|NONE|QUEUESTART|\n", [ANN]),
        (lambda: call(ANN, 900) + call(ANN, 600) + call(BOB, 500), [ANN, BOB]),  # twice lost, called once
        (lambda: call(ANN, 900, queue="302"), []),  # a queue that is not named
        (lambda: call(ANN, 600, "EXITWITHKEY|1|1"), []),  # wanted something else
        (lambda: call(ANN, 600, "EXITWITHTIMEOUT|1|1|%d"), []),
        (lambda: call(ANN, 600, id="wbt-0000000000004711"), []),  # the dialer's own
        (lambda: call(ANN, 900) + call(ANN, 600, "CONNECT", queue="back", id="wbt-0000000000004711"), []),
        (lambda: call("anonymous", 600) + call("", 600) + call("201", 600), []),  # no numbers
        (lambda: call(ANN, 9 * 3600) + call(BOB, 40), []),  # too old; too fresh
        (lambda: call(ANN, 600, wait=0), [ANN]),  # entered and left in one second
        (lambda: "rubbish\n1|2\n|||||\n" + call(ANN, 600) + f"{int(time.time())}|half a li", [ANN]),
    ],
)  # fmt: skip
def test_who_is_called(job: Job, lines: Callable[[], str], called: list[str]) -> None:
    job.log.write_text(lines())
    assert job.called() == called


def test_options(job: Job) -> None:
    job.log.write_text(call("201", 300, wait=9) + call(ANN, 7200, "EXITWITHTIMEOUT|1|1|%d") + call(BOB, 600, wait=9))
    assert "would call" in job.run("--dry-run")
    assert not job.dialer.asked
    assert not job.state.exists()
    assert job.called("--min-wait", "10", "--timeouts", "--look-back", "1") == []
    assert job.called("--timeouts", "--most", "1") == [ANN]
    assert job.called("--numbers", "[0-9]{3}", "--numbers", "x") == ["201"]
    assert job.called() == [BOB]


def test_once_a_day_and_again_the_next(job: Job) -> None:
    job.log.write_text(call(ANN, 600))
    assert job.called() == [ANN]
    with job.log.open("a") as log:
        log.write(call(ANN, 300))
    assert job.called() == []  # lost again, but it was called today
    job.age_notes(DAY)
    assert job.called() == [ANN]
    job.age_notes(DAY)
    # Called since it was lost: on whatever day, that loss is dealt with.
    job.log.write_text(call(ANN, DAY * 1.2))
    assert job.called("--look-back", "48") == []


@pytest.mark.parametrize("kind", ["logrotate", "compressed", "asterisk", "dated", "copytruncate"])
def test_rotated(job: Job, kind: str) -> None:
    """What was lost, and who was answered, may stand in different files."""
    job.log.write_text(call(ANN, 900) + call(BOB, 900) + call(EVE, 900, ""))
    names = {"asterisk": "queue_log.0", "dated": "queue_log-20261124"}
    rotated = job.folder / names.get(kind, "queue_log.1")
    if kind == "copytruncate":
        shutil.copy2(job.log, rotated)
        os.truncate(job.log, 0)
    else:
        job.log.rename(rotated)
    if kind == "compressed":
        (job.folder / "queue_log.1.gz").write_bytes(gzip.compress(rotated.read_bytes()))
        rotated.unlink()
    job.log.write_text(call(BOB, 300, "CONNECT"))
    assert job.called() == [ANN]


def test_rotated_while_it_reads(job: Job) -> None:
    """Rotations all the time: an answer is never overlooked."""
    job.log.write_text(call(ANN, 900) + call(ANN, 600, "CONNECT") + call(BOB, 900))
    done = threading.Event()

    def rotate() -> None:
        while not done.is_set():
            job.log.rename(job.folder / "queue_log.1")
            (job.folder / "queue_log.1").rename(job.log)

    thread = threading.Thread(target=rotate)
    thread.start()
    try:
        for _ in range(2):
            with contextlib.suppress(AssertionError):
                job.run()
            assert {asked["number"] for asked in job.dialer.asked} <= {BOB}
    finally:
        done.set()
        thread.join()
    job.run()
    assert [asked["number"] for asked in job.dialer.asked] == [BOB]


def test_rotated_between_listing_and_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.spec_from_file_location("recall", SCRIPTS / "recall_lost_calls.py")
    assert found is not None
    assert found.loader is not None
    recall = importlib.util.module_from_spec(found)
    found.loader.exec_module(recall)
    log = tmp_path / "queue_log"
    log.write_text(call(ANN, 900))
    read = recall.lines_of

    def rotate_then_read(path: str, since: float) -> Iterator[str]:
        if not (tmp_path / "queue_log.1").exists():
            log.rename(tmp_path / "queue_log.1")
            log.write_text(call(BOB, 300))
        return read(path, since)

    monkeypatch.setattr(recall, "lines_of", rotate_then_read)
    lines = recall.read_log(str(log), time.time() - 3600)
    assert {fields[6] for fields in lines if fields[4] == "ENTERQUEUE"} == {ANN, BOB}


def test_unreadable_log_calls_nobody(job: Job) -> None:
    job.log.write_text(call(ANN, 600))
    (job.folder / "queue_log.1.gz").write_bytes(gzip.compress(call(ANN, 900).encode())[:-20])
    assert "cannot be read" in job.run(status=1)
    (job.folder / "queue_log.1.gz").unlink()
    job.log.unlink()
    assert "or there is none" in job.run(status=1)
    assert not job.dialer.asked


def test_two_at_once(job: Job) -> None:
    job.log.write_text("".join(call(f"05500000{n:02}", 600 + n) for n in range(20)))
    job.dialer.delay_s = 0.02
    jobs = [job.start() for _ in range(4)]
    for each in jobs:
        each.communicate(timeout=60)
    assert [each.returncode for each in jobs] == [0] * 4
    numbers = [asked["number"] for asked in job.dialer.asked]
    assert len(numbers) == len(set(numbers)) == 20


def test_killed_at_any_moment(job: Job) -> None:
    """kill -9 while calls are added: each number is asked for once at most, and all but the one in between are."""
    job.log.write_text("".join(call(f"05500000{n:02}", 600 + n) for n in range(30)))
    job.dialer.delay_s = 0.02
    kills = 0
    for least in (5, 12, 20):
        each = job.start()
        while len(job.dialer.asked) < least and each.poll() is None:
            time.sleep(0.005)
        each.kill()
        each.communicate()
        kills += 1
    job.run()
    numbers = [asked["number"] for asked in job.dialer.asked]
    assert len(numbers) == len(set(numbers)) >= 30 - kills


def test_refused_is_asked_again_next_time(job: Job) -> None:
    job.log.write_text(call(ANN, 700) + call(BOB, 600))
    job.dialer.answers = [(200, "ERROR: campaign back has no live run\n"), (200, "OK\nWOMBATID:4713\n")]
    assert f"{ANN}: campaign back has no live run" in job.run(status=1)
    assert job.called() == [ANN]
    assert set(json.loads(job.state.read_text())) == {ANN, BOB}


def test_dialer_away(job: Job) -> None:
    job.log.write_text(call(ANN, 700) + call(BOB, 600))
    url, job.dialer.url = job.dialer.url, "http://127.0.0.1:9/wombat/api"
    assert "cannot be reached" in job.run(status=1)
    job.dialer.url = url
    assert job.called() == [ANN, BOB]


@pytest.mark.parametrize("answer", [(503, "ERROR: the dialer did not answer within 30 s\n"), (500, "oops"), (502, "")])
def test_unsure_is_not_asked_again_that_day(job: Job, answer: tuple[int, str]) -> None:
    job.log.write_text(call(ANN, 700) + call(BOB, 600))
    job.dialer.answers = [answer, (200, "OK\nWOMBATID:4713\n")]
    assert f"{ANN} may have been added and is not asked for again today" in job.run(status=1)
    assert job.called() == [BOB]
    assert job.called() == []


def test_words_of_an_unanswered_dialer() -> None:
    """They are what tells it from a refusal."""
    assert "did not answer" in (Path(__file__).parents[2] / "wombat_ari/app/control.py").read_text()


def test_notes_that_cannot_be_read_or_written(job: Job) -> None:
    job.log.write_text(call(ANN, 700))
    for text in ("", "{", "[]", '{"1": {}}', '{"1": 5}'):
        job.state.write_text(text)
        assert "cannot be read" in job.run(status=1)
        assert job.state.read_text() == text
    job.state.unlink()
    job.state.with_name("wombat-recall.json.new").mkdir()
    assert "cannot be written" in job.run(status=1)
    assert not job.dialer.asked


def test_as_agi(job: Job) -> None:
    job.log.write_text(call(ANN, 700))
    env = {**job.dialer.env, "AST_LOG_DIR": str(job.folder), "AST_SPOOL_DIR": str(job.folder)}
    pbx = Pbx().run("recall_lost_calls.py", "back", " 300", env=env)
    assert (pbx.result, pbx.status) == ("OK", 0)
    assert pbx.commands[0].startswith(f'VERBOSE "{ANN}, lost in 300')
