"""Variables of calls by ARI are set by AMI: any text of one line, and the channel's hang-up handler leaves its note."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from tests.pbx.ari_fake import PASSWORD, FakeAri
from tests.pbx.ari_stage import play, server_of
from tests.pbx.stage import RealStage
from tools.provision.asterisk import AsteriskInstance
from wombat_ari.model.errors import PbxError, UserError
from wombat_ari.model.events import Answered, HungUp
from wombat_ari.model.ids import channel_id
from wombat_ari.pbx.ari import AriError
from wombat_ari.pbx.ari_app import AriApp

TEXT = 'one, "two" (three \\ ${EXTEN} ü'


@pytest.fixture
def stage(asterisk: AsteriskInstance) -> Iterator[RealStage]:
    made = RealStage(asterisk)
    made.connected()
    yield made
    made.close()


def test_a_variable_is_set_exactly_and_the_note_is_left(stage: RealStage) -> None:
    call = stage.place("55510000")
    stage.wait(lambda: bool(stage.heard.of(Answered, call)))
    stage.result(stage.driver.set_variable(channel_id(call), "NOTE", TEXT))
    assert stage.result(stage.ami().getVar(channel_id(call), "NOTE")) == TEXT
    with pytest.raises(UserError):
        stage.result(stage.driver.set_variable(channel_id(call), "NOTE", "two\r\nlines"))
    stage.driver.hang_up(call, 16)
    stage.wait(lambda: bool(stage.heard.of(HungUp, call)))
    assert call in stage.result(stage.driver.survey()).traces
    with pytest.raises(PbxError, match="No such channel"):
        stage.result(stage.driver.set_variable(channel_id(call), "NOTE", TEXT))


@pytest.mark.parametrize(
    ("by_ami", "goes_by_ari"),
    [(None, False), (UserError("two lines"), True), (PbxError("no link to the PBX"), True)],
    ids=["by AMI", "it cannot be written", "AMI is away"],
)
def test_what_cannot_go_by_ami_goes_by_ari(by_ami: Exception | None, goes_by_ari: bool) -> None:
    asked: list[tuple[str, str, str]] = []

    def set_variable(*given: str) -> Deferred[None]:
        asked.append(given)  # type: ignore[arg-type]
        return fail(by_ami) if by_ami else succeed(None)

    async def story() -> None:
        async with FakeAri() as fake:
            app = AriApp(server_of(fake.url, PASSWORD), "wombat-1", by_ami=set_variable)
            app.start(lambda event: None)
            while not app.connected:
                await asyncio.sleep(0.01)
            await app.set_variable("wbt-1", "NOTE", "text")
            assert asked == [("wbt-1", "NOTE", "text")]
            posted = [each.path for each in fake.asked if each.method == "POST"]
            assert posted == (["/ari/channels/wbt-1/variable"] if goes_by_ari else [])
            await app.link.stop()

    play(story())


def test_of_a_channel_that_is_gone_it_is_said() -> None:
    async def story() -> None:
        app = AriApp(
            server_of("http://127.0.0.1:1", "x"), "wombat-1", by_ami=lambda *_: fail(PbxError("No such channel"))
        )
        with pytest.raises(AriError) as refused:
            await app.set_variable("wbt-1", "NOTE", "text")
        assert refused.value.gone

    play(story())
