"""Users, classes, passwords, keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from argon2 import PasswordHasher, Type

from tests.store.builders import BY
from tests.store.conftest import NOW
from wombat_ari.model.admin import User, UserClass
from wombat_ari.model.errors import UserError
from wombat_ari.store import entities, users
from wombat_ari.store.database import Database

REAL_HASHER = users._hasher


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real strength costs some hundredths of a second a hash."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    users._nobody.cache_clear()


def test_hashes_are_strong() -> None:
    """At least what OWASP recommends for argon2id; docs/decisions/0013."""
    kind, memory, rounds = REAL_HASHER.type, REAL_HASHER.memory_cost, REAL_HASHER.time_cost
    assert kind is Type.ID
    assert memory >= 19 * 1024
    assert rounds >= 2


def test_the_first_administrator(database: Database) -> None:
    password = users.create_admin(database, now=NOW)
    assert len(password) >= 12
    stamp = users.verify(database, "admin", password, now=NOW + 5)
    assert stamp == users.standing(database, "admin").stamp != ""
    admin = users.load_user(database, "admin")
    assert (admin.master, admin.logons, admin.last_logon_at) == (True, 1, NOW + 5)
    assert users.verify(database, "admin", password + "x", now=NOW) is None
    for other in ("Admin", "admin ", " admin", "admin\0", ""):
        assert users.verify(database, other, password, now=NOW) is None
        assert not users.keyring(database, other).master
    assert users.load_user(database, "admin").logons == 1
    assert [c.name for c in users.list_classes(database)] == ["ADMIN", "AGENT", "ROBOT", "SUPERVISOR"]
    with database.transaction(write=False) as tx:
        stored = tx.value("SELECT password_hash FROM user")
    assert stored.startswith("$argon2id$")


def test_the_way_back_in(database: Database) -> None:
    first = users.create_admin(database, now=NOW)
    second = users.create_admin(database, "correct horse", now=NOW)
    assert users.verify(database, "admin", first, now=NOW) is None
    assert users.verify(database, "admin", second, now=NOW) is not None
    assert len(users.list_users(database)) == 1
    with pytest.raises(UserError, match="8 to 1000"):
        users.create_admin(database, "short", now=NOW)


@pytest.mark.parametrize("rehash", [False, True])
def test_a_password_that_is_changed_while_the_old_one_is_checked_stays(
    database: Database, rehash: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check takes its time; what it writes afterwards must not be the hash of before."""
    users.create_admin(database, "the old one", now=NOW)
    admin, matches = users.load_user(database, "admin").id or 0, users._matches

    def meanwhile(hashed: str, password: str) -> bool:
        right = matches(hashed, password)
        monkeypatch.setattr(users, "_matches", matches)
        users.set_password(database, admin, password="the new one", by=BY, now=NOW)
        return right

    monkeypatch.setattr(users, "_matches", meanwhile)
    if rehash:
        monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=16, parallelism=1))
    assert users.verify(database, "admin", "the old one", now=NOW) is None
    assert users.verify(database, "admin", "the old one", now=NOW) is None
    assert users.verify(database, "admin", "the new one", now=NOW) == users.standing(database, "admin").stamp


def test_who_may_not_log_on(database: Database) -> None:
    users.create_admin(database, now=NOW)
    user = users.save_user(database, User(None, "bob"), by=BY, now=NOW)
    assert users.verify(database, "bob", "", now=NOW) is None, "no password was set yet"
    users.set_password(database, user.id or 0, password="bob's secret", by=BY, now=NOW)
    assert users.verify(database, "bob", "bob's secret", now=NOW) is not None
    users.save_user(database, replace(user, enabled=False), by=BY, now=NOW)
    assert users.verify(database, "bob", "bob's secret", now=NOW) is None
    with pytest.raises(UserError, match="8 to 1000"):
        users.set_password(database, user.id or 0, password="short", by=BY, now=NOW)
    with pytest.raises(UserError, match="no user 4711"):
        users.set_password(database, 4711, password="bob's secret", by=BY, now=NOW)


