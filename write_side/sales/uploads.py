"""What the two upload routes have in common, and the refusals that a file's content earns."""

from shared.errors import InvalidCsvFormat, MissingColumns, Refusal
from write_side.sales.csv_encoding import detect
from write_side.sales.csv_header import Layout, NoLedger, read_header

# Until a shop has measured better: rows per second of one worker, file to queryable.
ROWS_PER_SECOND = 15_000


def estimated_seconds(rows: int) -> int:
    """Return the whole seconds that reading so many rows takes, at least 1."""
    return max(1, round(rows / ROWS_PER_SECOND))


def insist_on_ledger(head: bytes) -> Layout:
    """Return the layout of the file that begins with `head`; raises InvalidCsvFormat for what is no ledger."""
    try:
        return read_header(head, detect(head))
    except NoLedger as found:
        raise refusal_of(found) from found


def refusal_of(found: NoLedger) -> Refusal:
    """Return what a finding about a file says to its owner."""
    details = details_of(found)
    if found.reason == "missing_columns":
        return MissingColumns(details=details, missing=", ".join(found.missing))
    return InvalidCsvFormat(details=details)


def details_of(found: NoLedger) -> dict[str, str | int | list[str]]:
    """Return a finding for machines."""
    return {
        "reason": found.reason, "missing": found.missing, "found": found.found[:20],
        "duplicates": found.duplicates, "kind": found.kind,
    }  # fmt: skip
