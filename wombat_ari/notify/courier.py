"""Takes an errand to its receiver, whatever kind it is."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from wombat_ari.model.errands import ErrandKind, OutboxRow, Receipt
from wombat_ari.notify.http import Http
from wombat_ari.notify.mail import Mail, MailServer

log = Logger()


class Courier:
    """``mail`` None: there is no mail server. ``wall`` is the machine's clock, which receivers compare with theirs.
    ``private``: whether HTTP may go to addresses that are not of the internet."""

    def __init__(
        self, reactor: Any, *, wall: Callable[[], float], mail: MailServer | None = None, trust: Any = None,
        private: bool = True,
    ) -> None:  # fmt: skip
        self._http = Http(reactor, wall=wall, trust=trust, private=private)
        self._mail = Mail(reactor, mail, wall=wall)
        self._by_kind: dict[ErrandKind, Callable[[OutboxRow], Deferred[Receipt]]] = {
            ErrandKind.NOTIFY: self._http.post,
            ErrandKind.HTTP_POST: self._http.post,
            ErrandKind.HTTP_GET: self._http.get,
            ErrandKind.EMAIL: self._mail.send,
        }

    def send(self, row: OutboxRow) -> Deferred[Receipt]:
        """One try; never fails."""
        return maybeDeferred(self._by_kind[row.errand.kind], row).addErrback(_mistake, row)

    def close(self) -> Deferred[None]:
        """Drop what is under way; it is sent again after the next start."""
        self._mail.close()
        return self._http.close()


def _mistake(failure: Failure, row: OutboxRow) -> Receipt:
    log.failure("errand {id} ({kind}): it cannot be sent", failure=failure, id=row.id, kind=row.errand.kind)
    return Receipt(f"it cannot be sent: {failure.type.__name__}: {failure.getErrorMessage()}", hopeless=True)
