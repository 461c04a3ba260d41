"""Files of a business, stored in parts sealed under its key: in a table or, by setting, in an object store.

Paths consist of ids generated here; nothing that a client sent becomes part of one.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from shared.eventstore.store import EventStore
from shared.eventstore.vault import Vault, sql_over

PART_BYTES = 1 << 20


class FileIncomplete(Exception):
    """Parts of a stored file are missing."""


class Parts(Protocol):
    """Stores sealed parts."""

    def put(self, business_id: int, file_id: uuid.UUID, part: int, sealed: bytes) -> None:
        """Store one part; storing it again replaces it."""

    def get(self, business_id: int, file_id: uuid.UUID, part: int) -> bytes | None:
        """Return one part, or None after the last."""

    def delete(self, business_id: int, file_id: uuid.UUID) -> None:
        """Delete a file."""


class TableParts:
    """Parts in a table of the database."""

    def __init__(self, store: EventStore) -> None:
        """Use the store's connections."""
        self._store = store

    def put(self, business_id: int, file_id: uuid.UUID, part: int, sealed: bytes) -> None:
        """Store one part."""
        with self._store.cursor() as cursor:
            cursor.execute(
                "INSERT INTO files.parts (file_id, part, business_id, sealed) VALUES (%s, %s, %s, %b)"
                " ON CONFLICT (file_id, part) DO UPDATE SET sealed = excluded.sealed",
                (file_id, part, business_id, sealed),
            )

    def get(self, business_id: int, file_id: uuid.UUID, part: int) -> bytes | None:
        """Return one part, or None after the last."""
        with self._store.cursor() as cursor:
            row = cursor.execute(
                "SELECT sealed FROM files.parts WHERE file_id = %s AND part = %s AND business_id = %s",
                (file_id, part, business_id),
                binary=True,
            ).fetchone()
        return bytes(row["sealed"]) if row else None

    def delete(self, business_id: int, file_id: uuid.UUID) -> None:
        """Delete a file."""
        with self._store.cursor() as cursor:
            cursor.execute("DELETE FROM files.parts WHERE file_id = %s AND business_id = %s", (file_id, business_id))


class ObjectParts:
    """Parts in an object store: `s3://bucket/prefix`, `gs://…`, `az://…` or `file:///dir`."""

    def __init__(self, url: str) -> None:
        """Open the store at `url`; needs the `object-store` extra."""
        import obstore  # noqa: PLC0415 - an optional dependency

        self._store: Any = obstore.store.from_url(url)
        self._obstore: Any = obstore

    def put(self, business_id: int, file_id: uuid.UUID, part: int, sealed: bytes) -> None:
        """Store one part."""
        self._obstore.put(self._store, self._path(business_id, file_id, part), sealed)

    def get(self, business_id: int, file_id: uuid.UUID, part: int) -> bytes | None:
        """Return one part, or None after the last."""
        try:
            return bytes(self._obstore.get(self._store, self._path(business_id, file_id, part)).bytes())
        except FileNotFoundError:
            return None

    def delete(self, business_id: int, file_id: uuid.UUID) -> None:
        """Delete a file."""
        part = 0
        while self.get(business_id, file_id, part) is not None:
            self._obstore.delete(self._store, self._path(business_id, file_id, part))
            part += 1

    @staticmethod
    def _path(business_id: int, file_id: uuid.UUID, part: int) -> str:
        return f"{business_id}/{file_id}/{part}"


class Files:
    """Seals, stores and opens files."""

    def __init__(self, store: EventStore, parts: Parts) -> None:
        """Seal under keys from the store's vault; store in `parts`."""
        self._store = store
        self._parts = parts

    def writer(self, business_id: int, file_id: uuid.UUID) -> Callable[[int, bytes], None]:
        """Return a function that stores part n of a new file."""
        subject = f"business-{business_id}"
        with self._store.cursor() as cursor:
            keys = Vault(self._store.master, sql_over(cursor.connection)).keys([subject], create=True)

        def put(part: int, data: bytes) -> None:
            self._parts.put(business_id, file_id, part, keys.seal_bytes(subject, data, _place(file_id, part)))

        return put

    def chunks(self, business_id: int, file_id: uuid.UUID, size: int | None = None) -> Iterator[bytes]:
        """Yield the file's parts in order; none if the business was erased.

        Raises FileIncomplete at the end if fewer than `size` bytes were stored.
        """
        received = 0
        subject = f"business-{business_id}"
        with self._store.cursor() as cursor:
            keys = Vault(self._store.master, sql_over(cursor.connection)).keys([subject])
        part = 0
        while (sealed := self._parts.get(business_id, file_id, part)) is not None:
            data = keys.open_bytes(subject, sealed, _place(file_id, part))
            if data is None:
                return
            received += len(data)
            yield data
            part += 1
        if size is not None and received < size:
            msg = f"{file_id} has {received} of {size} bytes"
            raise FileIncomplete(msg)

    def delete(self, business_id: int, file_id: uuid.UUID) -> None:
        """Delete a file."""
        self._parts.delete(business_id, file_id)


def _place(file_id: uuid.UUID, part: int) -> str:
    return f"/{file_id}/{part}"


def open_parts(store: EventStore, setting: str) -> Parts:
    """Return the store of parts that the setting names: `table`, or the URL of an object store."""
    return TableParts(store) if setting == "table" else ObjectParts(setting)
