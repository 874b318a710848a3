"""ARI by aioari, with what aioari lacks: one application's link to one PBX, kept up. Nothing else imports aioari.

aioari (0.10.2, 2020) reads Asterisk's own description of ARI and makes calls of it. Everything that is worked round is
worked round here, each with its reason beside it. All of it lives on asyncio (the dialer's reactor is Twisted's on
asyncio); who uses it from Twisted's side wraps what it awaits.

Rules of the place:
- Whatever goes wrong with a request is an ``AriError`` with a text for people; whatever goes wrong with the link makes
  it again after 1 s, 2 s, 4 s ... 30 s. Nothing that was asked is asked again by the link itself.
- The user's ``hear`` is called in the order of the events and may not wait; what takes time is a ``task``.
"""

import asyncio
import json
import logging
import random
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aioari.client import Client
from aiohttp.web_exceptions import HTTPException
from aioswagger11.http_client import AsynchronousHttpClient

from wombat_ari.model.entities import Server
from wombat_ari.model.errors import PbxError

log = logging.getLogger(__name__)
for _chatty in ("aioari.client", "aioari.model", "aioswagger11.client"):
    # At debug they write each request with its variables; of the end of a websocket, a warning, we tell ourselves.
    logging.getLogger(_chatty).setLevel(logging.ERROR)

CONNECTIONS = 20  #: at once, beside the websocket
#: Parameters that Asterisk 16 does not know, and which we can do without.
NEWER = frozenset({"reason_code", "inhibitConnectedLineUpdates"})
Event = Mapping[str, Any]  #: as ARI tells it, with its ``type``


class AriError(PbxError):
    """A request that came to nothing. ``status`` is HTTP's, 0 when there was no answer."""

    def __init__(self, text: str, *, status: int = 0) -> None:
        super().__init__(text, code="ari")
        self.status = status

    @property
    def gone(self) -> bool:
        """What was asked for does not live (any more), or has left the application."""
        return self.status in (404, 409, 412)


@dataclass(frozen=True, slots=True)
class AriSettings:
    """Seconds."""

    answer: float = 5.0  #: a request that is not answered by then has failed
    silence: float = 10.0  #: a websocket is pinged so often; half of it without a pong, and it is dropped
    backoff_min: float = 1.0
    backoff_max: float = 30.0
    proven: float = 60.0  #: a link that lasted so long begins its pauses anew


class AriUser(Protocol):
    """Whom a link tells how it goes."""

    async def ari_up(self) -> None:
        """Events are on: ask what lives. An error drops the link, to be made again."""

    def ari_down(self, reason: str) -> None:
        """It broke, or could not be made for another reason than the last time."""

    def hear(self, event: Event) -> None: ...


