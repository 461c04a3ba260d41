"""Dependency container shared by all processes."""

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel

from shared.eventstore.checkpoints import Anchor, CheckpointKey, open_anchor
from shared.eventstore.files import Files, open_parts
from shared.eventstore.store import EventStore
from shared.eventstore.vault import MasterKey, derive, opens_canary
from shared.postgres import database, logins
from shared.runtime.errors import CannotStart, NotMigrated
from shared.runtime.settings import Settings

logger = logging.getLogger("smartmarket")


@dataclass(frozen=True)
class Container:
    """Builds the dependencies of a process from its settings."""

    settings: Settings

    @property
    def url(self) -> str:
        """Return the database's URL."""
        if not self.settings.database_url:
            msg = "DATABASE_URL is not set. Start everything with `smartmarket up`, or name a PostgreSQL server."
            raise CannotStart(msg)
        return self.settings.database_url

    @cached_property
    def roles(self) -> bool:
        """Tell whether the database grants the three roles; production insists on it."""
        granted = database.roles_granted(self.url)
        if not granted and self.settings.env == "production":
            msg = (
                "The user of DATABASE_URL may not act as smartmarket_writer, smartmarket_projector and"
                " smartmarket_reader: let it create roles, or grant it these."
            )
            raise CannotStart(msg)
        if not granted:
            logger.warning("database roles missing; row-level security does not protect tenants")
        return granted

    def role(self, name: str) -> str | None:
        """Return the role to act as, None where there are no roles."""
        return name if self.roles else None

    def url_as(self, role: str) -> str:
        """Return the connection string of `role`: of its login or, where there is none, of the database's user."""
        return self._urls.get(role, self.url)

    @cached_property
    def _urls(self) -> dict[str, str]:
        if not self.roles or not self.settings.secret_key:
            return {}
        passwords = role_passwords(self.secret)
        found = {role: logins.url_as(self.url, role, password) for role, password in passwords.items()}
        if all(logins.admitted(url) for url in found.values()):
            return found
        logger.warning("the database admits no logins of the roles; connections act as its user, in a role")
        return {}

    def check_database(self) -> None:
        """Raise CannotStart unless the database is of this release and was made with this SECRET_KEY.

        In production its user must not be a superuser either.
        """
        if missing := database.missing_migrations(self.url):
            raise NotMigrated(missing)
        with psycopg.connect(self.url, autocommit=True) as conn:
            opened = opens_canary(conn, MasterKey(self.secret))
        if opened is False:
            msg = "SECRET_KEY: it is not the one that this database was made with; set that one."
            raise CannotStart(msg)
        if self.settings.env == "production" and database.is_superuser(self.url):
            msg = "DATABASE_URL: its user is a superuser; use one that owns the database and may create roles."
            raise CannotStart(msg)

    @property
    def secret(self) -> str:
        """Return the master secret."""
        if not self.settings.secret_key:
            msg = "SECRET_KEY is not set: it must hold at least 32 random bytes."
            raise CannotStart(msg)
        return self.settings.secret_key

    def store(self, pool_size: int) -> EventStore:
        """Open the event store."""
        return EventStore(
            self.url_as(database.WRITER), MasterKey(self.secret), pool_size=pool_size, role=self.role(database.WRITER)
        )

    def files(self, store: EventStore) -> Files:
        """Open the file store."""
        return Files(store, open_parts(store, self.settings.file_store))

    def checkpoint_key(self) -> CheckpointKey:
        """Return the key that signs checkpoints of the log: the one that is set, else one derived from the secret."""
        text = self.settings.checkpoint_key
        return CheckpointKey.from_text(text) if text else CheckpointKey(derive(self.secret, "checkpoints"))

    def anchor(self) -> Anchor:
        """Open the place outside the database where checkpoints are kept."""
        return open_anchor(self.settings.checkpoints, self.settings.data_dir)

    def connect(self) -> Connection[Any]:
        """Open a connection of the write side."""
        role = self.role(database.WRITER)
        options = f"-c role={role}" if role else ""
        url = self.url_as(database.WRITER)
        return psycopg.connect(url, autocommit=True, options=options, application_name="smartmarket")

    def connect_reader(self) -> Connection[Any]:
        """Open a connection that reads read models as of one moment per transaction, and writes nothing."""
        role = self.role(database.READER)
        options = f"-c role={role}" if role else ""
        url = self.url_as(database.READER)
        conn = psycopg.connect(url, options=options, application_name="smartmarket-signals")
        conn.isolation_level, conn.read_only = IsolationLevel.REPEATABLE_READ, True
        return conn

    def connect_owner(self) -> Connection[Any]:
        """Open a connection as the user of DATABASE_URL itself, for migrations and index rebuilds."""
        return psycopg.connect(self.url, autocommit=True, application_name="smartmarket-owner")


def role_passwords(secret: str) -> dict[str, str]:
    """Return the password of each role's login, derived from the master secret."""
    return {
        role: derive(secret, f"login/{role}").hex() for role in (database.WRITER, database.PROJECTOR, database.READER)
    }
