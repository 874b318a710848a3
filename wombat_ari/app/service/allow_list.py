"""Which addresses of PBXs are to be added to those that may control without a log-on (``api.open_to``)."""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from wombat_ari.app.config import Settings
from wombat_ari.app.service import servers
from wombat_ari.app.service.caller import Caller
from wombat_ari.model.entities import Server
from wombat_ari.store.database import Database


@dataclass(frozen=True, slots=True)
class AllowList:
    """``missing``: addresses of enabled PBXs (of a name: all it stands for) that are not among those of now.

    ``unknown``: names that no address was found for. ``line``: what to write into the section ``[api]`` of the
    configuration, ``variable``: the same for the environment; both are empty when nothing is missing.
    """

    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    line: str
    variable: str


def suggested_open_to(caller: Caller, db: Database, settings: Settings) -> AllowList:
    """For PBXs whose dialplans call the API."""
    return allow_list_for(servers.list_servers(caller, db), settings)


def allow_list_for(known: Sequence[Server], settings: Settings) -> AllowList:
    """Blocks while names are looked up."""
    now = list(settings["api.open_to"])
    networks = [ip_network(text, strict=False) for text in now]
    missing: dict[str, None] = {}
    unknown = []
    for host in {server.address: None for server in known if server.enabled}:
        found = _addresses(host)
        if not found:
            unknown.append(host)
        for address in found:
            if not any(ip_address(address) in network for network in networks):
                missing[address] = None
    if not missing:
        return AllowList((), tuple(unknown), "", "")
    wanted = [*now, *missing]
    line = f"open_to = {json.dumps(wanted)}"
    return AllowList(tuple(missing), tuple(unknown), line, f"WOMBAT_ARI_API_OPEN_TO={','.join(wanted)}")


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))
