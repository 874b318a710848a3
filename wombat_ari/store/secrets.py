"""Secrets at rest: encrypted (Fernet: AES-128-CBC, HMAC-SHA256) by a key in a file of mode 0600 outside the database.

The file is made when the first secret is stored. It must be backed up apart from the database: without it the stored
passwords cannot be read and must be entered again.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from wombat_ari.model.errors import StoreError
from wombat_ari.model.secret import NO_SECRET, Secret


class SecretBox:
    """Turns secrets into text for a column and back. The empty secret is the empty text."""

    def __init__(self, key_file: Path | None) -> None:
        self.key_file = key_file
        self._fernet: Fernet | None = None

    def seal(self, secret: Secret, *, others_exist: Callable[[], bool]) -> str:
        """``others_exist``: are secrets stored already? Then a missing key file is an error and not made anew."""
        if not secret:
            return ""
        return self._open(others_exist).encrypt(secret.reveal().encode()).decode("ascii")

    def unseal(self, text: str) -> Secret:
        if not text:
            return NO_SECRET
        try:
            return Secret(self._open(lambda: True).decrypt(text.encode()).decode())
        except InvalidToken:
            raise StoreError(
                f"key file {self.key_file}: it is not the one the stored passwords were encrypted with; "
                "put the right one back, or enter the passwords again",
                code="store_key",
            ) from None

    def derive(self, purpose: str, *, others_exist: Callable[[], bool]) -> bytes:
        """32 bytes that only who has the key file can make, for signing; others for each purpose."""
        return hmac.digest(self._key(others_exist), purpose.encode(), hashlib.sha256)

    def _open(self, others_exist: Callable[[], bool]) -> Fernet:
        if self._fernet is None:
            self._fernet = Fernet(self._key(others_exist))
        return self._fernet

    def _key(self, others_exist: Callable[[], bool]) -> bytes:
        path = self.key_file
        if path is None:
            raise StoreError("no key file is configured, and secrets are never stored in clear", code="store_key")
        if not path.exists():
            if others_exist():
                raise StoreError(
                    f"key file {path}: it is missing, but the database holds passwords encrypted with it; "
                    "put it back from the backup, or clear and enter the passwords again",
                    code="store_key",
                )
            _create(path)
        return _read(path)


def _create(path: Path) -> None:
    """Another process may create it at the same time: the first one wins, both then read the same key."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, Fernet.generate_key() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    except OSError as error:
        raise StoreError(f"key file {path}: cannot be made: {error.strerror}", code="store_key") from error


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode & 0o777
        key = path.read_bytes().strip()
    except OSError as error:
        raise StoreError(f"key file {path}: cannot be read: {error.strerror}", code="store_key") from error
    if mode & 0o077:
        raise StoreError(
            f"key file {path}: others may read it (mode {mode:04o}); run: chmod 600 {path}", code="store_key"
        )
    try:
        Fernet(key)
    except ValueError:
        raise StoreError(f"key file {path}: it holds no key", code="store_key") from None
    return key
