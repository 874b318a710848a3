"""What the software is made of: from what is installed, not from a list that is forgotten."""

from __future__ import annotations

import subprocess

from wombat_ari.app.made_of import ROOT, build, licence_text, news, packages


def test_all_that_runs_with_it_and_nothing_else() -> None:
    found = {package.name.lower(): package for package in packages()}
    assert next(iter(found)) == "wombat-ari"
    for name in ("twisted", "flask", "jinja2", "markupsafe", "pyopenssl", "peewee", "argon2-cffi", "tzdata", "aioari"):
        assert name in found, name
    for name in ("pytest", "ruff", "playwright", "mypy"):
        assert name not in found, "a tool of the trade"


def test_each_has_a_licence() -> None:
    assert [package.name for package in packages() if not package.licence] == []
    licences = {package.name.lower(): package.licence for package in packages()}
    assert licences["wombat-ari"] == "MIT"
    assert licences["flask"] == "BSD-3-Clause"
    assert licences["peewee"] == "MIT", "told by its file only"
    assert "Permission is hereby granted" in licence_text() or "MIT" in licence_text()


def test_what_is_under_the_gpl_is_of_choice_and_said() -> None:
    """docs/deployment.md, Licences: a package that comes in by another one must not change what it says."""
    strict = {package.name for package in packages() if "GPL" in package.licence or "see its files" in package.licence}
    assert strict == {"mysqlclient"}
    free = ("MIT", "BSD", "Apache", "Python Software Foundation", "PSF", "ZPL")
    assert not [
        each for each in packages() if each.name not in strict and not any(word in each.licence for word in free)
    ]
    page = " ".join((ROOT / "docs" / "deployment.md").read_text("utf-8").split())
    assert "`mysqlclient`, of the extra `mysql`, is under GPL 2 or later" in page


def test_the_build_is_the_commit() -> None:
    build.cache_clear()
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert build() == (done.stdout.strip()[:12] if done.returncode == 0 else "")


def test_the_news_are_those_of_the_file() -> None:
    heading, items = news()[0]
    assert heading.startswith("0.1.0")
    assert items[0].startswith("A campaign goes end to end")
    assert items[0].endswith("call log."), "lines that continue are one"
