"""What one machine remembers between starts: generated secrets, where its own servers are, the demo login.

The file is for this account's eyes only. Production never reads it: there every secret comes from the environment.
"""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from shared.runtime.settings import Settings

_NAME = "environment.json"


class Endpoints(Protocol):
    """Where servers are."""

    @property
    def database_url(self) -> str:
        """Return the database's URL."""

    @property
    def redis_url(self) -> str:
        """Return Redis's URL."""


def environment(data_dir: Path, settings: Settings, endpoints: Endpoints | None) -> dict[str, str]:
    """Return the variables that `settings` leave open, and remember them in `data_dir`."""
    known = _read(data_dir)
    found = {
        "SECRET_KEY": settings.secret_key or known.get("SECRET_KEY") or secrets.token_urlsafe(48),
        "JWT_SECRET": settings.jwt_secret or known.get("JWT_SECRET") or secrets.token_urlsafe(48),
        "DATABASE_URL": settings.database_url or (endpoints.database_url if endpoints else ""),
        "REDIS_URL": settings.redis_url or (endpoints.redis_url if endpoints else ""),
    }
    found["BROKER_URL"] = settings.broker_url or ""
    remember(data_dir, found)
    return found


def filled(settings: Settings) -> Settings:
    """Return the settings with what the environment leaves open taken from the data folder, in development."""
    if settings.env == "production":
        return settings
    known = {name.lower(): value for name, value in _read(settings.data_dir).items()}
    names = ("secret_key", "jwt_secret", "database_url", "redis_url", "broker_url")
    return settings.model_copy(update={n: known[n] for n in names if n in known and not getattr(settings, n)})


def remembered(data_dir: Path) -> Mapping[str, str]:
    """Return everything that is remembered in `data_dir`."""
    return _read(data_dir)


def remember(data_dir: Path, values: Mapping[str, str]) -> None:
    """Remember these values in `data_dir` too."""
    _write(data_dir, {**_read(data_dir), **values})


def _read(data_dir: Path) -> dict[str, str]:
    try:
        return dict(json.loads((data_dir / _NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def _write(data_dir: Path, values: dict[str, str]) -> None:
    path = data_dir / f"{_NAME}.new"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(values, file)
    path.replace(data_dir / _NAME)
