"""Settings: one TOML file, every value overridable by ``WOMBAT_ARI_<SECTION>_<KEY>``; all have defaults that run.

``SETTINGS`` is the table: docs/configuration.md is generated from it, and what is not in it is an error that names the
key. A mistake is a ``UserError`` that names file, key and what is allowed.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from wombat_ari.model.errors import UserError

ENV_PREFIX = "WOMBAT_ARI_"
CONFIG_ENV = "WOMBAT_ARI_CONFIG"
ADMIN_PASSWORD_ENV = "WOMBAT_ARI_ADMIN_PASSWORD"
#: Where the PBX of ``init --recipe`` is, and its login.
AMI_ADDRESS_ENV, AMI_LOGIN_ENV, AMI_SECRET_ENV = (f"WOMBAT_ARI_AMI_{what}" for what in ("ADDRESS", "LOGIN", "SECRET"))
#: Ours, but no settings: the configuration file, what ``init`` takes, tools' cache folder.
OTHER_VARIABLES = (
    CONFIG_ENV, ADMIN_PASSWORD_ENV, AMI_ADDRESS_ENV, AMI_LOGIN_ENV, AMI_SECRET_ENV, "WOMBAT_ARI_CACHE",
)  # fmt: skip
SYSTEM_FILE = Path("/etc/wombat-ari/wombat-ari.toml")

Check = Callable[[Any], str]  #: answers what is allowed when a value is not, else an empty text


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of one section. ``default`` also says the type."""

    section: str
    key: str
    default: Any
    meaning: str
    check: Check = lambda value: ""
    secret: bool = False  #: its value is never shown

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def environment(self) -> str:
        return f"{ENV_PREFIX}{self.section}_{self.key}".upper()


def _port(value: int) -> str:
    return "" if 0 <= value <= 65535 else "a port from 1 to 65535, or 0 for any free one"


def _one_of(*allowed: str) -> Check:
    return lambda value: "" if value in allowed else "one of " + ", ".join(allowed)


def _from(least: int) -> Check:
    return lambda value: "" if value >= least else f"a whole number from {least} up"


def _zone(value: str) -> str:
    try:
        ZoneInfo(value or "UTC")
    except (KeyError, ValueError, OSError):
        return "an IANA time zone such as Europe/Rome, or empty for the machine's own"
    return ""


def _database(value: str) -> str:
    ok = not value or value.startswith(("sqlite:///", "mysql://"))
    return (
        "" if ok else "sqlite:///PATH or mysql://USER:PASSWORD@HOST:PORT/NAME, or empty for SQLite in the state folder"
    )


def _networks(values: list[str]) -> str:
    for value in values:
        try:
            ip_network(value, strict=False)
        except ValueError:
            return "a list of addresses or networks, such as 10.0.0.5 or 10.0.0.0/24"
    return ""


