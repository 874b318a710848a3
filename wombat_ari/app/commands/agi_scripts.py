"""``wombat-ari agi-scripts``: the stand-alone AGI programs, put where a PBX runs them from."""

import os
import re
from importlib.resources import files
from pathlib import Path

import click

from wombat_ari.model.errors import UserError


@click.command("agi-scripts")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    help="The PBX's folder of AGI programs, as /var/lib/asterisk/agi-bin; without it they are only listed.",
)
def agi_scripts(folder: Path | None) -> None:
    """Install the AGI programs (callstatus.py, addcall.py, ...) on the PBX that is this machine.

    Each is one file that needs nothing but python3: for a PBX elsewhere put them into any folder and copy them.
    """
    scripts = {each.name: each.read_bytes() for each in files("agi_scripts").iterdir() if _is_script(each.name)}
    for name, text in sorted(scripts.items()):
        done = "" if folder is None else f"{_put(folder / name, text)}: "
        click.echo(f"{done}{name:<22} {text.decode().split(chr(34) * 3)[1].splitlines()[0]}")


def _is_script(name: str) -> bool:
    return re.fullmatch(r"[a-z]\w*\.py", name) is not None


def _put(path: Path, text: bytes) -> str:
    """Write it whole or not at all: a call may be running it just now."""
    try:
        if path.exists() and path.read_bytes() == text and os.access(path, os.X_OK):
            return "same"
        done = "replaced" if path.exists() else "new"
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(text)
        new.chmod(0o755)
        new.replace(path)
    except OSError as error:
        raise UserError(f"--to {path.parent}: {path.name} cannot be written: {error.strerror}") from None
    return done
