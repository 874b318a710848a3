"""The WOMBATID as Asterisk sees it: of fixed length, none the prefix of another, and recognised by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.model.ids import MAX_WOMBATID, channel_id, other_channel_id, wombatid_of

wombatids = st.integers(1, MAX_WOMBATID)


def test_spelling() -> None:
    assert channel_id(42) == "wbt-0000000000000042"
    assert other_channel_id(42) == "wbo-0000000000000042"
    assert channel_id(MAX_WOMBATID) == "wbt-9007199254740991"


@given(wombatids, wombatids)
def test_there_and_back_and_no_prefix_of_another(one: int, two: int) -> None:
    assert wombatid_of(channel_id(one)) == one
    ids = {channel_id(one), other_channel_id(one), channel_id(two), other_channel_id(two)}
    assert {len(spelled) for spelled in ids} == {20}
    assert len(ids) == (2 if one == two else 4)


@given(wombatids)
def test_it_survives_json_clients_that_count_in_doubles(wombatid: int) -> None:
    assert int(float(wombatid)) == wombatid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wbt-",
        "wbt-42",
        "wbo-0000000000000042",
        "WBT-0000000000000042",
        "wbt-000000000000004",
        "wbt-00000000000000042",
        "wbt-0000000000000042;2",
        "wbt-00000000000000-1",
        "wbt-+000000000000042",
        "wbt-000000000000004 ",
        "wbt-0000000000000_42",
        "wbt-٠٠٠٠٠٠٠٠٠٠٠٠٠٠٤٢",
        "wbt-0000000000000000",
        "wbt-9007199254740992",
        "1795386579.24081",
    ],
)
def test_any_other_form_is_not_ours(text: str) -> None:
    assert wombatid_of(text) is None


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert wombatid_of(text) is None or channel_id(wombatid_of(text) or 0) == text