class AriLink:
    """One that wants to be up from ``start`` to ``stop``."""

    def __init__(
        self,
        server: Server,
        app: str,
        user: AriUser,
        *,
        settings: AriSettings = AriSettings(),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.app = app
        self.connected = False
        self.base = base_of(server.ari_url)
        self._server = server
        self._user = user
        self._settings = settings
        self._chance = chance
        self._delay = settings.backoff_min
        self._client: Client | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last_reason = ""
        self._replaced = asyncio.Event()  #: by another one's connection

    def start(self) -> None:
        if self._keeper is None:
            self._keeper = asyncio.ensure_future(self._keep())

    async def stop(self) -> None:
        """Closed when this returns. What lives in the application lives on."""
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        for each in (keeper, *self._tasks):
            each.cancel()
        await asyncio.gather(keeper, *self._tasks, return_exceptions=True)

    def task(self, work: Coroutine[Any, Any, Any], what: str) -> "asyncio.Task[Any]":
        """Do it beside everything else. aioari awaits each callback before it reads on, so none may take its time; and
        of what a callback throws it tells nobody but its log.
        """
        made = asyncio.ensure_future(self._fenced(work, what))
        self._tasks.add(made)  # asyncio itself keeps weak references only: a task may vanish
        made.add_done_callback(self._tasks.discard)
        return made

    async def ask(self, about: str, operation: str, **arguments: Any) -> Any:
        """Do ``operation`` (its nickname in ARI's description) and answer plain values; AriError.

        ``variables`` are flat, name to text: what else aioari takes is lost, or refused.
        """
        if self._client is None:
            raise AriError(f"no ARI link to {self.base}: {self._last_reason or 'not connected'}")
        return await self._asked(self._client, about, operation, arguments)

    # Requests

    async def _asked(self, client: Client, about: str, operation: str, arguments: Mapping[str, Any]) -> Any:
        # aiohttp takes no bool into an address, and knows no None there.
        given = {key: _spelled(value) for key, value in arguments.items() if value is not None}
        for name in NEWER & given.keys() - _parameters(client, about, operation):
            del given[name]  # aioari would refuse the request with a TypeError
        try:
            # aioari itself has no time-out; the session's (see _Http) covers the body, this one the rest.
            async with asyncio.timeout(self._settings.answer):
                return _plain(await getattr(getattr(client, about), operation)(**given))
        except HTTPException as refusal:
            said = f"{self.base} {about}.{operation}: {refusal.status} {_message(refusal)}"
            raise AriError(said, status=refusal.status) from None
        except TimeoutError:
            raise AriError(f"{self.base} did not answer {about}.{operation} in {self._settings.answer:g} s") from None
        except (aiohttp.ClientError, OSError) as trouble:
            raise AriError(in_words(trouble, self.base)) from trouble
        except (ValueError, KeyError) as trouble:
            raise AriError(f"{self.base} {about}.{operation}: not understood: {trouble!r}") from trouble

    # The loop: aioari's run() ends without a word when the link does

    async def _keep(self) -> None:
        while True:
            try:
                await self._session()
            except PbxError as trouble:
                self._fell(str(trouble))
            except asyncio.CancelledError:
                self._fell("stopped", quietly=True)
                raise
            except Exception as trouble:  # the fence: one session
                log.exception("ARI %s: the session failed", self.base)
                self._fell(f"internal error: {trouble!r}")
            # Shorter by chance, never longer: cut off at the longest, all would knock at the same moment.
            await asyncio.sleep(self._delay * (1 - 0.25 * self._chance()))
            self._delay = min(self._delay * 2, self._settings.backoff_max)

    async def _session(self) -> None:
        # A client for each session: what it learnt of ARI may be another after a restart, and it forgets no websocket.
        server = self._server
        http = _Http(self.base, server.ari_user, server.ari_password.reveal(), settings=self._settings)
        loop = asyncio.get_running_loop()
        since = loop.time()
        running: asyncio.Task[None] | None = None
        try:
            client = await self._read_description(http)
            client.on_event("*", self._hear)
            running = asyncio.ensure_future(client.run(apps=self.app))
            await self._opened(http, running)
            since, self._client = loop.time(), client
            await self._user.ari_up()
            self.connected, self._last_reason = True, ""
            log.info("ARI %s: connected as %s, application %s", self.base, server.ari_user, self.app)
            await self._ended(running)
            raise PbxError(http.end_in_words())
        finally:
            if self.connected and loop.time() - since >= self._settings.proven:
                self._delay = self._settings.backoff_min
            self._client, self.connected = None, False
            if running is not None and not running.done():
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            # Not client.close(): of a client whose init() failed it asks itself for its websockets without end.
            await http.close()

    async def _ended(self, running: "asyncio.Task[None]") -> None:
        """Returns when the websocket has ended; PbxError when it is useless from now on."""
        self._replaced.clear()
        replaced = asyncio.ensure_future(self._replaced.wait())
        try:
            await asyncio.wait((running, replaced), return_when=asyncio.FIRST_COMPLETED)
            if replaced.done():
                # The websocket stays and says nothing any more: Asterisk has one for each application.
                raise PbxError(f"somebody else has connected as application {self.app}", code="ari.replaced")
            await running
        except PbxError:
            raise
        except Exception as trouble:
            # aioari falls over an event that is no JSON, and over one that is no event.
            raise PbxError(f"what ARI told was not understood: {trouble!r}", code="ari.events") from trouble
        finally:
            replaced.cancel()

    async def _read_description(self, http: "_Http") -> Client:
        client = Client(self.base, http)
        try:
            async with asyncio.timeout(self._settings.answer * 2):
                await client.init()
        except HTTPException as refusal:
            raise PbxError(self._refused(refusal.status), code="ari.login") from None
        except TimeoutError:
            raise PbxError(f"{self.base} accepts the connection but does not answer", code="ari.silent") from None
        except (aiohttp.ClientError, OSError) as trouble:
            raise PbxError(in_words(trouble, self.base), code="ari.connect") from trouble
        except Exception as trouble:
            # Anything may be at that address; aioari falls over what it does not expect in many ways.
            raise PbxError(f"what answers at {self.base} is not ARI: {trouble!r}", code="ari.strange") from trouble
        return client

    async def _opened(self, http: "_Http", running: "asyncio.Task[None]") -> None:
        waiting = asyncio.ensure_future(http.opened.wait())
        try:
            await asyncio.wait((waiting, running), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return
            try:
                await running
            except (aiohttp.ClientError, OSError, TimeoutError) as trouble:
                raise PbxError(f"no events: {in_words(trouble, self.base)}", code="ari.events") from trouble
            raise PbxError(http.end_in_words(), code="ari.events")
        finally:
            waiting.cancel()

    def _refused(self, status: int) -> str:
        if status in (401, 403):
            return f"{self.base} refused the ARI user {self._server.ari_user!r} or its password; see its ari.conf"
        if status == 404:
            return f"there is no ARI at {self.base}: enabled = yes in ari.conf, and prefix in http.conf as in the URL"
        return f"{self.base} answers with HTTP status {status}; see its log"

    def _fell(self, reason: str, *, quietly: bool = False) -> None:
        if quietly or reason == self._last_reason:
            return
        self._last_reason = reason
        log.warning("ARI %s: %s", self.base, reason)
        self._user.ari_down(reason)

    def _hear(self, event: Event) -> None:
        if event["type"] == "ApplicationReplaced":
            self._replaced.set()
        try:
            self._user.hear(event)
        except Exception:  # the fence: one event
            log.exception("ARI %s: failed on %s", self.base, event.get("type"))

    async def _fenced(self, work: Coroutine[Any, Any, Any], what: str) -> Any:
        try:
            return await work
        except AriError as trouble:
            log.warning("ARI: %s: %s", what, trouble)
        except Exception:  # the fence: one task
            log.exception("ARI: %s: a mistake of ours", what)


class _Http(AsynchronousHttpClient):
    """aioari's HTTP with a log-in that takes any password, time-outs, and a heartbeat."""

    def __init__(self, base: str, user: str, password: str, *, settings: AriSettings) -> None:
        # Not super().__init__: its session has neither time-outs nor a log-in; it puts user:password into each address,
        # for the websocket without quoting (so p&q is p), where proxies and Asterisk's log can read it.
        self.authenticator = None
        self.websockets: set[aiohttp.ClientWebSocketResponse] = set()
        log_in = b64encode(f"{user}:{password}".encode()).decode()
        self.session = aiohttp.ClientSession(
            headers={"Authorization": f"Basic {log_in}"},
            timeout=aiohttp.ClientTimeout(total=settings.answer),
            # Asterisk takes a hundred connections (sessionlimit), of all its users; aiohttp would have as many.
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
        )
        self.opened = asyncio.Event()
        self._settings = settings
        self._base = urlsplit(base)
        self._ws: aiohttp.ClientWebSocketResponse | None = None

    async def request(
        self, method: str, url: str, params: Any = None, data: Any = None, headers: Any = None
    ) -> aiohttp.ClientResponse:
        answer: aiohttp.ClientResponse = await super().request(method, self._here(url), params, data, headers)
        return answer

    async def ws_connect(self, url: str, params: Mapping[str, Any] | None = None) -> aiohttp.ClientWebSocketResponse:
        # Without a heartbeat an Asterisk that stands still, or a line that is cut without a word, is never noticed.
        async with asyncio.timeout(self._settings.answer):
            ws = await self.session.ws_connect(
                self._here(url, socket=True), params=params, heartbeat=self._settings.silence, max_msg_size=0
            )
        self._ws = ws
        self.websockets.add(ws)
        self.opened.set()
        return ws

    def _here(self, url: str, *, socket: bool = False) -> str:
        """Asterisk describes itself by the address at which it believes to be; behind a proxy it is wrong."""
        scheme = self._base.scheme
        secure = {"http": "ws", "https": "wss"}
        return urlunsplit(urlsplit(url)._replace(scheme=secure[scheme] if socket else scheme, netloc=self._base.netloc))

    def end_in_words(self) -> str:
        trouble = self._ws.exception() if self._ws is not None else None
        if isinstance(trouble, aiohttp.ServerTimeoutError | TimeoutError):
            return "the PBX does not answer on its ARI connection"
        return f"the ARI connection broke: {trouble}" if trouble else "the PBX closed the ARI connection"

    async def close(self) -> None:
        for ws in self.websockets:
            try:
                # aiohttp waits ten seconds for the other side to say goodbye; a frozen one will not.
                async with asyncio.timeout(1):
                    await ws.close()
            except (TimeoutError, aiohttp.ClientError, OSError):
                pass
        await self.session.close()


def base_of(url: str) -> str:
    """``http://pbx:8088``, with or without ``/ari``, as aioari wants it: with a slash at the end, without ``ari``."""
    parts = urlsplit(url.strip())
    path = parts.path.rstrip("/").removesuffix("/ari").rstrip("/")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], f"{path}/", "", ""))


