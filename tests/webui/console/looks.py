"""A page at all widths, in light and dark, without loading it again."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.webui.console.conftest import PHONE, WALL, complaints, overflow


def assert_looks_well(page: Page) -> None:
    """Nothing sticks out, and axe has no complaint, on a phone and on a wall, in light and dark."""
    for width in (PHONE, WALL):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            assert overflow(page) == 0, width
            assert complaints(page) == [], (width, scheme)
