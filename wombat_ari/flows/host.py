"""The process that flows run in: ``python -m wombat_ari.flows.host FOLDER``, started by ``flows/keeper``.

The main thread reads what the keeper says, a JSON object a line, and runs none of the site's code. Each flow has a
thread with an asyncio loop of its own, so that one that blocks holds up nobody.

    from the keeper (descriptor 3)                        to the keeper (descriptor 4)
    run     id, flow, facts                               ask      id, ask, verb, given
    answer  id, ask, and value, error or hung_up          ended    id, how, reason, trace
    hung_up id                                            told     text, mistake
    end     id: its time is over                          pong
    wake    id: it blocks, and is interrupted             ready
    ping

With ``--list`` it answers the flows and mistakes as JSON on standard output instead.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import resource
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wombat_ari.flows.call import Call
from wombat_ari.flows.folder import Folder, where_of
from wombat_ari.flows.line import CallerHungUp, CallFacts, FlowError
from wombat_ari.flows.remote import RemoteLine, RemoteOffice

IN, OUT = 3, 4
STACK = 1 << 20  #: bytes of a flow's thread, taken as they are used

Said = dict[str, Any]


class TimeOver(BaseException):
    """The flow's time is over. Not an ``Exception``: it is not for the flow to handle."""


class Host:
    """All flows that run here."""

    def __init__(self, folder: Folder, send: Callable[[Said], None]) -> None:
        self._folder = folder
        self._send = send
        self._playing: dict[int, Playing] = {}

    def hear(self, said: Said) -> None:
        """One line of the keeper's."""
        what = said["do"]
        if what == "ping":
            self._send({"say": "pong"})
        elif what == "run":
            new = Playing(said, self._folder, self._send)
            self._playing[new.id] = new
            new.start(lambda: self._playing.pop(new.id, None))
        elif (playing := self._playing.get(said["id"])) is not None:
            playing.hear(said)


class Playing:
    """One flow with one caller, in its thread."""

    def __init__(self, said: Said, folder: Folder, send: Callable[[Said], None]) -> None:
        self.id: int = said["id"]
        self._name = said["flow"]
        self._facts = CallFacts(**said["facts"])
        self._folder = folder
        self._send = send
        self._line = RemoteLine(self._ask)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"flow-{self._name}-{self.id}", daemon=True)
        self._task: asyncio.Task[None] | None = None
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._told = False  #: the flow knows that its caller is gone
        self._over = False
        self._gone: Callable[[], object] = lambda: None

    def start(self, gone: Callable[[], object]) -> None:
        self._gone = gone
        self._thread.start()

    def hear(self, said: Said) -> None:
        """From the main thread."""
        if said["do"] == "wake":
            ident = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(TimeOver))
            return
        with contextlib.suppress(RuntimeError):  # it has ended just now
            self._loop.call_soon_threadsafe(self._heard, said)

    def _run(self) -> None:
        ended: Said = {"how": "ok", "reason": "", "trace": ""}
        try:
            flow = self._folder.find(self._name)
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._play(flow))
        except (CallerHungUp, asyncio.CancelledError, TimeOver) as end:
            if self._over or not self._line.hung_up:
                ended = {"how": "failed", "reason": f"{type(end).__name__}", "trace": ""}
            else:
                ended["how"] = "hung_up"
        except BaseException as wrong:  # noqa: BLE001 - fence: one flow, whose code is not ours
            ended = self._failure(wrong)
        finally:
            if not self._loop.is_closed():
                self._loop.close()
            self._gone()
            self._send({"say": "ended", "id": self.id, **ended})

    async def _play(self, flow: Any) -> None:
        self._task = asyncio.current_task()
        await flow(Call(self._line, RemoteOffice(self._ask), self._facts))

    def _failure(self, wrong: BaseException) -> Said:
        what = traceback.format_exception_only(wrong)[-1].strip()
        if isinstance(wrong, FlowError):
            what = str(wrong)
        unknown = isinstance(wrong, FlowError) and wrong.code == "flow.unknown"
        reason = what if unknown else f"{where_of(wrong, self._folder.path)}: {what}"
        trace = "" if unknown else "".join(traceback.format_exception(wrong))
        return {"how": "failed", "reason": reason, "trace": trace}

    async def _ask(self, verb: str, **given: Any) -> Any:
        self._asked += 1
        asked, self._waiting[asked] = self._asked, (answer := self._loop.create_future())
        self._send({"say": "ask", "id": self.id, "ask": asked, "verb": verb, "given": given})
        try:
            return await answer
        finally:
            self._waiting.pop(asked, None)

    def _heard(self, said: Said) -> None:
        """In the flow's loop."""
        if said["do"] == "answer":
            answer = self._waiting.get(said["ask"])
            if answer is None or answer.done():
                return
            if said.get("hung_up"):
                self._line.hung_up = self._told = True
                answer.set_exception(CallerHungUp(said.get("sound", "")))
            elif "error" in said:
                answer.set_exception(FlowError(said["error"], code=said["code"]))
            else:
                answer.set_result(said.get("value"))
        elif said["do"] == "hung_up":
            self._line.hung_up = True
            self._tell_gone()
        elif self._task is not None:
            self._over = True
            self._task.cancel()

    def _tell_gone(self) -> None:
        """The flow waits for something of its own. What it asks the dialer is answered first."""
        if self._waiting:
            self._loop.call_later(0.05, self._tell_gone)
        elif not self._told and self._task is not None:
            self._told = True
            self._task.cancel()


def main() -> int:
    if sys.argv[1:2] == ["--list"]:
        return _list(Path(sys.argv[2]))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # each loop has three
    threading.stack_size(STACK)
    lock = threading.Lock()

    def send(said: Said) -> None:
        data = json.dumps(said, default=str).encode() + b"\n"
        with lock, contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(OUT, data) :]

    folder = Folder(
        Path(sys.argv[1]), lambda text, is_mistake: send({"say": "told", "text": text, "mistake": is_mistake})
    )
    threading.Thread(target=folder.flows, daemon=True).start()
    host = Host(folder, send)
    send({"say": "ready"})
    with open(IN, "rb") as lines:
        for line in lines:
            host.hear(json.loads(line))
    os._exit(0)  # the dialer is gone: nobody is there to be played to


def _list(path: Path) -> int:
    out = os.dup(1)
    os.dup2(2, 1)  # what the site's code prints is no part of the answer
    folder = Folder(path)
    flows = [{"name": each.name, "file": each.file, "about": each.about} for each in folder.flows()]
    os.write(out, json.dumps({"flows": flows, "mistakes": folder.mistakes()}).encode())
    os._exit(0)  # threads that a file has started are not waited for


if __name__ == "__main__":
    sys.exit(main())
