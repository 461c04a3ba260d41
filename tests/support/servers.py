"""Where the tests find Postgres, Redis and a broker.

For each: the server its environment variable names, else a container if Docker answers, else the embedded server on a
folder that is removed afterwards.
"""

import gc
import logging
import os
import secrets
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import psutil
import psycopg
from docker.errors import DockerException  # type: ignore[import-untyped] # it ships no types
from psycopg import sql
from testcontainers.community.postgres import PostgresContainer
from testcontainers.community.redis import RedisContainer

from projections.engine import generation_schemas
from projections.engine.follower import connect as connect_projector
from projections.registry import REGISTRY
from shared.embedded.servers import EmbeddedServers
from shared.postgres import database
from shared.postgres.logins import login_of

logger = logging.getLogger("smartmarket.tests")

TEMPLATE = "SMARTMARKET_TEST_TEMPLATE"
"""The variable that names a migrated, empty database which several runs of tests share."""
_PREFIX = "test_"
_MEMORY = "/dev/shm"  # noqa: S108 - the folder made in it has a random name and one owner
_ROOM = 4 * 2**30
_QUICK = "postgres -c fsync=off -c synchronous_commit=off -c full_page_writes=off"

# Create a database from a template, and drop it. Without fsync, copying files takes a third of the time that copying
# through the log takes.
CREATE_DATABASE = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
DROP_LOGINS = sql.SQL("DROP ROLE IF EXISTS {}")
DROP_DATABASE = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")


class Services(NamedTuple):
    """URLs of the servers the tests may use; the database's user may create databases and roles."""

    database_url: str
    redis_url: str
    broker_url: str

    def of_worker(self, number: int) -> "Services":
        """Return what one of several parallel workers uses: of a Redis that the tests started, a database of its own.

        Redis has 16 databases; 0 is left to a run without workers.
        """
        if os.environ.get("REDIS_URL"):
            return self
        own = urlsplit(self.redis_url)._replace(path=f"/{1 + number % 15}").geturl()
        return self._replace(redis_url=own, broker_url=own if self.broker_url == self.redis_url else self.broker_url)


@contextmanager
def running_services() -> Iterator[Services]:
    """Yield servers that answer, and end those that were started for it."""
    with ExitStack() as stack:
        database_url = os.environ.get("DATABASE_URL") or _from_docker(stack, _postgres_container)
        redis_url = os.environ.get("REDIS_URL") or _from_docker(stack, _redis_container)
        if not (database_url and redis_url):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="smartmarket-", dir=_in_memory()))
            embedded = stack.enter_context(EmbeddedServers(Path(folder), durable=False))
            database_url = database_url or embedded.database_url
            redis_url = redis_url or embedded.redis_url
        yield Services(database_url, redis_url, os.environ.get("BROKER_URL") or redis_url)


@contextmanager
def template_database(services: Services) -> Iterator[str]:
    """Yield the URL of a migrated, empty database to copy; nobody may connect to it."""
    if url := os.environ.get(TEMPLATE):
        yield url
        return
    url = fresh_database(services.database_url)
    database.migrate(url)
    with connect_projector(url, role=database.PROJECTOR) as conn:
        generation_schemas.ensure_live(conn, REGISTRY)
    yield url
    drop_database(url)


def fresh_database(admin_url: str, template: str | None = None) -> str:
    """Create a database and return its URL; a copy of `template` (URL or name, nobody connected) if one is given."""
    name = _PREFIX + secrets.token_hex(6)
    source = _database_of(template) if template else "template1"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(CREATE_DATABASE.format(sql.Identifier(name), sql.Identifier(source)))
    return _with_database(admin_url, name)


def drop_database(url: str) -> None:
    """Drop a database made by `fresh_database`, closing its connections; refuses any other."""
    name = _database_of(url)
    if not name.startswith(_PREFIX):
        message = f"{name} was not made by fresh_database; drop it by hand if you mean it"
        raise ValueError(message)
    logins = [sql.Identifier(login_of(role, name)) for role in (database.WRITER, database.PROJECTOR, database.READER)]
    with psycopg.connect(_with_database(url, "postgres"), autocommit=True) as connection:
        connection.execute(DROP_DATABASE.format(sql.Identifier(name)))
        connection.execute(DROP_LOGINS.format(sql.SQL(", ").join(logins)))


def _in_memory() -> str | None:
    """Return a folder in memory with room for the data of all workers, if this machine has one.

    Tests create and drop tables all the time, which is a quarter slower with files on a disk.
    """
    usable = os.access(_MEMORY, os.W_OK) and psutil.disk_usage(_MEMORY).free > _ROOM
    return _MEMORY if usable else None


def _from_docker(stack: ExitStack, start: Callable[[ExitStack], str]) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the client forgets its socket where no Docker answers
        try:
            return start(stack)
        except DockerException as error:
            logger.info("no container for %s: %s", start.__name__, error)
        gc.collect()
    return None


def _postgres_container(stack: ExitStack) -> str:
    container = stack.enter_context(PostgresContainer("postgres:16", driver=None).with_command(_QUICK))
    return str(container.get_connection_url())


def _redis_container(stack: ExitStack) -> str:
    container = stack.enter_context(RedisContainer("redis:7"))
    return f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(container.port)}/0"


def _database_of(url_or_name: str) -> str:
    return urlsplit(url_or_name).path.removeprefix("/")


def _with_database(url: str, database: str) -> str:
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{database}{query}"
