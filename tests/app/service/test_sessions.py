"""Sessions of the console: opened by a log-on, ended by time, log-off, another password, a disabled user."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from tests.store.conftest import NOW
from wombat_ari.app.service.logon import HASHES_AT_ONCE, MOST_LOGIN, LogOn, TooManyTries
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON
from wombat_ari.app.service.throttle import FREE_FAILURES
from wombat_ari.model.admin import User
from wombat_ari.model.errors import UserError
from wombat_ari.store import sessions, syslog, users
from wombat_ari.store.database import Database

PASSWORD = "correct horse"
HOME = "192.0.2.7"
IDLE_S, OLDEST_S = 600.0, 3600.0


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    users._nobody.cache_clear()


@pytest.fixture
def bob(database: Database) -> User:
    users.create_admin(database, PASSWORD, now=NOW, login="root")
    user = User(None, "bob", real_name="Bob", own_keys=("USER", "LIVE"), time_zone="Asia/Tokyo")
    user = users.save_user(database, user, by="setup", now=NOW)
    users.set_password(database, user.id or 0, password=PASSWORD, by="setup", now=NOW)
    return user


@pytest.fixture
def log_on(database: Database) -> LogOn:
    return LogOn(database, idle_s=IDLE_S, oldest_s=OLDEST_S)


def opened(log_on: LogOn, login: str = "bob", *, at: float = NOW) -> str:
    return log_on.open_session(login, PASSWORD, address=HOME, now=at)


def has_ended(log_on: LogOn, text: str, *, at: float = NOW) -> bool:
    try:
        log_on.by_session(text, address=HOME, now=at)
    except UserError as refused:
        return refused.code == LOG_ON
    return False


def test_who_is_logged_on(log_on: LogOn, bob: User) -> None:
    visitor = log_on.by_session(opened(log_on), address=HOME, now=NOW + 1)
    assert (visitor.caller.login, visitor.real_name, visitor.time_zone) == ("bob", "Bob", "Asia/Tokyo")
    assert visitor.caller.keyring.keys == {"USER", "LIVE"}


def test_each_log_on_has_a_session_of_its_own_and_the_database_cannot_open_it(
    log_on: LogOn, bob: User, database: Database
) -> None:
    texts = {opened(log_on), opened(log_on)}
    assert len(texts) == 2
    with database.transaction(write=False) as tx:
        stored = {row[0] for row in tx.rows("SELECT token_hash FROM web_session")}
    assert len(stored) == 2
    assert all(has_ended(log_on, hashed) for hashed in stored)
    assert not stored & texts


def test_it_ends_unused_and_with_age(log_on: LogOn, bob: User) -> None:
    text = opened(log_on)
    assert not has_ended(log_on, text, at=NOW + IDLE_S)
    assert not has_ended(log_on, text, at=NOW + 2 * IDLE_S), "a request prolonged it"
    assert has_ended(log_on, text, at=NOW + 3 * IDLE_S + 1)
    assert has_ended(log_on, text, at=NOW + 3 * IDLE_S), "once ended it does not come back"
    old = opened(log_on)
    for minute in range(0, 60, 5):
        assert not has_ended(log_on, old, at=NOW + 60.0 * minute)
    assert has_ended(log_on, old, at=NOW + OLDEST_S + 1)


def test_log_off_ends_this_one_only(log_on: LogOn, bob: User, database: Database) -> None:
    one, other = opened(log_on), opened(log_on)
    log_on.close_session(one, log_on.by_session(one, address=HOME, now=NOW).caller)
    assert has_ended(log_on, one)
    assert not has_ended(log_on, other)
    assert "log-off" in syslog.actions(database)


def test_another_password_ends_all(log_on: LogOn, bob: User, database: Database) -> None:
    texts = [opened(log_on), opened(log_on)]
    users.set_password(database, bob.id or 0, password="another horse", by="root", now=NOW)
    assert all(has_ended(log_on, text) for text in texts)


def test_a_disabled_user_is_out_at_once(log_on: LogOn, bob: User, database: Database) -> None:
    text = opened(log_on)
    users.save_user(database, replace(bob, enabled=False), by="root", now=NOW)
    assert has_ended(log_on, text)
    users.save_user(database, replace(bob, enabled=True), by="root", now=NOW)
    assert has_ended(log_on, text), "it does not come back"


def test_who_lost_the_key_to_log_on_is_out(log_on: LogOn, bob: User, database: Database) -> None:
    text = opened(log_on)
    users.save_user(database, replace(bob, own_keys=("LIVE",)), by="root", now=NOW)
    assert has_ended(log_on, text)
    with pytest.raises(UserError) as refused:
        opened(log_on)
    assert refused.value.code == FORBIDDEN


def test_a_deleted_user_leaves_none(log_on: LogOn, bob: User, database: Database) -> None:
    text = opened(log_on)
    users.delete_user(database, bob.id or 0, by="root", now=NOW)
    assert has_ended(log_on, text)


def test_wrong_passwords_are_slowed_down(log_on: LogOn, bob: User) -> None:
    for _ in range(20):
        with pytest.raises(UserError) as refused:
            log_on.open_session("bob", "wrong", address=HOME, now=NOW)
        if isinstance(refused.value, TooManyTries):
            break
    else:
        pytest.fail("nobody was slowed down")
    with pytest.raises(TooManyTries):
        opened(log_on)


def test_the_log_on_of_the_demonstration_is_for_this_machine(log_on: LogOn, database: Database) -> None:
    users.create_demo_admin(database, now=NOW)
    with pytest.raises(UserError, match="at this machine only") as refused:
        log_on.open_session(users.DEMO_LOGIN, users.DEMO_PASSWORD, address=HOME, now=NOW)
    assert refused.value.code == FORBIDDEN
    text = log_on.open_session(users.DEMO_LOGIN, users.DEMO_PASSWORD, address="127.0.0.1", now=NOW)
    assert log_on.by_session(text, address="127.0.0.1", now=NOW).caller.keyring.master


def test_ended_ones_are_swept(log_on: LogOn, bob: User, database: Database) -> None:
    opened(log_on)
    opened(log_on, at=NOW + IDLE_S + 1)
    assert len(sessions.sessions_of(database, bob.id or 0)) == 1


def test_a_password_that_is_changed_during_a_log_on_with_the_old_one_ends_its_session(
    log_on: LogOn, bob: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = users.verify

    def meanwhile(*arguments: object, **named: object) -> object:
        stamp = verify(*arguments, **named)  # type: ignore[arg-type]
        monkeypatch.setattr(users, "verify", verify)
        users.set_password(database, bob.id or 0, password="battery staple", by="setup", now=NOW)
        return stamp

    monkeypatch.setattr(users, "verify", meanwhile)
    assert has_ended(log_on, opened(log_on)), "by the form"
    monkeypatch.setattr(users, "verify", meanwhile)
    users.set_password(database, bob.id or 0, password=PASSWORD, by="setup", now=NOW)
    log_on.by_password("bob", PASSWORD, address=HOME, now=NOW)
    with pytest.raises(UserError):
        log_on.by_password("bob", PASSWORD, address=HOME, now=NOW)  # it is not remembered as the new one


def test_logged_off_elsewhere_outlives_no_change_of_the_password(log_on: LogOn, bob: User, database: Database) -> None:
    """Somebody with a stolen session who asks for a new one all the time does not get past the new password."""
    mine, other = opened(log_on), opened(log_on)
    fresh = sessions.reopen_session(database, mine, address=HOME, now=NOW)
    assert has_ended(log_on, mine)
    assert has_ended(log_on, other)
    assert not has_ended(log_on, fresh)
    users.set_password(database, bob.id or 0, password="battery staple", by="setup", now=NOW)
    assert has_ended(log_on, sessions.reopen_session(database, fresh, address=HOME, now=NOW))
    with pytest.raises(UserError):
        sessions.reopen_session(database, fresh, address=HOME, now=NOW)


def test_what_is_remembered_of_a_try_is_bounded(log_on: LogOn, bob: User, database: Database) -> None:
    login = "x" * 100_000
    for _ in range(6):
        with pytest.raises(UserError):
            log_on.open_session(login, "wrong", address=HOME, now=NOW)
    with pytest.raises(TooManyTries):
        log_on.open_session(login, "wrong", address=HOME, now=NOW)
    assert max(len(login) for _, login in log_on._throttle._counts) <= MOST_LOGIN
    assert {len(entry.object) for entry in syslog.read(database)} == {MOST_LOGIN}


def test_who_waited_for_others_to_be_checked_is_held_to_their_failures(
    log_on: LogOn, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tries that come all at once count one after the other."""
    asked: list[str] = []

    def slowly(db: Database, login: str, password: str, *, now: float) -> None:
        asked.append(password)
        time.sleep(0.02)  # as a hash takes

    monkeypatch.setattr(users, "verify", slowly)
    with ThreadPoolExecutor(16) as pool:
        tries = [
            pool.submit(log_on.open_session, "bob", f"guess {number}", address=HOME, now=NOW) for number in range(40)
        ]
        refused = [one.exception() for one in tries]
    assert len(asked) <= FREE_FAILURES + HASHES_AT_ONCE
    assert sum(isinstance(one, TooManyTries) for one in refused) == 40 - len(asked)
