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
from shared.eventstore.vault import MasterKey, derive
from shared.postgres import database
from shared.runtime.errors import CannotStart
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

    @property
    def secret(self) -> str:
        """Return the master secret."""
        if not self.settings.secret_key:
            msg = "SECRET_KEY is not set: it must hold at least 32 random bytes."
            raise CannotStart(msg)
        return self.settings.secret_key

    def store(self, pool_size: int) -> EventStore:
        """Open the event store."""
        return EventStore(self.url, MasterKey(self.secret), pool_size=pool_size, role=self.role(database.WRITER))

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
        return psycopg.connect(self.url, autocommit=True, options=options, application_name="smartmarket")

    def connect_reader(self) -> Connection[Any]:
        """Open a connection that reads read models as of one moment per transaction, and writes nothing."""
        role = self.role(database.READER)
        options = f"-c role={role}" if role else ""
        conn = psycopg.connect(self.url, options=options, application_name="smartmarket-signals")
        conn.isolation_level, conn.read_only = IsolationLevel.REPEATABLE_READ, True
        return conn

    def connect_owner(self) -> Connection[Any]:
        """Open a connection as the user of DATABASE_URL itself, for migrations and index rebuilds."""
        return psycopg.connect(self.url, autocommit=True, application_name="smartmarket-owner")
