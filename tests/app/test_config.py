"""Settings: where they come from, what beats what, and for every mistake a text that names file, key and allowed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from wombat_ari.app.config import SETTINGS, Settings, load_settings
from wombat_ari.model.errors import UserError


def _load(folder: Path, text: str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from a file of this text (none: without a file) and these environment variables."""
    if text is None:
        return load_settings(environ=dict(environ or {}))
    file = folder / "wombat.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ=dict(environ or {}))


def test_all_have_defaults_that_are_allowed() -> None:
    for setting in SETTINGS:
        assert setting.check(setting.default) == "", setting.name
        assert setting.meaning


def test_environment_beats_file_beats_default(tmp_path: Path) -> None:
    text = '[console]\nport = 9001\naddress = "::1"\n'
    settings = _load(tmp_path, text, {"WOMBAT_ARI_CONSOLE_PORT": "9002"})
    assert (settings["console.port"], settings["console.address"], settings["fastagi.port"]) == (9002, "::1", 4573)
    assert settings.source == str(tmp_path / "wombat.toml")


def test_a_file_named_by_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[fastagi]\nport = 4999\n")
    assert load_settings(environ={"WOMBAT_ARI_CONFIG": str(file)})["fastagi.port"] == 4999


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("WOMBAT_ARI_DATABASE_MIGRATE", "no", "database.migrate", False),
        ("WOMBAT_ARI_DATABASE_MIGRATE", "TRUE", "database.migrate", True),
        ("WOMBAT_ARI_FASTAGI_ALLOW", "10.0.0.1, 10.0.0.2,", "fastagi.allow", ["10.0.0.1", "10.0.0.2"]),
        ("WOMBAT_ARI_FASTAGI_PORT", "0", "fastagi.port", 0),
        ("WOMBAT_ARI_LOG_FORMAT", "json", "log.format", "json"),
    ],
)
def test_environment_values_have_the_type_of_their_key(variable: str, text: str, name: str, value: object) -> None:
    assert load_settings(environ={variable: text})[name] == value


FILE_MISTAKES = {
    "unknown key": ("[console]\nprot = 1\n", ["unknown key console.prot", "did you mean console.port"]),
    "unknown section": ("[consul]\nport = 1\n", ["unknown key consul.port", "did you mean console.port"]),
    "nothing like it": ("[zzz]\nqqq = 1\n", ["unknown key zzz.qqq", "known are state.folder, database.url"]),
    "outside a section": ("port = 1\n", ["port stands outside a section"]),
    "text for a number": ('[console]\nport = "8080"\n', ["console.port is '8080'", "allowed is a whole number"]),
    "number for a text": ("[console]\naddress = 1\n", ["console.address is 1", "allowed is a text"]),
    "number for a yes or no": ("[database]\nmigrate = 1\n", ["database.migrate is 1", "allowed is true or false"]),
    "yes or no for a number": ("[console]\nport = true\n", ["console.port is True", "allowed is a whole number"]),
    "text for a list": ('[fastagi]\nallow = "::1"\n', ["fastagi.allow is '::1'", "allowed is a list of texts"]),
    "list of numbers": ("[fastagi]\nallow = [1]\n", ["fastagi.allow is [1]", "allowed is a list of texts"]),
    "port too high": ("[console]\nport = 70000\n", ["console.port is 70000", "a port from 1 to 65535"]),
    "port below zero": ("[fastagi]\nport = -1\n", ["fastagi.port is -1", "a port from 1 to 65535"]),
    "level": ('[log]\nlevel = "loud"\n', ["log.level is 'loud'", "one of debug, info, warn, error"]),
    "format": ('[log]\nformat = "xml"\n', ["log.format is 'xml'", "one of text, json"]),
    "zone": ('[dialer]\ntime_zone = "Mars/Base"\n', ["dialer.time_zone is 'Mars/Base'", "IANA time zone"]),
    "zone that is a path": ('[dialer]\ntime_zone = "../etc"\n', ["dialer.time_zone", "IANA time zone"]),
    "database": ('[database]\nurl = "postgres://x"\n', ["database.url is 'postgres://x'", "mysql://USER:PASSWORD"]),
    "not TOML": ("[console\nport = 1\n", ["is not valid TOML", "line 1"]),
}


