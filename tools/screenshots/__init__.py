"""The pictures of docs/console.md, taken of a real console: ``.venv/bin/python -m tools.screenshots``.

``stage`` is what there is to see (a call centre on a private Asterisk, with agents and live calls), ``shots`` which
pages are taken, at which width, in which colours.
"""
