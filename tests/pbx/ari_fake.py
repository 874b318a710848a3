"""An ARI that misbehaves: what a real one says of itself and of a call (``tests/data/ari``), over real sockets, with
faults that a real one cannot be asked for.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.wire.recordings import DATA

PASSWORD = "p&ss=%41+x é"
DESCRIPTION = json.loads((DATA / "ari" / "description.json").read_text())
FRAMES = (DATA / "ari" / "busy.jsonl").read_text().splitlines()


class FakeAri:
    """``mood`` says how it answers: well, or 401, silent, half (then silent), cut (half, then gone), strange, deaf (the
    websocket answers no ping), no events (refuses the websocket), never opens (the websocket is not answered).
    """

    def __init__(self) -> None:
        self.mood = "well"
        self.asked: list[web.Request] = []
        self.bodies: list[Any] = []
        self.channels: list[Any] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.opened_at: list[float] = []  #: descriptions that were asked for
        self.url = ""
        self._forever = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.listen(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._forever.set()
        await self._runner.cleanup()

    async def listen(self, port: int) -> None:
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def cut(self) -> None:
        """Each websocket's connection breaks."""
        for socket in self.sockets:
            if (transport := socket._req.transport) is not None:  # type: ignore[union-attr]
                transport.abort()
        self.sockets.clear()

    async def say(self, *frames: str) -> None:
        for frame in frames:
            await self.sockets[-1].send_str(frame)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if request.path.endswith("resources.json"):
            self.opened_at.append(asyncio.get_running_loop().time())
        expected = base64.b64encode(f"wombat:{PASSWORD}".encode()).decode()
        if self.mood == "401" or request.headers.get("Authorization") != f"Basic {expected}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        if request.path == "/ari/events":
            return await self._events(request)
        body = self._body(request)
        self.bodies.append(await request.text())
        if self.mood == "silent":
            await self._forever.wait()
        if self.mood in ("half", "cut"):
            return await self._half(request, body)
        if body is None:
            return web.json_response({"message": "Channel not found"}, status=404)
        return web.Response(text="<html>hello" if self.mood == "strange" else body, content_type="application/json")

    def _body(self, request: web.Request) -> str | None:
        name = request.path.rpartition("/")[2]
        if "/api-docs/" in request.path:
            return json.dumps(DESCRIPTION[name]).replace("BASE", f"{self.url}/ari")
        if request.path == "/ari/channels" and request.method == "GET":
            return json.dumps(self.channels)
        return '{"id": "made"}' if request.method == "POST" else None

    async def _half(self, request: web.Request, body: str | None) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        answer.content_length = len(body or "") + 100
        await answer.prepare(request)
        await answer.write((body or "")[: len(body or "") // 2].encode())
        if self.mood == "half":
            await self._forever.wait()
        elif request.transport is not None:
            request.transport.abort()
        return answer

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self.mood == "no events":
            return web.Response(status=503)
        if self.mood == "never opens":
            await self._forever.wait()
        socket = web.WebSocketResponse(autoping=self.mood != "deaf")
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.CLOSE:
                break
        return socket