def _origins(values: list[str]) -> str:
    ok = all(re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?", value) for value in values)
    return "" if ok else "a list of origins, such as https://crm.example or https://crm.example:8443"


def _prefix(value: str) -> str:
    ok = re.fullmatch("(/[A-Za-z0-9_.-]+)+", value) and not value.startswith(("/api/", "/static"))
    return "" if ok else "a path such as /wombat/api, not under /api or /static"


SETTINGS: tuple[Setting, ...] = (
    Setting("state", "folder", "", "where the embedded database, key file and sockets are; empty: the usual place"),
    Setting("database", "url", "", "sqlite:///PATH or mysql://...; empty: wombat.db in the state folder", _database),
    Setting("database", "migrate", True, "apply missing migrations at start"),
    Setting("database", "key_file", "", "key that encrypts stored passwords; empty: secret.key in the state folder"),
    Setting("console", "address", "127.0.0.1", "address the console and the API listen on"),
    Setting("console", "port", 8080, "its port", _port),
    Setting("console", "certificate", "", "file with the TLS certificate and its chain (PEM); empty: no TLS"),
    Setting("console", "private_key", "", "file with its private key (PEM); empty: in the certificate's file"),
    Setting("console", "plain_http", False, "offer other addresses than this machine's own without TLS"),
    Setting("console", "trusted_proxies", [], "proxies whose X-Forwarded-For is believed", _networks),
    Setting("console", "idle_minutes", 120, "a session that was not used for so long has ended", _from(1)),
    Setting("console", "session_hours", 24, "so long after its log-on any session has ended", _from(1)),
    Setting(
        "console", "frame_origins", [], "sites (https://crm.example) that may show the agent page in a frame", _origins
    ),
    Setting("api", "prefix", "/wombat/api", "path of the API that is compatible with the original", _prefix),
    Setting("api", "open_to", ["127.0.0.1", "::1"], "addresses that may control without a log-on", _networks),
    Setting("fastagi", "address", "127.0.0.1", "address the FastAGI server listens on"),
    Setting("fastagi", "port", 4573, "its port", _port),
    Setting("fastagi", "allow", [], "addresses that may connect besides the PBXs and this machine"),
    Setting("fastagi", "sessions", 10000, "FastAGI sessions open at a time; more are turned away", _from(1)),
    Setting("flows", "folder", "", "folder of the flows, *.py; empty: flows in the state folder"),
    Setting("flows", "limit", 900, "seconds that a flow may take", _from(1)),
    Setting("flows", "silence", 30, "seconds that a flow may go without asking anything of its caller", _from(1)),
    Setting("flows", "at_once", 1000, "flows that run at a time; more are refused", _from(1)),
    Setting("flows", "speech_command", "", "text to speech: a program with arguments, or some in a pipe"),
    Setting("flows", "speech_folder", "", "where its sounds are, for the PBX to read; empty: in the state folder"),
    Setting("dialer", "autostart", True, "`serve` starts the dialer; a file `donotstart` in the state folder says no"),
    Setting("dialer", "time_zone", "", "zone for campaigns that name none; empty: the machine's own", _zone),
    Setting("dialer", "node", "", "name of this dialer in the lease; empty: the host's name"),
    Setting("dialer", "journal_limit", 20000, "results waiting for the database at which new calls stop"),
    Setting("notify", "in_flight", 64, "notifications under way at a time, in all", _from(1)),
    Setting("notify", "per_receiver", 8, "of these to one receiver", _from(1)),
    Setting("notify", "give_up_hours", 24, "what could not be delivered for so long is parked", _from(1)),
    Setting("notify", "private_addresses", True, "whether they may go to private and local addresses"),
    Setting("mail", "server", "", "mail server that takes our e-mails; empty: they are parked"),
    Setting("mail", "port", 0, "its port; 0: 587 with starttls, 465 with tls, 25 with none", _port),
    Setting("mail", "security", "starttls", "none, starttls (required) or tls", _one_of("none", "starttls", "tls")),
    Setting("mail", "user", "", "user to log on with; empty: no log-on"),
    Setting("mail", "password", "", "password of this user; better given by the environment", secret=True),
    Setting("mail", "from", "", "address that e-mails come from; empty: wombat-ari at the node's name"),
    Setting("log", "level", "info", "what is logged", _one_of("debug", "info", "warn", "error")),
    Setting("log", "format", "text", "text lines or one JSON object a line", _one_of("text", "json")),
)

_BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings:
    """Checked values by ``section.key``, and the paths that follow from them."""

    def __init__(self, values: dict[str, Any], source: str) -> None:
        self._values = values
        self.source = source  #: the file they came from, for messages

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    @property
    def state_folder(self) -> Path:
        return Path(self["state.folder"] or _usual_state_folder()).expanduser()

    @property
    def database_url(self) -> str:
        return self["database.url"] or f"sqlite:///{self.state_folder / 'wombat.db'}"

    @property
    def key_file(self) -> Path:
        return Path(self["database.key_file"] or self.state_folder / "secret.key").expanduser()

    @property
    def control_socket(self) -> Path:
        return self.state_folder / "control.sock"

    @property
    def do_not_start(self) -> Path:
        """A flag file that keeps the dialer from starting by itself."""
        return self.state_folder / "donotstart"

    @property
    def flows_folder(self) -> Path:
        return Path(self["flows.folder"] or self.state_folder / "flows").expanduser().absolute()

    @property
    def speech_folder(self) -> Path:
        return Path(self["flows.speech_folder"] or self.state_folder / "speech").expanduser().absolute()

    @property
    def node(self) -> str:
        return self["dialer.node"] or os.uname().nodename

    @property
    def time_zone(self) -> str:
        return self["dialer.time_zone"] or _machine_zone()

    def make_state_folder(self) -> None:
        """Create the state folder, readable by its owner only."""
        try:
            self.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UserError(
                f"cannot make the state folder {self.state_folder}: {error.strerror}; set state.folder to one that can"
                " be written"
            ) from None


def load_settings(file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check: the file (given, or named by WOMBAT_ARI_CONFIG, or the system's when it is there), then the
    environment over it.
    """
    environ = os.environ if environ is None else environ
    path = file or _named_file(environ)
    values = {setting.name: setting.default for setting in SETTINGS}
    if path is not None:
        values.update(_from_file(path))
    values.update(_from_environment(environ))
    return Settings(values, str(path) if path else "the defaults")


def _named_file(environ: Mapping[str, str]) -> Path | None:
    named = environ.get(CONFIG_ENV)
    if named:
        return Path(named)
    return SYSTEM_FILE if SYSTEM_FILE.exists() else None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read the configuration file {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}") from None
    found = {}
    for section, keys in tree.items():
        if not isinstance(keys, dict):
            raise UserError(f"{path}: {section} stands outside a section; " + _hint(section))
        for key, value in keys.items():
            name = f"{section}.{key}"
            if name not in _BY_NAME:
                raise UserError(f"{path}: unknown key {name}; " + _hint(name))
            found[name] = _checked(_BY_NAME[name], value, str(path))
    return found


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    by_variable = {setting.environment: setting for setting in SETTINGS}
    for variable, text in environ.items():
        if not variable.startswith(ENV_PREFIX) or variable in OTHER_VARIABLES:
            continue
        setting = by_variable.get(variable)
        if setting is None:
            close = get_close_matches(variable, by_variable, 1)
            raise UserError(
                f"unknown environment variable {variable}" + (f"; did you mean {close[0]}?" if close else "")
            )
        found[setting.name] = _checked(setting, _parsed(setting, text), f"environment variable {variable}")
    return found


def _parsed(setting: Setting, text: str) -> Any:
    if isinstance(setting.default, bool):
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower(), text)
    if isinstance(setting.default, int):
        return int(text) if re.fullmatch("-?[0-9]+", text) else text
    if isinstance(setting.default, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _checked(setting: Setting, value: Any, source: str) -> Any:
    wanted = type(setting.default)
    shown = "***" if setting.secret else _without_password(value)
    if type(value) is not wanted:
        kind = {bool: "true or false", int: "a whole number", str: "a text", list: "a list of texts"}[wanted]
        raise UserError(f"{source}: {setting.name} is {shown!r}; allowed is {kind}")
    if wanted is list and not all(isinstance(item, str) for item in value):
        raise UserError(f"{source}: {setting.name} is {shown!r}; allowed is a list of texts")
    allowed = setting.check(value)
    if allowed:
        raise UserError(f"{source}: {setting.name} is {shown!r}; allowed is {allowed}")
    return value


def _without_password(value: Any) -> Any:
    """A database URL is shown in messages and logs: ``mysql://user:***@host/name``."""
    return re.sub(r"(://[^:@/]*):.*@", r"\1:***@", value) if isinstance(value, str) else value


def _hint(name: str) -> str:
    close = get_close_matches(name, _BY_NAME, 1)
    return f"did you mean {close[0]}?" if close else "known are " + ", ".join(_BY_NAME)


def _usual_state_folder() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/wombat-ari")
    return Path(os.environ.get("XDG_STATE_HOME", "~/.local/state")).expanduser() / "wombat-ari"


def _machine_zone() -> str:
    """The IANA name of the machine's zone, UTC when it has none that can be told."""
    named = os.environ.get("TZ", "").lstrip(":")
    target = named or str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return target if target and not _zone(target) else "UTC"
