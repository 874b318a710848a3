"""The console: server-rendered HTML."""

from webui.console.home import add_to, duration

__all__ = ["add_to", "duration"]
