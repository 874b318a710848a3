"""E-mail by SMTP: one message a try, by the standard library's client in a thread of its own.

``smtplib`` is kept with Python itself and knows STARTTLS, TLS, log-on and international addresses. Its time-outs are
for one step each, so an alarm cuts the connection when the whole takes too long; its thread then ends by itself.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from threading import Thread
from typing import Any

from twisted.internet import defer
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.model.errands import DONE, OutboxRow, Receipt
from wombat_ari.model.secret import NO_SECRET, Secret
from wombat_ari.wire.mail import is_international, letter, spelled

STEP_S = 20.0  #: for each answer of the server
WHOLE_S = 60.0  #: for a message; servers look into it while we wait
PORTS = {"none": 25, "starttls": 587, "tls": 465}
TOO_LONG = f"did not take an e-mail within {WHOLE_S:.0f} s"
NO_SERVER = "no mail server is configured: set mail.server, then replay it with wombat-ari outbox replay"

log = Logger()


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes our e-mails. ``security``: none, starttls (required, not tried) or tls. ``port`` 0: its usual one."""

    host: str
    sender: str
    port: int = 0
    security: str = "none"
    user: str = ""
    password: Secret = NO_SECRET

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port or PORTS[self.security]}"


class Mail:
    def __init__(self, reactor: Any, server: MailServer | None, *, wall: Callable[[], float]) -> None:
        self._reactor = reactor
        self._server = server
        self._wall = wall
        self._open: set[_Session] = set()

    def send(self, row: OutboxRow) -> defer.Deferred[Receipt]:
        if self._server is None:
            return defer.succeed(Receipt(NO_SERVER, hopeless=True))
        payload: Any = row.errand.payload
        to = list(payload["to"])
        message = letter(
            sender=self._server.sender, to=to, subject=payload["subject"], body=payload["body"],
            message_id=row.message_id, sent_at=self._wall(),
        )  # fmt: skip
        session = _Session(self._server)
        self._open.add(session)
        alarm = self._reactor.callLater(WHOLE_S, session.cut)
        done = _in_thread(self._reactor, session.deliver, message, to)

        def ended(result: Any) -> Any:
            self._open.discard(session)
            if alarm.active():
                alarm.cancel()
            return result

        return done.addBoth(ended).addErrback(_in_words, self._server.where, session)

    def close(self) -> None:
        for session in list(self._open):
            session.cut()


def probe(server: MailServer) -> str:
    """Connect and log on, send nothing: for the doctor, which may block. An empty text when all is well."""
    try:
        with _Session(server).connected():
            return ""
    except Exception:  # noqa: BLE001 - whatever it is, it is told
        return _in_words(Failure(), server.where).error


class _Session:
    """One connection; ``deliver`` runs in a thread, ``cut`` is called by the reactor."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None
        self.was_cut = False

    def connected(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context()
        port = server.port or PORTS[server.security]
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, port, timeout=STEP_S, context=context)
        else:
            smtp = smtplib.SMTP(server.host, port, timeout=STEP_S)
        self._smtp = smtp
        if self.was_cut:  # before there was anything to be cut
            smtp.close()
            raise TimeoutError(TOO_LONG)
        if server.security == "starttls":
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password.reveal())
        return smtp

    def deliver(self, message: EmailMessage, to: Sequence[str]) -> Receipt:
        smtp = self.connected()
        far = is_international(self._server.sender, to)
        options = ("SMTPUTF8", "BODY=8BITMIME") if far else ()
        refused = smtp.sendmail(
            parseaddr(self._server.sender)[1], list(to), spelled(message, international=far), options
        )
        if refused:  # some were accepted: sending it again would tell those twice
            log.warn("the mail server refused some addresses: {refused}", refused=_refusals(refused))
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()  # the message was taken before
        return DONE

    def cut(self) -> None:
        self.was_cut = True
        sock = getattr(self._smtp, "sock", None)
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("the mail server had hung up already")


def _in_thread(reactor: Any, job: Callable[..., Receipt], *args: Any) -> defer.Deferred[Receipt]:
    """A daemon thread for each: few at a time, and one that hangs in a look-up keeps no process alive."""
    done: defer.Deferred[Receipt] = defer.Deferred()

    def work() -> None:
        try:
            receipt = job(*args)
        except Exception:  # noqa: BLE001 - fence: one e-mail; whoever waits for it is told
            reactor.callFromThread(done.errback, Failure())
        else:
            reactor.callFromThread(done.callback, receipt)

    Thread(target=work, name="mail", daemon=True).start()
    return done


def _in_words(failure: Failure, where: str, session: _Session | None = None) -> Receipt:
    trouble = failure.value
    if session is not None and session.was_cut:
        return Receipt(f"{where} {TOO_LONG}", reached=False)
    if isinstance(trouble, smtplib.SMTPRecipientsRefused):
        return Receipt("the mail server refused " + _refusals(trouble.recipients))
    if isinstance(trouble, smtplib.SMTPAuthenticationError):
        return Receipt(f"{where} refused mail.user and mail.password: {_said(trouble.smtp_error)}", reached=False)
    if isinstance(trouble, smtplib.SMTPResponseException):
        return Receipt(f"the mail server answered {trouble.smtp_code} {_said(trouble.smtp_error)}")
    if isinstance(trouble, smtplib.SMTPNotSupportedError):
        return Receipt(f"{where} cannot do what is asked of it: {trouble}", reached=False)
    if isinstance(trouble, ssl.SSLError):
        detail = getattr(trouble, "verify_message", "") or trouble.reason or str(trouble)
        return Receipt(f"{where}: TLS failed: {detail}", reached=False)
    if isinstance(trouble, smtplib.SMTPException | OSError):
        return Receipt(f"{where} cannot be reached: {getattr(trouble, 'strerror', None) or trouble}", reached=False)
    log.failure("an e-mail could not be sent", failure=failure)
    return Receipt(f"it cannot be sent: {failure.type.__name__}: {trouble}", hopeless=True)


def _refusals(refused: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address}: {code} {_said(text)}" for address, (code, text) in refused.items())


def _said(text: bytes | str) -> str:
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else text).split())
