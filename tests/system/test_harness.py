"""The harness itself: nothing that a test started stays behind, however the test run ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.site import until

OWNER = """
import sys, time
from pathlib import Path
from tests.system.site import Site
site = Site(Path(sys.argv[1]))
site.serve()
print(site.supervisor_pid, site.dialer_pid(), flush=True)
time.sleep(600)
"""


def _runs(pid: int) -> bool:
    """Not so for one that has ended and is only not fetched yet by its new parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_of_a_site_outlives_its_owner(tmp_path: Path, how: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    try:
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(_runs(pid) for pid in pids)
        owner.send_signal(how)
        owner.wait(10)
        until(lambda: not any(_runs(pid) for pid in pids), 10, "both are gone")
    finally:
        owner.kill()
        owner.communicate()
