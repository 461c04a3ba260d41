"""The file in which one machine keeps generated secrets, the URLs of its own servers and the demo login.

Only this account may read it. Production never reads it: there every secret comes from the environment.
"""

import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from shared.runtime.errors import CannotStart
from shared.runtime.settings import Settings

_NAME = "environment.json"


class Endpoints(Protocol):
    """The URLs of the servers."""

    @property
    def database_url(self) -> str:
        """Return the database's URL."""

    @property
    def redis_url(self) -> str:
        """Return Redis's URL."""


def prepared(data_dir: Path) -> Path:
    """Create the data folder if it is missing; returns its absolute path. Raises CannotStart if it is not writable."""
    folder = data_dir.resolve()
    with _naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder


def environment(data_dir: Path, settings: Settings, endpoints: Endpoints | None) -> dict[str, str]:
    """Return values for the variables that `settings` leave open, and store them in `data_dir`."""
    known = _read(data_dir)
    found = {
        "SECRET_KEY": settings.secret_key or known.get("SECRET_KEY") or secrets.token_urlsafe(48),
        "JWT_SECRET": settings.jwt_secret or known.get("JWT_SECRET") or secrets.token_urlsafe(48),
        "DATABASE_URL": settings.database_url or (endpoints.database_url if endpoints else ""),
        "REDIS_URL": settings.redis_url or (endpoints.redis_url if endpoints else ""),
    }
    found["BROKER_URL"] = settings.broker_url or ""
    store(data_dir, found)
    return found


def filled(settings: Settings) -> Settings:
    """Return the settings, in development completed from the data folder where the environment leaves them open."""
    if settings.env == "production":
        return settings
    known = {name.lower(): value for name, value in _read(settings.data_dir).items()}
    names = ("secret_key", "jwt_secret", "database_url", "redis_url", "broker_url")
    return settings.model_copy(update={n: known[n] for n in names if n in known and not getattr(settings, n)})


def stored(data_dir: Path) -> Mapping[str, str]:
    """Return all values stored in `data_dir`."""
    return _read(data_dir)


def store(data_dir: Path, values: Mapping[str, str]) -> None:
    """Store these values in `data_dir` besides those that are there."""
    _write(data_dir, {**_read(data_dir), **values})


def _read(data_dir: Path) -> dict[str, str]:
    path = data_dir / _NAME
    try:
        with _naming(data_dir):
            return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    except ValueError as error:
        msg = f"{path} is damaged: restore it from a copy; it holds the key to the personal data in the database."
        raise CannotStart(msg) from error


def _write(data_dir: Path, values: dict[str, str]) -> None:
    path = data_dir / f"{_NAME}.new"
    with _naming(data_dir):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(values, file)
        path.replace(data_dir / _NAME)


@contextmanager
def _naming(data_dir: Path) -> Iterator[None]:
    """Turn errors of the file system into one sentence that names the folder and the variable."""
    try:
        yield
    except OSError as error:
        msg = (
            f"SMARTMARKET_DATA_DIR: the folder {data_dir} cannot be used: {error.strerror}. "
            "Choose one that this account may write."
        )
        raise CannotStart(msg) from error
