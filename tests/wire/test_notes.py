"""Notes of ended calls and lists of live ones."""

import pytest

from tests.wire.recordings import recorded
from wombat_ari.model.events import LiveChannel, Trace
from wombat_ari.model.ids import MAX_SERIES, SERIES
from wombat_ari.wire.ami import Decoder
from wombat_ari.wire.notes import key_of, live_of, trace_of, traces_of_cli, traces_of_tree, tree_of

KEY = "wbt-0000000000000007"


def test_each_series_has_a_tree_of_its_own() -> None:
    assert key_of(7) == f"000/{KEY}"
    assert key_of(123 * SERIES + 7) == "123/wbt-1230000000000007"
    assert key_of(MAX_SERIES * SERIES).startswith(f"{tree_of(MAX_SERIES)}/")
    assert trace_of(f"/wombat-gone/{key_of(7)}", "17|BUSY|0|0|1795388550") is not None


@pytest.mark.parametrize("key", [KEY, f"/wombat-gone/000/{KEY}", f"/wombat-gone/000/{KEY}   "])
def test_a_note(key: str) -> None:
    assert trace_of(key, "17|BUSY|0|0|1795388550") == Trace(7, False, 17, "BUSY", 1795388550.0, 0)
    assert trace_of(key, "16|ANSWER|1|1234|1795388550") == Trace(7, True, 16, "ANSWER", 1795388550.0, 1234)


@pytest.mark.parametrize("value", ["", "|", "x|y|z|-|?", "||||||||"])
def test_a_broken_note_is_still_a_note(value: str) -> None:
    note = trace_of(KEY, value)
    assert note is not None
    assert (note.answered, note.cause, note.talk_ms, note.ended_at) == (False, 0, 0, 0.0)


@pytest.mark.parametrize("key", ["", "wbo-0000000000000007", "/wombat-gone/wbt-7", "/other/x"])
def test_a_key_of_somebody_else_is_none(key: str) -> None:
    assert trace_of(key, "17|BUSY|0|0|1795388550") is None


def test_what_the_cli_prints() -> None:
    lines = [f"/wombat-gone/000/{KEY}                : 17|BUSY|0|0|1795388550", "1 results found.", ""]
    assert traces_of_cli(lines) == {7: Trace(7, False, 17, "BUSY", 1795388550.0, 0)}


def test_what_the_manager_lists() -> None:
    messages = Decoder().feed(recorded("reconcile_astdb", ids="dbr1"))
    assert traces_of_tree([m for m in messages if m.name == "DBGetTreeResponse"]).keys() == {1}


def test_live_channels_of_a_recorded_list() -> None:
    messages = Decoder().feed(recorded("reconcile", ids="rec-(?:ans|ring|queue)"))
    listed = live_of([m for m in messages if m.name == "CoreShowChannel"])
    by_name = {channel.channel: channel for channel in listed}
    assert len(listed) == 3  # neither the other halves nor the trunk's own channels
    assert by_name["Local/91805551234@trunkB-00000029;1"] == LiveChannel(
        by_name["Local/91805551234@trunkB-00000029;1"].wombatid, "Local/91805551234@trunkB-00000029;1", False, 2
    )
    assert by_name["Local/92015551234@trunkB-00000028;1"].up
    status = live_of([m for m in messages if m.name == "Status"])
    assert {(one.channel, one.up, one.seconds) for one in status} >= {("Local/92015551234@trunkB-00000028;1", True, 2)}


def test_a_long_call_is_counted_in_hours() -> None:
    messages = Decoder().feed(
        b"Asterisk Call Manager/11.0.0\r\nEvent: CoreShowChannel\r\nChannel: X\r\nChannelState: 6\r\n"
        + f"Uniqueid: {KEY}\r\nDuration: 25:01:05\r\n\r\n".encode()
    )
    assert live_of(messages) == (LiveChannel(7, "X", True, 25 * 3600 + 65),)
