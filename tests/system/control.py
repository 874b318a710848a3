"""The dialer's control socket, asked by a small client of the tests' own."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.protocols import amp


class Control:
    """The control socket without a reactor: one question at a time. OSError when nobody answers."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def ask(self, command: str, **arguments: str) -> dict[bytes, bytes]:
        """The answer's box; a refusal fails the test with its code and text."""
        answer = self._asked(command, arguments)
        if amp.ERROR_CODE in answer:
            pytest.fail(f"{command} {arguments}: {answer[amp.ERROR_DESCRIPTION].decode()}")
        return answer

    def ask_at_once(self, command: str, arguments: Sequence[dict[str, str]]) -> list[dict[bytes, bytes]]:
        """Many questions without waiting for an answer in between; their answers in order. A refusal fails the test."""
        self._socket.sendall(b"".join(_asking(command, each, str(tag)) for tag, each in enumerate(arguments)))
        answers = {}
        for _ in arguments:
            answer = self._box()
            if amp.ERROR_CODE in answer:
                pytest.fail(f"{command}: {answer[amp.ERROR_DESCRIPTION].decode()}")
            answers[int(answer[amp.ANSWER])] = answer
        return [answers[tag] for tag in range(len(arguments))]

    def try_(self, command: str, **arguments: str) -> dict[bytes, bytes] | None:
        """The answer's box, None for a refusal."""
        answer = self._asked(command, arguments)
        return None if amp.ERROR_CODE in answer else answer

    def refusal(self, command: str, **arguments: str) -> str:
        """The code of the refusal; anything else fails the test."""
        answer = self._asked(command, arguments)
        if answer.get(amp.ERROR_CODE) != b"USER":
            pytest.fail(f"{command} {arguments} was not refused: {answer}")
        return answer[amp.ERROR_DESCRIPTION].decode().partition(": ")[0]

    def _asked(self, command: str, arguments: dict[str, str]) -> dict[bytes, bytes]:
        self._socket.sendall(_asking(command, arguments, "1"))
        return self._box()

    def snapshot(self) -> dict[str, Any]:
        data, part, parts = b"", 0, 1
        while part < parts:
            answer = self.ask("Snapshot", part=str(part), calls="True")
            data, part, parts = data + answer[b"data"], part + 1, int(answer[b"parts"])
        return dict(json.loads(data))

    def _box(self) -> dict[bytes, bytes]:
        box: dict[bytes, bytes] = {}
        while key := self._word():
            box[key] = self._word()
        return box

    def _word(self) -> bytes:
        (size,) = struct.unpack("!H", self._read(2))
        return self._read(size)

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) < size:
            raise ConnectionResetError("the dialer closed the control socket")
        return data


def _asking(command: str, arguments: dict[str, str], tag: str) -> bytes:
    box = amp.AmpBox({amp.ASK: tag.encode(), amp.COMMAND: command.encode()})
    box.update({name.encode(): value.encode() for name, value in arguments.items()})
    serialized: bytes = box.serialize()
    return serialized
