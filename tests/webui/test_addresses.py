"""Every address of the compatible API by GET and POST, with parameters from the address, the form or both, in every
spelling that clients have."""

from __future__ import annotations

import json

import pytest

from tests.webui.conftest import Api
from webui.compat import MODULES
from webui.compat.frame import Address

ADDRESSES = {address.path: address for module in MODULES for address in module.ADDRESSES}
#: spec 05
TOLD = """
calls campaigns lists runlists reserve engine dialer sysup sysup/jmx callinfo recallinfo inspect_dialer addkey
edit/asterisk edit/trunk edit/ep edit/list edit/list/record edit/list/logs edit/oh edit/campaign edit/campaign/trunk
edit/campaign/ep edit/campaign/list edit/campaign/reschedule edit/campaign/disposition edit/campaign/oh
live/runs live/calls reports/runs reports/stats reports/logs runs/export.jsp
"""
CHANGES_NOTHING = {"op": "none such", "mode": "X", "id": "999", "runId": "999", "parent": "999", "campaign": "none"}


def test_all_that_the_original_has_are_there() -> None:
    assert set(ADDRESSES) == set(TOLD.split())


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_each_in_every_spelling(api: Api, address: Address) -> None:
    """All answer the same: what was asked for is looked at, wherever it stands."""
    told = set()
    for tail in ("", "/", "/index.jsp"):
        path = address.path + tail
        half = dict(list(CHANGES_NOTHING.items())[:3])
        rest = {name: value for name, value in CHANGES_NOTHING.items() if name not in half}
        for answer in (
            api.get(path, **CHANGES_NOTHING), api.post(path, CHANGES_NOTHING), api.post(path, half, **rest),
        ):  # fmt: skip
            text = answer.get_data(as_text=True)
            if answer.is_json:
                text = json.dumps(answer.json["error"] if "error" in answer.json else sorted(answer.json))
            told.add((answer.status_code, answer.mimetype, text))
        assert api.client.open(f"/wombat/api/{path}", method="PUT", headers=api.headers).status_code == 405
        assert api.client.open(f"/wombat/api/{path}", method="HEAD", headers=api.headers).status_code == 405
    assert len(told) == 1
    ((status, _, text),) = told
    assert status < 500 or "dialer" in text, told
