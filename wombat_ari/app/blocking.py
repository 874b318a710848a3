"""The control client as threads call it: each command waits for the reactor's answer. It is what services ask by."""

from collections.abc import Callable
from typing import Any

from twisted.internet import defer

from wombat_ari.app.control import ControlClient


def _blocking(name: str) -> Callable[..., Any]:
    """A command of the control client that waits for the reactor's answer."""

    def command(self: "BlockingControl", *args: Any, **options: Any) -> Any:
        from twisted.internet.threads import blockingCallFromThread

        def ask() -> defer.Deferred[Any]:
            return defer.Deferred.fromCoroutine(getattr(self._client, name)(*args, **options))

        return blockingCallFromThread(self._reactor, ask)

    return command


class BlockingControl:
    """The commands of the control client; UserError when no dialer runs. Never called on the reactor itself."""

    def __init__(self, reactor: Any, client: ControlClient) -> None:
        self._reactor = reactor
        self._client = client

    snapshot = _blocking("snapshot")
    live_calls = _blocking("live_calls")
    overhear = _blocking("overhear")
    start_run = _blocking("start_run")
    pause_run = _blocking("pause_run")
    resume_run = _blocking("resume_run")
    remove_run = _blocking("remove_run")
    reload = _blocking("reload")
    boost = _blocking("boost")
    run_lists = _blocking("run_lists")
    add_list = _blocking("add_list")
    pause_list = _blocking("pause_list")
    order_lists = _blocking("order_lists")
    hang_up = _blocking("hang_up")
    reserve = _blocking("reserve")
    dial_reserved = _blocking("dial_reserved")
    skip_reserved = _blocking("skip_reserved")
    retry_errands = _blocking("retry_errands")
    call_info = _blocking("call_info")
    clear_attribute = _blocking("clear_attribute")
    append_attribute = _blocking("append_attribute")
    set_attribute = _blocking("set_attribute")
    set_status = _blocking("set_status")
    numbers_came = _blocking("numbers_came")
    add_call = _blocking("add_call")