def in_words(trouble: BaseException, where: str) -> str:
    """What went wrong at ``where``."""
    if isinstance(trouble, aiohttp.WSServerHandshakeError):
        return f"{where} refused the websocket: {trouble.status} {trouble.message}"
    if isinstance(trouble, aiohttp.ClientConnectorDNSError):
        return f"the host name in {where} is not known"
    if isinstance(trouble, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return f"TLS to {where} failed: {trouble}"
    if isinstance(trouble, aiohttp.ClientConnectorError):
        return f"cannot connect to {where}: {trouble.strerror}: is enabled = yes in its http.conf?"
    if isinstance(trouble, TimeoutError):
        return f"no answer from {where}"
    return f"the connection to {where} broke: {str(trouble) or type(trouble).__name__}"


def _parameters(client: Client, about: str, operation: str) -> set[str]:
    """Names that this Asterisk takes, by its own description."""
    described = getattr(client, about).api.get_operation(operation)
    return {parameter["name"] for parameter in described.json.get("parameters", [])} if described else set()


def _spelled(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _plain(result: Any) -> Any:
    """aioari makes objects of what it knows, each with requests of its own; their values are enough."""
    if isinstance(result, list):
        return [_plain(each) for each in result]
    return getattr(result, "json", result)


def _message(refusal: HTTPException) -> str:
    try:
        return str(json.loads(refusal.text or "")["message"])
    except (ValueError, KeyError, TypeError):
        return refusal.reason
