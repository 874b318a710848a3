"""Tables of people and of watching: users, classes, audit trail, system log, the dialer's lease, the version."""

from peewee import CompositeKey

from wombat_ari.store.tables.base import BaseTable, Described, big, flag, ident, long_text, moment, refers, text, whole
from wombat_ari.store.tables.config import NAME


class UserClass(Described):
    meaning = "A class of users and the keys its members hold"

    id = ident("identity")
    name = text(NAME, "unique", unique=True)
    description = text(255, "what it is for")
    key_list = text(2000, "keys, separated by blanks")

    class Meta:
        table_name = "user_class"


class User(Described):
    meaning = "Somebody who may log on"

    id = ident("identity")
    login = text(NAME, "unique", unique=True)
    password_hash = text(255, "argon2id hash, empty: cannot log on by password")
    real_name = text(255, "name for people")
    enabled = flag("whether log-on is allowed")
    email = text(255, "address")
    master = flag("holds all keys")
    class_id = refers(UserClass, "the class", null=True)
    key_list = text(2000, "own keys, separated by blanks; -KEY takes one of the class away")
    logons = whole("log-ons so far")
    last_logon_at = moment("last log-on", null=True)
    comment = text(1000, "free text")
    token = text(255, "agent channels for the preview page, separated by blanks")
    time_zone = text(64, "IANA name of the zone in which times are shown to them, empty: the dialer's own")

    class Meta:
        table_name = "user"


class ApiToken(BaseTable):
    meaning = "Tokens with which programs call the API in the name of a user"

    id = ident("identity")
    user_id = refers(User, "whose rights it has")
    name = text(NAME, "what it is for")
    token_hash = text(64, "SHA-256 of the token, which is shown once", unique=True)
    scopes = text(255, "what it may be used for, separated by blanks")
    created_at = moment("when it was made")
    created_by = text(NAME, "login of who made it")
    expires_at = moment("after this moment it is refused", null=True)
    revoked_at = moment("when it was revoked", null=True)
    last_used_at = moment("when it was used last", null=True)

    class Meta:
        table_name = "api_token"


class WebSession(BaseTable):
    meaning = "People who are logged on at the console"

    token_hash = text(64, "SHA-256 of what the cookie holds", primary_key=True)
    user_id = refers(User, "who logged on", index=True)
    stamp = text(64, "of the password then: with another one the session has ended")
    address = text(64, "where from")
    created_at = moment("when")
    seen_at = moment("last request, to the minute", index=True)

    class Meta:
        table_name = "web_session"


class IdempotencyKey(BaseTable):
    meaning = "Answers of the API to requests with an Idempotency-Key, so that a repeated one is not done twice"

    login = text(NAME, "who asked")
    idempotency_key = text(200, "the key that was sent")
    request_hash = text(64, "SHA-256 of method, address and body: the same key with another request is refused")
    status = whole("status that was answered, 0 while it is being done")
    answer = long_text("body that was answered")
    created_at = moment("when it was asked first", index=True)

    class Meta:
        table_name = "idempotency_key"
        primary_key = CompositeKey("login", "idempotency_key")


class Audit(BaseTable):
    meaning = "Who changed which configured thing, from what to what"

    id = ident("identity")
    at = moment("when")
    login = text(NAME, "who")
    action = text(16, "CREATED, CHANGED or DELETED")
    entity = text(32, "table of the thing")
    entity_id = big("its identity")
    old_values = long_text("JSON object of the changed fields before; secrets are ***")
    new_values = long_text("JSON object of the changed fields after; secrets are ***")

    class Meta:
        table_name = "audit"
        indexes = ((("entity", "entity_id", "at"), False),)


class SystemLog(BaseTable):
    meaning = "What happened to the system: life cycles, log-ons, changes, starts, stops, links, errors"

    id = ident("identity")
    at = moment("when", index=True)
    login = text(NAME, "who, or dialer")
    action = text(NAME, "what was done")
    object = text(255, "to what")
    detail = long_text("the rest, in words")

    class Meta:
        table_name = "system_log"
        indexes = ((("login", "at"), False), (("action", "at"), False))


class DialerLease(BaseTable):
    meaning = "Which dialer works on this database; one row while one does"

    name = text(16, "what is leased", primary_key=True)
    node = text(255, "host that holds it")
    pid = whole("process that holds it")
    acquired_at = moment("since when")
    expires_at = moment("after this moment another may take it")

    class Meta:
        table_name = "dialer_lease"


class SchemaVersion(BaseTable):
    meaning = "Migrations applied, one row each"

    version = whole("number of the migration", primary_key=True)
    name = text(NAME, "its name")
    applied_at = moment("when")

    class Meta:
        table_name = "schema_version"
