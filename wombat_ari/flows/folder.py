"""The site's flows: files in a folder, read again when they change. A file with a mistake keeps its old version.

Runs in the flows' own process (and in ``flow list``, ``check``): reading a file runs the site's code.
"""

import inspect
import re
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from wombat_ari.flows.line import FlowError

Flow = Callable[[Any], Awaitable[object]]
PACKAGE = "wombat_site_flows"
NAME = re.compile(r"(?!failed$)[A-Za-z][A-Za-z0-9_]{1,79}")


@dataclass(frozen=True, slots=True)
class Known:
    """A flow, for lists."""

    name: str
    file: str
    about: str  #: the first line of its docstring


@dataclass(slots=True)
class _File:
    stamp: tuple[int, int]
    flows: dict[str, Flow]  #: of the last version without a mistake
    mistake: str = ""


class Folder:
    """``told`` hears of each file that was read, and of each mistake, once."""

    def __init__(self, path: Path, told: Callable[[str, bool], None] = lambda text, is_mistake: None) -> None:
        self.path = path
        self._told = told
        self._files: dict[str, _File] = {}
        self._helpers: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        if str(path) not in sys.path:
            sys.path.append(str(path))  # last: a helper shall not hide a module of Python's

    def find(self, name: str) -> Flow:
        """The flow as its file is now. FlowError: there is none."""
        with self._lock:
            self._look()
            for file in self._files.values():
                if name in file.flows:
                    return file.flows[name]
        wrong = "; ".join(self.mistakes())
        raise FlowError(
            f"there is no flow {name[:80]!r} in {self.path}" + (f" ({wrong})" if wrong else ""), code="flow.unknown"
        )

    def flows(self) -> list[Known]:
        """All flows, by name."""
        with self._lock:
            self._look()
            found = {
                name: Known(name, file_name, (inspect.getdoc(flow) or "").partition("\n")[0])
                for file_name, file in reversed(self._files.items())
                for name, flow in file.flows.items()
            }
        return [found[name] for name in sorted(found)]

    def mistakes(self) -> list[str]:
        """What is wrong, a line each: file, line and what."""
        return [file.mistake for file in self._files.values() if file.mistake]

    def _look(self) -> None:
        stamps = {path.name: stamp for path in sorted(self.path.glob("*.py")) if (stamp := _stamp(path))}
        helpers = {name: stamp for name, stamp in stamps.items() if name.startswith("_")}
        if helpers != self._helpers:
            for name in {*helpers, *self._helpers}:
                sys.modules.pop(name.removesuffix(".py"), None)
            self._helpers = helpers
            for file in self._files.values():
                file.stamp = (0, 0)
        for name in [name for name in self._files if name not in stamps]:
            del self._files[name]
            self._told(f"{name} is gone", False)
        for name, stamp in stamps.items():
            known = self._files.get(name)
            if name not in helpers and (known is None or known.stamp != stamp):
                self._read(name, stamp, known)
        self._files = dict(sorted(self._files.items()))

    def _read(self, name: str, stamp: tuple[int, int], known: _File | None) -> None:
        try:
            flows, mistake = _flows_of(self.path / name), ""
        except (Exception, SystemExit) as wrong:  # noqa: BLE001 - fence: one file, whose code is not ours
            flows, mistake = known.flows if known else {}, f"{where_of(wrong, self.path / name)}: {_what(wrong)}"
        others = {flow: file for file, each in self._files.items() if file != name for flow in each.flows}
        if not mistake and (twice := sorted(set(flows) & set(others))):
            mistake = f"{name}: the flow {twice[0]} is in {others[twice[0]]} already"
        self._files[name] = _File(stamp, flows, mistake)
        if mistake:
            self._told(mistake + ("; its last version without one stays" if known and known.flows else ""), True)
        else:
            self._told(f"{name}: {', '.join(flows) or 'no flows'}", False)


def where_of(wrong: BaseException, within: Path) -> str:
    """File and line of a mistake, the last place that is in ``within`` (a file or a folder)."""
    if isinstance(wrong, SyntaxError) and wrong.filename:
        return f"{Path(wrong.filename).name}:{wrong.lineno}"
    folder = within.parent if within.suffix else within
    frames = [each for each in traceback.extract_tb(wrong.__traceback__) if Path(each.filename).parent == folder]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else within.name


def _what(wrong: BaseException) -> str:
    return traceback.format_exception_only(wrong)[-1].strip()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _flows_of(path: Path) -> dict[str, Flow]:
    """Read a file and take its flows. Compiled here: no cache of Python's comes between, whose stamps are seconds."""
    module = ModuleType(f"{PACKAGE}.{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and others look there
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    return {
        name: flow
        for name, flow in vars(module).items()
        if inspect.iscoroutinefunction(flow) and flow.__module__ == module.__name__ and NAME.fullmatch(name)
    }
