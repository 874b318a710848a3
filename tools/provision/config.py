"""An instance's configuration folder: the shipped ``asterisk_conf/`` with ports, secrets and folders filled in."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.provision.errors import ProvisionError
from tools.provision.root import AsteriskRoot

SHIPPED = Path(__file__).parents[2] / "asterisk_conf"
AMI_USER = ARI_USER = "wombat"
# Of the distribution's own files, those whose modules will not load, or complain, without one.
_FROM_DISTRIBUTION = (
    *("acl", "amd", "ccss", "cli_aliases", "confbridge", "features", "indications", "pjproject", "queuerules"),
    *("res_http_media_cache", "udptl", "websocket_client"),
)
HOME = "/mnt"
"""Where an instance's folder is seen by its Asterisk: a short path, so socket paths stay under their 108 bytes."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What differs between two instances."""

    ami_port: int
    http_port: int
    sip_port: int
    ami_secret: str
    ari_password: str


def _asterisk_conf(root: AsteriskRoot, name: str) -> str:
    data = "/usr/share/asterisk" if root.inside("/usr/share/asterisk/sounds").exists() else "/var/lib/asterisk"
    folders = {
        "astetcdir": f"{HOME}/etc",
        "astmoddir": str(root.modules()),
        "astvarlibdir": f"{HOME}/lib",
        "astdbdir": f"{HOME}/db",
        "astkeydir": f"{HOME}/lib",
        "astdatadir": data,
        "astagidir": f"{HOME}/lib/agi-bin",
        "astcachedir": f"{HOME}/cache",
        "astspooldir": f"{HOME}/spool",
        "astrundir": f"{HOME}/run",
        "astlogdir": f"{HOME}/log",
    }
    lines = ["[directories]", *(f"{key} => {value}" for key, value in folders.items())]
    return "\n".join([*lines, "", "[options]", f"systemname = {name}", "documentation_language = en_US", ""])


def _fill(folder: Path, file: str, replacements: Mapping[str, str]) -> None:
    path = folder / file
    text = path.read_text()
    for old, new in replacements.items():
        if text.count(old) != 1:
            raise ProvisionError(f"asterisk_conf/{file} should hold the line `{old}` once.", hint="put it back.")
        text = text.replace(old, new)
    path.write_text(text)


def write(
    etc: Path,
    *,
    root: AsteriskRoot,
    name: str,
    wiring: Wiring,
    extra_conf: Mapping[str, str],
    manager_extra: str,
) -> None:
    """Write the whole folder ``etc`` afresh; ``extra_conf`` adds or replaces files, ``manager_extra`` adds lines
    at the end of the AMI user's section."""
    shutil.rmtree(etc, ignore_errors=True)
    shutil.copytree(SHIPPED, etc, ignore=shutil.ignore_patterns("README*"))
    for stem in _FROM_DISTRIBUTION:
        source = root.inside(f"/etc/asterisk/{stem}.conf")
        if source.exists():
            shutil.copyfile(source, etc / source.name)
    (etc / "asterisk.conf").write_text(_asterisk_conf(root, name))
    if root.major < 22:
        # Versions that do not know the newer filter lines ignore them without a word and send everything.
        shutil.copyfile(etc / "manager.d/wombat-16.conf.sample", etc / "manager.d/wombat.conf")
    _fill(etc, "manager.conf", {"port = 5038": f"port = {wiring.ami_port}"})
    _fill(etc, "manager.d/wombat.conf", {"secret = change-me": f"secret = {wiring.ami_secret}"})
    _fill(etc, "http.conf", {"bindport = 8088": f"bindport = {wiring.http_port}"})
    _fill(etc, "ari.conf", {"password = change-me": f"password = {wiring.ari_password}"})
    _fill(etc, "pjsip.conf", {"bind = 127.0.0.1:5060": f"bind = 127.0.0.1:{wiring.sip_port}"})
    if manager_extra:
        with (etc / "manager.d/wombat.conf").open("a") as file:
            file.write(f"\n{manager_extra}\n")
    for path, content in extra_conf.items():
        (etc / path).parent.mkdir(parents=True, exist_ok=True)
        (etc / path).write_text(content)
