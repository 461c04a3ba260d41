"""What the two upload routes have in common, and the refusals that a file's content earns."""

from collections.abc import Mapping

from shared.errors import InvalidCsvFormat, MissingColumns, Refusal
from shared.texts import Phrase
from write_side.sales.csv_encoding import detect
from write_side.sales.csv_header import Layout, NoLedger, read_header
from write_side.sales.intake import is_safe
from write_side.sales.multipart import invalid_field

# Until a shop has measured better: rows per second of one worker, file to queryable.
ROWS_PER_SECOND = 15_000
_SOURCE_NAME = "data_source_name"
_SOURCE_NAME_LENGTH = 255


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
    if found.reason == "missing_columns":
        return MissingColumns(details=found.details, missing=", ".join(found.missing))
    return InvalidCsvFormat(details=found.details)


def source_name(form: Mapping[str, str]) -> str | None:
    """Return what the owner calls the ledger, None if nothing; raises InvalidFields for what cannot be shown."""
    name = " ".join(form.get(_SOURCE_NAME, "").split())
    if len(name) > _SOURCE_NAME_LENGTH:
        problem = Phrase("FIELD_TOO_LONG", {"max_length": _SOURCE_NAME_LENGTH})
        raise invalid_field(_SOURCE_NAME, "string_too_long", problem)
    if not is_safe(name):
        raise invalid_field(_SOURCE_NAME, "string_pattern_mismatch", Phrase("FIELD_INVALID"))
    return name or None
