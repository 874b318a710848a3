"""addcall: what is asked, as the dialer's own parser reads it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.agi_scripts.conftest import Dialer
from tests.agi_scripts.pipes import SCRIPTS, Pbx
from wombat_ari.core.numbers import parse_pairs


@pytest.fixture(autouse=True)
def _adds(dialer: Dialer) -> None:
    dialer.answers = [(200, "OK\nWOMBATID:4712\n")]


def test_call_with_attributes(dialer: Dialer) -> None:
    note = 'a,b:c\\ \\, "d" (e \u65e5'
    pbx = Pbx({"NOTE": note, "CALLERID(name)": "Joe, D"}).run(
        "addcall.py", "--in", "600", "--variable", "NOTE", "--variable", "WHO=CALLERID(name)", "callback", "0551234",
        "QUEUE=400", "EMPTY=", env=dialer.env,
    )  # fmt: skip
    assert (pbx.result, pbx.variables["WOMBAT_ADDED"], pbx.status) == ("OK", "4712", 0)
    (asked,) = dialer.asked
    assert parse_pairs(asked.pop("attrs")) == {"QUEUE": "400", "EMPTY": "", "NOTE": note, "WHO": "Joe, D"}
    assert asked == {"op": "addcall", "campaign": "callback", "number": "0551234", "schedule": "600"}


def test_by_hand_or_cron(dialer: Dialer) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "addcall.py"), "--at", "2026-12-24 10:30", "callback", "0551234"],
        env=dialer.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("4712\n", "", 0)
    assert dialer.asked[0]["schedule"] == "2026-12-24 10:30"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["callback"], "addcall needs CAMPAIGN and NUMBER"),
        (["callback", "1", "NOTE=a", "b"], "'b' is not NAME=value; a text with commas is given by --variable"),
        (["--in", "soon", "callback", "1"], "--in is 'soon': it must be a whole number"),
        (["--in", "1", "--at", "2026-12-24 10:30", "callback", "1"], "--in and --at exclude each other"),
        (["--in"], "--in needs a value"),
    ],
)
def test_wrong(dialer: Dialer, words: list[str], told: str) -> None:
    pbx = Pbx().run("addcall.py", *words, env=dialer.env)
    assert pbx.result == f"ERROR: {told}"
    assert not dialer.asked
    assert "WOMBAT_ADDED" not in pbx.variables
