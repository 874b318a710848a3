"""Logging on by password and by token, brakes on guessing, what is noted; nobody gives what they lack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from tests.app.service.conftest import BOTH, caller
from tests.store.conftest import NOW
from wombat_ari.app.service import logon, throttle
from wombat_ari.app.service import users as user_service
from wombat_ari.app.service.caller import Caller
from wombat_ari.app.service.logon import LogOn, TooManyTries
from wombat_ari.app.service.rights import FORBIDDEN, LOG_ON
from wombat_ari.app.service.throttle import Throttle
from wombat_ari.model.admin import User, UserClass
from wombat_ari.model.errors import UserError
from wombat_ari.model.tokens import ALL_SCOPES, Scope
from wombat_ari.store import syslog, tokens, users
from wombat_ari.store.database import Database

PASSWORD = "correct horse"
HOME = "192.0.2.7"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    users._nobody.cache_clear()


@pytest.fixture
def bob(database: Database) -> User:
    users.create_admin(database, PASSWORD, now=NOW, login="root")
    user = users.save_user(database, User(None, "bob", own_keys=("USER", "API", "LISTS")), by="setup", now=NOW)
    users.set_password(database, user.id or 0, password=PASSWORD, by="setup", now=NOW)
    return user


@pytest.fixture
def log_on(database: Database) -> LogOn:
    return LogOn(database)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each slow hash that is computed."""
    computed: list[str] = []
    real = users._matches
    monkeypatch.setattr(users, "_matches", lambda hashed, given: computed.append(given) or real(hashed, given))
    return computed


def refusal(attempt: Callable[[], object]) -> UserError:
    with pytest.raises(UserError) as refused:
        attempt()
    return refused.value


def actions(database: Database) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.object, entry.detail) for entry in syslog.read(database)][::-1]


@BOTH
def test_a_password_is_hashed_once_and_remembered(database: Database, bob: User, hashes: list[str]) -> None:
    log_on = LogOn(database)
    for second in range(20):
        who = log_on.by_password("bob", PASSWORD, address=HOME, now=NOW + second)
        assert (who.login, who.address, who.scopes) == ("bob", HOME, ALL_SCOPES)
    assert len(hashes) == 1
    log_on.by_password("bob", PASSWORD, address=HOME, now=NOW + logon.REMEMBERED_S + 1)
    assert len(hashes) == 2
    assert users.load_user(database, "bob").logons == 2
    assert actions(database) == [("log-on", "bob", f"from {HOME}")] * 2


def test_a_change_counts_at_once(database: Database, bob: User, log_on: LogOn) -> None:
    log_on.by_password("bob", PASSWORD, address=HOME, now=NOW)
    users.save_user(database, replace(bob, own_keys=("USER",)), by="setup", now=NOW)
    assert log_on.by_password("bob", PASSWORD, address=HOME, now=NOW + 1).keyring.keys == {"USER"}
    users.save_user(database, replace(bob, own_keys=("LISTS",)), by="setup", now=NOW)
    assert refusal(lambda: log_on.by_password("bob", PASSWORD, address=HOME, now=NOW + 1)).code == FORBIDDEN
    users.save_user(database, replace(bob, enabled=False), by="setup", now=NOW)
    assert refusal(lambda: log_on.by_password("bob", PASSWORD, address=HOME, now=NOW + 2)).code == LOG_ON
    users.save_user(database, bob, by="setup", now=NOW)
    users.set_password(database, bob.id or 0, password="battery staple", by="setup", now=NOW)
    assert refusal(lambda: log_on.by_password("bob", PASSWORD, address=HOME, now=NOW + 3)).code == LOG_ON


