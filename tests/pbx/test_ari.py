"""The link to ARI: what aioari lacks. Faults on a fake that misbehaves; a frozen and a killed Asterisk are real."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.conftest import NewAsterisk
from tests.pbx.ari_fake import FRAMES, PASSWORD, FakeAri
from tests.pbx.ari_stage import QUICK, Stage, play, server_of
from tools.provision.ports import free_port
from wombat_ari.pbx.ari import AriError, AriSettings, Event, base_of


class Guest:
    """An attendant that keeps what it is told."""

    def __init__(self, channel: str) -> None:
        self.channels = (channel,)
        self.heard: list[Event] = []
        self.away = False

    def hear(self, event: Event) -> None:
        self.heard.append(event)

    def let_go(self) -> None:
        self.away = True


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://pbx:8088", "http://pbx:8088/"),
        ("http://pbx:8088/ari/", "http://pbx:8088/"),
        ("https://pbx/asterisk/ari", "https://pbx/asterisk/"),
        ("http://user:secret@pbx:8088/", "http://pbx:8088/"),
    ],
)
def test_where_ari_is(url: str, base: str) -> None:
    assert base_of(url) == base


def test_the_password_may_be_anything_and_is_in_no_address() -> None:
    async def story() -> None:
        async with FakeAri() as fake, Stage(server_of(fake.url, PASSWORD)) as stage:
            await stage.up()
            assert fake.asked[-1].path == "/ari/channels"
            assert {each.query_string for each in fake.asked} == {"", f"app={stage.app.app}"}

    play(story())


def test_what_is_asked_arrives_as_meant() -> None:
    """Variables flat, in the body; yes and no as ARI spells them; what has no value is left out."""

    async def story() -> None:
        async with FakeAri() as fake, Stage(server_of(fake.url, PASSWORD)) as stage:
            await stage.up()
            variables = {"NOTE": 'a, "b" (ü'}
            await stage.ask(
                "channels",
                "originateWithId",
                channelId="x/y",
                endpoint="Local/1@x/n",
                variables=variables,
                timeout=None,
            )
            assert json.loads(fake.bodies[-1]) == {"variables": variables}
            assert fake.asked[-1].path_qs == "/ari/channels/x%2Fy?endpoint=Local/1@x/n"
            with pytest.raises(AriError, match="404 Channel not found") as refused:
                await stage.ask("channels", "get", channelId="1")
            assert refused.value.gone

    play(story())


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("401", "refused the ARI user 'wombat' or its password; see its ari.conf"),
        ("silent", "accepts the connection but does not answer"),
        ("half", "accepts the connection but does not answer"),
        ("cut", "broke"),
        ("strange", "is not ARI"),
        ("no events", "refused the websocket: 503"),
        ("never opens", "no events: no answer"),
    ],
)
def test_a_link_that_cannot_be_made_is_said_once_and_tried_on(mood: str, said: str) -> None:
    async def story() -> None:
        async with FakeAri() as fake:
            fake.mood = mood
            answer = 0.15 if mood in ("silent", "half", "never opens") else 5.0  # who answers may be busy
            async with Stage(server_of(fake.url, PASSWORD), settings=AriSettings(answer, 1.0, 0.05, 0.1)) as stage:
                await stage.until(lambda: len(fake.opened_at) >= 3, "it is tried on")
                assert [said in each for each in stage.went_down] == [True], stage.went_down
                assert said in stage.app.last_error
                assert PASSWORD not in stage.app.last_error
                assert not stage.app.connected
                with pytest.raises(AriError):
                    await stage.ask("channels", "list")
                fake.mood = "well"
                await stage.up()
                assert stage.app.last_error == ""

    play(story())


def test_pauses_grow_to_the_longest_and_begin_anew_when_a_link_has_lasted() -> None:
    async def story() -> None:
        async with FakeAri() as fake:
            fake.mood = "401"
            settings = AriSettings(1.0, 1.0, backoff_min=0.1, backoff_max=0.4, proven=0.0)
            stage = Stage(server_of(fake.url, PASSWORD), settings=settings)
            stage.app.link._chance = lambda: 0.0
            async with stage:
                await stage.until(lambda: len(fake.opened_at) == 5)
                pauses = [after - before for before, after in zip(fake.opened_at, fake.opened_at[1:], strict=False)]
                for pause, expected in zip(pauses, (0.1, 0.2, 0.4, 0.4), strict=True):
                    assert expected <= pause < expected + 0.15, pauses
                fake.mood = "well"
                await stage.up()
                fake.cut()
                await stage.until(lambda: not stage.app.connected)
                cut_at = asyncio.get_running_loop().time()
                await stage.up()
                assert fake.opened_at[-1] - cut_at < 0.2

    play(story())


def test_nobody_is_there() -> None:
    async def story() -> None:
        async with Stage(server_of(f"http://127.0.0.1:{free_port()}/ari", "x")) as stage:
            await stage.until(lambda: stage.went_down)
            assert "is enabled = yes in its http.conf?" in stage.app.last_error

    play(story())


def test_a_cut_lets_everybody_go_and_is_mended() -> None:
    async def story() -> None:
        async with FakeAri() as fake, Stage(server_of(fake.url, PASSWORD)) as stage:
            await stage.up()
            guest = Guest("ca-ari_busy")
            stage.app.floor.add(guest)
            fake.mood = "silent"
            asked = asyncio.ensure_future(stage.ask("channels", "list"))
            await asyncio.sleep(0.05)
            fake.cut()
            await stage.until(lambda: not stage.app.connected)
            assert guest.away
            assert stage.app.calls == 0
            with pytest.raises(AriError):
                await asked
            fake.mood = "well"
            await stage.up()
            assert len(stage.went_down) == 1

    play(story())


def test_a_websocket_that_answers_no_ping_is_dropped() -> None:
    async def story() -> None:
        async with FakeAri() as fake:
            fake.mood = "deaf"
            async with Stage(server_of(fake.url, PASSWORD), settings=AriSettings(1.0, 0.2, 0.05, 0.1)) as stage:
                await stage.up()
                await stage.until(lambda: stage.went_down)
                assert stage.went_down == ["the PBX does not answer on its ARI connection"]

    play(story())


def test_a_request_without_an_answer_fails_in_time_and_the_link_stays() -> None:
    async def story() -> None:
        async with FakeAri() as fake, Stage(server_of(fake.url, PASSWORD)) as stage:
            await stage.up()
            for mood in ("silent", "half", "cut"):
                fake.mood, began = mood, time.monotonic()
                with pytest.raises(AriError):
                    await stage.ask("channels", "list")
                assert time.monotonic() - began < QUICK.answer + 0.5
            fake.mood = "well"
            assert await stage.ask("channels", "list") == []
            assert stage.went_down == []

    play(story())


def test_recorded_events_are_told_in_their_order_whatever_fails() -> None:
    """One that is not understood makes the link anew; one at which we fail is logged."""

    async def story() -> None:
        async with FakeAri() as fake, Stage(server_of(fake.url, PASSWORD)) as stage:
            await stage.up()
            wanted = [json.loads(frame) for frame in FRAMES]
            guest = Guest("ag-ari_busy")
            stage.app.floor.add(guest)
            await fake.say(*FRAMES)
            await stage.until(lambda: len(stage.events) == len(wanted))
            assert stage.events == wanted
            assert guest.heard == [each for each in wanted if _about(each) == "ag-ari_busy"]
            guest.hear = lambda event: 1 / 0  # type: ignore[assignment]
            await fake.say(FRAMES[0], '{"type": "Unheard", "of": 1}')
            await stage.until(lambda: len(stage.events) == len(wanted) + 2)
            for nonsense in (FRAMES[0][:40], '["no event"]'):
                downs = len(stage.went_down)
                await fake.say(nonsense)
                await stage.until(lambda downs=downs: len(stage.went_down) > downs, nonsense)
                assert "was not understood" in stage.went_down[-1]
                await stage.up()

    play(story())


def _about(event: Event) -> str:
    return str((event.get("channel") or event.get("peer") or {}).get("id"))


def test_what_nobody_can_see_to_goes_on_in_the_dialplan() -> None:
    async def story() -> None:
        async with FakeAri() as fake:
            stage = Stage(server_of(fake.url, PASSWORD))

            def listed(channel: str, app: str, data: str) -> dict[str, object]:
                return {"id": channel, "state": "Up", "dialplan": {"app_name": app, "app_data": data}}

            ours = f"{stage.app.app},flow,survey"
            fake.channels = [
                listed("wbt-1", "Stasis", ours), listed("wbt-2", "Stasis", "wombat-another,flow,survey"),
                listed("wbt-3", "Dial", "PJSIP/1"),
            ]  # fmt: skip
            async with stage:
                await stage.up()
                await stage.until(lambda: [each.path for each in fake.asked if each.method == "POST"])
                assert [each.path for each in fake.asked if each.method == "POST"] == ["/ari/channels/wbt-1/continue"]

    play(story())


def test_another_one_who_takes_the_application_over_is_said() -> None:
    """Asterisk tells the first one so, and then nothing any more; nothing is cut."""

    async def story() -> None:
        async with FakeAri() as fake, Stage(server_of(fake.url, PASSWORD)) as stage:
            await stage.up()
            await fake.say('{"type": "ApplicationReplaced", "application": "x"}')
            await stage.until(lambda: stage.went_down)
            assert stage.went_down == [f"somebody else has connected as application {stage.app.app}"]
            await stage.up()

    play(story())


def test_stopping_is_quick_and_leaves_nothing() -> None:
    async def story() -> None:
        async with FakeAri() as fake:
            stage = Stage(server_of(fake.url, PASSWORD), settings=AriSettings())
            stage.app.start(stage.told.append)
            await stage.up()
            before = asyncio.all_tasks()
            fake.mood = "silent"
            asked = stage.app.link.task(stage.ask("channels", "list"), "asking")
            await asyncio.sleep(0.05)
            began = time.monotonic()
            await stage.app.link.stop()
            assert time.monotonic() - began < 2
            assert asked.done()
            assert not {task for task in asyncio.all_tasks() - before if "ari" in repr(task)}
            assert stage.went_down == []

    play(story())


def test_a_frozen_a_killed_and_a_restarted_asterisk(new_asterisk: NewAsterisk) -> None:
    """With a password that breaks an address."""
    conf = f"[general]\nenabled = yes\n[wombat]\ntype = user\npassword = {PASSWORD}\npassword_format = plain\n"
    pbx = new_asterisk(extra_conf={"ari.conf": conf})

    async def story() -> None:
        async with Stage(server_of(f"http://{pbx.host}:{pbx.http_port}/ari", PASSWORD)) as stage:
            await stage.up()
            await stage.call("55510000", "nothing")
            await stage.until(lambda: any(each["type"] == "StasisEnd" for each in stage.events), "sent on")
            pbx.freeze()
            with pytest.raises(AriError, match="answer"):
                await stage.ask("channels", "list")
            await stage.until(lambda: stage.went_down, "it is noticed that it is frozen")
            pbx.thaw()
            await stage.up()
            downs = len(stage.went_down)
            pbx.kill()
            await stage.until(lambda: not stage.app.connected and len(stage.went_down) > downs, "killed")
            await asyncio.to_thread(pbx.start)
            await stage.up()

    play(story())
