"""tts: the cache, the resampling, engines that fail. A real engine speaks in test_on_asterisk."""

from __future__ import annotations

import array
import math
import os
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import pytest

from tests.agi_scripts.pipes import SCRIPTS, Pbx

#: Writes a tone where an engine would write speech: WAV of RATE with Hz, and one line in ``runs``.
ENGINE = """#!{python}
import array, math, sys, time, wave
words = sys.argv[1:]
text = open(words[words.index("-f") + 1]).read()
open("{folder}/runs", "a").write(repr((words[:-1], text)) + "\\n")
rate, tone = {rate}, {tone}
{trouble}
with wave.open(words[-1], "wb") as out:
    out.setnchannels({channels}); out.setsampwidth(2); out.setframerate(rate)
    wave_of = (int(8000 * math.sin(2 * math.pi * tone * n / rate)) for n in range(rate))
    out.writeframes(array.array("h", wave_of).tobytes())
"""


class Speech:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "spool/wombat-tts"
        self.engine()

    def engine(self, *, rate: int = 22050, tone: int = 1000, trouble: str = "", channels: int = 1) -> None:
        (self.folder / "bin").mkdir(exist_ok=True)
        program = self.folder / "bin/espeak-ng"
        parts = {"rate": rate, "tone": tone, "trouble": trouble, "channels": channels}
        program.write_text(ENGINE.format(python=sys.executable, folder=self.folder, **parts))
        program.chmod(0o755)

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": f"{self.folder}/bin", "AST_SPOOL_DIR": str(self.folder / "spool")}

    def runs(self) -> list[tuple[list[str], str]]:
        return [eval(line) for line in (self.folder / "runs").read_text().splitlines()]

    def say(self, *words: str, pbx: Pbx | None = None) -> Pbx:
        return (pbx or Pbx()).run("tts.py", *words, env=self.env)


@pytest.fixture
def speech(tmp_path: Path) -> Speech:
    return Speech(tmp_path)


def samples_of(pbx: Pbx) -> array.array[int]:
    with wave.open(pbx.variables["WOMBAT_TTS_FILE"] + ".wav") as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        return array.array("h", sound.readframes(sound.getnframes()))


def loudness(samples: array.array[int], tone: float) -> float:
    """Amplitude of one tone in what is at 8 kHz, without the edges."""
    middle = samples[400:-400]
    parts = [sum(s * f(2 * math.pi * tone * n / 8000) for n, s in enumerate(middle)) for f in (math.sin, math.cos)]
    return 2 * math.hypot(*parts) / len(middle)


def test_said_kept_and_said_again(speech: Speech) -> None:
    first = speech.say("Your appointment", " is tomorrow  at 10", " 30.", "--speed")
    assert (first.result, first.status) == ("OK", 0)
    assert first.commands[-2].startswith('SET VARIABLE "WOMBAT_TTS_KEY"')
    assert f'STREAM FILE "{first.variables["WOMBAT_TTS_FILE"]}" ""' in first.commands
    again = speech.say("Your appointment, is tomorrow at 10, 30.,--speed")
    assert again.variables["WOMBAT_TTS_FILE"] == first.variables["WOMBAT_TTS_FILE"]
    ((words, text),) = speech.runs()
    assert text == "Your appointment, is tomorrow at 10, 30.,--speed\n"
    assert words[:4] == ["-v", "en", "-s", "150"]
    other = speech.say("--language", "it", "--speed", "120", "Your appointment, is tomorrow at 10, 30.,--speed")
    assert other.variables["WOMBAT_TTS_FILE"] != first.variables["WOMBAT_TTS_FILE"]
    assert sorted(os.listdir(speech.cache)) == sorted(
        os.path.basename(pbx.variables["WOMBAT_TTS_FILE"]) + ".wav" for pbx in (first, other)
    )


def test_text_of_a_variable_arrives_exactly(speech: Speech) -> None:
    text = '--help "x" (y\\ Zoë; ${EXTEN}'
    speech.say("--variable", "MESSAGE", pbx=Pbx({"MESSAGE": text}))
    assert speech.runs()[0][1] == text + "\n"


def test_keys_and_make(speech: Speech) -> None:
    pbx = speech.say("--keys", "12", "Press 1 or 2", pbx=Pbx(keys="2"))
    assert (pbx.result, pbx.variables["WOMBAT_TTS_KEY"]) == ("OK", "2")
    pbx = speech.say("--make", "Press 1 or 2")
    assert not [command for command in pbx.commands if command.startswith("STREAM")]
    assert Path(pbx.variables["WOMBAT_TTS_FILE"] + ".wav").exists()


