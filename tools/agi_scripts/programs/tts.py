"""Say a text: synthesized once by espeak-ng or flite, kept, and played.

    exten => 100,n,AGI(tts.py,Your appointment is tomorrow at ${HH} ${MM}.)
    exten => 100,n,AGI(tts.py,--variable,MESSAGE,--language,it)
    exten => 100,n,AGI(tts.py,--keys,12,Press 1 to confirm or 2 to cancel.)
    exten => 100,n,GotoIf($["${WOMBAT_TTS_KEY}" = "1"]?confirmed)

usage: tts.py [options] TEXT

    --variable NAME    the text of this channel variable, exactly (from TEXT the dialplan takes quotes away)
    --keys KEYS        keys that end it, as 0123456789*#; the one pressed is in WOMBAT_TTS_KEY (default: none)
    --make             make the sound and do not play it: WOMBAT_TTS_FILE is its name, as Playback() and Read() take it
    --engine NAME      espeak-ng or flite (default: the one that is installed, espeak-ng first)
    --language NAME    language or voice of the engine (default: en with espeak-ng, slt with flite)
    --speed WORDS      words a minute, espeak-ng only (default 150)
    --cache FOLDER     where sounds are kept (default: wombat-tts in Asterisk's spool folder)
    --cache-mb SIZE    what may be kept; those not played for longest go first (default 500)
    --timeout SECONDS  how long the engine may take (default 20)

At most 2000 characters. The channel is answered if it was not. WOMBAT_AGI_RESULT becomes OK, or
ERROR: and the reason; the exit status 0, or 1.
"""

import array
import contextlib
import hashlib
import math
import operator
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import wave

from tools.agi_scripts.parts.agi import HungUp, Trouble, read_options, run, whole

RATE = 8000  #: Hz, what telephones have
TAPS = 16  #: of the resampling filter, on each side, at the lower of the two rates


def main(channel, words):
    options, words = read_options(words, {
        "variable": "", "keys": "", "make": False, "engine": "", "language": "", "speed": "150", "cache": "",
        "cache-mb": "500", "timeout": "20",
    })  # fmt: skip
    text = channel.variable(options["variable"]) if options["variable"] and channel.env else ",".join(words)
    text = " ".join(text.split())
    if not text or len(text) > 2000:
        raise Trouble(f"the text has {len(text)} characters, it must have 1 to 2000")
    sound = made(text, options)
    if not channel.env:
        print(sound)
        return
    channel.set("WOMBAT_TTS_FILE", sound)
    channel.set("WOMBAT_TTS_KEY", "")
    if not options["make"]:
        channel.set("WOMBAT_TTS_KEY", played(channel, sound, options["keys"]))


def played(channel, sound, keys):
    """Play it; the key that ended it, or nothing."""
    if channel.command("CHANNEL STATUS")[0] != "6":
        channel.command("ANSWER")
    result, _ = channel.command("STREAM FILE", sound, keys, seconds=600)
    if channel.hung_up or result == "-1":
        raise HungUp("the caller hung up")
    return chr(int(result)) if result.isdigit() and result != "0" else ""


def made(text, options):
    """The sound, without its extension: from the cache, or new."""
    engine = options["engine"] or next(filter(shutil.which, ("espeak-ng", "flite")), "")
    language = options["language"] or {"espeak-ng": "en", "flite": "slt"}.get(engine, "")
    if engine not in ("espeak-ng", "flite") or shutil.which(engine) is None:
        raise Trouble(f"the speech engine {engine or 'espeak-ng or flite'} is not installed")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*", language):
        raise Trouble(f"--language is {language!r}: letters, digits, _, + and - only")
    speed = str(whole(options, "speed"))
    folder = options["cache"] or os.path.join(os.environ.get("AST_SPOOL_DIR", "/var/spool/asterisk"), "wombat-tts")
    name = hashlib.sha256("\n".join([engine, language, speed, text]).encode("utf-8", "replace")).hexdigest()[:32]
    sound = os.path.join(os.path.abspath(folder), name)
    try:
        os.utime(sound + ".wav")  # it was used now
    except OSError:
        make(sound + ".wav", text, command_of(engine, language, speed), whole(options, "timeout"))
        tidy(folder, whole(options, "cache-mb") * 1000000, keep=sound + ".wav")
    return sound


