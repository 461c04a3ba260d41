"""What happens to stored files."""

from typing import ClassVar

from shared.eventstore.event import AuditAction, Event


class FileDeleted(Event, frozen=True):
    """The owner deleted a stored file of `size` bytes; what was read from it stays. `kind`: `ledger` or `receipt`."""

    topic: ClassVar[str] = "storage.FileDeleted"
    audit: ClassVar[AuditAction | None] = AuditAction("file_delete", "file", "file_id")
    file_id: str
    kind: str
    size: int
