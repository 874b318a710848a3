"""What pages load is kept by browsers as long as its content is the same."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from webui.assets import KEPT


def test_what_a_page_loads_may_be_kept(client: FlaskClient) -> None:
    loaded = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/log-on").text)
    assert len(loaded) >= 4
    for address in loaded:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, KEPT), address
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_what_is_asked_for_otherwise_is_not_kept(client: FlaskClient) -> None:
    for query in ("", "?v=", "?v=0.1.0", "?v=../x"):
        assert "immutable" not in client.get(f"/static/console.js{query}").headers["Cache-Control"]
    assert client.get("/static/nothing.js?v=").status_code in (303, 404)
    assert "immutable" not in client.get("/log-on?v=1").headers["Cache-Control"]
