"""What the shipped hang-up handler leaves in the AstDB for a dialer that was away, on a real Asterisk."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import NewAsterisk
from tests.tools.ami import Ami
from tools.provision.asterisk import AsteriskInstance
from tools.provision.process import wait_until


def _left(pbx: AsteriskInstance, attempt: str) -> list[str]:
    """The value left for an attempt, cut at the bars: cause, dialstatus, answered, ms, epoch. Empty if none."""
    answer = pbx.cli(f"database get wombat-gone {attempt[:3]}/wbt-{attempt}")
    return answer.partition("Value: ")[2].strip().split("|") if "Value: " in answer else []


def _left_at_last(pbx: AsteriskInstance, attempt: str, fits: Callable[[list[str]], bool] = bool) -> list[str]:
    """The same, once it ``fits``: the two halves of a call end in any order."""
    wait_until(lambda: fits(_left(pbx, attempt)), timeout=10)
    return _left(pbx, attempt)


@pytest.mark.parametrize(
    ("number", "cause"),
    [("55520100", "17"), ("55520000", "17"), ("55540000", "1"), ("55550000", "34"), ("55560100", "21")],
)
def test_refused(asterisk: AsteriskInstance, number: str, cause: str) -> None:
    with Ami(asterisk) as ami:
        ami.ended(attempt := ami.originate(number))
    assert _left_at_last(asterisk, attempt)[:4] == [cause, "", "0", "0"]


def test_not_answered(asterisk: AsteriskInstance) -> None:
    with Ami(asterisk) as ami:
        ami.ended(attempt := ami.originate("55530000", timeout=0.3))
    cause, _, answered, *_ = _left_at_last(asterisk, attempt)
    assert (cause in {"0", "19"}, answered) == (True, "0")


@pytest.mark.parametrize(("number", "exten"), [("55510105", "101"), ("55510100", "905")])
def test_answered_by_either_end(asterisk: AsteriskInstance, number: str, exten: str) -> None:
    with Ami(asterisk) as ami:
        ami.ended(attempt := ami.originate(number, exten=exten))
    cause, _, answered, duration, ended = _left_at_last(asterisk, attempt)
    assert (cause, answered) == ("16", "1")
    assert 450 <= int(duration) < 5000
    assert int(ended) > 1_700_000_000


def test_end_point_that_does_not_track(new_asterisk: NewAsterisk) -> None:
    """Only the trunk's half tells then, and it tells that the call was answered."""
    pbx = new_asterisk(extra_conf={"extensions.d/site.conf": "[simulated-endpoints]\nexten => 500,1,Wait(0.3)\n"})
    with Ami(pbx) as ami:
        ami.ended(attempt := ami.originate("55510000", exten="500"))
    left = _left_at_last(pbx, attempt)
    assert left[2] == "1"
    assert int(left[3]) >= 250


def test_dialer_away_from_ring_to_hang_up(asterisk: AsteriskInstance) -> None:
    with Ami(asterisk) as ami:
        attempt = ami.originate("55510305")
        ami.event("Newchannel", attempt)
    assert _left_at_last(asterisk, attempt)[2] == "1"


def test_switched_off(new_asterisk: NewAsterisk) -> None:
    pbx = new_asterisk(extra_conf={"extensions.d/zz.conf": "[globals]\nWOMBAT_TRACK = no\n"})
    with Ami(pbx) as ami:
        ami.ended(ami.originate("55510001", exten="102"))
        ami.ended(ami.originate("55520000"))
        by_variable = ami.originate("55520000", variables={"WOMBAT_TRACK": "yes"})
        ami.ended(by_variable)
    assert _left_at_last(pbx, by_variable)[0] == "17"
    assert pbx.cli("database show wombat-gone").count("wombat-gone/") == 1


def test_kept_over_a_restart(new_asterisk: NewAsterisk) -> None:
    pbx = new_asterisk()
    with Ami(pbx) as ami:
        ami.ended(attempt := ami.originate("55520000"))
    before = _left_at_last(pbx, attempt)
    pbx.stop()
    pbx.start()
    assert _left(pbx, attempt) == before
