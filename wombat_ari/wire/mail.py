"""How an e-mail is spelled: a plain text message that says it was written by a program (RFC 5322, 3834)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

_PLAIN = SMTP.clone(mangle_from_=False)  # a line that begins with "From " stays as it is


def letter(*, sender: str, to: Sequence[str], subject: str, body: str, message_id: str, sent_at: float) -> EmailMessage:
    """``message_id`` without the domain: that of the sender is taken. Line breaks in the subject become blanks."""
    message = EmailMessage(policy=_PLAIN)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.fromtimestamp(sent_at, UTC))
    domain = sender.rpartition("@")[2].strip("> ") or "localhost"
    message["Message-ID"] = f"<{message_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message


def is_international(sender: str, to: Sequence[str]) -> bool:
    """Whether an address needs SMTPUTF8 of the server."""
    return not all(address.isascii() for address in (parseaddr(sender)[1], *to))


def spelled(message: EmailMessage, *, international: bool) -> bytes:
    return message.as_bytes(policy=_PLAIN.clone(utf8=True) if international else _PLAIN)
