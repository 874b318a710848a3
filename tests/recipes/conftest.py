"""One Asterisk for all recipes that a worker tries; each has a site of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.agi_scripts.pipes import NAMES, SCRIPTS
from tests.recipes import people
from tests.recipes.kitchen import Kitchen
from tests.system import agents
from tests.system.agents import Floor
from tools.provision.asterisk import AsteriskInstance

Cook = Callable[..., Kitchen]


@pytest.fixture(scope="session")
def recipes_pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskInstance]:
    """With what is shipped, the AGI programs too, an AMI user for what agents do, and people of the tests' own."""
    conf = {**agents.CONF, **people.CONF}
    with AsteriskInstance(tmp_path_factory.mktemp("recipes"), name="recipes", extra_conf=conf) as pbx:
        programs = pbx.directory / "lib" / "agi-bin"
        programs.mkdir(exist_ok=True)
        for name in NAMES:
            shutil.copy(SCRIPTS / name, programs)
        yield pbx


@pytest.fixture(scope="module")
def cook(tmp_path_factory: pytest.TempPathFactory, recipes_pbx: AsteriskInstance) -> Iterator[Cook]:
    """``cook(name, *options)``: the recipe, made; what it started is ended and looked at when the file is through."""
    with ExitStack() as stack:
        kitchens: list[Kitchen] = []

        def cook(name: str, *options: str) -> Kitchen:
            kitchen = Kitchen(tmp_path_factory.mktemp(name), recipes_pbx, name, *options)
            stack.callback(kitchen.close)
            kitchens.append(kitchen)
            return kitchen

        yield cook
        for kitchen in kitchens:
            kitchen.check()


@pytest.fixture(scope="module")
def floor(recipes_pbx: AsteriskInstance) -> Iterator[Floor]:
    """Where agents act, and all that AMI tells."""
    with Floor(recipes_pbx) as floor:
        yield floor
