"""Structured logs: one event a line on standard error, as text for people or JSON for machines.

Everything goes through Twisted's logger; the standard library's logging and warnings are led into it. Secrets have a
type whose text is ``***``, so there is nothing to mask here.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
    globalLogBeginner,
)
from zope.interface import implementer

#: Of these only warnings: they tell of every port, connection and request.
CHATTY = ("log_legacy", "twisted.python.log", "twisted.internet", "twisted.protocols.amp", "twisted.web")

_PLAIN = (str, int, float, bool, type(None))


def start_logging(level: str, form: str, stream: TextIO = sys.stderr) -> None:
    """Begin to log. ``level``: debug, info, warn, error; ``form``: text or json."""
    predicate = LogLevelFilterPredicate(LogLevel.levelWithName(level))
    for namespace in CHATTY:
        predicate.setLogLevelForNamespace(namespace, LogLevel.warn)
    observer = FilteringLogObserver(LineObserver(stream, form), [predicate])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=False)
    handler = _Handler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO if level in ("debug", "info") else logging.WARNING)


@implementer(ILogObserver)
class LineObserver:
    """Writes each event as one line (a failure's traceback follows it in text, is a field of it in JSON)."""

    def __init__(self, stream: TextIO, form: str) -> None:
        self._stream = stream
        self._line = _json_line if form == "json" else _text_line

    def __call__(self, event: dict[str, Any]) -> None:
        try:
            self._stream.write(self._line(event) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # standard error is gone: nobody to tell


def _text_line(event: dict[str, Any]) -> str:
    text = f"{_when(event)} {event['log_level'].name.upper():5} {_who(event)}: {formatEvent(event)}"
    failure = event.get("log_failure")
    return f"{text}\n{failure.getTraceback().rstrip()}" if failure else text


def _json_line(event: dict[str, Any]) -> str:
    fields = {
        key: value if isinstance(value, _PLAIN) else repr(value) for key, value in event.items() if key[:4] != "log_"
    }
    failure = event.get("log_failure")
    if failure:
        fields["traceback"] = failure.getTraceback()
    head = {"time": _when(event), "level": event["log_level"].name, "from": _who(event), "text": formatEvent(event)}
    return json.dumps({**fields, **head}, ensure_ascii=False, default=repr)


def _when(event: dict[str, Any]) -> str:
    return datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _who(event: dict[str, Any]) -> str:
    return str(event.get("log_namespace", "-")).removeprefix("wombat_ari.")


class _Handler(logging.Handler):
    """Leads the standard library's log into ours."""

    def emit(self, record: logging.LogRecord) -> None:
        Logger(record.name).emit(_level(record.levelno), "{message}", message=self.format(record))


def _level(number: int) -> object:
    if number >= logging.ERROR:
        return LogLevel.error
    if number >= logging.WARNING:
        return LogLevel.warn
    return LogLevel.info if number >= logging.INFO else LogLevel.debug
