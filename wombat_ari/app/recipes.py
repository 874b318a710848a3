"""Recipes: whole campaigns that ship, each to be made by one command (docs/cookbook/README.md).

A recipe is ``wombat_ari/recipes/NAME.toml``: the tables of a plan file (docs/plan.md) and a table ``[recipe]`` with its
title, the three commands that come next, native text for its lists, and the files of its flows, which are beside it.
Its server and trunk are filled in here: where the PBX is, and on what it dials.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from wombat_ari.app.plan import Done, apply_plan, tables_of
from wombat_ari.app.plan_values import Item, close
from wombat_ari.app.service import records
from wombat_ari.app.service.caller import Caller
from wombat_ari.model.entities import Server
from wombat_ari.model.errors import UserError
from wombat_ari.store import campaigns, entities, opening_hours
from wombat_ari.store.database import Database

NETWORK = "Local/${num}@simulated-network/n"  #: what a recipe dials on unless told otherwise: nobody's phone rings
SAMPLE_SECRET = "change-me"  #: of asterisk_conf/manager.d/wombat.conf
AMI_PORT = 5038


@dataclass(frozen=True, slots=True)
class Recipe:
    """``numbers`` is native text by list; ``then`` are the commands to go on with; ``flows`` are texts by file."""

    name: str
    title: str
    then: tuple[str, ...]
    numbers: dict[str, str]
    flows: dict[str, str]
    plan: dict[str, list[Item]]


@dataclass(frozen=True, slots=True)
class Pbx:
    """Where a recipe's PBX is, and on what it dials out; as it comes it fits the shipped ``asterisk_conf``."""

    address: str = "127.0.0.1"
    port: int = AMI_PORT
    login: str = "wombat"
    secret: str = SAMPLE_SECRET
    dial_string: str = NETWORK

    @property
    def where(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Cooked:
    """What became of the recipe: what was made, how many numbers each list was given, the server that was used."""

    done: list[Done]
    added: dict[str, int]
    server: str
    found: bool  #: the server was there already
    flows: list[Path]  #: files of flows that were made


def every_recipe() -> list[Recipe]:
    """All of them, by name."""
    names = sorted(file.name for file in files("wombat_ari").joinpath("recipes").iterdir())
    return [_read(name.removesuffix(".toml")) for name in names if name.endswith(".toml")]


def find_recipe(name: str) -> Recipe:
    """UserError, with the names there are, for an unknown one."""
    known = [recipe.name for recipe in every_recipe()]
    if name not in known:
        raise UserError(f"there is no recipe {name!r}{close(name, known)}; there are {', '.join(known)}")
    return _read(name)


def parse_address(text: str) -> tuple[str, int]:
    """``HOST``, ``HOST:PORT``, ``[IPv6]:PORT``. UserError says what was wrong."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = text.strip(), str(AMI_PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise UserError(f"{text!r} is no address of a PBX; write HOST or HOST:PORT")
    return host, int(port)


def cook(caller: Caller, db: Database, recipe: Recipe, *, pbx: Pbx, flows_folder: Path) -> Cooked:
    """Make the recipe's server, trunk, end points, lists with their numbers, campaign and flows: all of it, or nothing.

    A server at the same address is used as it is. UserError when anything else of these names is there. Numbers are
    for the simulated network: they are left out when the recipe is to dial on something real.
    """
    server = next(
        (one for one in entities.list_servers(db) if (one.address, one.port) == (pbx.address, pbx.port)), None
    )
    plan = _placed(recipe.plan, pbx, server)
    _refuse_what_is_there(db, recipe, plan=plan, flows_folder=flows_folder)
    added: dict[str, int] = {}
    with _flows_in(flows_folder, recipe.flows) as flows, db.together():
        done = apply_plan(caller, db, plan)
        if pbx.dial_string == NETWORK:
            for name, text in recipe.numbers.items():
                added[name] = records.add_numbers(caller, db, name, source=text.strip())[1].added
    name = server.description if server else plan["server"][0]["name"]
    return Cooked(done, added, name, server is not None, flows)


def _read(name: str) -> Recipe:
    where = f"recipe {name!r}"
    tree: dict[str, Any] = tomllib.loads(files("wombat_ari").joinpath("recipes", f"{name}.toml").read_text("utf-8"))
    about = tree.pop("recipe")
    flows = {file: files("wombat_ari").joinpath("recipes", file).read_text("utf-8") for file in about.get("flows", [])}
    plan = tables_of(tree, where)
    return Recipe(name, about["title"], tuple(about["then"]), about.get("numbers", {}), flows, plan)


@contextmanager
def _flows_in(folder: Path, flows: dict[str, str]) -> Iterator[list[Path]]:
    """Files in the flows' folder; they are taken away again if what is done with them there fails."""
    made: list[Path] = []
    try:
        try:
            for name, text in flows.items():
                folder.mkdir(parents=True, exist_ok=True)
                with (folder / name).open("x", encoding="utf-8") as file:
                    made.append(folder / name)
                    file.write(text)
        except OSError as error:
            raise UserError(f"the flows cannot be written into {folder}: {error.strerror}") from None
        yield made
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _placed(plan: dict[str, list[Item]], pbx: Pbx, server: Server | None) -> dict[str, list[Item]]:
    """The plan on this PBX: its trunks dial on ``pbx.dial_string``; a ``server`` that is there is not made again."""
    login = {"address": pbx.address, "port": pbx.port, "login": pbx.login, "password": pbx.secret}
    name = server.description if server else plan["server"][0]["name"]
    placed = {kind: [{**item, "server": name} for item in plan[kind]] for kind in ("trunk", "end_point")}
    placed["trunk"] = [{**item, "dial_string": pbx.dial_string} for item in placed["trunk"]]
    servers = [] if server else [{**plan["server"][0], **login}]
    return {**plan, **placed, "server": servers}


def _refuse_what_is_there(db: Database, recipe: Recipe, *, plan: dict[str, list[Item]], flows_folder: Path) -> None:
    """A recipe changes nothing that somebody has made: it is for trying, and its names are taken."""
    there = {
        "server": {server.description for server in entities.list_servers(db)},
        "trunk": {trunk.name for trunk in entities.list_trunks(db)},
        "end_point": {end_point.name for end_point in entities.list_end_points(db)},
        "list": {each.name for each in entities.list_lists(db)},
        "opening_hours": {hours.name for hours in opening_hours.list_opening_hours(db)},
        "campaign": {campaign.name for campaign in campaigns.list_campaigns(db)},
    }
    names = [
        f"{kind.replace('_', ' ')} {item['name']!r}"
        for kind, known in there.items()
        for item in plan[kind]
        if item["name"] in known
    ]
    names += [f"file {flows_folder / name}" for name in recipe.flows if (flows_folder / name).exists()]
    if names:
        raise UserError(
            f"recipe {recipe.name!r} was not made: there is already {', '.join(names)};"
            " rename or delete it, or take an empty database (WOMBAT_ARI_STATE_FOLDER)"
        )


def pbx_of(address: str, login: str, secret: str, dial_string: str) -> Pbx:
    """From what was given on the command line; what is empty is as in the sample."""
    pbx = Pbx()
    host, port = parse_address(address) if address else (pbx.address, pbx.port)
    given = {"login": login, "secret": secret, "dial_string": dial_string}
    return replace(pbx, address=host, port=port, **{name: value for name, value in given.items() if value})
