"""Migrations, roles, and read transactions on the serving generations."""

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection, IsolationLevel
from psycopg.errors import (
    InsufficientPrivilege,
    InvalidSchemaName,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
)
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from shared.errors import ProjectionBehind, ProjectionParked, ReplayExpired
from shared.postgres import logins
from shared.postgres.locks import Lock

WRITER, PROJECTOR, READER = "smartmarket_writer", "smartmarket_projector", "smartmarket_reader"
READER_NAME = "smartmarket-reader"
"""The application name of connections that read for requests."""
SHARDS = 16
NOT_MIGRATED = (InvalidSchemaName, UndefinedTable, UndefinedFunction, UndefinedColumn)
"""What a statement of this release meets in a database without its tables."""
_PAUSES = (0.001, 0.001, 0.002, 0.002, 0.003, 0.004, 0.005, 0.008, 0.012, 0.02)
_MIGRATIONS, _FUNCTIONS = files("shared.postgres.migrations"), files("shared.postgres.functions")
logger = logging.getLogger("smartmarket.database")

# Creates a role that cannot log in, unless it exists.
CREATE_ROLE = """DO $$ BEGIN CREATE ROLE {role} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""
# Selects whether the user of this connection may act as all three roles.
MAY_ACT = """SELECT count(*) = 3 AND bool_and(pg_has_role(oid, 'MEMBER')) FROM pg_roles
    WHERE rolname IN ('smartmarket_writer', 'smartmarket_projector', 'smartmarket_reader')"""
# Sets the tenant and the serving generations for the transaction.
FIRST_STATEMENT = """SELECT set_config('app.business_id', %s, true), set_config('search_path',
    (SELECT string_agg(quote_ident(schema), ', ') FROM projections.live), true)"""
# Sets the tenant and the generations of a replay for the transaction.
FIRST_STATEMENT_OF_REPLAY = "SELECT set_config('app.business_id', %s, true), set_config('search_path', %s, true)"
# The search path of the replay that the current request reads; None if it reads the serving generations.
replay_path: ContextVar[str | None] = ContextVar("replay_path", default=None)
# Remembers the content that a function was created from.
KEEP_DIGEST = """INSERT INTO public.functions (name, sha256) VALUES (%s, %s)
    ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256"""
# Reads the checkpoint of each projection for a business and where the business is parked.
REACHED = "SELECT projection, reached, parked FROM projections.reached(%s, %s)"


# Selects whether the database has migrations, whether its user is a superuser, and the migrations applied.
HAS_MIGRATIONS = "SELECT to_regclass('public.migrations') IS NOT NULL"
IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = session_user"
SELECT_MIGRATIONS = "SELECT name FROM public.migrations"


def missing_migrations(url: str) -> list[str]:
    """Return the migrations of this release that the database lacks, in order."""
    with psycopg.connect(url, autocommit=True) as conn:
        known: set[str] = set()
        if conn.execute(HAS_MIGRATIONS).fetchone() == (True,):
            known = {name for (name,) in conn.execute(SELECT_MIGRATIONS).fetchall()}
        return _missing(known)


def is_superuser(url: str) -> bool:
    """Tell whether the database's user may do anything on its server."""
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(IS_SUPERUSER).fetchone() == (True,)


def migrate(url: str, passwords: Mapping[str, str] | None = None) -> list[str]:
    """Apply missing migrations, changed functions, roles and grants; returns the names of the migrations applied.

    With `passwords` by role, every role gets a login.
    """
    with psycopg.connect(url, autocommit=True) as conn:
        with_roles = _create_roles(conn, passwords or {})
        with conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (Lock.MIGRATION,))
            applied = _apply_migrations(conn)
            _replace_functions(conn)
            if with_roles:
                conn.execute((_MIGRATIONS / "grants.sql").read_bytes())
        return applied


def _apply_migrations(conn: Connection[TupleRow]) -> list[str]:
    conn.execute("CREATE TABLE IF NOT EXISTS public.migrations (name text PRIMARY KEY)")
    missing = _missing({name for (name,) in conn.execute(SELECT_MIGRATIONS).fetchall()})
    for name in missing:
        conn.execute((_MIGRATIONS / name).read_bytes())
        conn.execute("INSERT INTO public.migrations VALUES (%s)", (name,))
    return missing


