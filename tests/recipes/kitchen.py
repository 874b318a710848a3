"""Where recipes are tried: an Asterisk with the shipped configuration, a database with one recipe made by the command
line as a person makes it, a real dialer, and the commands that the recipe says to go on with.
"""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.system.site import Site, until
from tools.docs.__main__ import ROOT
from tools.provision.asterisk import AsteriskInstance

#: What Asterisk warns of when somebody hangs up while music is played to them: who is late, on a busy machine.
HARMLESS = "res_musiconhold.c: Failed to write frame"
RECIPES = ROOT / "wombat_ari" / "recipes"


def recipe(name: str) -> dict[str, Any]:
    """The recipe's file, read."""
    return tomllib.loads((RECIPES / f"{name}.toml").read_text(encoding="utf-8"))


def numbers(name: str) -> list[str]:
    """The numbers of the recipe's own list."""
    return [line.partition(",")[0] for line in recipe(name)["recipe"]["numbers"][name].strip().splitlines()]


class Kitchen:
    """``said`` is what ``init --recipe`` printed; ``then`` are the commands it named."""

    def __init__(self, folder: Path, pbx: AsteriskInstance, name: str, *options: str) -> None:
        self.pbx, self.name = pbx, name
        self._logged = self._logs()
        self.forgiven = ""  #: what may be in a warning of Asterisk's
        self.site = Site(folder / "site", settings={"WOMBAT_ARI_AMI_SECRET": pbx.ami_secret})
        ports = {"WOMBAT_AGI_PORT": self.site.agi_port, "WOMBAT_HTTP_PORT": self.site.console_port}
        for variable, port in ports.items():
            pbx.cli(f"dialplan set global {variable} {port}")
        where = f"{pbx.host}:{pbx.ami_port}"
        self.said = self.site.wombat("init", "--recipe", name, "--ami-address", where, *options).stdout
        self.then = [line.strip() for line in self.said.partition("Next:\n")[2].splitlines()]

    def adapt(self, **values: Any) -> None:
        """Change the recipe's campaign by a plan, as its page says."""
        self.site.apply({"campaign": [{"name": self.name, **values}]})

    def hurry(self, *, retry_after_s: int = 1, **values: Any) -> None:
        """The same campaign at any hour, whose retries come after a second, or after ``retry_after_s``."""
        rules = [{**rule, "retry_after_s": retry_after_s} for rule in recipe(self.name)["campaign"][0].get("rule", [])]
        self.adapt(rule=rules, active_from="00:00:00", active_to="23:59:59", **values)

    def follow(self) -> str:
        """Run the commands that ``init`` named, one after the other; answers what was said."""
        return "".join(self.do(command) for command in self.then)

    def do(self, command: str) -> str:
        """A command line as a person would type it: of ``wombat-ari``, curl, or Asterisk."""
        program, *arguments = shlex.split(command)
        if program == "curl":
            status, said = self.site.get(arguments[0].removeprefix("http://127.0.0.1:8080"))
            assert status == 200, said
            return said
        if command == "wombat-ari serve":
            self.site.serve()
            self.site.await_pbx()
            return ""
        if program == "wombat-ari":
            return self.site.wombat(*arguments).stdout
        assert (program, arguments[0], len(arguments)) == ("asterisk", "-rx", 2), command
        return self.pbx.cli(arguments[1])

    def addcall(self, number: str, attributes: str = "", campaign: str = "", **more: str) -> int:
        """As a program of the site does it, over HTTP; answers the WOMBATID."""
        asked = {"op": "addcall", "campaign": campaign or self.name, "number": number, "attrs": attributes}
        status, said = self.get("/wombat/api/calls/", **asked, **more)
        assert (status, said.split()[0]) == (200, "OK"), said
        return int("".join(word for word in said.replace(":", " ").split() if word.isdigit() and len(word) > 6))

    def get(self, path: str, **parameters: object) -> tuple[int, str]:
        """Status and text of an answer over HTTP."""
        return self.site.get(f"{path}?{urlencode(parameters)}")

    def ended(self, wombatid: int, limit: float = 20) -> dict[str, Any]:
        """That attempt, once it is in the call log."""
        return until(
            lambda: next((row for row in self.site.attempts() if row["wombatid"] == wombatid), None),
            limit,
            f"{wombatid} has ended",
        )

    def results(self) -> dict[str, list[tuple[str, str]]]:
        """number -> outcome and extended status of its attempts, in order."""
        found: dict[str, list[tuple[str, str]]] = {}
        for row in self.site.attempts(self.name):
            found.setdefault(row["number"], []).append((row["outcome"], row["extended_status"]))
        return found

    def queue_log(self, queue: str) -> list[list[str]]:
        """Fields of the lines of the PBX's queue_log about this queue: time, call, queue, agent, event, data."""
        path = self.pbx.directory / "log" / "queue_log"
        lines = [line.split("|") for line in path.read_text(encoding="utf-8").splitlines()]
        return [fields for fields in lines if fields[2:3] == [queue]]

    def close(self) -> None:
        self.site.close()

    def check(self) -> None:
        """What is true after every recipe: neither the dialer nor Asterisk complained, and nothing is lost."""
        self.site.check_ledger()
        log = self.site.log()
        assert "Traceback" not in log
        assert "mistake of ours" not in log
        fresh = [line for old, new in zip(self._logged, self._logs(), strict=True) for line in new[len(old) :]]
        complaints = [line for line in fresh if not self.forgiven or self.forgiven not in line]
        assert not complaints, "\n".join(complaints)

    def _logs(self) -> list[list[str]]:
        """Warnings and errors so far: of Asterisk, and of what it printed, which is also what AGI programs did."""
        logs = [self.pbx.directory / "log" / "messages.log", self.pbx.directory / "output.log"]
        lines = [log.read_text(encoding="utf-8", errors="replace").splitlines() for log in logs]
        return [
            [line for line in each if ("WARNING" in line or "ERROR" in line) and HARMLESS not in line] for each in lines
        ]
