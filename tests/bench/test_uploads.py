"""The benchmark of uploads runs at a small size and tells what it promises."""

from __future__ import annotations

import pytest

from tools.bench import uploads


def test_every_way_on_sqlite() -> None:
    result = uploads.measure(["sqlite"], numbers=500)
    assert {way: set(found["turns"]) for way, found in result["databases"]["sqlite"].items()} == {
        way: set(uploads.TURNS) for way in uploads.WAYS
    }
    assert 30 < result["peak_mb"] < uploads.MOST_MB
    for promised in ("500 numbers", "addToList", "CSV", "dedupe", "reach 150", "reached"):
        assert promised in uploads.shown(result)


def test_sizes_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["uploads", "--numbers", "5"])
    with pytest.raises(SystemExit):
        uploads.main()
    assert "at least one hundred" in capsys.readouterr().err
