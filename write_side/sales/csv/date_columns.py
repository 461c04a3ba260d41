"""How the dates of a table are read, and whether blank cells belong to the row above."""

from typing import TYPE_CHECKING

from write_side.sales.csv.cells import loosely
from write_side.sales.csv.dates import AmbiguousDates, DateFormat
from write_side.sales.csv.faults import Remark
from write_side.sales.csv.findings import Evidence, Findings

if TYPE_CHECKING:
    from collections.abc import Sequence

# Dates are written once a day if at least one in this many cells of the column is blank.
_ONE_IN = 20


def choose_date_format(known: Findings) -> DateFormat:
    """Return how dates are read, as the column proves or its owner says."""
    column = known.columns["date"]
    evidence, name = known.seen.dates[column], known.header[column]
    order = known.inquiry.answer("DATE_ORDER")
    if order in {"dmy", "mdy", "ymd"}:
        return evidence.chosen(order)  # type: ignore[arg-type]
    if evidence.half_converted:
        kept = evidence.day_first or evidence.month_first
        answer = known.inquiry.ask("HALF_CONVERTED", ("swap", "keep"), proposed="swap", columns=[name], values=(kept,))
        if answer == "swap":
            known.note(Remark.DATES_SWAPPED)
        return DateFormat(evidence.judged().order, swapped=answer == "swap")
    try:
        found = evidence.judged()
    except AmbiguousDates as error:
        answer = known.inquiry.ask("DATE_ORDER", error.choices, proposed="dmy", columns=[name], values=(error.example,))
        return evidence.chosen(answer)  # type: ignore[arg-type]
    if found.order != "ymd":
        known.evidence["date"] = Evidence(0.99, "EVIDENCE_DATES", (evidence.day_first or evidence.month_first,))
    return found


def choose_fill(known: Findings) -> str:
    """Return whether blank cells belong to the row above: an order's, or a day's."""
    date, receipt, product = known.columns["date"], known.columns.get("receipt"), known.columns["product"]
    blank = known.seen.blank[date]
    if receipt is not None:
        lower = [row for row in known.seen.sample if not row[date].strip() and row[product].strip()]
        if any(not row[receipt].strip() for row in lower) and blank:
            return "order"
        return "order" if _repeats(known, receipt) else ""
    if blank > 1 and blank * _ONE_IN > known.seen.rows:
        known.note(Remark.FILLED_FROM_ABOVE, known.header[date], str(blank))
        return "date"
    return ""


def _repeats(known: Findings, receipt: int) -> bool:
    """Return whether an order's further lines repeat its number and leave other cells of the order blank."""
    above: Sequence[str] = known.header
    order = [known.columns[field] for field in ("status", "customer", "payment") if field in known.columns]
    for row in known.seen.sample:
        same = row[receipt] and row[receipt] == above[receipt]
        if same and any(above[column].strip() and not row[column].strip() for column in order):
            return True
        above = row
    return False


def choose_utc(known: Findings) -> bool:
    """Ask whether times are UTC where the layout is one whose program exports them so."""
    if not any(loosely(name).startswith("orderlines") for name in known.header):
        return False
    date = known.columns["date"]
    if not any(":" in row[date] for row in known.seen.sample):
        return False
    answer = known.inquiry.ask("TIMES_IN", ("utc", "dhaka"), proposed="utc", columns=[known.header[date]])
    if answer == "utc":
        known.note(Remark.READ_AS_UTC)
    return answer == "utc"
