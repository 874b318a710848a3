"""The doctor at a queue: is it there, does it serve several callers at once, is its wrap-up that of the end point?

The wrap-up of a queue is told by no event and no CLI command; it is read from queues.conf as Asterisk reads it, with
templates and included files (AMI ``GetConfig``, write class ``system``). A queue of a realtime database is not there.
"""

from wombat_ari.app.doctor_link import cli
from wombat_ari.app.doctor_words import Finding, Findings, bad, good, warning
from wombat_ari.model.entities import EndPoint
from wombat_ari.pbx.ami import AMIProtocol

YES = ("yes", "true", "y", "t", "1", "on")


async def about_queue(ami: AMIProtocol, about: str, end_point: EndPoint) -> Findings:
    name = end_point.name
    lines = await cli(ami, f"queue show {name}")
    if not lines:
        yield warning(
            about, f"the queue {name} could not be looked at: the login may not write `command`", "add it to write="
        )
    elif any(line.startswith("No such queue") for line in lines):
        yield bad(about, f"the PBX has no queue {name}", "an end point has exactly the queue's name")
        return
    else:
        yield good(about, f"the queue {name} is there")
    options = await _options(ami, name)
    if options is None:
        text = f"autofill and wrap-up of {name} could not be looked at: it is not in queues.conf"
        yield warning(about, text, "a queue of a database? then compare autofill and wrapuptime there")
        return
    yield _autofill(about, name, options)
    yield _wrap_up(about, end_point, options)


def _autofill(about: str, name: str, options: dict[str, str]) -> Finding:
    if options.get("autofill", "").lower() in YES:
        return good(about, f"autofill of {name} is on")
    text = f"autofill of {name} is {options.get('autofill') or 'not set'}: waiting callers are served one at a time"
    return warning(about, text, f"write autofill = yes into [{name}] or [general] of queues.conf")


def _wrap_up(about: str, end_point: EndPoint, options: dict[str, str]) -> Finding:
    text = options.get("wrapuptime", "0")
    there = int(text) if text.isdigit() else 0
    if there == end_point.wrap_up_s:
        return good(about, f"wrap-up is {there} s on both sides")
    told = f"wrapuptime of {end_point.name} is {there} s, the end point says {end_point.wrap_up_s} s"
    return warning(about, told, f"set the end point's wrap-up time to {there}: agents are counted as free by it")


async def _options(ami: AMIProtocol, name: str) -> dict[str, str] | None:
    """The queue's options over the general ones; None when the file has no such queue, or may not be read."""
    own = await _category(ami, name)
    return None if own is None else {**(await _category(ami, "general") or {}), **own}


async def _category(ami: AMIProtocol, category: str) -> dict[str, str] | None:
    answer = await ami.sendDeferred({"action": "GetConfig", "filename": "queues.conf", "category": category})
    lines = [line for line in answer.text.split("\r\n") if line.startswith(("Category-", "Line-"))]
    if not any(line.endswith(f": {category}") for line in lines if line.startswith("Category-")):
        return None
    pairs = (line.partition(": ")[2].partition("=") for line in lines if line.startswith("Line-"))
    return {key.strip().lower(): value.strip() for key, _, value in pairs}
