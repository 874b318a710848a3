"""AMI messages to events of our calls: one table from the event's name to a function of its text.

Rules of the place:
- A call is recognised by its id alone (``wbt-`` and 16 digits), never by a channel's name or a caller id.
- Three channels may belong to one attempt: ours (Uniqueid ``wbt-``), the other half of a Local channel (``wbo-``, says
  nothing that ours does not) and a leg that the dialplan dialled (any other id, our Linkedid: the trunk's own channel).
- What is not ours costs one look-up and one search; nothing is remembered from one message to the next.
- To follow queues later: add their events to the table; a function gets the text and returns a tuple of events.
"""

from collections.abc import Callable

from wombat_ari.model.events import (
    Accepted,
    Answered,
    AttributeAppended,
    AttributeCleared,
    AttributeSet,
    CalleeEnded,
    CallEvent,
    ChannelCreated,
    DialEnded,
    EndPointSeen,
    HungUp,
    LegDialled,
    LegHungUp,
    OriginateFailed,
    OriginateSucceeded,
    Refused,
    StatusSet,
)
from wombat_ari.wire.ami import Message, field, snapshot, user_pairs

Events = tuple[CallEvent, ...]
NOTHING: Events = ()
_ID_DIGITS = 16


def events_of(message: Message) -> Events:
    """What this message tells about calls of ours; empty for all others. The answer to an Originate is one of them."""
    translate = TABLE.get(message.name)
    if translate is None or message.kind not in ("Event", "Response"):
        return NOTHING
    return translate(message.text)


def call_in(text: str, key: str) -> int:
    """The WOMBATID in the header ``key``, which ends in our prefix: ``"\\r\\nUniqueid: wbt-"``. 0: it is not ours."""
    at = text.find(key)
    return _call_at(text, at + len(key)) if at >= 0 else 0


def _call_at(text: str, at: int) -> int:
    digits = text[at : at + _ID_DIGITS]
    rest = text[at + _ID_DIGITS : at + _ID_DIGITS + 2]
    if len(digits) < _ID_DIGITS or not digits.isdecimal() or rest not in ("\r\n", ""):
        return 0
    return int(digits)


def _whose(text: str, unique_id: str, *, linked_id: str) -> tuple[int, bool]:
    """Whose channel it is: our own (call, False), a leg of ours (call, True), or nobody's we know (0, ...)."""
    at = text.find(unique_id) + len(unique_id)
    if text.startswith("wbt-", at):
        return _call_at(text, at + 4), False
    if text.startswith("wbo-", at):
        return 0, True
    return call_in(text, linked_id), True


def _new_channel(text: str) -> Events:
    call = call_in(text, "\r\nUniqueid: wbt-")
    return (ChannelCreated(call, field(text, "\r\nChannel: ")),) if call else NOTHING


def _dial_begin(text: str) -> Events:
    call = call_in(text, "\r\nDestUniqueid: wbt-")
    if call:
        return (ChannelCreated(call, field(text, "\r\nDestChannel: ")),)
    dialling = call_in(text, "\r\nUniqueid: wbt-")
    return (LegDialled(dialling, field(text, "\r\nDestChannel: ")),) if dialling else NOTHING


def _new_state(text: str) -> Events:
    if "\r\nChannelState: 6\r\n" not in text:
        return NOTHING
    call = call_in(text, "\r\nUniqueid: wbt-")
    return (Answered(call),) if call else NOTHING


def _originate_response(text: str) -> Events:
    # The ActionID is ours for sure; the Uniqueid is another call's when the same ChannelId lives already.
    call = call_in(text, "\r\nActionID: wbt-")
    if not call:
        return NOTHING
    if "\r\nResponse: Success\r\n" in text:
        return (OriginateSucceeded(call, field(text, "\r\nChannel: ")),)
    return (OriginateFailed(call, _number(field(text, "\r\nReason: "))),)


def _dial_end(text: str) -> Events:
    call, leg = _whose(text, "\r\nDestUniqueid: ", linked_id="\r\nDestLinkedid: wbt-")
    if not call:
        return NOTHING
    return (DialEnded(call, field(text, "\r\nDialStatus: "), leg, leg and "\r\nUniqueid: wbt-" in text),)


