"""HTTP: one request a try. Certificates are verified, redirects are not followed, 10 s are for everything."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from twisted.internet import defer, error
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import (
    Agent,
    HTTPConnectionPool,
    RequestTransmissionFailed,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.http_headers import Headers

from wombat_ari import __version__
from wombat_ari.model.errands import DONE, OutboxRow, Receipt
from wombat_ari.notify.public import PublicOnly
from wombat_ari.wire import webhooks

LIMIT_S = 10.0  #: for name, connection, request and answer together
READ_LIMIT = 16_384  #: bytes of an answer that are read (and dropped) to keep the connection; longer ones lose it
KEPT_S = 3.0  #: so long an idle connection is kept; servers close theirs after 5 s and more
KEPT = 8  #: idle connections for each receiver
PRIVATE = "its address is a private one, and notify.private_addresses is false"
LONGEST_WAIT_S = 3600.0  #: what a receiver's Retry-After can ask for


class Http:
    """``private``: whether receivers may have addresses that are not of the internet."""

    def __init__(
        self, reactor: Any, *, wall: Callable[[], float], trust: Any = None, private: bool = True
    ) -> None:  # fmt: skip
        self._reactor = reactor
        self._refused: set[str] = set()  # names that led to private addresses only, when last asked
        self._wall = wall
        self._pool = HTTPConnectionPool(reactor, persistent=True)
        self._pool.maxPersistentPerHost = KEPT
        self._pool.cachedConnectionTimeout = KEPT_S
        self._pool.retryAutomatically = False
        policy = {} if trust is None else {"contextFactory": trust}
        ways = reactor if private else PublicOnly(reactor, self._refused)
        self._agent = Agent(ways, connectTimeout=LIMIT_S, pool=self._pool, **policy)

    def post(self, row: OutboxRow) -> defer.Deferred[Receipt]:
        payload: Any = row.errand.payload
        if "body" in payload:
            body, content_type = payload["body"].encode("utf-8", "replace"), payload.get("content_type") or "text/plain"
        else:
            body, content_type = webhooks.form(payload.get("fields", {})), webhooks.FORM
        return self._request(b"POST", payload["url"], row, body=body, content_type=content_type)

    def get(self, row: OutboxRow) -> defer.Deferred[Receipt]:
        payload: Any = row.errand.payload
        url = webhooks.with_query(payload["url"], payload.get("fields", {}))
        return self._request(b"GET", url, row, body=None)

    def close(self) -> defer.Deferred[None]:
        return self._pool.closeCachedConnections()

    def _request(
        self, method: bytes, url: str, row: OutboxRow, *, body: bytes | None, content_type: str = ""
    ) -> defer.Deferred[Receipt]:
        try:
            uri, user = _split(url)
        except ValueError as wrong:
            return defer.succeed(Receipt(f"the URL cannot be used: {wrong}", hopeless=True))
        named = webhooks.headers(
            row.message_id, timestamp=int(self._wall()), body=body or b"", secret=row.secret.reveal()
        )
        headers = Headers({name: [value] for name, value in named.items()})
        headers.setRawHeaders("User-Agent", [f"wombat-ari/{__version__}"])
        if content_type:
            headers.setRawHeaders("Content-Type", [content_type])
        if user:
            headers.setRawHeaders("Authorization", ["Basic " + b64encode(user.encode()).decode("ascii")])
        try:
            request = self._agent.request(method, uri, headers, None if body is None else _Bytes(body))
        except Exception as wrong:  # noqa: BLE001 - a URL that Twisted refuses; it raises errors of several kinds
            return defer.succeed(Receipt(f"the URL cannot be used: {wrong}", hopeless=True))
        whole = request.addCallback(_heard)
        whole.addTimeout(LIMIT_S, self._reactor)
        return whole.addErrback(self._in_words, urlsplit(uri.decode()).hostname or "")

    def _in_words(self, failure: Failure, host: str) -> Receipt:
        if failure.check(error.DNSLookupError) and host in self._refused:
            return Receipt(PRIVATE, hopeless=True)
        return _in_words(failure)


class _Bytes:
    """A body that is at hand; written at once, so that a receiver that does not read holds nobody up."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Any) -> defer.Deferred[None]:
        consumer.write(self._body)
        return defer.succeed(None)

    def stopProducing(self) -> None:
        """All is written."""

    pauseProducing = resumeProducing = stopProducing


class _Drain(Protocol):
    """Reads an answer's body and drops it: up to the limit, then the connection goes too."""

    def __init__(self) -> None:
        self.ended: defer.Deferred[None] = defer.Deferred(lambda _: self.transport.loseConnection())
        self._left = READ_LIMIT

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.ended.called:
            self.ended.callback(None)


def _heard(response: Any) -> defer.Deferred[Receipt]:
    """The status decides; the body is read so that the connection can be used again."""
    receipt, drain = _receipt(response), _Drain()
    response.deliverBody(drain)
    # A body that does not come (time-out, broken connection) changes nothing about what the status said.
    return drain.ended.addBoth(lambda _: receipt)


def _receipt(response: Any) -> Receipt:
    code = response.code
    if 200 <= code < 300:
        return DONE
    phrase = response.phrase.decode("latin-1", "replace")
    said = f"answered {code} {phrase}".rstrip()
    if 300 <= code < 400:
        said += "; redirects are not followed: correct the URL"
    return Receipt(said, wait_s=_retry_after(response.headers))


def _retry_after(headers: Headers) -> float:
    """Only seconds; a date would need the receiver's clock to be right."""
    value = (headers.getRawHeaders("Retry-After") or [""])[0].strip()
    return min(float(value), LONGEST_WAIT_S) if value.isascii() and value.isdigit() else 0.0


def _split(url: str) -> tuple[bytes, str]:
    """The URL as bytes without user and password, and these."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it must begin with http:// or https:// and name a host")
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode("ascii")
    place = f"[{host}]" if ":" in host else host
    place += f":{parts.port}" if parts.port else ""
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    clean = urlunsplit((parts.scheme, place, _quoted(parts.path) or "/", _quoted(parts.query), ""))
    return clean.encode("ascii"), user


def _quoted(text: str) -> str:
    """Blanks and what is not ASCII as ``%XX``; the rest as it was written."""
    return "".join(c if "!" <= c <= "~" else "".join(f"%{byte:02X}" for byte in c.encode()) for c in text)


def _in_words(failure: Failure) -> Receipt:
    trouble = failure.value
    if isinstance(trouble, ResponseNeverReceived | RequestTransmissionFailed | ResponseFailed):
        trouble = trouble.reasons[0].value if trouble.reasons else trouble
    return Receipt(_said(trouble), reached=False)


def _said(trouble: BaseException) -> str:
    detail = str(trouble) or type(trouble).__name__
    if isinstance(trouble, defer.TimeoutError | error.TimeoutError | error.TCPTimedOutError | defer.CancelledError):
        return f"no answer within {LIMIT_S:.0f} s"
    if isinstance(trouble, error.ConnectionRefusedError):
        return "connection refused"
    if isinstance(trouble, error.DNSLookupError):
        return "the host name is not known"
    if isinstance(trouble, error.ConnectionDone | error.ConnectionLost):
        return "the connection was cut before an answer came"
    if "certificate verify failed" in detail:
        return "the TLS certificate is not trusted: add its issuer to the system's, or name it in SSL_CERT_FILE"
    if type(trouble).__name__ == "VerificationError":
        return "the TLS certificate is made out to another name"
    return f"cannot be reached: {detail}"
