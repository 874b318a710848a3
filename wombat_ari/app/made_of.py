"""What this installation is and what it is made of: build, news, packages with their licences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from wombat_ari.app.shipped import ROOT, shipped

OURS = "wombat-ari"
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_WITHIN = re.compile(r"\[([^\]]*)\]")
_KNOWN = (
    ("Permission is hereby granted, free of charge", "MIT"),
    ("Apache License", "Apache-2.0"),
    ("Redistribution and use in source and binary forms", "BSD"),
    ("GNU GENERAL PUBLIC LICENSE", "GPL"),
)
SHIPPED_EXTRAS = ("ari", "mysql")  #: of ours: what runs with the software, not what is needed to work on it


@dataclass(frozen=True, slots=True)
class Package:
    """One that is installed and used. ``licence``: as the package says, in its own words."""

    name: str
    version: str
    licence: str
    summary: str


@lru_cache(maxsize=1)
def build() -> str:
    """The commit that runs (its first twelve digits) when it runs from a checkout, else empty."""
    git = ROOT / ".git"
    try:
        head = (git / "HEAD").read_text("ascii").strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head.removeprefix("ref: ")
        loose = git / name
        if loose.is_file():
            return loose.read_text("ascii").strip()[:12]
        packed = (git / "packed-refs").read_text("ascii").splitlines()
        return next((line.split()[0][:12] for line in packed if line.endswith(f" {name}")), "")
    except (OSError, UnicodeDecodeError, IndexError):
        return ""


@lru_cache(maxsize=1)
def news() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Of each version, the latest first: its heading and what changed; empty when the file CHANGES is not installed."""
    try:
        return tuple(_versions(shipped("CHANGES").read_text("utf-8")))
    except OSError:
        return ()


@lru_cache(maxsize=1)
def packages() -> tuple[Package, ...]:
    """All that this software needs to run and that is installed, by name; ours first."""
    found: dict[str, Package] = {}
    waiting = [(OURS, frozenset(SHIPPED_EXTRAS))]
    while waiting:
        name, extras = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        if key not in found:
            found[key] = _package(package)
        elif not extras:
            continue
        waiting += [(wanted, within) for wanted, within in _needs(package, extras) if _is_new(wanted, within, found)]
    return tuple(sorted(found.values(), key=lambda each: (each.name != OURS, each.name.lower())))


def licence_text() -> str:
    """Ours, whole."""
    for file in (ROOT / "LICENSE", *_files_of(distribution(OURS))):
        try:
            return Path(file).read_text("utf-8")
        except OSError:
            continue
    return ""


def _is_new(name: str, extras: frozenset[str], found: dict[str, Package]) -> bool:
    return bool(extras) or re.sub(r"[-_.]+", "-", name).lower() not in found


def _needs(package: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Names and extras; what needs another platform is not installed, and so not found later."""
    for text in package.requires or ():
        wanted, _, marker = text.partition(";")
        asked = _EXTRA.search(marker)
        if asked and asked[1] not in extras:
            continue
        name, within = _NAME.match(wanted.strip()), _WITHIN.search(wanted)
        if name:
            inner = frozenset(part.strip() for part in within[1].split(",")) if within else frozenset()
            if name[0].lower() != package.metadata["Name"].lower():
                yield name[0], inner


def _package(package: Distribution) -> Package:
    about = package.metadata
    return Package(about["Name"], package.version, _licence(package), _header(package, "Summary"))


def _licence(package: Distribution) -> str:
    if expression := _header(package, "License-Expression"):
        return expression
    classified = [
        text.rpartition(" :: ")[2]
        for text in package.metadata.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    if classified:
        return ", ".join(dict.fromkeys(classified))
    stated = _header(package, "License").strip()
    if stated and "\n" not in stated and stated.upper() != "UNKNOWN":
        return stated
    texts = [stated, *(_read(file) for file in _files_of(package))]
    return next((name for text in texts for words, name in _KNOWN if words in text), "see its files")


def _header(package: Distribution, name: str) -> str:
    return str(package.metadata[name]) if name in package.metadata else ""


def _files_of(package: Distribution) -> list[Path]:
    files = [file for file in package.files or () if "licen" in file.name.lower() or "copying" in file.name.lower()]
    return [Path(str(file.locate())) for file in files]


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _versions(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    heading, items = "", []
    for line in text.splitlines():
        if line.startswith("- "):
            items.append(line[2:].strip())
        elif line.startswith(" ") and items:
            items[-1] += f" {line.strip()}"
        elif line.strip():
            if heading:
                yield heading, tuple(items)
            heading, items = line.strip(), []
    if heading:
        yield heading, tuple(items)
