"""Notifications over real HTTP: what is sent can be verified, and whatever the receiver does, a receipt says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notify.receiver import HOST, Receiver
from tests.pbx.test_tls import certificate
from wombat_ari.model.errands import DONE, Errand, ErrandKind, OutboxRow, Receipt
from wombat_ari.model.secret import NO_SECRET, Secret
from wombat_ari.notify import http as http_module
from wombat_ari.notify.courier import Courier
from wombat_ari.notify.public import is_public

FORM = {"num": "5551234", "state": "RS_BUSY", "extstate": "", "I_NAME": "Zoë & Søn=1+1%", "O_X": "日本語\n2"}


class Stage:
    def __init__(self, **options: Any) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        if not self.reactor.running:
            self.reactor.startRunning(installSignalHandlers=False)
        self.courier = Courier(self.reactor, wall=time.time, **options)

    def send(self, *rows: OutboxRow, limit: float = 20) -> list[Receipt]:
        got: list[Receipt] = []
        for row in rows:
            self.courier.send(row).addCallback(got.append)
        end = time.monotonic() + limit
        while len(got) < len(rows):
            assert time.monotonic() < end, "no receipt"
            self.reactor.iterate(0.01)
        return got

    def close(self) -> None:
        gone: list[None] = []
        self.courier.close().addCallback(gone.append)
        end = time.monotonic() + 5
        while not gone and time.monotonic() < end:
            self.reactor.iterate(0.01)
        if self.reactor.threadpool is not None:  # names were looked up; its threads would keep the process alive
            self.reactor._stopThreadPool()


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(http_module, "LIMIT_S", 1.0)  # ten seconds in life
    made = Stage()
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def row_of(
    url: str, *, id: int = 7, kind: ErrandKind = ErrandKind.NOTIFY, secret: Secret = NO_SECRET, **payload: Any
) -> OutboxRow:
    payload = {"url": url, **(payload or {"fields": FORM})}
    return OutboxRow(id, Errand(kind, "somebody", payload, 1_790_000_000.25, 1_790_000_000.25), secret=secret)


def test_a_form_arrives_as_it_was_and_can_be_verified(stage: Stage, receiver: Receiver) -> None:
    secret = Secret("open sesame")
    assert stage.send(row_of(receiver.url, secret=secret)) == [DONE]
    (letter,) = receiver.letters
    assert (letter.method, letter.path, letter.form) == ("POST", "/calls", FORM)
    assert letter.headers["content-type"] == "application/x-www-form-urlencoded"
    assert letter.headers["user-agent"].startswith("wombat-ari/")
    assert letter.is_signed_with("open sesame")
    assert not letter.is_signed_with("another")
    assert "open sesame" not in str(letter.headers) + letter.body.decode()


def test_a_resend_has_the_same_id_and_without_a_secret_no_signature(stage: Stage, receiver: Receiver) -> None:
    stage.send(row_of(receiver.url))
    stage.send(row_of(receiver.url))
    stage.send(row_of(receiver.url, id=8))
    first, again, other = receiver.letters
    assert first.message_id == again.message_id != other.message_id
    assert "webhook-signature" not in first.headers


def test_bodies_queries_and_passwords_of_disposition_rules(stage: Stage, receiver: Receiver) -> None:
    json_row = row_of(
        receiver.url, kind=ErrandKind.HTTP_POST, body='{"a": "é"}', content_type="application/json", secret=Secret("s")
    )
    url = f"http://us%40er:p%3Ass@{HOST}:{receiver.port}/a b?x=1#part"
    get_row = row_of(url, kind=ErrandKind.HTTP_GET, fields={"num": "1&2", "n": "ö"})
    assert stage.send(json_row) == stage.send(get_row) == [DONE]
    post, get = receiver.letters
    assert (post.body.decode(), post.headers["content-type"]) == ('{"a": "é"}', "application/json")
    assert post.is_signed_with("s")
    assert (get.method, get.query, get.path.partition("?")[0]) == ("GET", {"x": "1", "num": "1&2", "n": "ö"}, "/a%20b")
    assert get.headers["authorization"] == "Basic dXNAZXI6cDpzcw=="


def test_connections_are_kept(stage: Stage, receiver: Receiver) -> None:
    for _ in range(5):
        assert stage.send(row_of(receiver.url)) == [DONE]
    assert receiver.connections == 1


@pytest.mark.parametrize(
    ("behaviour", "error", "reached"),
    [
        ("500", "answered 500 Internal Server Error", True),
        ("404", "answered 404 Not Found", True),
        ("redirect", "answered 302 Found; redirects are not followed: correct the URL", True),
        ("slow", "no answer within 1 s", False),
        ("cut", "the connection was cut before an answer came", False),
    ],
)
def test_what_is_no_yes(stage: Stage, receiver: Receiver, behaviour: str, error: str, reached: bool) -> None:
    receiver.behaviour = behaviour
    assert stage.send(row_of(receiver.url)) == [Receipt(error, reached=reached)]
    assert [letter.path for letter in receiver.letters] == ["/calls"]
    receiver.behaviour = "ok"
    assert stage.send(row_of(receiver.url)) == [DONE]


@pytest.mark.parametrize("behaviour", ["silent", "big", "twice", "204"])
def test_what_is_a_yes_whatever_comes_behind_it(stage: Stage, receiver: Receiver, behaviour: str) -> None:
    receiver.behaviour = behaviour
    began = time.monotonic()
    assert stage.send(row_of(receiver.url)) == [DONE]
    assert time.monotonic() - began < 5
    receiver.behaviour = "ok"
    assert stage.send(*(row_of(receiver.url, id=n) for n in range(3))) == [DONE] * 3
    assert len(receiver.letters) == 4


def test_a_busy_receiver_says_how_long(stage: Stage, receiver: Receiver) -> None:
    receiver.behaviour = "busy"
    (receipt,) = stage.send(row_of(receiver.url))
    assert (receipt.reached, receipt.wait_s) == (True, 7.0)


def test_nobody_listens_nobody_is_known_nothing_can_be_made_of_it(stage: Stage, receiver: Receiver) -> None:
    receiver.close()
    refused, unknown = stage.send(row_of(receiver.url)) + stage.send(row_of("http://nobody.invalid/"))
    assert refused == Receipt("connection refused", reached=False)
    assert unknown == Receipt("the host name is not known", reached=False)
    for url in ("ftp://x/", "http://", "http://[x/", "http://a:b/", "http://a" + "b" * 300 + "/"):
        (receipt,) = stage.send(row_of(url))
        assert receipt.error
        assert receipt.hopeless or not receipt.reached


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"])
def test_private_addresses_may_be_refused(monkeypatch: pytest.MonkeyPatch, receiver: Receiver, host: str) -> None:
    """By what the name leads to at the moment; no connection is made to see."""
    monkeypatch.setattr(http_module, "LIMIT_S", 1.0)
    url = receiver.url.replace(HOST, host)
    for private in (False, True):
        stage = Stage(private=private)
        try:
            first, again = stage.send(row_of(url), row_of(url, id=8))
        finally:
            stage.close()
        if not private:
            assert {first, again} == {Receipt(http_module.PRIVATE, hopeless=True)}
            assert receiver.letters == []
    if host in (HOST, "localhost"):
        assert len(receiver.letters) == 2


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("10.0.0.1", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("fe80::1", False), ("fd00::1", False), ("224.0.0.1", False), ("0.0.0.0", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_what_is_public(host: str, public: bool) -> None:
    assert is_public(host) is public


def test_a_certificate_is_checked(tmp_path: Path, stage: Stage) -> None:
    from twisted.internet.ssl import Certificate, trustRootFromCertificates
    from twisted.web.client import BrowserLikePolicyForHTTPS

    pem = certificate(tmp_path, HOST)
    other = certificate(tmp_path / "..", "127.0.0.9")
    issuer = Certificate.loadPEM(pem[0].read_bytes())
    with Receiver(certificate=pem) as receiver:
        (receipt,) = stage.send(row_of(receiver.url))
        assert "certificate is not trusted" in receipt.error
        assert not receipt.reached
        assert receiver.letters == []
        trusting = Stage(trust=BrowserLikePolicyForHTTPS(trustRootFromCertificates([issuer])))
        assert trusting.send(row_of(receiver.url, secret=Secret("x"))) == [DONE]
        assert receiver.letters[0].is_signed_with("x")
        trusting.close()
    issuer = Certificate.loadPEM(other[0].read_bytes())
    with Receiver(certificate=other) as receiver:
        trusting = Stage(trust=BrowserLikePolicyForHTTPS(trustRootFromCertificates([issuer])))
        (receipt,) = trusting.send(row_of(receiver.url))
        assert receipt == Receipt("the TLS certificate is made out to another name", reached=False)
        trusting.close()
