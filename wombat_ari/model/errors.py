"""The three families of errors. Each has a stable ``code`` that clients may test and a text meant for people.

The text names the thing that is wrong and what to do; it is shown as it is, without a traceback.
"""


class WombatError(Exception):
    """Root of all errors of ours. ``code`` is stable; ``str()`` is for people."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class UserError(WombatError):
    """The user asked for something that cannot be: shown as it is, nothing was changed."""

    code = "user"


class PbxError(WombatError):
    """Asterisk is unreachable, refused, or did not answer in time."""

    code = "pbx"


class StoreError(WombatError):
    """The database is away, full, locked or broken. ``transient``: the same work may pass later, so it is retried."""

    code = "store"

    def __init__(self, message: str, *, code: str | None = None, transient: bool = False) -> None:
        super().__init__(message, code=code)
        self.transient = transient