def test_hang_up(speech: Speech) -> None:
    pbx = speech.say("Good bye", pbx=Pbx(hang_up_at="STREAM FILE"))
    assert pbx.result == "ERROR: the channel was hung up"
    assert (
        speech.say("Good bye", pbx=Pbx(answers={"STREAM FILE": "200 result=-1"})).result == "ERROR: the caller hung up"
    )


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 6000])
def test_resampling(speech: Speech, rate: int) -> None:
    """A tone that telephones can carry keeps its pitch and loudness, all else is silence."""
    speech.engine(rate=rate, tone=1000)
    samples = samples_of(speech.say("--make", "tone"))
    assert abs(len(samples) - 8000) <= 2
    assert loudness(samples, 1000) == pytest.approx(8000, rel=0.02)
    assert max(loudness(samples, tone) for tone in (500, 1500, 2500, 3500)) < 40


def test_what_telephones_cannot_carry_is_kept_out(speech: Speech) -> None:
    """6 kHz would come back as 2 kHz."""
    speech.engine(rate=22050, tone=6000)
    samples = samples_of(speech.say("--make", "tone"))
    assert max(map(abs, samples[400:-400])) < 100


def test_resampling_is_quick_enough(speech: Speech) -> None:
    began = time.monotonic()
    speech.say("--make", "one second")
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("sys.exit('no such voice')", "espeak-ng failed: no such voice"),
        ("time.sleep(30)", "espeak-ng took longer than 1 s"),
        ("open(words[-1], 'w').write('x'); sys.exit(0)", "the engine made no sound"),
        ("rate = 0", "espeak-ng failed"),
        ("open(words[-1], 'w'); sys.exit(0)", "the engine made no sound"),
    ],
)
def test_engines_that_fail(speech: Speech, trouble: str, told: str) -> None:
    speech.engine(trouble=trouble)
    pbx = speech.say("--timeout", "1", "text")
    assert pbx.result.startswith(f"ERROR: {told}")
    assert os.listdir(speech.cache) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the text has 0 characters, it must have 1 to 2000"),
        (["--language", "-f/etc/passwd", "text"], "--language is '-f/etc/passwd'"),
        (["--engine", "flite", "text"], "the speech engine flite is not installed"),
        (["--engine", "rm", "text"], "the speech engine rm is not installed"),
        (["--cache", "/dev/null/x", "text"], "the sound cannot be kept in /dev/null/x: Not a directory"),
    ],
)
def test_wrong(speech: Speech, words: list[str], told: str) -> None:
    assert speech.say(*words).result.startswith(f"ERROR: {told}")


def test_too_long(speech: Speech) -> None:
    told = speech.say("--variable", "LONG", pbx=Pbx({"LONG": "x" * 2001})).result
    assert told == "ERROR: the text has 2001 characters, it must have 1 to 2000"


def test_stereo_is_refused(speech: Speech) -> None:
    speech.engine(channels=2)
    assert speech.say("text").result == "ERROR: the engine made a sound that is not 16 bit mono"


def test_two_at_once(speech: Speech) -> None:
    found: list[Pbx] = []
    threads = [threading.Thread(target=lambda: found.append(speech.say("same"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [pbx.result for pbx in found] == ["OK"] * 4
    assert len(os.listdir(speech.cache)) == 1


def test_cache_is_bounded(speech: Speech) -> None:
    """A sound has 16 KB; those not played for longest go."""
    made = [speech.say("--make", f"text {n}").variables["WOMBAT_TTS_FILE"] + ".wav" for n in range(4)]
    for age, path in enumerate(made):
        os.utime(path, (time.time() - age * 100, time.time() - age * 100))
    (speech.cache / ".making-old").mkdir()
    os.utime(speech.cache / ".making-old", (0, 0))
    speech.say("--make", "text 3")  # played again
    last = speech.say("--make", "--cache-mb", "0", "text 4").variables["WOMBAT_TTS_FILE"] + ".wav"
    assert os.listdir(speech.cache) == [os.path.basename(last)]


def test_by_hand(speech: Speech) -> None:
    done = subprocess.run([sys.executable, str(SCRIPTS / "tts.py"), "text"], env=speech.env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30, check=False)  # fmt: skip
    assert Path(done.stdout.strip() + ".wav").exists()
