"""E-mails through a real SMTP server: plain, STARTTLS, TLS, with log-on; and what is said when it does not work."""

from __future__ import annotations

import asyncio
import email.policy
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.notify.test_http import Stage
from tests.pbx.test_tls import certificate
from wombat_ari.model.errands import DONE, MAIL, Errand, ErrandKind, OutboxRow, Receipt
from wombat_ari.model.secret import Secret
from wombat_ari.notify import mail
from wombat_ari.notify.mail import MailServer, probe

HOST = "127.0.0.1"
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:aiosmtpd", "ignore::DeprecationWarning:aiosmtpd")
SENDER = "Dialer <dialer@example.com>"


class Postbox:
    """What the server took; addresses that begin with ``nobody`` are refused."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.encrypted: list[bool] = []
        self.users: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        self.recipients.append(list(envelope.rcpt_tos))
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self.users.append(session.auth_data)
        return "250 taken"


class AnyPort(Controller):
    """On any free port; the controller itself pings the port it was told."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Server:
    def __init__(self, stack: ExitStack, **options: Any) -> None:
        self.postbox = Postbox()
        controller = AnyPort(self.postbox, hostname=HOST, port=0, **options)
        controller.start()
        stack.callback(controller.stop)
        self.port: int = controller.port


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def row_of(*to: str, subject: str = "Sales has completed", body: str = "All of it.\n") -> OutboxRow:
    payload: dict[str, object] = {"to": list(to), "subject": subject, "body": body}
    return OutboxRow(3, Errand(ErrandKind.EMAIL, MAIL, payload, 1_790_000_000.0, 1_790_000_000.0))


def send(stack: ExitStack, server: MailServer | None, row: OutboxRow) -> Receipt:
    stage = Stage(mail=server)
    stack.callback(stage.close)
    (receipt,) = stage.send(row)
    return receipt


def context_of(pem: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pem)
    return context


def test_a_letter_arrives_as_it_was_written(stack: ExitStack) -> None:
    server = Server(stack)
    row = row_of(
        "boss@example.com", subject="Zoë's\nrun — 日本", body="Campaign: Zoë\n.\nFrom here\n" + "x" * 2000 + "\n"
    )
    assert send(stack, MailServer(HOST, SENDER, port=server.port), row) == DONE
    (letter,) = server.postbox.letters
    assert server.postbox.recipients == [["boss@example.com"]]
    assert (letter["From"], letter["To"]) == (SENDER, "boss@example.com")
    assert letter["Subject"] == "Zoë's run — 日本"
    assert letter.get_content().replace("\r\n", "\n") == row.errand.payload["body"]
    assert letter["Message-ID"] == f"<{row.message_id}@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_with_a_log_on(
    stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    pem = certificate(tmp_path, HOST)

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (b"dialer", b"s3cret")
        return AuthResult(success=good, handled=False, auth_data=data.login)

    options: dict[str, Any] = {"authenticator": authenticate, "auth_required": True}
    if security == "tls":
        options |= {"ssl_context": context_of(pem), "auth_require_tls": False}
    else:
        options |= {"tls_context": context_of(pem), "require_starttls": True}
    server = Server(stack, **options)
    where = MailServer(HOST, SENDER, port=server.port, security=security, user="dialer", password=Secret("s3cret"))
    untrusted = send(stack, where, row_of("a@example.com"))
    assert "TLS failed" in untrusted.error
    assert "certificate" in untrusted.error
    assert server.postbox.letters == []
    monkeypatch.setenv("SSL_CERT_FILE", str(pem[0]))
    assert send(stack, where, row_of("a@example.com")) == DONE
    assert probe(where) == ""
    assert (server.postbox.encrypted, server.postbox.users) == ([True], [b"dialer"])
    wrong = MailServer(HOST, SENDER, port=server.port, security=security, user="dialer", password=Secret("guess"))
    receipt = send(stack, wrong, row_of("a@example.com"))
    assert "refused mail.user and mail.password" in receipt.error
    assert "guess" not in receipt.error + repr(wrong)
    assert "refused mail.user" in probe(wrong)


def test_starttls_is_required_and_not_only_tried(stack: ExitStack) -> None:
    server = Server(stack)
    receipt = send(stack, MailServer(HOST, SENDER, port=server.port, security="starttls"), row_of("a@example.com"))
    assert "STARTTLS" in receipt.error
    assert not receipt.reached
    assert server.postbox.letters == []


def test_who_is_refused_is_named(stack: ExitStack) -> None:
    server = Server(stack)
    where = MailServer(HOST, SENDER, port=server.port)
    receipt = send(stack, where, row_of("nobody@example.com"))
    assert receipt == Receipt("the mail server refused nobody@example.com: 550 no such mailbox")
    assert send(stack, where, row_of("nobody@example.com", "a@example.com")) == DONE
    assert server.postbox.recipients == [["a@example.com"]]


def test_a_server_that_takes_too_long_over_it(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is quick enough, the whole is not."""
    server = Server(stack)

    async def slowly(*_: Any) -> str:
        await asyncio.sleep(30)
        return "250 taken"

    monkeypatch.setattr(server.postbox, "handle_DATA", slowly, raising=False)
    monkeypatch.setattr(mail, "WHOLE_S", 0.5)
    receipt = send(stack, MailServer(HOST, SENDER, port=server.port), row_of("a@example.com"))
    assert "did not take an e-mail within" in receipt.error
    assert not receipt.reached


def test_addresses_of_all_alphabets(stack: ExitStack) -> None:
    server = Server(stack, enable_SMTPUTF8=True)
    assert send(stack, MailServer(HOST, SENDER, port=server.port), row_of("чеф@пример.рф")) == DONE
    assert server.postbox.recipients == [["чеф@пример.рф"]]
    plain = Server(stack, enable_SMTPUTF8=False)
    receipt = send(stack, MailServer(HOST, SENDER, port=plain.port), row_of("чеф@пример.рф"))
    assert "cannot do what is asked of it" in receipt.error


def test_away_silent_or_not_there_at_all(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "STEP_S", 0.5)
    with socket.create_server((HOST, 0)) as mute:  # it accepts, and says nothing
        where = MailServer(HOST, SENDER, port=mute.getsockname()[1])
        receipt = send(stack, where, row_of("a@example.com"))
        assert (receipt.reached, "timed out" in receipt.error) == (False, True)
    receipt = send(stack, where, row_of("a@example.com"))
    assert (receipt.reached, "Connection refused" in receipt.error) == (False, True)
    receipt = send(stack, None, row_of("a@example.com"))
    assert receipt.hopeless
    assert "set mail.server" in receipt.error
