"""How an e-mail is spelled: a plain text message that says it was written by a program (RFC 5322, 3834)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime


def letter(*, sender: str, to: Sequence[str], subject: str, body: str, message_id: str, sent_at: float) -> EmailMessage:
    """``message_id`` without the domain: that of the sender is taken. Line breaks in the subject become blanks."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(datetime.fromtimestamp(sent_at, UTC))
    domain = sender.rpartition("@")[2].strip("> ") or "localhost"
    message["Message-ID"] = f"<{message_id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return message
