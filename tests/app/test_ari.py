"""Who gets an ARI: a server with a URL, where aioari is installed."""

import sys

import pytest

from wombat_ari.app.ari import MISSING, ari_maker
from wombat_ari.model.entities import Server


def _never(*_: object) -> None:
    raise AssertionError("nothing is set, no flow is run")


def test_a_server_without_a_url_has_none() -> None:
    assert ari_maker(123, _never)(Server(1, "pbx"), _never) is None  # type: ignore[arg-type]


def test_where_aioari_is_missing_that_is_said_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aioari", None)
    monkeypatch.setitem(sys.modules, "aioari.client", None)
    for name in [name for name in sys.modules if name.startswith(("wombat_ari.pbx.ari", "wombat_ari.flows.ari"))]:
        monkeypatch.delitem(sys.modules, name)
    made = ari_maker(123, _never)(Server(1, "pbx", ari_url="http://pbx:8088"), _never)  # type: ignore[arg-type]
    assert made is not None
    made.start(_never)
    assert (made.app, made.connected, made.last_error, made.calls) == ("wombat-123", False, MISSING, 0)
    assert made.stop().called
