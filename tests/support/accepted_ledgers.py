"""Ledgers of made-up sales, accepted and read as the API and a worker do."""

import hashlib
import uuid
from typing import Any

from shared.domain.events.sales import UploadAccepted
from shared.eventstore.files import PART_BYTES, Files
from shared.eventstore.store import EventStore, Metadata
from shared.jobs.queue import Job
from write_side.sales import aggregate
from write_side.sales.aggregate import Upload
from write_side.sales.policy import READ_UPLOAD

HEADER = "Date,Product,Quantity,Amount,Customer,Payment Method,Phone\n"
PRODUCTS = ("Tea", "চা পাতা", "Rice 5kg", "Soap", "মিষ্টি দই", "Biscuit")


class Held:
    """The lease of a worker whom nobody disturbs."""

    def held(self) -> bool:
        return True


def ledger(count: int, shop: str = "", first: int = 0) -> bytes:
    """Return a ledger of a number of different sales; every tenth has no customer, every twentieth a phone."""
    lines = [HEADER]
    for n in range(first, first + count):
        customer = "" if n % 10 == 0 else f"{shop} Customer {n % 97}".strip()
        phone = f"0171{n % 97:07d}" if n % 20 == 1 else ""
        day = f"2025-{1 + n // 28 % 10:02d}-{1 + n % 28:02d}"
        paid = "Cash" if n % 2 else "bKash"
        lines.append(f"{day},{PRODUCTS[n % 6]} {n % 11},{1 + n % 5},{100 + n},{customer},{paid},{phone}\n")
    return "".join(lines).encode()


def accept(store: EventStore, files: Files, business: int, content: bytes, **options: Any) -> str:  # noqa: ANN401 - options passed on unchanged
    """Store a ledger and record that it was accepted; returns its file id."""
    file_id = uuid.uuid4()
    put = files.writer(business, file_id)
    for part, start in enumerate(range(0, len(content), PART_BYTES)):
        put(part, content[start : start + PART_BYTES])
    event = UploadAccepted(
        str(file_id),
        "sales.csv",
        None,
        len(content),
        hashlib.sha256(content).hexdigest(),
        content.count(b"\n") - 1,
        **options,
    )
    store.execute(business, Metadata(), lambda unit: unit.append(aggregate.stream_of(str(file_id)), 0, event))
    return str(file_id)


def job_of(file_id: str, business: int) -> Job:
    """Return the job that reads a ledger."""
    return Job(uuid.uuid4(), READ_UPLOAD, file_id, business, 1, {}, 0)


def upload_of(store: EventStore, file_id: str) -> Upload:
    """Return what the log says of a ledger."""
    upload = aggregate.load(store.load(aggregate.stream_of(file_id)))
    assert upload is not None
    return upload
