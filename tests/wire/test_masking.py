"""AMI for people: cut into messages, nothing secret in them."""

import pytest

from wombat_ari.wire.masking import LONGEST, MASK, MOST, Cutter, masked

LOGIN = "Action: Login\r\nActionID: w1\r\nUsername: wombat\r\nSecret: 5up3r\r\nEvents: call\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (LOGIN, f"Action: Login\nActionID: w1\nUsername: wombat\nSecret: {MASK}\nEvents: call"),
        ("Action: Login\r\nAuthType: MD5\r\nKey: 0123abcd", f"Action: Login\nAuthType: MD5\nKey: {MASK}"),
        ("action: login\r\nsecret:x", f"action: login\nsecret:{MASK}"),
        (
            "Action: DBGet\r\nFamily: wombat-gone\r\nKey: 123/wbt-1",
            "Action: DBGet\nFamily: wombat-gone\nKey: 123/wbt-1",
        ),
        ("Variable: CRM_PASSWORD=abc", f"Variable: CRM_PASSWORD={MASK}"),
        ("Variable: API_TOKEN=abc,NAME=Ann", f"Variable: API_TOKEN={MASK},NAME=Ann"),
        ('Variable: PIN="1,2"', f"Variable: PIN={MASK}"),
        ("Line-000001-000002: secret=abc", f"Line-000001-000002: secret={MASK}"),
        ("Output: password => abc", f"Output: password => {MASK}"),
        ("ChanVariable: remotesecret=abc", f"ChanVariable: remotesecret={MASK}"),
        ("X-Password: abc", f"X-Password: {MASK}"),
        ("Event: Newchannel\r\nChannel: PJSIP/passwords-1", "Event: Newchannel\nChannel: PJSIP/passwords-1"),
        ("Message: it is hunter22 here", f"Message: it is {MASK} here"),
        ("ChannelStateDesc: Ringing\r\nPing: Pong", "ChannelStateDesc: Ringing\nPing: Pong"),
    ],
)
def test_nothing_secret_is_shown(said: str, shown: str) -> None:
    assert masked(said, known=["hunter22", "abc"]) == shown


def test_a_short_secret_masks_nothing_else() -> None:
    assert masked("Exten: 100", known=["1"]) == "Exten: 100"


def test_what_is_long_is_cut_and_says_so() -> None:
    text = masked("Output: " + "x" * (LONGEST * 2))
    assert len(text) < LONGEST + 60
    assert text.endswith("characters more")


def test_whole_messages_whatever_the_pieces() -> None:
    data = b"Asterisk Call Manager/11.0\r\nResponse: Success\r\n\r\nEvent: A\r\nX: \xff\r\n\r\nEvent: B"
    whole = ["Asterisk Call Manager/11.0\r\nResponse: Success", "Event: A\r\nX: \ufffd"]
    for size in (1, 2, 3, 7, 1000):
        cutter = Cutter()
        found = [text for at in range(0, len(data), size) for text in cutter.feed(data[at : at + size])]
        assert found == whole


def test_what_never_ends_is_let_go() -> None:
    cutter = Cutter()
    assert len(cutter.feed(b"x" * (MOST + 1))) == 1
    assert cutter.feed(b"") == []