def test_an_unknown_login_takes_as_long(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash of the same strength is computed for each try, whatever is wrong with it."""
    users.create_admin(database, "correct horse", now=NOW)
    users.save_user(database, User(None, "without"), by=BY, now=NOW)
    users.save_user(database, User(None, "off", enabled=False), by=BY, now=NOW)
    computed: list[str] = []
    real = users._matches
    monkeypatch.setattr(users, "_matches", lambda hashed, password: computed.append(hashed) or real(hashed, password))
    for login in ("admin", "nobody", "without", "off"):
        assert users.verify(database, login, "wrong password", now=NOW) is None
    assert [hashed.rsplit("$", 2)[0] for hashed in computed] == [computed[0].rsplit("$", 2)[0]] * 4


def test_no_hash_and_no_password_in_the_audit_trail(database: Database) -> None:
    users.create_admin(database, "correct horse", now=NOW)
    users.set_password(database, 1, password="battery staple", by=BY, now=NOW)
    with database.transaction(write=False) as tx:
        text = str(tx.rows("SELECT old_values, new_values FROM audit"))
    assert "argon2" not in text
    assert "staple" not in text
    assert "horse" not in text


def test_the_keyring(database: Database) -> None:
    users.install_classes(database, now=NOW)
    users.create_admin(database, now=NOW)
    supervisor = next(c for c in users.list_classes(database) if c.name == "SUPERVISOR")
    user = User(None, "bob", class_id=supervisor.id, own_keys=("-LISTS", "VIP", "-NONE", "SYSLOG"))
    user = users.save_user(database, user, by=BY, now=NOW)
    ring = users.keyring(database, "bob")
    assert ring.keys == {"USER", "LIVE", "REPORT", "CAMPAIGNS", "STATUS", "VIP", "SYSLOG"}
    assert ring.holds("VIP")
    assert ring.holds("")
    assert not ring.holds("LISTS")
    assert users.keyring(database, "admin").holds("ANYTHING")
    users.save_user(database, replace(user, enabled=False), by=BY, now=NOW)
    assert not users.keyring(database, "bob").keys
    assert not users.keyring(database, "nobody").holds("USER")


def test_a_master_always_remains(database: Database) -> None:
    users.create_admin(database, now=NOW)
    admin = users.load_user(database, "admin")
    for lesser in (replace(admin, master=False), replace(admin, enabled=False)):
        with pytest.raises(UserError, match="last one"):
            users.save_user(database, lesser, by=BY, now=NOW)
    with pytest.raises(UserError, match="last one"):
        users.delete_user(database, admin.id or 0, by=BY, now=NOW)
    assert users.load_user(database, "admin") == admin
    users.save_user(database, User(None, "eve", master=True), by=BY, now=NOW)
    users.delete_user(database, admin.id or 0, by=BY, now=NOW)


def test_who_left_traces_is_not_deleted(database: Database) -> None:
    users.create_admin(database, now=NOW)
    user = users.save_user(database, User(None, "bob"), by=BY, now=NOW)
    users.save_class(database, UserClass(None, "x"), by="bob", now=NOW)
    with pytest.raises(UserError, match="user bob cannot be deleted: it is used by the audit trail"):
        users.delete_user(database, user.id or 0, by=BY, now=NOW)


def test_classes(database: Database) -> None:
    users.create_admin(database, now=NOW)
    users.install_classes(database, now=NOW)
    agent = next(c for c in users.list_classes(database) if c.name == "AGENT")
    users.save_class(database, replace(agent, keys=("USER", "AGENT", "VIP")), by=BY, now=NOW)
    users.install_classes(database, now=NOW)
    assert next(c for c in users.list_classes(database) if c.name == "AGENT").keys == ("USER", "AGENT", "VIP")
    users.save_user(database, User(None, "bob", class_id=agent.id), by=BY, now=NOW)
    with pytest.raises(UserError, match="class AGENT cannot be deleted: it is used by user bob"):
        users.delete_class(database, agent.id or 0, by=BY, now=NOW)
    with pytest.raises(UserError, match="one of that name already"):
        users.save_class(database, UserClass(None, "AGENT"), by=BY, now=NOW)
    with pytest.raises(UserError, match="no class 4711"):
        users.save_user(database, User(None, "eve", class_id=4711), by=BY, now=NOW)
    last = entities.history(database, "user_class", agent.id or 0)[0]
    assert last.old_values == {"key_list": "USER AGENT"}


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (User(None, ""), "user login"),
        (User(None, "a b"), "blanks"),
        (User(None, "a:b"), "Basic"),
        (User(None, "a", email="x"), "e-mail"),
        (User(None, "a", own_keys=("A B",)), "key 'A B'"),
        (User(None, "a", own_keys=("-",)), "key '-'"),
        (User(None, "a", own_keys=("--A",)), "key '--A'"),
    ],
)
def test_wrong_users(database: Database, user: User, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        users.save_user(database, user, by=BY, now=NOW)