def _missing(known: set[str]) -> list[str]:
    return sorted(f.name for f in _MIGRATIONS.iterdir() if re.match(r"\d{4}_", f.name) and f.name not in known)


def _replace_functions(conn: Connection[TupleRow]) -> None:
    """Create every function whose file changed; one that changes its signature needs a migration that drops it."""
    conn.execute("CREATE TABLE IF NOT EXISTS public.functions (name text PRIMARY KEY, sha256 bytea NOT NULL)")
    known: dict[str, bytes] = dict(conn.execute("SELECT name, sha256 FROM public.functions").fetchall())
    for file in sorted((f for f in _FUNCTIONS.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name):
        script = file.read_bytes()
        digest = hashlib.sha256(script).digest()
        if known.get(file.name) != digest:
            conn.execute(script)
            conn.execute(KEEP_DIGEST, (file.name, digest))


def _create_roles(conn: Connection[TupleRow], passwords: Mapping[str, str]) -> bool:
    try:
        for role in (WRITER, PROJECTOR, READER):
            conn.execute(CREATE_ROLE.format(role=role))
        conn.execute(f'GRANT CREATE ON DATABASE "{conn.info.dbname}" TO {PROJECTOR}')
        conn.execute(f'GRANT {WRITER}, {PROJECTOR}, {READER} TO "{conn.info.user}"')
        logins.create(conn, passwords)
    except InsufficientPrivilege:
        return False
    return True


def roles_granted(url: str) -> bool:
    """Tell whether the three roles exist and this user may act as each of them.

    Otherwise everything runs as one role and row-level security does not protect tenants: a warning in development, a
    refusal to start in production.
    """
    with psycopg.connect(url) as conn:
        return bool(conn.execute(MAY_ACT).fetchone() == (True,))


def reader_pool(url: str, *, role: str | None, max_size: int = 8) -> AsyncConnectionPool[AsyncConnection[TupleRow]]:
    """Return a closed pool of read-only connections, acting as the SELECT-only role if one is given."""

    async def configure(conn: AsyncConnection[TupleRow]) -> None:
        await conn.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await conn.set_read_only(True)
        conn.prepare_threshold = 1

    kwargs: dict[str, Any] = {"application_name": READER_NAME}
    if role:
        kwargs["options"] = f"-c role={role}"
    return AsyncConnectionPool(
        url, kwargs=kwargs, min_size=2, max_size=max_size, open=False, configure=configure, timeout=10.0
    )


@asynccontextmanager
async def reading(
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]], business_id: int
) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """Yield a connection within one read transaction of one tenant, on the serving generations or on a replay.

    Raises ReplayExpired if the generations of the replay were dropped meanwhile.
    """
    path = replay_path.get()
    async with pool.connection() as conn:
        if path:
            await conn.execute(FIRST_STATEMENT_OF_REPLAY, (str(business_id), path))
        else:
            await conn.execute(FIRST_STATEMENT, (str(business_id),))
        try:
            yield conn
        except UndefinedTable as error:
            if path:
                raise ReplayExpired from error
            raise


async def await_position(
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
    business_id: int,
    projections: Sequence[str],
    position: int,
    *,
    patience: float = 5.0,
) -> None:
    """Wait until the projections have reached `position` for this business, without holding a connection.

    Raises ProjectionParked if the business is parked before it, ProjectionBehind after `patience` seconds.
    """
    until = time.monotonic() + patience
    pauses = iter(_PAUSES)
    while True:
        async with pool.connection() as conn:
            rows = await (await conn.execute(REACHED, (business_id, list(projections)))).fetchall()
        if any(parked is not None and parked <= position for _, _, parked in rows):
            raise ProjectionParked
        if rows and all(reached >= position for _, reached, _ in rows):
            return
        if time.monotonic() > until:
            raise ProjectionBehind(headers={"Retry-After": "1"})
        await asyncio.sleep(next(pauses, _PAUSES[-1]))
