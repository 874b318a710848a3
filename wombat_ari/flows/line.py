"""What stands between a flow and the world: the ``Line`` that carries the caller, the ``Office`` that knows the dialer.

A carrier (FastAGI, ARI, a scripted caller) implements ``Line``, once for each caller. The contract:

- Every method is a coroutine that ends when it is done: a sound was played to its end or interrupted, the digits are
  there. Nothing blocks. One at a time is asked; a carrier need not take a second one meanwhile.
- When the caller is gone, before or while something is asked, it raises ``CallerHungUp``, at once, from whatever is
  waited for; ``hung_up`` is true from then on.
- What the PBX refuses (no such sound, no such extension) is a ``FlowError`` whose text names the thing. The caller is
  still there then, and the flow may go on.
- A coroutine that is waited for may be cancelled (the flow's time is over): leave nothing behind.
- Digits pressed while one method ends and the next begins should not be lost where the carrier can help it: that is why
  ``digits`` is one method, with its prompts, and not a loop over single ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from wombat_ari.model.errors import WombatError

DIGITS = "0123456789*#"
#: Contexts of asterisk_conf/extensions.d/wombat-flow.conf: a queue is entered there, so that no carrier waits in it.
QUEUE_CONTEXT = "wombat-flow-queue"
QUEUE_EXTENSION = "s"
QUEUE_VARIABLE = "WOMBAT_QUEUE"
#: Extended status of a call whose flow failed or ran out of time.
FAILED_STATUS = "RS_ERROR"


class CallerHungUp(BaseException):
    """The caller is gone. It ends the flow; ``finally`` blocks run, and may still tell status and attributes.

    Not an ``Exception``, as ``asyncio.CancelledError`` is none: ``except Exception`` in a flow shall not swallow it.
    ``sound``: what they were recorded to when they went, as ``Recording.sound``.
    """

    def __init__(self, sound: str = "") -> None:
        super().__init__()
        self.sound = sound


class FlowError(WombatError):
    """The PBX or the dialer refused what a flow asked for, or the flow asked for something that cannot be."""

    code = "flow"


class Spoken(StrEnum):
    """How ``Line.say`` reads its text, in the channel's language, with the PBX's own sounds."""

    DIGITS = "digits"  #: one by one; digits, ``*``, ``#``
    NUMBER = "number"  #: a whole number
    DATE = "date"  #: epoch seconds, a blank, an IANA zone or nothing: day, month, year and time


class RecordEnd(StrEnum):
    """Why a recording ended."""

    DIGIT = "digit"
    SILENCE = "silence"
    TIMEOUT = "timeout"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True)
class Recording:
    """``sound`` is what ``play`` takes to play it on the same PBX, and the file's path there without its ending."""

    sound: str
    duration_s: float
    end: RecordEnd


class Line(Protocol):
    """A caller, as a flow needs them. See the module for what holds for all methods."""

    @property
    def hung_up(self) -> bool:
        """The caller is gone."""
        ...

    async def until_hung_up(self) -> None:
        """Ends when the caller is gone. Waited for beside all others, from the flow's beginning to its end."""
        ...

    async def answer(self) -> None:
        """Answer the channel; nothing if it is up already, as a call of the dialer's is."""
        ...

    async def play(self, sound: str, interrupt: str = "") -> str:
        """Play one sound: a name that the PBX knows, or an absolute path there, without an ending (``.wav``).

        Answers the digit that interrupted it, one of ``interrupt``, or an empty text at its end.
        """
        ...

    async def say(self, kind: Spoken, text: str, interrupt: str = "") -> str:
        """Read ``text`` to the caller; answers as ``play`` does."""
        ...

    async def digits(self, prompts: Sequence[str], *, most: int, timeout_s: float, terminator: str) -> str:
        """Play the sounds ``prompts`` one after the other, if any, and take at most ``most`` digits.

        The first digit ends the prompts. Done at ``most`` digits, at ``terminator`` (one character of ``DIGITS``, or
        empty for none; it is not among the digits answered), or when no digit came for ``timeout_s`` seconds, counted
        from the end of the prompts and from each digit. Answers what was pressed, an empty text if nothing was.
        """
        ...

    async def record(self, name: str, *, limit_s: float, silence_s: float, terminator: str, beep: bool) -> Recording:
        """Record the caller as WAV under ``name`` (letters, digits, ``-`` and ``_``), where the PBX keeps recordings.

        Ended by one of the digits in ``terminator``, ``silence_s`` seconds of silence (0: not), or ``limit_s``. A
        hang-up raises ``CallerHungUp`` with its ``sound``; what was recorded stays.
        """
        ...

    async def get_variable(self, name: str) -> str:
        """A channel variable; empty when it is not set."""
        ...

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable to exactly this text."""
        ...

    async def transfer(self, context: str, extension: str, priority: int = 1) -> None:
        """The caller goes on there in the dialplan, now or as soon as the flow ends. FlowError: there is no such place.

        Nothing that needs the caller is asked afterwards (``Call`` sees to that).
        """
        ...

    async def hang_up(self) -> None:
        """Hang up; ``hung_up`` is true afterwards."""
        ...


class Office(Protocol):
    """What a flow may ask of the dialer about its call. Works after a hang-up too."""

    async def status(self, code: str) -> None:
        """The extended status; the last one wins. FlowError: not a call of the dialer's."""
        ...

    async def attribute(self, name: str, value: str) -> None:
        """An output attribute; replaces what it was."""
        ...

    async def append(self, name: str, value: str) -> None:
        """A text that continues an output attribute."""
        ...

    async def clear(self, name: str) -> None:
        """An output attribute is empty from now on."""
        ...

    async def speech(self, text: str) -> str:
        """A sound, as ``Line.play`` takes it, that speaks ``text``. FlowError: none is configured, or it failed."""
        ...

    async def add_call(self, campaign: str, number: str, attributes: Mapping[str, str], schedule: str) -> int:
        """Add a call to the live run of a campaign, durably; its WOMBATID. ``schedule``: empty, or when."""
        ...


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call when its flow begins. ``wombatid`` is 0 where it is not one of the dialer's."""

    wombatid: int = 0
    number: str = ""  #: the callee's; of a call that came in, the caller's
    campaign: str = ""
    attempt: int = 0
    attributes: Mapping[str, str] = field(default_factory=dict)  #: input attributes, exactly
