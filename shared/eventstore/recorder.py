"""Appends to the log: the recorder of the `eventsourcing` library, whose insert is replaced by one SQL function."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

# Append, and return the position of the last event, null if there was none; the first statement takes events only.
APPEND_EVENTS = "SELECT log.append(%s::bigint, %b::text[], %b::bigint[], %b::text[], %b::bytea[], %s) AS position"
APPEND = """SELECT log.append(%s::bigint, %b::text[], %b::bigint[], %b::text[], %b::bytea[], %s,
    %b::text[], %b::bigint[], %b::bytea[], %b::bigint[], %b::text[], %b::bigint[], %b::bytea[],
    %s::text, %s::bytea, %s) AS position"""


@dataclass
class Append:
    """The arguments of one call of `log.append` besides the events."""

    business_id: int | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    claims: list[tuple[str, int, bytes, int]] = field(default_factory=list)
    releases: list[tuple[str, int, bytes]] = field(default_factory=list)
    command: tuple[str, bytes | None, Any] | None = None


# A session that is idle within a command (its process was stopped or cut off) loses its locks after this time; the
# command is decided again.
_IDLE_SECONDS = 30.0
_KEEPALIVES = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"


class Datastore(PostgresDatastore):
    """The library's datastore with a pool that is opened by URL, so that every libpq setting works."""

    def __init__(self, url: str, *, pool_size: int, role: str | None) -> None:
        """Use a pool of at most `pool_size` connections, opened when first needed, acting as `role` if one is given."""
        super().__init__(
            "",
            "",
            "",
            "",
            "",
            originator_id_type="text",
            schema="log",
            idle_in_transaction_session_timeout=_IDLE_SECONDS,
        )
        kwargs: dict[str, Any] = {"row_factory": dict_row, "application_name": "smartmarket"}
        kwargs["options"] = f"-c role={role} {_KEEPALIVES}" if role else _KEEPALIVES
        self.pool = ConnectionPool(
            url,
            connection_class=Connection[DictRow],
            kwargs=kwargs,
            min_size=1,
            max_size=pool_size,
            open=False,
            configure=self.after_connect_func(),
            timeout=10.0,
        )


class Recorder(PostgresApplicationRecorder):
    """The library's recorder; its insert is replaced by one SQL function."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:  # noqa: ANN401 - the signature of the base class
        """Append in a separate transaction; returns the positions. Keyword argument `append`: an Append."""
        with self.datastore.get_connection() as conn, conn.cursor() as cursor:
            last = self.append(cursor, stored_events, kwargs.get("append") or Append())
        return range(last - len(stored_events) + 1, last + 1) if last else []

    def append(self, cursor: Cursor[DictRow], events: Sequence[StoredEvent], extra: Append) -> int | None:
        """Append within the cursor's transaction; returns the last position."""
        parameters: list[Any] = [
            extra.business_id,
            [e.originator_id for e in events],
            [e.originator_version for e in events],
            [e.topic for e in events],
            [e.state for e in events],
            Jsonb(extra.meta),
        ]
        if not (extra.claims or extra.releases or extra.command):
            cursor.execute(APPEND_EVENTS, parameters, prepare=True)
        else:
            claims = list(zip(*extra.claims, strict=True)) or [(), (), (), ()]
            releases = list(zip(*extra.releases, strict=True)) or [(), (), ()]
            command, request_hash, result = extra.command or (None, None, None)
            parameters += [*map(list, claims), *map(list, releases), command, request_hash]
            cursor.execute(APPEND, [*parameters, Jsonb(result, dumps=orjson.dumps)], prepare=True)
        row = cursor.fetchone()
        return cast("int | None", row and row["position"])
