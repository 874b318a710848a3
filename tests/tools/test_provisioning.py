"""Making the private root: from whose mirror, once, by one process, and from anew after an interruption."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple
from pathlib import Path

import pytest

from tools.provision import cache, debian, errors, root
from tools.provision.errors import ProvisionError
from tools.provision.process import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, on a machine without an Asterisk of the system."""
    monkeypatch.setenv("WOMBAT_ARI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(root, "system_asterisk", lambda: None)
    return cache.cache_dir()


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands for debootstrap, which takes a minute: a root is a folder with a program that tells its version."""
    targets: list[Path] = []

    def make(target: Path) -> None:
        targets.append(target)
        target.mkdir()
        (target / "whole").touch()

    monkeypatch.setattr(root, "_debootstrap", make)
    monkeypatch.setattr(root, "_version_of", lambda command: "22.10.1")
    return targets


def test_made_once(empty_cache: Path, made: list[Path]) -> None:
    first = root.ensure_asterisk()
    second = root.ensure_asterisk()
    assert first == second
    assert (first.path / "whole").exists()
    assert (first.major, len(made)) == (22, 1)


def test_half_made_root_is_made_again(empty_cache: Path, made: list[Path]) -> None:
    path = root.ensure_asterisk().path
    (path / root._STAMP).unlink()
    left_by_a_killed_run = path.with_name(path.name + ".making")
    left_by_a_killed_run.mkdir()
    (left_by_a_killed_run / "half").touch()
    assert root.private_asterisk() is None
    again = root.ensure_asterisk()
    assert len(made) == 2
    assert not left_by_a_killed_run.exists()
    assert sorted(os.listdir(again.path)) == [root._STAMP, "whole"]


def test_two_at_once_make_it_once(empty_cache: Path, made: list[Path], capfd: pytest.CaptureFixture[str]) -> None:
    with cache.only_one("asterisk"):
        others = [threading.Thread(target=root.ensure_asterisk) for _ in range(2)]
        for other in others:
            other.start()
        assert wait_until(lambda: "waiting for another process" in capfd.readouterr().err, timeout=10)
        assert made == []
    for other in others:
        other.join()
    assert len(made) == 1


def test_lock_goes_with_its_holder(empty_cache: Path, made: list[Path]) -> None:
    holding = (
        "import sys; from tools.provision.cache import only_one\n"
        "with only_one('asterisk'): print(1, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holding]
    holder = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.kill()
    holder.communicate()
    began = time.monotonic()
    root.ensure_asterisk()
    assert time.monotonic() - began < 10


def test_killed_while_making_leaves_nothing_running(empty_cache: Path) -> None:
    """The real debootstrap, killed by SIGKILL of its parent as soon as it has begun."""
    making = subprocess.Popen([sys.executable, "-m", "tools.provision", "--cache", str(empty_cache), "asterisk"],
                              cwd=ROOT, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        if root.system_asterisk() is None and not wait_until(lambda: bool(_debootstraps(empty_cache)), timeout=60):
            pytest.fail("debootstrap was never started", pytrace=False)
    finally:
        making.send_signal(signal.SIGKILL)
        making.wait()
    assert wait_until(lambda: not _debootstraps(empty_cache), timeout=10)
    assert str(empty_cache) not in Path("/proc/self/mountinfo").read_text()


def _debootstraps(directory: Path) -> list[str]:
    """Command lines of processes that name ``directory``, other than Python's."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(str(directory) in word for word in words) and "python" not in words[0]:
            found.append(" ".join(words))
    return found


def test_unreachable_mirror_is_told(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("debootstrap") is None:
        debian.install(["debootstrap"], why="This test")
    monkeypatch.setattr(debian, "apt_mirror", lambda: "http://127.0.0.1:9/debian")
    with pytest.raises(ProvisionError, match=r"mirror .* cannot be reached[\s\S]*Last lines"):
        root.ensure_asterisk()
    assert root.private_asterisk() is None


def test_full_disk_is_told_before_anything_is_made(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 9 * 10**8, 10**8))
    with pytest.raises(ProvisionError, match=r"Not enough disk space .*100 MB are free[\s\S]*WOMBAT_ARI_CACHE"):
        root.ensure_asterisk()


def test_not_root_is_told(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors.os, "geteuid", lambda: 1000)
    with pytest.raises(ProvisionError, match="needs root, and this is user 1000"):
        root.ensure_asterisk()


def test_mounted_folder_is_never_deleted(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tools.provision.cache import remove_tree\n"
        "remove_tree(Path(sys.argv[1]) / 'root')"
    )
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "root" / "proc").mkdir(parents=True)
    mounting = 'mount --bind "$1/precious" "$1/root/proc" && exec "$2" -c "$3" "$1"'
    answer = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounting, "sh", str(tmp_path), sys.executable, script],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode != 0
    assert "umount" in answer.stderr
    assert (tmp_path / "precious" / "file").exists()


DEB822 = """Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm
 bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("sources.list.d/debian.sources", DEB822),
        ("sources.list", "deb http://mirror.example/debian bookworm main # comment\n"),
        ("sources.list", "# deb http://old.example/debian x main\ndeb-src http://s.example/debian x main\n"
                         "deb [ arch=amd64 signed-by=/a.gpg ] http://mirror.example/debian bookworm main\n"),
        ("sources.list.d/x.list", "deb http://x.example/apt stable main\ndeb http://mirror.example/debian sid main\n"),
        ("sources.list.d/x.sources", "Enabled: no\n" + DEB822.replace("mirror", "off") + "\n# generated\n" + DEB822),
        ("sources.list.d/x.list", "deb http://x.example/linux/debian bookworm stable\n"
                                  "deb http://y.example/apt bookworm main\n"
                                  "deb http://mirror.example/debian bookworm main contrib\n"),
        ("sources.list", "deb http://mirror.example/debian stable main\n"),
    ],
)  # fmt: skip
def test_mirror_of_the_machines_own_sources(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / file).write_text(text)
    assert debian.apt_mirror(tmp_path) == "http://mirror.example/debian"


def test_no_mirror_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="No Debian mirror found"):
        debian.apt_mirror(tmp_path)
