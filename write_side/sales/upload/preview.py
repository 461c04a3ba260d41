"""Preview of a ledger: everything an upload would do with it, and nothing written."""

import datetime as dt
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from shared.domain.presentation import ledgers
from shared.eventstore.store import UnitOfWork
from shared.texts import Language
from write_side.sales.aggregate import sale_index_key
from write_side.sales.csv.ledger import Ledger, sums_of, weighed_questions
from write_side.sales.csv.records import Record
from write_side.sales.csv.rows import Item, LedgerRow, Mark, RejectedRow, RowReader

_SAMPLE_ROWS = 50
_ROWS_SHOWN = 20

# Selects the keys of the rows that a shop has recorded within a period; keys begin with the day's number.
SELECT_KNOWN = """SELECT key FROM log.index_rows
    WHERE kind = 'sale' AND scope = %s AND key >= %s AND key < %s"""


class Previewed(NamedTuple):
    """What one reading of a whole ledger brought."""

    items: list[Item]
    reader: RowReader
    raw: list[list[str]]


def preview(
    unit: UnitOfWork, ledger: Ledger, now: dt.datetime, mark: Mark, file_name: str, language: Language
) -> dict[str, Any]:
    """Return what an upload of the ledger would record, ask and leave out; sums are numbers in taka."""
    read = _read(ledger, now, mark)
    table, layout = ledger.table, ledger.layout
    notices = dict.fromkeys([*layout.notices, *read.reader.notices])
    return {
        "file_name": file_name,
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "sheet": table.sheet or None,
        "header_row": table.header_row,
        "header": table.header,
        "mapping": _mapping(ledger, language),
        "date_order": layout.date_format.order,
        "rows": ledger.rows,
        "sample": [
            {"row": item.row, "raw": raw, "read": _shown(item, language)}
            for item, raw in zip(read.items, read.raw, strict=False)
        ],
        "counts": _counts(unit, read.items),
        "sums": ledgers.in_taka(sums_of(read.items).as_tuple()),
        "not_taken": _not_taken(read.items, language),
        "warnings": [ledgers.warning(notice.code, notice.values, language) for notice in notices],
        "questions": [
            ledgers.question(
                question.code,
                question.columns,
                question.rows,
                question.values,
                [(c.value, c.proposed, None if c.sums is None else c.sums.as_tuple()) for c in question.choices],
                language,
            )
            for question in weighed_questions(ledger, now, mark)
        ],
    }


def _read(ledger: Ledger, now: dt.datetime, mark: Mark) -> Previewed:
    raw: list[list[str]] = []

    def noting(records: Iterator[Record]) -> Iterator[Record]:
        for number, cells, fault in records:
            if len(raw) < _SAMPLE_ROWS:
                raw.append(list(cells))
            yield number, cells, fault

    reader = ledger.reader(now, mark)
    items = list(reader.read_all(noting(ledger.table.records())))
    return Previewed(items, reader, raw)


def _mapping(ledger: Ledger, language: Language) -> dict[str, Any]:
    header = ledger.table.header
    return {
        field: {
            "column": header[ledger.layout.columns[field]],
            "confidence": found.confidence,
            "evidence": ledgers.evidence(found.code, found.values, language),
        }
        for field, found in ledger.layout.evidence.items()
    }


def _shown(item: Item, language: Language) -> dict[str, Any]:
    if isinstance(item, RejectedRow):
        reason = ledgers.warning(item.code, (), language)["message"]
        state = "left_out" if item.left_out else "rejected"
        return {"state": state, "column": item.column, "value": item.value, "code": item.code, "message": reason}
    hours, seconds = divmod(item.time or 0, 3600)
    return {
        "state": "read",
        "kind": item.kind,
        "date": f"{item.date}T{hours:02}:{seconds // 60:02}:{seconds % 60:02}+06:00",
        "product_name": item.product,
        "quantity": item.quantity / 1000,
        "amount": item.paisa / 100,
        "customer_name": item.customer,
        "customer_phone": item.phone,
        "payment_method": item.payment,
        "received": None if item.received is None else item.received / 100,
    }


def _counts(unit: UnitOfWork, items: list[Item]) -> dict[str, int]:
    rows = [item for item in items if isinstance(item, LedgerRow)]
    known = _known(unit, rows)
    duplicates = sum(1 for row in rows if sale_index_key(row.date, row.fingerprint) in known) if known else 0
    left_out = sum(1 for item in items if isinstance(item, RejectedRow) and item.left_out)
    return {
        "created": len(rows) - duplicates,
        "duplicates": duplicates,
        "rejected": len(items) - len(rows) - left_out,
        "left_out": left_out,
    }


def _known(unit: UnitOfWork, rows: list[LedgerRow]) -> set[bytes]:
    if not rows:
        return set()
    first, last = min(row.date for row in rows), max(row.date for row in rows)
    bounds = [day.toordinal().to_bytes(4, "big") for day in (first, last + dt.timedelta(days=1))]
    return {bytes(row["key"]) for row in unit.sql(SELECT_KNOWN, (unit.business_id, *bounds))}


def _not_taken(items: list[Item], language: Language) -> list[dict[str, Any]]:
    """Return, for each reason, how many rows are not taken over, and the first ones."""
    found: dict[str, list[int]] = {}
    kinds: dict[str, bool] = {}
    for item in items:
        if isinstance(item, RejectedRow):
            found.setdefault(item.code, []).append(item.row)
            kinds[item.code] = item.left_out
    return [
        {
            "code": code,
            "message": ledgers.warning(code, (), language)["message"],
            "left_out": kinds[code],
            "count": len(rows),
            "rows": list(islice(rows, _ROWS_SHOWN)),
        }
        for code, rows in found.items()
    ]


def remembered_options(answers: Mapping[str, str], mapping: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers and columns by which an earlier ledger of the layout was read."""
    return {"answers": dict(answers), "mapping": dict(mapping)}
