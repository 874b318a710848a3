"""Text to speech: a configured program makes a sound file that the PBX can read; the same text is made once.

Rules of the place:
- No shell: the command is split into words, and ``|`` between words pipes one program's output into the next.
- A file is there whole or not at all: it is written under another name first.
- What cannot be played is refused with the reason: Asterisk would play silence and log it elsewhere.
"""

import hashlib
import os
import shlex
import struct
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.error import ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from wombat_ari.flows.line import FlowError

AT_ONCE = 4
LIMIT_S = 20.0  #: of each program
MAX_TEXT = 5000  #: characters
MAX_SOUND = 50 << 20  #: bytes
KEEP_S = 30 * 86_400.0  #: a file that was not used for so long is deleted
#: Endings by which Asterisk knows WAV of these rates.
ENDINGS = {8000: ".wav", 16000: ".wav16"}


class Speech:
    """``command`` empty: there is none, and whoever asks is told what to set."""

    def __init__(self, reactor: Any, command: str, folder: Path) -> None:
        self._reactor = reactor
        self._command = command
        self._folder = folder
        self._programs = DeferredSemaphore(AT_ONCE)
        self._making: dict[str, list[Deferred[str]]] = {}

    async def sound(self, text: str) -> str:
        """The path of a sound, as ``Line.play`` takes it. FlowError: why there is none."""
        if not self._command.strip():
            raise FlowError("there is no text to speech: set flows.speech_command", code="flow.speech")
        if len(text) > MAX_TEXT:
            raise FlowError(f"a text of {len(text)} characters is too long, {MAX_TEXT} at most", code="flow.speech")
        name = hashlib.sha256(f"{self._command}\0{text}".encode("utf-8", "replace")).hexdigest()[:32]
        for ending in ENDINGS.values():
            path = self._folder / f"{name}{ending}"
            if path.exists():
                os.utime(path)
                return str(self._folder / name)
        return await self._made_once(name, text)

    async def _made_once(self, name: str, text: str) -> str:
        """Who asks for a text that is being made waits for it."""
        if name in self._making:
            waiting: Deferred[str] = Deferred()
            self._making[name].append(waiting)
            return await waiting
        self._making[name] = []
        try:
            made = await self._programs.run(lambda: Deferred.fromCoroutine(self._make(name, text)))
        except BaseException:
            for each in self._making.pop(name):
                each.errback(FlowError("the text could not be spoken", code="flow.speech"))
            raise
        for each in self._making.pop(name):
            each.callback(made)
        return str(made)

    async def _make(self, name: str, text: str) -> str:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._clean()
        except OSError as error:
            raise FlowError(f"flows.speech_folder {self._folder}: {error.strerror}", code="flow.speech") from None
        target = self._folder / f".{name}.{os.getpid()}.wav"
        try:
            data = text.encode("utf-8", "replace")
            for words in programs_of(self._command):
                filled = [word.replace("{text}", text).replace("{file}", str(target)) for word in words]
                data = await self._run(filled, data)
            if not target.exists():
                target.write_bytes(data)
            ending = ENDINGS[rate_of(target)]
            target.chmod(0o644)
            target.replace(self._folder / f"{name}{ending}")
        except OSError as error:
            raise FlowError(f"flows.speech_folder {self._folder}: {error.strerror}", code="flow.speech") from None
        finally:
            target.unlink(missing_ok=True)
        return str(self._folder / name)

    async def _run(self, words: list[str], data: bytes) -> bytes:
        program = _Program(words[0], data)
        try:
            self._reactor.spawnProcess(program, words[0], words, dict(os.environ))
        except OSError as error:
            raise FlowError(f"flows.speech_command: {words[0]}: {error.strerror}", code="flow.speech") from None
        late = self._reactor.callLater(LIMIT_S, program.end, f"it took longer than {LIMIT_S:g} s")
        try:
            return await program.done
        finally:
            if late.active():
                late.cancel()
            program.end("given up")

    def _clean(self) -> None:
        """Some files that nobody used for long; few at a time, for this is the reactor."""
        old = self._reactor.seconds() - KEEP_S
        for number, entry in enumerate(os.scandir(self._folder)):
            if number >= 200:
                break
            if entry.name.endswith(tuple(ENDINGS.values())) and entry.stat().st_mtime < old:
                os.unlink(entry.path)


def programs_of(command: str) -> list[list[str]]:
    """The words of each program of a pipe. FlowError: it cannot be read."""
    try:
        words = shlex.split(command)
    except ValueError as wrong:
        raise FlowError(f"flows.speech_command: {wrong}", code="flow.speech") from None
    programs: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            programs.append([])
        else:
            programs[-1].append(word)
    if not all(programs):
        raise FlowError("flows.speech_command: a program is missing", code="flow.speech")
    return programs


def rate_of(path: Path) -> int:
    """Samples a second of a WAV that Asterisk plays. FlowError: it does not."""
    with path.open("rb") as file:
        head = file.read(36)
    if len(head) < 36 or head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise FlowError("flows.speech_command made no WAV", code="flow.speech")
    if head[12:16] != b"fmt ":
        raise FlowError("flows.speech_command made a WAV with another head than Asterisk reads", code="flow.speech")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", head[20:36])
    if (kind, channels, bits) != (1, 1, 16) or rate not in ENDINGS:
        raise FlowError(
            f"flows.speech_command made {rate} samples a second, {channels} channels, {bits} bits; Asterisk plays"
            " 8000 or 16000, one channel, 16 bits: convert it by sox",
            code="flow.speech",
        )
    return int(rate)


class _Program(ProcessProtocol):
    """``done`` fires with what it wrote, or fails with a FlowError."""

    transport: Any

    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        self._data = data
        self._out: list[bytes] = []
        self._size = 0
        self._said = b""
        self._why = ""
        self.done: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self._data)
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self._out.append(data)
        self._size += len(data)
        if self._size > MAX_SOUND:
            self.end(f"it wrote more than {MAX_SOUND} bytes")

    def errReceived(self, data: bytes) -> None:
        self._said = (self._said + data)[-500:]

    def end(self, why: str) -> None:
        if self.transport is not None and self.transport.pid:
            self._why = why
            self.transport.signalProcess("KILL")

    def processEnded(self, reason: Failure) -> None:
        if self.done.called:
            return
        if reason.check(ProcessTerminated):
            said = self._said.decode("utf-8", "replace").strip().replace("\n", "; ")
            why = self._why or f"{reason.getErrorMessage()} {said}"
            self.done.errback(FlowError(f"flows.speech_command: {self._name}: {why}", code="flow.speech"))
        else:
            self.done.callback(b"".join(self._out))
