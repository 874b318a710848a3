"""Pages that are open in browsers of tests: what they show is said of a test that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # most tests need no browser
    from playwright.sync_api import Page

_open: list[Page] = []


def remember(stack: ExitStack, page: Page) -> None:
    """Until the stack is closed."""
    _open.append(page)
    stack.callback(_open.remove, page)


def shown() -> Iterator[tuple[str, str]]:
    """Address and text of each."""
    for page in _open:
        try:
            yield page.url, page.inner_text("body", timeout=2000)
        except Exception as error:  # closed, or with nothing in it
            yield page.url, str(error)