@pytest.mark.parametrize(("text", "said"), FILE_MISTAKES.values(), ids=FILE_MISTAKES.keys())
def test_mistakes_in_the_file(tmp_path: Path, text: str, said: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        _load(tmp_path, text)
    message = str(caught.value)
    assert str(tmp_path / "wombat.toml") in message
    for part in said:
        assert part in message


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "wombat.toml"
    file.write_bytes(b'[dialer]\nnode = "\xff"\n')
    with pytest.raises(UserError, match=r"wombat\.toml is not valid TOML"):
        load_settings(file, environ={})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the configuration file .*none\.toml: No such file"):
        load_settings(tmp_path / "none.toml", environ={})


ENVIRONMENT_MISTAKES = {
    "unknown": ({"WOMBAT_ARI_CONSOLE_PROT": "1"}, ["WOMBAT_ARI_CONSOLE_PROT", "did you mean WOMBAT_ARI_CONSOLE_PORT"]),
    "number": ({"WOMBAT_ARI_CONSOLE_PORT": "many"}, ["WOMBAT_ARI_CONSOLE_PORT", "console.port is 'many'"]),
    "empty number": ({"WOMBAT_ARI_CONSOLE_PORT": ""}, ["WOMBAT_ARI_CONSOLE_PORT", "allowed is a whole number"]),
    "two signs": ({"WOMBAT_ARI_CONSOLE_PORT": "--5"}, ["console.port is '--5'", "allowed is a whole number"]),
    "superscript": ({"WOMBAT_ARI_CONSOLE_PORT": "²"}, ["WOMBAT_ARI_CONSOLE_PORT", "allowed is a whole number"]),
    "yes or no": ({"WOMBAT_ARI_DATABASE_MIGRATE": "maybe"}, ["WOMBAT_ARI_DATABASE_MIGRATE", "true or false"]),
}


@pytest.mark.parametrize(("environ", "said"), ENVIRONMENT_MISTAKES.values(), ids=ENVIRONMENT_MISTAKES.keys())
def test_mistakes_in_the_environment(environ: dict[str, str], said: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        load_settings(environ=environ)
    for part in said:
        assert part in str(caught.value)


def test_the_database_password_is_in_no_message(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        _load(tmp_path, '[database]\nurl = "mariadb+x://wombat:hunter2@db/wombat"\n')
    assert "hunter2" not in str(caught.value)
    assert "'mariadb+x://wombat:***@db/wombat'" in str(caught.value)


def test_paths_follow_from_the_state_folder(tmp_path: Path) -> None:
    settings = load_settings(environ={"WOMBAT_ARI_STATE_FOLDER": str(tmp_path / "s")})
    assert settings.database_url == f"sqlite:///{tmp_path}/s/wombat.db"
    assert settings.key_file == tmp_path / "s" / "secret.key"
    assert settings.control_socket.parent == settings.do_not_start.parent == tmp_path / "s"


def test_the_state_folder_is_its_owners_only(tmp_path: Path) -> None:
    settings = load_settings(environ={"WOMBAT_ARI_STATE_FOLDER": str(tmp_path / "a" / "b")})
    settings.make_state_folder()
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_state_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = load_settings(environ={"WOMBAT_ARI_STATE_FOLDER": str(tmp_path / "file" / "s")})
    with pytest.raises(UserError, match=r"cannot make the state folder .*file/s: Not a directory; set state\.folder"):
        settings.make_state_folder()


def test_the_time_zone_is_the_machines_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert load_settings(environ={}).time_zone == "Asia/Tokyo"
    assert load_settings(environ={"WOMBAT_ARI_DIALER_TIME_ZONE": "Europe/Rome"}).time_zone == "Europe/Rome"
    monkeypatch.setenv("TZ", "no such zone")
    assert load_settings(environ={}).time_zone == "UTC"


def test_the_mail_password_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="allowed is a text") as refused:
        _load(tmp_path, "[mail]\npassword = 987654\n")
    assert "987654" not in str(refused.value)
    assert _load(tmp_path, environ={"WOMBAT_ARI_MAIL_PASSWORD": "s3cret"})["mail.password"] == "s3cret"
