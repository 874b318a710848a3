"""One side of P4: a FastAGI server that serves ``callstatus?V=1``, in a process of its own until its input ends.

    python -m tools.bench.p4_side ours|panoramisk|pystrix

Each does the same: note the status of the call, set WOMBAT_AGI_RESULT in the channel, close. It prints its port; when
its input ends, how many it has noted. Ours is the dialer's own server with its verbs, on the dialer's reactor.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import Any

HOST = "127.0.0.1"
RESULT = 'SET VARIABLE "WOMBAT_AGI_RESULT" "OK"'


def ours() -> None:
    from twisted.internet import asyncioreactor

    asyncioreactor.install()
    from twisted.internet import reactor

    from wombat_ari.model.events import CallEvent, StatusSet
    from wombat_ari.pbx.fastagi_verbs import verb_factory
    from wombat_ari.pbx.prompt import PromptPort

    main: Any = reactor
    noted: dict[int, str] = {}
    count = 0

    def tell(event: CallEvent) -> None:
        nonlocal count
        if isinstance(event, StatusSet):
            noted[event.call] = event.code
            count += 1

    port = PromptPort(0, verb_factory(tell), 1024, HOST, main)
    port.startListening()
    print(port.getHost().port, flush=True)
    gc.freeze()
    gc.set_threshold(700, 10, 100)  # as the dialer does
    threading.Thread(target=lambda: (sys.stdin.read(), main.callFromThread(main.stop)), daemon=True).start()
    main.run()
    print(count, flush=True)


def panoramisk() -> None:
    from panoramisk import fast_agi

    noted: dict[str, str] = {}
    count = 0

    async def callstatus(request: Any) -> None:
        nonlocal count
        script = request.headers["agi_network_script"]
        noted[request.headers["agi_uniqueid"]] = script.partition("?V=")[2]
        await request.send_command(RESULT)
        count += 1

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        application = fast_agi.Application(loop=loop)
        application.add_route("callstatus?V=1", callstatus)  # it finds handlers by the whole text
        server = await asyncio.start_server(application.handler, HOST, 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        gc.freeze()
        await loop.run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())
    print(count, flush=True)


def pystrix() -> None:
    from pystrix import agi

    noted: dict[str, str] = {}
    lock = threading.Lock()
    count = 0

    def callstatus(link: Any, args: Any, given: Any, match: Any, path: str) -> None:
        nonlocal count
        with lock:
            noted[link.get_environment()["agi_uniqueid"]] = given["V"][0]
            count += 1
        link.execute(agi.core.SetVariable("WOMBAT_AGI_RESULT", "OK"))

    class Server(agi.FastAGIServer):
        @staticmethod
        def get_somaxconn() -> int:
            return 1024  # it asks the program sysctl, which a machine need not have

    server = Server(interface=HOST, port=0)
    server.register_script_handler("callstatus", callstatus)
    print(server.server_address[1], flush=True)
    gc.freeze()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    server.shutdown()
    print(count, flush=True)


SIDES = {"ours": ours, "panoramisk": panoramisk, "pystrix": pystrix}

if __name__ == "__main__":
    SIDES[sys.argv[1]]()
