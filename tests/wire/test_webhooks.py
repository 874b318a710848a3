"""Spelling of HTTP errands: the signature of the specification's own example, forms and queries of any text."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wombat_ari.wire import mail, webhooks

TEXTS = st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))


def test_the_example_of_standard_webhooks() -> None:
    """Known to all libraries that verify."""
    signature = webhooks.signature(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["open sesame", "whsec_not base64!", "Ünïcödé"])
def test_the_example_of_the_page_verifies_it(secret: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)
    body = webhooks.form({"num": "1", "I_N": "é"})
    headers = webhooks.headers("wbt-1-2", timestamp=int(time.time()), body=body, secret=secret)
    assert names["is_genuine"](headers, body, secret)
    assert not names["is_genuine"](headers, body + b"x", secret)
    assert not names["is_genuine"](headers, body, secret + "x")
    old = webhooks.headers("wbt-1-2", timestamp=int(time.time()) - 600, body=body, secret=secret)
    assert not names["is_genuine"](old, body, secret)
    assert not names["is_genuine"]({**headers, "webhook-id": "wbt-2-2"}, body, secret)


@given(TEXTS)
def test_a_form_holds_any_text(fields: dict[str, str]) -> None:
    assert parse_qsl(webhooks.form(fields).decode("ascii"), keep_blank_values=True) == list(fields.items())


@given(TEXTS)
def test_a_query_is_added_to_the_one_there_is(fields: dict[str, str]) -> None:
    url = webhooks.with_query("https://a.example/x?y=1#z", fields)
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [("y", "1"), *fields.items()]
    assert urlsplit(url).path == "/x"


def test_half_a_character_is_no_error() -> None:
    assert webhooks.form({"a": "\ud800"}) == b"a=%3F"


@given(st.text(), st.text())
def test_no_text_makes_a_header(subject: str, body: str) -> None:
    """Whatever a subject holds, it stays in its header; whatever a body holds, it stays behind the headers."""
    letter = mail.letter(
        sender="a@example.com", to=["b@example.com"], subject=subject, body=body.encode("utf-8", "replace").decode(),
        message_id="wbt-1-2", sent_at=1_790_000_000.0,
    )  # fmt: skip
    head = mail.spelled(letter, international=False).partition(b"\r\n\r\n")[0].decode("ascii")
    names = [line.partition(":")[0] for line in head.split("\r\n") if line and line[0] not in " \t"]
    assert names[:6] == ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
    assert set(names[6:]) <= {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
