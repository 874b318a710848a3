"""A password never shows: not in a text, a log line, a traceback, nor in what holds it."""

import copy
import dataclasses
import json
import logging
import pickle
import traceback

import pytest

from wombat_ari.model.entities import Campaign, Server
from wombat_ari.model.secret import NO_SECRET, Secret

PASSWORD = "correct horse battery staple"


@pytest.fixture
def server() -> Server:
    return Server(1, "pbx", password=Secret(PASSWORD), ari_password=Secret(PASSWORD))


def test_texts_made_of_it() -> None:
    secret = Secret(PASSWORD)
    texts = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r}",
        f"{secret!s}",
        f"{secret!a}",
        "%s %r" % (secret, secret),  # noqa: UP031 - as old code and logging do
    ]
    assert {text.replace("*** ***", "***") for text in texts} == {"***"}
    assert "{}".format(secret) == "***"  # noqa: UP032


def test_what_holds_it(server: Server) -> None:
    campaign = Campaign(1, "spring", notify_secret=Secret(PASSWORD))
    texts = (
        repr(server),
        str([server, campaign]),
        repr({"k": server}),
        str(dataclasses.asdict(server)),
        str(vars(Secret)),
    )
    for text in texts:
        assert PASSWORD not in text
    assert "password=***" in repr(server)


def test_log_lines(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").warning("log-in of %s with %r", server, server.password)
        try:
            raise ValueError(f"refused: {server}", server.password)
        except ValueError:
            logging.getLogger("test").exception("failed")
    assert "failed" in caplog.text
    assert PASSWORD not in caplog.text


def test_tracebacks_with_locals(server: Server) -> None:
    def log_in(password: Secret) -> None:
        raise RuntimeError(password)

    with pytest.raises(RuntimeError) as caught:
        log_in(server.password)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    text = "".join(told.format())
    assert "password = ***" in text
    assert PASSWORD not in text


def test_it_cannot_be_made_json_by_mistake() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret(PASSWORD))
    assert PASSWORD not in json.dumps(Secret(PASSWORD), default=str)


def test_reveal_is_the_way_to_it() -> None:
    assert Secret(PASSWORD).reveal() == PASSWORD
    assert not hasattr(Secret(PASSWORD), "__dict__")


def test_it_behaves_as_a_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), NO_SECRET, Secret()}) == 2
    assert (bool(Secret("a")), bool(NO_SECRET)) == (True, False)
    for copied in (copy.deepcopy(Secret("a")), pickle.loads(pickle.dumps(Secret("a")))):
        assert copied.reveal() == "a"
