"""A script run as Asterisk runs it: what it is sent first, and answered, is what a real one sent (tests/data/agi).

``Pbx`` is the channel: its variables, the keys that the caller presses, what was played.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "agi_scripts"
RECORDED = (ROOT / "tests/data/agi/session.txt").read_text().split("=== ")[1:]
NAMES = sorted(path.name for path in SCRIPTS.glob("*.py") if not path.name.startswith("_"))
DEAD = "511 Command Not Permitted on a dead channel or intercept routine"
CALL = "wbt-0000000000004711"


def environment(uniqueid: str, arguments: tuple[str, ...]) -> str:
    """What Asterisk sends first, as recorded of a FastAGI, without what a program of its own is not sent."""
    head = RECORDED[0].split("\n\n")[0].splitlines()[1:]
    lines = [line for line in head if not line.startswith(("agi_network", "agi_arg_", "agi_uniqueid"))]
    lines += [f"agi_uniqueid: {uniqueid}"]
    lines += [f"agi_arg_{number}: {argument}" for number, argument in enumerate(arguments, 1)]
    return "".join(f"{line}\n" for line in [*lines, ""])


def recorded(command: str) -> str:
    """What Asterisk answered to a command that began so."""
    for block in RECORDED:
        found = re.search(rf"^>> {re.escape(command)}.*\n((?:<< .*\n)+)", block, re.MULTILINE)
        if found and not found[1].startswith("<< 511"):
            return "\n".join(line[3:] for line in found[1].splitlines() if "unsolicited" not in line)
    raise KeyError(command)


@dataclass
class Pbx:
    """``keys``: what the caller presses, one for each chance (a blank: nothing). ``hang_up_at``: the command before
    whose answer the caller hangs up. ``exits``: Asterisk closes the pipes then (AGIEXITONHANGUP)."""

    variables: dict[str, str] = field(default_factory=dict)
    keys: str = ""
    uniqueid: str = CALL
    hang_up_at: str = ""
    exits: bool = False
    sighup: bool = True
    line: bool = False  #: HANGUP comes as a line
    answers: dict[str, str] = field(default_factory=dict)  #: beginning of a command -> answer
    commands: list[str] = field(default_factory=list)
    is_hung_up: bool = False
    status: int = -1
    said: str = ""  #: on standard error

    @property
    def result(self) -> str:
        return self.variables.get("WOMBAT_AGI_RESULT", "")

    def run(
        self,
        script: str,
        *arguments: str,
        env: dict[str, str] | None = None,
        python: str = sys.executable,
        started: Callable[[subprocess.Popen[bytes]], None] | None = None,
    ) -> Pbx:
        """Run ``AGI(script,arguments)`` to its end."""
        inherited = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        process = subprocess.Popen(
            [python, str(SCRIPTS / script), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**inherited, "AST_CONFIG_DIR": "/nonexistent", **(env or {})},
        )  # fmt: skip
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdin.write(environment(self.uniqueid, arguments).encode())
            process.stdin.flush()
            if started:
                started(process)
            for line in process.stdout:
                self._serve(line.decode().rstrip("\n"), process)
                if self.exits and self.is_hung_up:
                    process.stdin.close()
                    process.stdout.close()
                    break
            self.said = process.stderr.read().decode()
            self.status = process.wait(timeout=30)
        finally:
            process.kill()
            process.wait()
        assert "Traceback" not in self.said, self.said
        return self

    def _serve(self, command: str, process: subprocess.Popen[bytes]) -> None:
        self.commands.append(command)
        if self.hang_up_at and command.startswith(self.hang_up_at) and not self.is_hung_up:
            self.is_hung_up = True
            if self.sighup:
                process.send_signal(signal.SIGHUP)
            if self.exits:
                return
        text = self._answer(command)
        if self.line and self.is_hung_up:
            text, self.line = f"HANGUP\n{text}", False
        assert process.stdin is not None
        try:
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
        except BrokenPipeError:
            pass

    def _answer(self, command: str) -> str:
        for beginning, answer in self.answers.items():
            if command.startswith(beginning):
                return answer
        words = [re.sub(r"\\(.)", r"\1", quoted) for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', command)]
        if command.startswith("SET VARIABLE"):
            self.variables[words[0]] = words[1]
            return recorded("SET VARIABLE")
        if command.startswith("GET FULL VARIABLE"):
            name = re.fullmatch(r"\$\{(.*)\}", words[0])
            return f"200 result=1 ({self.variables.get(name[1], '') if name else words[0]})"
        if command.startswith("VERBOSE"):
            return recorded("VERBOSE")
        if self.is_hung_up:
            return DEAD
        if command == "ANSWER":
            return recorded("NOOP")
        if command.startswith("CHANNEL STATUS"):
            return recorded("CHANNEL STATUS")
        if command.startswith(("STREAM FILE", "SAY DIGITS", "WAIT FOR DIGIT")):
            verb = " ".join(command.split()[: 3 if command.startswith("WAIT") else 2])
            key, self.keys = self.keys[:1].strip(), self.keys[1:]
            return recorded(verb).replace("result=0", f"result={ord(key) if key else 0}")
        return recorded("FOO")
