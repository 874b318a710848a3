"""What the person at the terminal sees: set up, watch the campaign, read the report, know where the console is."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tools.demonstration import campaign, keeper
from tools.provision.cache import cache_dir
from wombat_ari.store.database import open_database
from wombat_ari.store.users import DEMO_LOGIN, DEMO_PASSWORD, create_demo_admin

START_S = 90.0  #: Asterisk and dialer are up by then


class _Failed(Exception):
    """Something did not go as it must; its text is for the terminal."""


def FOLDER() -> Path:
    return cache_dir() / "demo"


def show(folder: Path) -> int:
    """The whole demonstration. Answers the exit status: 0 only if every record ended as it must."""
    try:
        return _show(folder)
    except _Failed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; the console stays open, end it with: tools/demo stop", file=sys.stderr)
        return 130


def _show(folder: Path) -> int:
    if keeper.stop(folder):
        _say("an earlier demonstration was still running: stopped")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _say("starting Asterisk and the dialer")
    about = _begin(folder)
    _say(f"Asterisk {about['version']} answers at 127.0.0.1:{about['ami_port']}, the console at {about['console']}")
    _set_up(folder, about)
    _let_in(folder)
    _say(f"watch it in the browser, too: {about['console']}live, login {DEMO_LOGIN}, password {DEMO_PASSWORD}")
    _wombat(about, "run", campaign.CAMPAIGN)
    print()
    _wombat(about, "report", campaign.CAMPAIGN)
    return _judge(about)


def _begin(folder: Path) -> dict[str, Any]:
    """Start the keeper, detached, and wait until Asterisk and the supervisor run."""
    with (folder / "keeper.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.demonstration", "keep", str(folder)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if (folder / keeper.READY).exists():
            return json.loads((folder / keeper.READY).read_text())
        if (folder / keeper.FAILED).exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    failed = folder / keeper.FAILED
    raise _Failed(failed.read_text() if failed.exists() else f"it did not start; see {folder / 'keeper.log'}")


def _set_up(folder: Path, about: dict[str, Any]) -> None:
    plan, numbers = folder / "plan.toml", folder / "numbers.txt"
    plan.touch(mode=0o600)
    plan.write_text(
        campaign.plan_text(port=about["ami_port"], login=about["login"], password=about["secret"]), encoding="utf-8"
    )
    numbers.write_text(campaign.list_text(), encoding="utf-8")
    _wombat(about, "apply", str(plan))
    _wombat(about, "import", campaign.LIST, str(numbers))
    _say("who is called:")
    for kind in campaign.KINDS:
        print(f"   {len(kind.digits):3} {kind.title}")


def _let_in(folder: Path) -> None:
    """The known log-on of the demonstration. Its console listens on this machine only, and says so on each page."""
    state = folder / "state"
    database = open_database(f"sqlite:///{state / 'wombat.db'}", key_file=state / "secret.key")
    try:
        create_demo_admin(database, now=time.time())
    finally:
        database.close()


def _judge(about: dict[str, Any]) -> int:
    report = json.loads(_wombat(about, "report", campaign.CAMPAIGN, "--json", capture=True))
    wrong = campaign.faults(report["attempts"])
    print()
    for fault in wrong:
        print(f"   WRONG  {fault}")
    total = len(campaign.records())
    _say(f"{total - len(wrong)} of {total} records ended as they must")
    _say(f"the console stays open at {about['console']}  (on this machine only)")
    _say(f"log on as {DEMO_LOGIN} with the password {DEMO_PASSWORD}; the report is at {about['console']}reports")
    _say("end it with: tools/demo stop")
    return 1 if wrong else 0


def _wombat(about: dict[str, Any], *arguments: str, capture: bool = False) -> str:
    return _run({**os.environ, **about["environment"]}, *arguments, capture=capture)


def _run(environment: dict[str, str], *arguments: str, capture: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "wombat_ari", *arguments],
        env=environment, stdout=subprocess.PIPE if capture else None, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise _Failed(_why(environment) or f"wombat-ari {' '.join(arguments)} ended with status {done.returncode}")
    return done.stdout or ""


def _why(environment: dict[str, str]) -> str:
    """What the keeper says, if it or one of those it keeps has ended; it notices a moment later than a command."""
    folder = Path(environment["WOMBAT_ARI_STATE_FOLDER"]).parent
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if (folder / keeper.FAILED).exists():
            return (folder / keeper.FAILED).read_text()
        if keeper.running(folder) is None:
            return "what kept Asterisk and the dialer was killed, and they with it; run tools/demo again"
        time.sleep(0.1)
    return ""


def _say(text: str) -> None:
    print(f"demo: {text}", flush=True)
