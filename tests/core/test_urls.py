"""The password of a URL is found, hidden, and put back."""

import pytest

from wombat_ari.core.urls import masked, unmasked
from wombat_ari.model.errors import UserError

CASES = {
    "https://h/": "https://h/",
    "https://user@h/": "https://user@h/",
    "https://user:pass@h/p?q=a:b@c": "https://user:***@h/p?q=a:b@c",
    "HTTP://user:p@ss:w@h:8080": "HTTP://user:***@h:8080",
    "https://:p@h/${num}": "https://:***@h/${num}",
    "https://h/a:b@c": "https://h/a:b@c",
    "https://h:80/?x=://u:p@h": "https://h:80/?x=://u:p@h",
    " https://u:p@h/\n": " https://u:***@h/\n",
    "ada@example.com, bob:x@example.com": "ada@example.com, bob:x@example.com",
    "Sales": "Sales",
    "": "",
}


@pytest.mark.parametrize("url", CASES)
def test_the_password_and_nothing_else_is_hidden(url: str) -> None:
    assert masked(url) == CASES[url]
    assert masked(masked(url)) == masked(url)
    assert unmasked(masked(url), ["https://other:x@h/", url]) == url


def test_what_is_new_is_taken_as_it_is() -> None:
    assert unmasked("https://u:new@h/", ["https://u:old@h/"]) == "https://u:new@h/"
    assert unmasked("https://h/?x=***", []) == "https://h/?x=***"


def test_a_hidden_password_of_another_url_is_not_given_away() -> None:
    with pytest.raises(UserError, match="give it anew"):
        unmasked("https://u:***@evil.example/", ["https://u:old@h/"])
