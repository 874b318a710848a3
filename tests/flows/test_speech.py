"""Text to speech by a program: made once, whole or not at all, never through a shell."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.process import reapAllProcesses

from wombat_ari.flows import speech
from wombat_ari.flows.line import FlowError
from wombat_ari.flows.speech import Speech

PROGRAM = """
import sys, wave
text = sys.stdin.read()
with open({count!r}, "a") as count: count.write(text + "\\n")
out = wave.open(sys.argv[1] if len(sys.argv) > 1 else sys.stdout.buffer, "wb")
out.setnchannels({channels}); out.setsampwidth(2); out.setframerate({rate})
out.writeframes(b"ab" * 80 * {channels}); out.close()
"""


class Studio:
    def __init__(self, folder: Path) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.folder = folder / "speech"
        self.count = folder / "count"
        self.count.write_text("")

    def command(self, *arguments: str, rate: int = 8000, channels: int = 1, program: str = PROGRAM) -> str:
        code = program.format(count=str(self.count), rate=rate, channels=channels)
        return shlex.join([sys.executable, "-c", code, *arguments])

    def ask(self, command: str, *texts: str) -> list[Any]:
        made = Speech(self.reactor, command, self.folder)
        found: list[Any] = [None] * len(texts)
        for number, text in enumerate(texts):
            done = Deferred.fromCoroutine(made.sound(text))
            done.addBoth(lambda result, number=number: found.__setitem__(number, getattr(result, "value", result)))
        late = time.monotonic() + 30
        while None in found:
            assert time.monotonic() < late
            self.reactor.iterate(0.01)
            reapAllProcesses()
        return found

    @property
    def made(self) -> list[str]:
        return self.count.read_text().splitlines()

    @property
    def files(self) -> list[str]:
        return sorted(os.listdir(self.folder)) if self.folder.exists() else []


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def test_a_text_is_made_once(studio: Studio) -> None:
    command = studio.command()
    first, second, other = studio.ask(command, "Hello Zoë", "Hello Zoë", "Goodbye")
    assert first == second != other
    assert sorted(studio.made) == ["Goodbye", "Hello Zoë"]
    assert studio.ask(command, "Hello Zoë") == [first]
    assert len(studio.made) == 2
    assert Path(first + ".wav").stat().st_mode & 0o444 == 0o444
    assert len(studio.files) == 2
    assert studio.ask(studio.command(rate=16000), "Hello Zoë") != [first]
    assert len([name for name in studio.files if name.endswith(".wav16")]) == 1


def test_a_file_that_the_program_writes_itself_and_a_pipe(studio: Studio) -> None:
    (sound,) = studio.ask(studio.command("{file}"), "Hello")
    assert Path(sound + ".wav").read_bytes().startswith(b"RIFF")
    upper = shlex.join([sys.executable, "-c", "import sys; sys.stdout.write(sys.stdin.read().upper())"])
    studio.ask(f"{upper} | {studio.command()}", "a; echo `id` $(id) | x")
    assert studio.made[-1] == "A; ECHO `ID` $(ID) | X"


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("", "set flows.speech_command"),
        ("no-such-program", "no-such-program"),
        ("| x", "a program is missing"),
        ("x 'y", "quotation"),
        (f"{sys.executable} -c 'import sys; sys.exit(\"no voice\")'", "no voice"),
        (f"{sys.executable} -c 'print(1)'", "no WAV"),
    ],
)
def test_why_there_is_no_sound(studio: Studio, command: str, word: str) -> None:
    (found,) = studio.ask(command, "Hello")
    assert isinstance(found, FlowError)
    assert word in str(found)
    assert studio.files == []


def test_what_asterisk_cannot_play_is_said(studio: Studio) -> None:
    first, second = studio.ask(studio.command(rate=22050), "Hello")[0], studio.ask(studio.command(channels=2), "Hi")[0]
    assert "22050 samples" in str(first)
    assert "2 channels" in str(second)
    assert studio.files == []


def test_a_program_that_does_not_end(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "LIMIT_S", 0.3)
    (found,) = studio.ask(f"{sys.executable} -c 'import time; time.sleep(60)'", "Hello")
    assert "longer than 0.3 s" in str(found)


def test_old_sounds_are_deleted(studio: Studio) -> None:
    (sound,) = studio.ask(studio.command(), "Hello")
    old = time.time() - speech.KEEP_S - 10
    os.utime(sound + ".wav", (old, old))
    studio.ask(studio.command(), "Other")
    assert not Path(sound + ".wav").exists()
    assert len(studio.files) == 1


def test_a_text_too_long(studio: Studio) -> None:
    (found,) = studio.ask(studio.command(), "x" * 5001)
    assert "too long" in str(found)