def test_who_guesses_waits_longer_and_longer(database: Database, bob: User, log_on: LogOn, hashes: list[str]) -> None:
    for _ in range(throttle.FREE_FAILURES):
        assert refusal(lambda: log_on.by_password("bob", "guess", address=HOME, now=NOW)).code == LOG_ON
    hashes.clear()
    waits = []
    now = NOW
    for _ in range(4):
        refused = refusal(lambda now=now: log_on.by_password("bob", PASSWORD, address=HOME, now=now))
        assert isinstance(refused, TooManyTries), "the right password too: else a wait would tell that it is wrong"
        waits.append(refused.wait_s)
        now += refused.wait_s + 0.01
        refusal(lambda now=now: log_on.by_password("bob", "guess", address=HOME, now=now))
    assert waits == pytest.approx([2, 4, 8, 16])
    assert PASSWORD not in hashes, "while waiting nothing is computed"
    assert log_on.by_password("bob", PASSWORD, address=HOME, now=now + 3600).login == "bob"
    assert ("log-on failed", "bob", f"from {HOME}") in actions(database)


@pytest.mark.parametrize("login", ["bob", "nobody", "disabled", "no password yet", "bob\0", "x" * 10_000])
def test_every_refusal_costs_one_hash_of_the_same_strength(
    database: Database, bob: User, log_on: LogOn, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the time it takes does not tell which logins there are."""
    for name, enabled in (("disabled", False), ("no password yet", True)):
        user = users.save_user(database, User(None, name.replace(" ", "-"), enabled=enabled), by="setup", now=NOW)
        if not enabled:
            users.set_password(database, user.id or 0, password=PASSWORD, by="setup", now=NOW)
    computed: list[str] = []
    real = users._matches
    monkeypatch.setattr(users, "_matches", lambda hashed, given: computed.append(hashed) or real(hashed, given))
    for attempt in (log_on.open_session, log_on.by_password):
        with pytest.raises(UserError, match="login or password is wrong"):
            attempt(login.replace(" ", "-"), "wrong", address=HOME, now=NOW)
    assert [hashed.rpartition("$")[0].rpartition("$")[0] for hashed in computed] == ["$argon2id$v=19$m=8,t=1,p=1"] * 2


def test_an_ipv6_host_is_one_place(bob: User, log_on: LogOn) -> None:
    for number in range(throttle.FREE_FAILURES):
        refusal(lambda number=number: log_on.by_password("bob", "x", address=f"2001:db8::{number}", now=NOW))
    assert (
        refusal(lambda: log_on.by_password("bob", PASSWORD, address="2001:db8::ffff", now=NOW)).code == logon.TOO_MANY
    )
    assert log_on.by_password("bob", PASSWORD, address="2001:db8:1::1", now=NOW).login == "bob"


def test_a_flood_of_log_ons_does_not_hold_all_threads(
    bob: User, log_on: LogOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot be hashed soon is sent away; who was right before needs no hash."""
    log_on.by_password("bob", PASSWORD, address=HOME, now=NOW)
    monkeypatch.setattr(logon, "HASH_WAIT_S", 0.05)
    for _ in range(logon.HASHES_AT_ONCE):
        log_on._hashing.acquire()
    assert refusal(lambda: log_on.by_password("bob", "x", address="203.0.113.5", now=NOW)).code == logon.TOO_MANY
    assert log_on.by_password("bob", PASSWORD, address=HOME, now=NOW).login == "bob"


def test_nobody_locks_out_others(database: Database, bob: User, log_on: LogOn) -> None:
    log_on.by_password("bob", PASSWORD, address=HOME, now=NOW)
    brakes = log_on._throttle
    for number in range(throttle.FREE_OF_LOGIN + 5):
        brakes.failed(f"198.51.100.{number}", "bob", now=NOW + 1)
    later = NOW + 2 + logon.REMEMBERED_S
    for number in range(5):
        brakes.failed(f"198.51.100.{number}", "bob", now=later)
    assert refusal(lambda: log_on.by_password("bob", PASSWORD, address="203.0.113.9", now=later)).code == logon.TOO_MANY
    assert log_on.by_password("bob", PASSWORD, address=HOME, now=later).login == "bob"


def test_brakes_of_an_address_and_their_memory() -> None:
    brakes = Throttle()
    for number in range(throttle.FREE_OF_ADDRESS):
        assert brakes.wait_s(HOME, f"user{number}", now=NOW) == 0
        brakes.failed(HOME, f"user{number}", now=NOW)
    assert brakes.wait_s(HOME, "somebody else", now=NOW) > 0
    assert brakes.wait_s("192.0.2.8", "somebody else", now=NOW) == 0
    brakes.failed(HOME, "x", now=NOW + throttle.FORGOTTEN_S * 2)
    assert brakes.wait_s(HOME, "somebody else", now=NOW + throttle.FORGOTTEN_S * 2) == 0, "all is forgiven"
    for number in range(throttle.REMEMBERED + 10):
        brakes.failed(f"a{number}", f"b{number}", now=NOW)
    assert len(brakes._counts) <= throttle.REMEMBERED


@BOTH
def test_a_token_is_shown_once_and_stored_as_its_hash(database: Database, bob: User) -> None:
    log_on = LogOn(database)
    made, text = user_service.make_token(caller("bob", "API"), database, name="crm", scopes=[Scope.CONTROL])
    assert text.startswith(tokens.MARK)
    assert len(text) > 40
    with database.transaction(write=False) as tx:
        stored = str(tx.rows("SELECT * FROM api_token")) + str(tx.rows("SELECT new_values FROM audit"))
    assert text not in stored
    assert text.removeprefix(tokens.MARK) not in stored
    who = log_on.by_token(text, address=HOME, now=NOW + 5)
    assert (who.login, who.scopes) == ("bob", {Scope.CONTROL})
    assert tokens.load_token(database, made.id).last_used_at == NOW + 5
    log_on.by_token(text, address=HOME, now=NOW + 6)
    assert tokens.load_token(database, made.id).last_used_at == NOW + 5, "written at most once a minute"


def test_a_token_ends(database: Database, bob: User, log_on: LogOn) -> None:
    bobs = caller("bob", "API")
    made, text = user_service.make_token(bobs, database, name="a", scopes=[Scope.READ], expires_at=NOW + 100)
    assert log_on.by_token(text, address=HOME, now=NOW + 99)
    assert refusal(lambda: log_on.by_token(text, address=HOME, now=NOW + 100)).code == LOG_ON
    _, other = user_service.make_token(bobs, database, name="b", scopes=[Scope.READ])
    user_service.revoke_token(bobs, database, made.id + 1)
    assert refusal(lambda: log_on.by_token(other, address=HOME, now=NOW)).code == LOG_ON
    _, third = user_service.make_token(bobs, database, name="c", scopes=[Scope.READ])
    users.save_user(database, replace(bob, own_keys=("USER",)), by="setup", now=NOW)
    assert refusal(lambda: log_on.by_token(third, address=HOME, now=NOW)).code == FORBIDDEN, "without the key API"
    users.save_user(database, replace(bob, enabled=False), by="setup", now=NOW)
    assert refusal(lambda: log_on.by_token(third, address=HOME, now=NOW)).code == LOG_ON
    for guess in ("", "wbt_", "wbt_" + "a" * 43, text[:-1], text + "x", "x" * 5000):
        assert refusal(lambda guess=guess: log_on.by_token(guess, address="203.0.113.1", now=NOW)).code == LOG_ON


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda who, db: user_service.make_token(who, db, name="x", scopes=[]), "say what it is for"),
        (lambda who, db: user_service.make_token(who, db, name=" ", scopes=[Scope.READ]), "must not be empty"),
        (
            lambda who, db: user_service.make_token(who, db, name="x", scopes=[Scope.READ], expires_at=NOW),
            "expired already",
        ),
        (
            lambda who, db: user_service.make_token(
                replace(who, scopes=frozenset({Scope.USERS})), db, name="x", scopes=[Scope.CONTROL]
            ),
            "never made wider",
        ),
        (
            lambda who, db: user_service.make_token(who, db, name="x", scopes=[Scope.READ], login="root"),
            "needs the key",
        ),
    ],
)
def test_tokens_that_are_refused(database: Database, bob: User, attempt: Callable[..., object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        attempt(caller("bob", "API"), database)
    assert tokens.list_tokens(database) == []


def test_each_sees_and_revokes_their_own(database: Database, bob: User, master: Caller) -> None:
    eve = users.save_user(database, User(None, "eve", own_keys=("USER", "API")), by="setup", now=NOW)
    made, _ = user_service.make_token(caller("bob", "API"), database, name="x", scopes=[Scope.READ])
    assert eve.id != made.user_id
    assert user_service.list_tokens(caller("eve", "API"), database) == []
    assert refusal(lambda: user_service.revoke_token(caller("eve", "API"), database, made.id)).code == FORBIDDEN
    assert user_service.list_tokens(caller("bob", "API"), database) == user_service.list_tokens(master, database)
    assert user_service.revoke_token(master, database, made.id).revoked_at == NOW


@pytest.mark.parametrize(
    "attempt",
    [
        lambda who, db, bob: user_service.save_user(who, db, User(None, "m", master=True)),
        lambda who, db, bob: user_service.save_user(who, db, User(None, "m", own_keys=("VIP",))),
        lambda who, db, bob: user_service.save_user(who, db, replace(bob, own_keys=(*bob.own_keys, "CTRL_WBT"))),
        lambda who, db, bob: user_service.save_user(who, db, User(None, "m", class_id=1)),
        lambda who, db, bob: user_service.save_class(who, db, UserClass(None, "c", keys=("VIP",))),
        lambda who, db, bob: user_service.set_password(who, db, 1, password="battery staple"),
        lambda who, db, bob: user_service.set_password(who, db, 2, password="battery staple"),
        lambda who, db, bob: user_service.set_password(who, db, 3, password="battery staple"),
        lambda who, db, bob: user_service.save_user(who, db, replace(users.load_user(db, 3), enabled=True)),
        lambda who, db, bob: user_service.save_user(who, db, replace(users.load_user(db, 4), own_keys=())),
        lambda who, db, bob: user_service.delete_user(who, db, 1),
        lambda who, db, bob: user_service.make_token(who, db, name="x", scopes=[Scope.READ], login="root"),
    ],
)
def test_nobody_gives_what_they_have_not(database: Database, attempt: Callable[..., object]) -> None:
    """``helper`` holds ADMIN and nothing else: no way from there to more."""
    users.create_admin(database, PASSWORD, now=NOW, login="root")
    vip = users.save_user(database, User(None, "vip", own_keys=("USER", "VIP")), by="setup", now=NOW)
    assert vip.id == 2
    away = User(None, "away", own_keys=("USER", "VIP"), enabled=False)
    users.save_user(database, away, by="setup", now=NOW)
    few = users.save_class(database, UserClass(None, "few", keys=("USER", "VIP")), by="setup", now=NOW)
    users.save_user(database, User(None, "less", class_id=few.id, own_keys=("-VIP", "-USER")), by="setup", now=NOW)
    before = users.list_users(database), users.list_classes(database)
    assert refusal(lambda: attempt(caller("helper", "ADMIN"), database, vip)).code == FORBIDDEN
    assert (users.list_users(database), users.list_classes(database)) == before


def test_what_changes_users_is_noted(database: Database, master: Caller) -> None:
    users.create_admin(database, PASSWORD, now=NOW, login="root")
    made = user_service.save_user(master, database, User(None, "bob", own_keys=("USER", "API")))
    user_service.set_password(master, database, made.id or 0, password=PASSWORD)
    user_service.make_token(master, database, name="crm", login="bob", scopes=[Scope.READ])
    user_service.save_user(master, database, replace(made, enabled=False))
    assert [action for action, _, _ in actions(database)] == [
        "user made", "password changed", "token made", "user changed",
    ]  # fmt: skip
    assert all(detail.endswith("from 192.0.2.7") for _, _, detail in actions(database))
    assert PASSWORD not in str(actions(database))
