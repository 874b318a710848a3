"""Forms of a page as a browser sends them when nobody has changed anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Sent:
    """A form: where it goes, and its fields; several values of a name are kept."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)

    def put(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Sent] = []
        self.inside: Sent | None = None
        self.select, self.options, self.area, self.text = "", [("", False)], "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = Sent(has.get("action", ""), has.get("method", "get"))
            self.forms.append(self.inside)
        elif self.inside is None:
            return
        elif tag == "input" and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            self.inside.put(has["name"], has.get("value", "on" if "checked" in has else ""))
        elif tag == "select":
            self.select, self.options = has["name"], []
        elif tag == "option" and self.select:
            self.options.append((has.get("value", ""), "selected" in has))
        elif tag == "textarea":
            self.area, self.text = has["name"], ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if self.inside is None:
            return
        if tag == "form":
            self.inside = None
        elif tag == "select" and self.select:
            chosen = [value for value, is_chosen in self.options if is_chosen] or [self.options[0][0]]
            self.inside.put(self.select, chosen[0])
            self.select = ""
        elif tag == "textarea":
            self.inside.put(self.area, self.text.removeprefix("\r").removeprefix("\n"))
            self.area = ""


def forms_of(html: str) -> list[Sent]:
    """Those that are posted."""
    reader = _Reader()
    reader.feed(html)
    return [form for form in reader.forms if form.method == "post"]


def form_to(html: str, action: str) -> Sent:
    """The one that is sent to this address."""
    return next(form for form in forms_of(html) if form.action.partition("?")[0] == action)
