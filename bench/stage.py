"""Where benchmarks run: servers that keep what they promise to keep, and a fresh house for each measure."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.sql import SQL, Identifier
from rich.console import Console

from bench.ledgers import Ledgers
from projections.engine import generation_schemas
from projections.engine.follower import connect as connect_projector
from projections.registry import REGISTRY
from shared.embedded.servers import EmbeddedServers
from shared.postgres import database
from shared.runtime.container import Container
from shared.runtime.settings import Settings


@dataclass(frozen=True)
class Stage:
    """What every measure gets; `quick` asks for sizes that show only that it works.

    `products`: how many of each shop are forecast.
    """

    database_url: str
    redis_url: str
    servers: str
    folder: Path
    ledgers: Ledgers
    quick: bool
    console: Console
    products: int = 30

    def size(self, full: int, quick: int) -> int:
        """Return how much of something to measure."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Print progress to the console."""
        self.console.print(f"  {text}", style="dim", soft_wrap=True)

    @contextmanager
    def container(self) -> Iterator[Container]:
        """Yield a house on a database of its own, migrated and empty; the database is dropped afterwards."""
        name = f"bench_{secrets.token_hex(6)}"
        with psycopg.connect(self.database_url, autocommit=True) as admin:
            admin.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            try:
                yield self._house(urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}")))
            finally:
                admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    def _house(self, url: str) -> Container:
        settings = Settings(
            database_url=url,
            redis_url=self.redis_url,
            broker_url=os.environ.get("BROKER_URL") or self.redis_url,
            secret_key=secrets.token_urlsafe(48),
            jwt_secret=secrets.token_urlsafe(48),
            rate_limits=False,
            data_dir=self.folder,
            env="development",
        )
        container = Container(settings)
        database.migrate(url)
        with connect_projector(url, role=container.role(database.PROJECTOR)) as conn:
            generation_schemas.ensure_live(conn, REGISTRY)
        return container


@contextmanager
def open_stage(folder: Path, *, quick: bool, console: Console) -> Iterator[Stage]:
    """Yield a stage on the servers the environment names, or on built-in ones that write everything to the disk."""
    url, cache = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    ledgers = Ledgers()
    if url and cache:
        yield Stage(url, cache, "DATABASE_URL and REDIS_URL", folder, ledgers, quick, console)
        return
    with EmbeddedServers(folder, durable=True) as own:
        named = [name for name, given in (("DATABASE_URL", url), ("REDIS_URL", cache)) if given]
        described = " and ".join([*named, "built-in servers"])
        yield Stage(url or own.database_url, cache or own.redis_url, described, folder, ledgers, quick, console)
