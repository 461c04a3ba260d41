"""Brings a database to this release: migrations, roles, first generations; outdated read models are replayed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag

from projections.engine import generation_schemas, generations
from projections.engine.follower import connect as connect_projector
from projections.operations import rebuild
from projections.registry import REGISTRY
from shared.eventstore.vault import MasterKey, keep_canary
from shared.postgres import database
from shared.runtime.container import Container, role_passwords
from shared.runtime.errors import CannotStart
from smartmarket.read_models import source_of

if TYPE_CHECKING:
    from psycopg import Connection

# Returns a key of a person or business, if there is any.
SELECT_ANY_KEY = "SELECT subject, wrapped FROM vault.keys LIMIT 1"
# Returns whether the log holds any event.
SELECT_ANY_EVENT = "SELECT EXISTS (SELECT FROM log.events)"


def run_migrate(container: Container) -> tuple[Mapping[str, object], str]:
    """Migrate; returns what was done as data and as a sentence. Raises CannotStart while a rebuild is running."""
    applied = database.migrate(container.url, role_passwords(container.secret))
    _keep_canary(container)
    container.check_database()
    with connect_projector(container.url_as(database.PROJECTOR), role=container.role(database.PROJECTOR)) as conn:
        made = generation_schemas.ensure_live(conn, REGISTRY)
        stale = _stale(conn, made)
    for name in stale:
        try:
            rebuild.rebuild(source_of(container), REGISTRY[name])
        except rebuild.RebuildRunning as error:
            msg = f"{name} is being rebuilt by another process: wait for it, then run `smartmarket migrate` again."
            raise CannotStart(msg) from error
    built = len({*made, *stale})
    return (
        {"migrations": applied, "projections": made, "rebuilt": stale},
        f"database is up to date ({len(applied)} migrations applied, {built} projections built)",
    )


def _keep_canary(container: Container) -> None:
    """Store what later starts recognise the SECRET_KEY by; an older database is recognised by a key in its vault."""
    master = MasterKey(container.secret)
    with container.connect_owner() as conn:
        row = conn.execute(SELECT_ANY_KEY).fetchone()
        try:
            if row is not None:
                master.unwrap(row[0], bytes(row[1]))
        except InvalidTag as error:
            msg = "SECRET_KEY: it is not the one that this database was made with; set that one."
            raise CannotStart(msg) from error
        keep_canary(conn, master)


def _stale(conn: "Connection[Any]", made: list[str]) -> list[str]:
    """Return the projections to replay: of another version, without tables, or new beside a log that has events."""
    serving = {name: generations.live(conn, name) for name in REGISTRY}
    stale = [name for name, live in serving.items() if live is None or live[2] != REGISTRY[name].version]
    if conn.execute(SELECT_ANY_EVENT).fetchone() == (True,):
        stale += made  # a replay is faster than following from the beginning
    return stale + [name for name in generations.lost(conn) if name not in stale]
