"""The rows of a ledger that became no sale, kept sealed under the shop's key beside its file, never in the log."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from shared.eventstore.store import UnitOfWork
from shared.http.spreadsheets import csv_line
from write_side.sales.csv.rows import RejectedRow
from write_side.sales.csv.table import REPORT_COLUMNS

# Keeps the rejected rows of one part of a file; the same part written again is the same.
INSERT_REJECTIONS = """INSERT INTO files.rejections (file_id, through_row, business_id, sealed) VALUES (%s, %s, %s, %s)
    ON CONFLICT (file_id, through_row) DO NOTHING"""
# Returns the sealed parts of a file's rejected rows, in file order.
SELECT_REJECTIONS = (
    """SELECT sealed FROM files.rejections WHERE file_id = %s AND business_id = %s ORDER BY through_row"""
)


class Rejections(msgspec.Struct):
    """Rejected rows of one stretch of a file, with the file's own column names."""

    header: list[str]
    rows: list[RejectedRow]


def keep_rejections(unit: UnitOfWork, file_id: str, header: list[str], rows: Sequence[RejectedRow]) -> None:
    """Keep rejected rows in the transaction that accounts for them."""
    if not rows:
        return
    subject = f"business-{unit.business_id}"
    keys = unit.vault.keys([subject], create=True)
    sealed = keys.seal_bytes(subject, msgspec.json.encode(Rejections(header, list(rows))))
    unit.sql(INSERT_REJECTIONS, (uuid.UUID(file_id), rows[-1].row, unit.business_id, sealed))


def rejections(unit: UnitOfWork, file_id: uuid.UUID) -> Iterator[Rejections]:
    """Yield what was kept for a file of the unit's business; nothing once the business is forgotten."""
    subject = f"business-{unit.business_id}"
    keys = unit.vault.keys([subject])
    for row in unit.sql(SELECT_REJECTIONS, (file_id, unit.business_id)):
        data = keys.open_bytes(subject, bytes(row["sealed"]))
        if data is not None:
            yield msgspec.json.decode(data, type=Rejections)


def errors_csv(
    rejected: Iterable[RejectedRow],
    header: Sequence[str],
    language: str,
    texts: Callable[[str, str], tuple[str, str]],
) -> Iterator[str]:
    """Yield the report of rejected rows, a line at a time: row, column, value, code, message, fix, the row's own cells.

    header: the file's own column names; texts: message and fix of a code in a language. Cells that a spreadsheet would
    take for a formula are preceded by an apostrophe.
    """
    yield csv_line([*REPORT_COLUMNS, *header])
    for bad in rejected:
        yield csv_line([str(bad.row), bad.column, bad.value, bad.code, *texts(bad.code, language), *bad.cells])
