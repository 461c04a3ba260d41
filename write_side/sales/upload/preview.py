"""Preview of a ledger: everything an upload would do with it, and nothing written."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from shared.domain.presentation import ledgers
from shared.eventstore.store import UnitOfWork
from shared.texts import Language
from write_side.sales.aggregate import former_key, sale_index_key
from write_side.sales.corrections import ADD, CORRECTED_ROWS, Doubt, without
from write_side.sales.csv.cells import legible
from write_side.sales.csv.ledger import Ledger, sums_of, weighed_questions
from write_side.sales.csv.questions import Question, Sums
from write_side.sales.csv.rows import Item, LedgerRow, Mark, RejectedRow
from write_side.sales.lookups import has_sales

_SAMPLE_ROWS = 50
_ROWS_SHOWN = 20
_PIECE = 1_000
_DAY_BYTES = 4

# Selects the keys of the rows that a shop has recorded within a period; keys begin with the day's number.
SELECT_KNOWN = """SELECT key FROM log.index_rows
    WHERE kind = 'sale' AND scope = %s AND key >= %s AND key < %s"""


class _Tally:
    """What the rows of a ledger come to; holds the first rows only, and keys where a shop may know some."""

    def __init__(self, *, keeps_keys: bool) -> None:
        self.first: list[Item] = []
        self.sums = Sums()
        self.read = 0
        self.left_out: dict[str, bool] = {}
        self.lines: dict[str, list[int]] = {}
        self.counts: Counter[str] = Counter()
        self.keys: dict[bytes, bytes | None] = {}
        self._keeps_keys = keeps_keys

    def add(self, items: Sequence[Item]) -> None:
        self.first += items[: _SAMPLE_ROWS - len(self.first)]
        self.sums = self.sums.plus(sums_of(items))
        for item in items:
            if isinstance(item, LedgerRow):
                self.read += 1
                if self._keeps_keys:
                    self.keys[sale_index_key(item.date, item.fingerprint)] = former_key(item)
            else:
                self.counts[item.code] += 1
                self.left_out[item.code] = item.left_out
                lines = self.lines.setdefault(item.code, [])
                if len(lines) < _ROWS_SHOWN:
                    lines.append(item.row)


def preview(
    unit: UnitOfWork,
    ledger: Ledger,
    doubt: Doubt | None,
    now: dt.datetime,
    mark: Mark,
    file_name: str,
    language: Language,
) -> dict[str, Any]:
    """Return what an upload of the ledger would record, ask and leave out; sums are numbers in taka.

    `doubt`: its rows that look like corrections of known ones; they are left out unless the answers add them.
    """
    knows_sales = has_sales(unit)
    reader = ledger.reader(now, mark, former=knows_sales)
    items = ledger.items(reader)
    if doubt and ledger.answers.get(CORRECTED_ROWS) != ADD:
        items = without(doubt.lines, items)
    tally = _tally(items, keeps_keys=knows_sales)
    table, layout = ledger.table, ledger.layout
    notices = dict.fromkeys(notice.legible for notice in (*layout.notices, *reader.notices))
    header = [legible(name) for name in table.header]
    return {
        "file_name": file_name,
        "format": table.format,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "sheet": table.sheet or None,
        "header_row": table.header_row,
        "header": header,
        "mapping": _mapping(ledger, language),
        "date_order": layout.date_format.order,
        "rows": ledger.rows,
        "sample": [
            {"row": item.row, "raw": [legible(cell) for cell in raw], "read": _shown(item, language)}
            for item, (_, raw, _) in zip(tally.first, ledger.table.records(), strict=False)
        ],
        "counts": _counts(unit, tally),
        "sums": ledgers.in_taka(tally.sums.as_tuple()),
        "not_taken": _not_taken(tally, language),
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
            for question in _questions(ledger, doubt, now, mark, tally.sums)
        ],
    }


def _questions(ledger: Ledger, doubt: Doubt | None, now: dt.datetime, mark: Mark, sums: Sums) -> list[Question]:
    """Return what an upload would ask; `sums` are those of the rows that it would take over."""
    if not doubt or CORRECTED_ROWS in ledger.answers:
        return weighed_questions(ledger, now, mark, sums)
    total = sums.plus(doubt.sums)
    return [*weighed_questions(ledger, now, mark, total), doubt.question(total)]


def _tally(items: Iterator[Item], *, keeps_keys: bool) -> _Tally:
    tally = _Tally(keeps_keys=keeps_keys)
    while piece := list(islice(items, _PIECE)):
        tally.add(piece)
    return tally


def _mapping(ledger: Ledger, language: Language) -> dict[str, Any]:
    header = ledger.table.header
    return {
        field: {
            "column": legible(header[ledger.layout.columns[field]]),
            "confidence": found.confidence,
            "evidence": ledgers.evidence(found.code, tuple(legible(value) for value in found.values), language),
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


def _counts(unit: UnitOfWork, tally: _Tally) -> dict[str, int]:
    known = _known(unit, tally.keys)
    duplicates = sum(1 for key, former in tally.keys.items() if key in known or former in known)
    left_out = sum(count for code, count in tally.counts.items() if tally.left_out[code])
    return {
        "created": tally.read - duplicates,
        "duplicates": duplicates,
        "rejected": tally.counts.total() - left_out,
        "left_out": left_out,
    }


def _known(unit: UnitOfWork, keys: Iterable[bytes]) -> set[bytes | None]:
    """Return the keys that the shop has recorded in the period of these, and a day before and after."""
    days = {int.from_bytes(key[:_DAY_BYTES], "big") for key in keys}
    if not days:
        return set()
    bounds = [day.to_bytes(_DAY_BYTES, "big") for day in (min(days) - 1, max(days) + 2)]
    return {bytes(row["key"]) for row in unit.sql(SELECT_KNOWN, (unit.business_id, *bounds))}


def _not_taken(tally: _Tally, language: Language) -> list[dict[str, Any]]:
    """Return, for each reason, how many rows are not taken over, and the first ones."""
    return [
        {
            "code": code,
            "message": ledgers.warning(code, (), language)["message"],
            "left_out": tally.left_out[code],
            "count": count,
            "rows": tally.lines[code],
        }
        for code, count in tally.counts.items()
    ]


def remembered_options(answers: Mapping[str, str], mapping: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return the answers and columns by which an earlier ledger of the layout was read."""
    return {"answers": dict(answers), "mapping": dict(mapping)}