def _hang_up(text: str) -> Events:
    call, leg = _whose(text, "\r\nUniqueid: ", linked_id="\r\nLinkedid: wbt-")
    if not call:
        return NOTHING
    kind = LegHungUp if leg else HungUp
    return (kind(call, _number(field(text, "\r\nCause: ")), field(text, "\r\nTechCause: ")),)


def _answered_success(text: str) -> Events:
    call = call_in(text, "\r\nActionID: wbt-")
    return (Accepted(call),) if call else NOTHING


def _answered_error(text: str) -> Events:
    call = call_in(text, "\r\nActionID: wbt-")
    return (Refused(call, field(text, "\r\nMessage: ")),) if call else NOTHING


def _user_event(text: str) -> Events:
    if "wbt-" not in text:
        return NOTHING
    pairs = user_pairs(text)
    call = _call_of_user_event(text, pairs)
    if not call:
        return NOTHING
    verb = USER_EVENTS.get(field(text, "\r\nUserEvent: ").strip().upper())
    told = verb(call, [pair for pair in pairs if pair[0].lower() != "uniqueid"]) if verb else NOTHING
    return (EndPointSeen(call), *told)


def _call_of_user_event(text: str, pairs: list[tuple[str, str]]) -> int:
    """By the Uniqueid the dialplan gave, then by the channel that sent it, then by the channel it belongs to."""
    given = next((value for key, value in pairs if key.lower() == "uniqueid"), "")
    ours = snapshot(text)
    return (
        call_in(f"\r\n{given.strip()}", "\r\nwbt-")
        or call_in(ours, "\r\nUniqueid: wbt-")
        or call_in(ours, "\r\nLinkedid: wbt-")
    )


def _status(call: int, pairs: list[tuple[str, str]]) -> Events:
    given = {key.upper(): value for key, value in reversed(pairs)}
    code = given.get("V", given.get("P0"))
    return (StatusSet(call, code.strip()),) if code is not None else NOTHING


def _attributes(call: int, pairs: list[tuple[str, str]]) -> Events:
    return tuple(AttributeSet(call, name, value) for name, value in _parameters(pairs))


def _appends(call: int, pairs: list[tuple[str, str]]) -> Events:
    return tuple(AttributeAppended(call, name, value) for name, value in _parameters(pairs))


def _clears(call: int, pairs: list[tuple[str, str]]) -> Events:
    return tuple(AttributeCleared(call, value if _is_parameter(name) else name) for name, value in pairs)


def _callee_ended(call: int, pairs: list[tuple[str, str]]) -> Events:
    told = dict(pairs)
    status, cause, talk_ms = (told.get(key, "").strip() for key in ("DIALSTATUS", "CAUSE", "TALK"))
    return (CalleeEnded(call, status, _number(cause), _number(talk_ms)),)


def _parameters(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """``name:value`` as it is; ``P0:name,P1:value`` is one pair; ``P0:name=value,P1:name=value`` are several."""
    numbered = [value for name, value in pairs if _is_parameter(name)]
    if len(numbered) == 2 and not any("=" in value for value in numbered):
        numbered = ["=".join(numbered)]
    named = [pair for pair in pairs if not _is_parameter(pair[0])]
    split = [value.partition("=") for value in numbered]
    return named + [(name, value) for name, equals, value in split if equals]


def _is_parameter(name: str) -> bool:
    return name[:1] in ("P", "p") and name[1:].isdecimal()


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


#: From the name of an event (or of an answer) to what it tells. A name that is missing here is nothing to us.
TABLE: dict[str, Callable[[str], Events]] = {
    "Newchannel": _new_channel,
    "DialBegin": _dial_begin,
    "Newstate": _new_state,
    "OriginateResponse": _originate_response,
    "DialEnd": _dial_end,
    "Hangup": _hang_up,
    "UserEvent": _user_event,
    "Success": _answered_success,
    "Error": _answered_error,
}


#: From the name of a UserEvent, in capitals, to what it tells.
USER_EVENTS: dict[str, Callable[[int, list[tuple[str, str]]], Events]] = {
    "CALLSTATUS": _status,
    "ATTRIBUTE": _attributes,
    "ATTRAPPEND": _appends,
    "ATTRIBUTEAPPEND": _appends,
    "ATTRCLEAR": _clears,
    "CALLEEENDED": _callee_ended,
    "ATTRIBUTECLEAR": _clears,
}

#: The events the link has to let through for this table.
CALL_EVENTS = tuple(name for name in TABLE if name not in ("Success", "Error"))
