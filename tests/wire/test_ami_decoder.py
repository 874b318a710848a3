"""The decoder: any pieces, both line ends, no forging, no leak."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.recordings import DATA, recorded
from wombat_ari.wire.ami import Decoder, Message, ProtocolError

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def decoded(data: bytes, *, size: int = 0, want: list[str] | None = None) -> list[Message]:
    decoder = Decoder()
    decoder.want(want)
    size = size or len(data)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [message for piece in pieces for message in decoder.feed(piece)]


def test_a_recording_is_cut_into_its_messages() -> None:
    decoder = Decoder()
    messages = decoder.feed(recorded("o_answer_callee_hangs"))
    assert decoder.banner == "Asterisk Call Manager/11.0.0"
    assert [message.name for message in messages[:5]] == [
        *("Success", "FullyBooted", "Success", "Newchannel", "Newchannel"),
    ]
    assert messages[0].kind == "Response"
    assert messages[0].get("Message") == "Authentication accepted"
    assert messages[1].get("Uptime") == "931"
    assert messages[1].get("Status") == "Fully Booted"  # the last line of a message
    assert messages[1].get("Nothing", "-") == "-"
    assert messages[3].headers()["AccountCode"] == ""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1460, 65536])
def test_pieces_make_no_difference(size: int) -> None:
    data = recorded("o_failed_ext")
    assert decoded(data, size=size) == decoded(data)


@given(
    st.lists(
        st.sampled_from([b"\n", b"\r\n", b"\n\n", b"Event: A", b"X: y", b"Event: B\r\nK: v\r\n\r\n", b"\xc3", b"\xa9"])
    ),
    st.data(),
)
@settings(deadline=None)
def test_pieces_make_no_difference_whatever_comes(parts: list[bytes], data: st.DataObject) -> None:
    stream = BANNER + b"".join(parts)
    decoder, got, at = Decoder(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 12))
        got += decoder.feed(stream[at : at + size])
        at += size
    assert got == decoded(stream)


@pytest.mark.parametrize("path", sorted((DATA / "ami").glob("*.txt")), ids=lambda path: path.stem)
def test_line_feeds_alone_are_as_good(path) -> None:  # type: ignore[no-untyped-def]
    raw = path.read_bytes()
    assert decoded(raw.replace(b"\r\n", b"\n"), size=1000) == decoded(raw)


def test_a_filter_skips_events_and_nothing_else() -> None:
    raw = recorded("reconcile_astdb")
    everything = decoded(raw)
    wanted = decoded(raw, want=["Hangup", "DBGetResponse"], size=100)
    expected = [m for m in everything if m.kind == "Response" or m.name in ("Hangup", "DBGetResponse")]
    assert wanted == expected
    assert len(expected) < len(everything)


def test_the_first_of_a_key_wins_and_the_dialplan_cannot_forge_one() -> None:
    spoofs = [m for m in decoded(recorded("userevent_special")) if ("Channel", "spoof") in m.user()]
    assert spoofs
    for message in spoofs:
        assert message.kind == "Event"
        assert message.name == "UserEvent"
        assert message.get("Channel").startswith("Local/")
        assert message.get("Linkedid") != "spoof"
        assert message.headers()["Channel"] == message.get("Channel")
        assert message.user() == [("Event", "Hangup"), ("Channel", "spoof"), ("Linkedid", "spoof")]


def test_a_user_event_from_ami_has_no_channel_of_its_own() -> None:
    text = BANNER + b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\nUniqueid: 5\r\nUniqueid: 6\r\n\r\n"
    (message,) = decoded(text)
    assert message.get("Uniqueid") == ""
    assert message.get("UserEvent") == "X"
    assert message.user() == [("Uniqueid", "5"), ("Uniqueid", "6")]


def test_a_user_event_name_in_a_value_moves_nothing() -> None:
    text = BANNER + b"Event: UserEvent\r\nUniqueid: 1\r\nUserEvent: A\r\nX: y\r\nUserEvent: B\r\nUniqueid: 2\r\n\r\n"
    (message,) = decoded(text)
    assert message.get("Uniqueid") == "1"
    assert message.user() == [("X", "y"), ("UserEvent", "B"), ("Uniqueid", "2")]


def test_the_output_of_a_command() -> None:
    (answer,) = [m for m in decoded(recorded("reconcile")) if m.output()]
    assert len(answer.output()) == 7 or len(answer.output()) > 3
    assert answer.output()[0].startswith("Local/91805551234@trunkB")


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    (message,) = decoded(BANNER + b"Event: X\r\nName: caf\xe9 \xc3\xa9\r\n\r\n")
    assert message.get("Name") == "caf\ufffd é"
    message.get("Name").encode()  # can be stored


def test_a_message_without_end_is_an_error_not_a_leak() -> None:
    decoder = Decoder(max_message=1000)
    decoder.feed(BANNER + b"Event: X\r\n")
    decoder.feed(b"Key: value\r\n" * 80)
    with pytest.raises(ProtocolError, match="more than 1000 bytes"):
        decoder.feed(b"Key: value\r\n" * 10)


def test_a_message_that_is_too_long_is_an_error_in_one_piece_too() -> None:
    with pytest.raises(ProtocolError, match="more than 1000"):
        Decoder(max_message=1000).feed(BANNER + b"Event: X\r\nKey: " + b"v" * 1000 + b"\r\n\r\n")


@pytest.mark.parametrize("peer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\r\n", b"x" * 500])
def test_what_is_not_an_ami_is_said_so(peer: bytes) -> None:
    with pytest.raises(ProtocolError, match="not an AMI"):
        decoded(peer, size=10)


def test_a_banner_alone_is_no_message() -> None:
    decoder = Decoder()
    assert decoder.feed(BANNER[:10]) == []
    assert decoder.banner == ""
    assert decoder.feed(BANNER[10:]) == []
    assert decoder.banner == "Asterisk Call Manager/11.0.0"
