"""Secrets at rest and their key file."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.store.builders import BY
from tests.store.conftest import NOW
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import StoreError
from wombat_ari.model.secret import NO_SECRET, Secret
from wombat_ari.store import entities
from wombat_ari.store.database import Database
from wombat_ari.store.secrets import SecretBox

SERVER = Server(None, "pbx", password=Secret("amp111"))


def sealed(box: SecretBox, text: str = "secret") -> str:
    return box.seal(Secret(text), others_exist=lambda: False)


def test_the_key_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    box = SecretBox(tmp_path / "key")
    assert box.seal(NO_SECRET, others_exist=lambda: False) == ""
    assert not (tmp_path / "key").exists(), "made when first needed"
    text = sealed(box)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert "secret" not in text
    assert box.unseal(text) == Secret("secret")
    assert SecretBox(tmp_path / "key").unseal(text) == Secret("secret")
    assert box.unseal("") is NO_SECRET
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_two_who_make_it_at_once_use_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = sealed(SecretBox(tmp_path / "key"))
    monkeypatch.setattr(Path, "exists", lambda self: False)
    late = SecretBox(tmp_path / "key")  # it did not see the file, and then the name is taken
    assert sealed(late) != text
    assert late.unseal(text) == Secret("secret")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    sealed(SecretBox(tmp_path / "key"))
    os.chmod(tmp_path / "key", mode)
    with pytest.raises(StoreError, match=f"mode 0{mode:o}.*chmod 600") as caught:
        sealed(SecretBox(tmp_path / "key"))
    assert not caught.value.transient


def test_wrong_keys(tmp_path: Path) -> None:
    text = sealed(SecretBox(tmp_path / "key"))
    sealed(SecretBox(tmp_path / "other"))
    with pytest.raises(StoreError, match="not the one the stored passwords were encrypted with"):
        SecretBox(tmp_path / "other").unseal(text)
    (tmp_path / "key").write_text("nonsense")
    with pytest.raises(StoreError, match="it holds no key"):
        SecretBox(tmp_path / "key").unseal(text)
    with pytest.raises(StoreError, match="no key file is configured"):
        sealed(SecretBox(None))
    with pytest.raises(StoreError, match="cannot be made: No such file"):
        sealed(SecretBox(tmp_path / "missing" / "key"))


def test_a_lost_key_is_not_made_anew_over_old_secrets(database: Database) -> None:
    stored = entities.save_server(database, SERVER, by=BY, now=NOW)
    key_file = database.secrets.key_file
    assert key_file is not None
    key_file.unlink()
    database.secrets = SecretBox(key_file)
    for action in (
        lambda: entities.load_server(database, "pbx"),
        lambda: entities.save_server(database, replace(SERVER, description="two"), by=BY, now=NOW),
    ):
        with pytest.raises(StoreError, match="it is missing, but the database holds passwords") as caught:
            action()
        assert caught.value.code == "store_key"
    assert not key_file.exists()
    with database.transaction() as tx:
        tx.run("UPDATE asterisk_server SET password = ''")
    assert entities.save_server(database, replace(stored, password=Secret("new")), by=BY, now=NOW).password
    assert key_file.exists()
