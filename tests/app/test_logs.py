"""Log lines, for people and for machines: one event a line, tracebacks where they belong, secrets not shown."""

import io
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from wombat_ari.app.logs import LineObserver
from wombat_ari.model.entities import Server
from wombat_ari.model.secret import Secret


def _logged(form: str, *, namespace: str = "wombat_ari.engine.dial", **event: Any) -> str:
    stream = io.StringIO()
    logger = Logger(namespace, observer=LineObserver(stream, form))
    failure = event.pop("failure", None)
    if failure is not None:
        logger.failure(event.pop("text"), failure=failure, **event)
    else:
        logger.emit(event.pop("level", LogLevel.info), event.pop("text"), **event)
    return stream.getvalue()


def _failure() -> Failure:
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        return Failure()


def test_a_line_for_people() -> None:
    line = _logged("text", text="call {call} to {num}", call=17, num="0123", level=LogLevel.warn)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN  engine\.dial: call 17 to 0123\n", line)


def test_a_line_for_machines() -> None:
    line = _logged("json", text="call {call}: {words}", call=17, words='né "quoted"\nand two lines', list=(1, 2))
    assert line.count("\n") == 1
    event = json.loads(line)
    assert (event["level"], event["from"], event["call"], event["list"]) == ("info", "engine.dial", 17, "(1, 2)")
    assert event["text"] == 'call 17: né "quoted"\nand two lines'
    assert "né" in line


def test_a_field_cannot_stand_in_for_the_head() -> None:
    event = json.loads(_logged("json", text="x", level=LogLevel.error, time="never", **{"from": "me"}))
    assert (event["level"], event["from"], event["text"]) == ("error", "engine.dial", "x")
    assert event["time"] != "never"


def test_a_traceback_follows_its_line() -> None:
    line, *rest = _logged("text", text="a mistake of ours", failure=_failure()).splitlines()
    assert line.endswith("CRITICAL engine.dial: a mistake of ours")
    assert rest[-1] == "builtins.ZeroDivisionError: by nothing"


def test_a_traceback_is_a_field_in_json() -> None:
    text = _logged("json", text="a mistake of ours", failure=_failure())
    assert text.count("\n") == 1
    assert "ZeroDivisionError: by nothing" in json.loads(text)["traceback"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_not_shown(form: str) -> None:
    server = Server(1, "pbx", login="wombat", password=Secret("hunter2"))
    try:
        raise ValueError(server)
    except ValueError:
        failure = Failure()
    for text in (
        _logged(form, text="{server} {secret}", server=server, secret=server.password),
        _logged(form, text="logging on {held}", server=server, held=[server.password], by={"a": server.password}),
        _logged(form, text="failed", failure=failure, server=server),
    ):
        assert "hunter2" not in text
        assert "***" in text


def test_a_line_that_cannot_be_formatted_is_still_a_line() -> None:
    assert _logged("text", text="{nothing.like.it}").count("\n") >= 1
    assert json.loads(_logged("json", text="{nothing.like.it}"))["level"] == "info"


def test_a_stream_that_is_gone_harms_nobody() -> None:
    stream = io.StringIO()
    stream.close()
    Logger("x", observer=LineObserver(stream, "text")).info("nobody hears")


PROGRAM = """
import logging, warnings
from wombat_ari.app.logs import start_logging
start_logging("{level}", "{form}")
from twisted.logger import Logger
Logger("wombat_ari.app.test").debug("ours debug")
Logger("wombat_ari.app.test").info("ours info")
Logger("twisted.web.http").info("chatty")
Logger("twisted.web.http").warn("serious")
logging.getLogger("wombat_ari.pbx.link").info("theirs info %s", 5)
logging.getLogger("somebody").warning("theirs warning {{not a field}}")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("wombat_ari.pbx").exception("it broke")
"""


def _said(level: str, form: str = "text") -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(level=level, form=form)], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_levels_and_both_loggers_in_one_stream() -> None:
    text = _said("info")
    assert "INFO  app.test: ours info" in text
    assert "INFO  pbx.link: theirs info 5" in text
    assert "WARN  somebody: theirs warning {not a field}" in text
    assert "WARN  twisted.web.http: serious" in text
    assert "ERROR pbx: it broke" in text
    assert "ZeroDivisionError" in text
    assert "chatty" not in text
    assert "ours debug" not in text


def test_levels_above_and_below() -> None:
    assert "DEBUG app.test: ours debug" in _said("debug")
    quiet = _said("error")
    assert "it broke" in quiet
    assert "warning" not in quiet
    assert "ours info" not in quiet


def test_every_line_is_json_when_asked_for() -> None:
    events = [json.loads(line) for line in _said("info", "json").splitlines()]
    assert {event["from"] for event in events} >= {"app.test", "pbx.link", "somebody"}