def command_of(engine, language, speed):
    """The engine's command line; the text is in the file that is its last argument but for ``-w`` or ``-o``."""
    if engine == "espeak-ng":
        return [engine, "-v", language, "-s", speed, "-f", "TEXT", "-w", "SPEECH"]
    return [engine, "-voice", language, "-f", "TEXT", "-o", "SPEECH"]


def make(target, text, command, seconds):
    """Synthesize into a file beside ``target``, and rename: nobody ever plays half a sound."""
    folder = os.path.dirname(target)
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as scratch:
            files = {"TEXT": os.path.join(scratch, "text.txt"), "SPEECH": os.path.join(scratch, "speech.wav")}
            with open(files["TEXT"], "w", encoding="utf-8", errors="replace") as file:
                file.write(text + "\n")
            synthesize([files.get(word, word) for word in command], seconds)
            finished = os.path.join(scratch, "finished.wav")
            to_telephone(files["SPEECH"], finished)
            os.rename(finished, target)
    except OSError as error:
        raise Trouble(f"the sound cannot be kept in {folder}: {error.strerror or error}") from None


def synthesize(command, seconds):
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Trouble(f"{command[0]} took longer than {seconds} s") from None
    if done.returncode != 0 or not os.path.exists(command[-1]):
        said = done.stdout.decode("utf-8", "replace").strip().splitlines()
        raise Trouble(f"{command[0]} failed: {said[-1] if said else done.returncode}")


def to_telephone(source, target):
    """Speech of any rate as 8 kHz, 16 bit, mono."""
    try:
        with wave.open(source, "rb") as speech:
            rate, samples = speech.getframerate(), array.array("h")
            if (speech.getnchannels(), speech.getsampwidth()) != (1, 2) or not 4000 <= rate <= 96000:
                raise Trouble("the engine made a sound that is not 16 bit mono")
            samples.frombytes(speech.readframes(speech.getnframes()))
    except (wave.Error, EOFError, ValueError) as error:
        raise Trouble(f"the engine made no sound: {error}") from None
    if not samples:
        raise Trouble("the engine made an empty sound")
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        finished = resampled(samples, rate)
        if sys.byteorder == "big":
            finished.byteswap()
        sound.writeframes(finished.tobytes())


def resampled(samples, rate):
    """At 8 kHz: each sample a weighted sum of those around it (a windowed sinc that keeps out what 8 kHz cannot hold).

    The weights repeat: as many sets as the rates' ratio has steps are made once.
    """
    if rate == RATE:
        return samples
    steps = RATE // math.gcd(rate, RATE)
    ratio = rate / RATE
    reach = math.ceil(TAPS * max(1.0, ratio))
    sets = [weights(step * rate % RATE / RATE, ratio, reach) for step in range(steps)]
    padded = array.array("h", [0] * reach) + samples + array.array("h", [0] * (reach + 1))
    out = array.array("h")
    for index in range(int(len(samples) / ratio)):
        start = index * rate // RATE
        value = sum(map(operator.mul, sets[index % steps], padded[start + 1 : start + 2 * reach + 1]))
        out.append(int(max(-32768, min(32767, value))))
    return out


def weights(fraction, ratio, reach):
    """Of the samples from ``reach - 1`` before to ``reach`` behind a moment that lies ``fraction`` behind a sample."""
    cut = 0.92 / max(1.0, ratio)  # of half the source's rate; a little is given up for the filter's slope
    found = []
    for place in range(1 - reach, reach + 1):
        x = place - fraction
        sinc = cut if x == 0 else math.sin(math.pi * cut * x) / (math.pi * x)
        found.append(sinc * (0.5 + 0.5 * math.cos(math.pi * x / (reach + 1))))
    whole_sum = sum(found)
    return [each / whole_sum for each in found]


def tidy(folder, most, keep):
    """Delete what was not played for longest, until at most ``most`` bytes are kept."""
    entries = []
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith(".making-") and entry.stat().st_mtime < time.time() - 3600:
                shutil.rmtree(entry.path, ignore_errors=True)  # of a script that was killed
            elif entry.name.endswith(".wav") and entry.is_file(follow_symlinks=False):
                entries.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
    size = sum(entry[1] for entry in entries)
    for _, bytes_of, path in sorted(entries):
        if size <= most:
            break
        if os.path.abspath(path) != keep:
            size -= bytes_of
            with contextlib.suppress(OSError):  # another script was faster
                os.unlink(path)


if __name__ == "__main__":
    run(main)
