"""What the words of a column Type, Status or Payment mean in one file; what is not known is asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from write_side.sales.csv import words
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.faults import BadCell, Fault, Notice
from write_side.sales.csv.profile import Profile, words_of
from write_side.sales.csv.questions import Inquiry, code_of

# Which columns say how much of a sale was paid: both, one of them, or none; "orders" where they say it per order.
PaymentFrom = Literal["", "paid_due", "paid", "due", "orders"]

KIND_OF = words.meanings(words.KINDS)
STATUS_OF = words.meanings(words.STATUSES)
_PENDING = frozenset(map(loosely, words.PENDING))
_PARTIAL = frozenset(map(loosely, words.STATUSES[words.PARTIAL]))
LEAVE_OUT = "leave_out"
# A column with more unknown words than these says something else.
_ASKED_AT_MOST = 6
_ROWS_SHOWN = 10


class Words(msgspec.Struct, frozen=True):
    """What cells of closed sets mean, by word as `loosely` compares them.

    kinds: of column Type; statuses: of column Status, values of words.STATUSES or `leave_out`; partial: how a payment
    that is called partial without an amount counts: credit, cash or leave_out; payment_from: see PaymentFrom.
    """

    kinds: Mapping[str, str] = msgspec.field(default_factory=lambda: KIND_OF)
    statuses: dict[str, str] = msgspec.field(default_factory=lambda: STATUS_OF)
    partial: str = ""
    payment_from: PaymentFrom = ""


def kind(cell: str, kinds: Mapping[str, str] = KIND_OF) -> str:
    """Return what a row is by its type, a key of words.KINDS; a sale where the cell is blank.

    Raises BadCell NOT_A_SALE for an unknown word.
    """
    word = loosely(cell)
    if not word:
        return words.SALE
    if word not in kinds:
        raise BadCell(Fault.NOT_A_SALE)
    return kinds[word]


class Meanings(NamedTuple):
    """The words of a file, and the fields whose columns turned out to hold something else."""

    words: Words
    unused: tuple[str, ...]
    notices: tuple[Notice, ...] = ()


def read_words(
    columns: Mapping[str, int], header: Sequence[str], seen: Profile, inquiry: Inquiry, payment_from: PaymentFrom
) -> Meanings:
    """Return what the words of a file mean."""
    unused = []
    kinds = _kinds(columns["type"], header, seen, inquiry) if "type" in columns else KIND_OF
    if kinds is None:
        unused.append("type")
    statuses = STATUS_OF
    if "status" in columns:
        found = _statuses(columns, header, seen, inquiry, payment_from)
        if found is None:
            unused.append("status")
        else:
            statuses = found
    partial = _partial(columns, header, seen, inquiry, payment_from)
    return Meanings(Words(kinds or KIND_OF, statuses, partial, payment_from), tuple(unused))


def _kinds(column: int, header: Sequence[str], seen: Profile, inquiry: Inquiry) -> Mapping[str, str] | None:
    """Return the meaning of each type, None where the column has other words: kinds of goods, as its owner says."""
    found = words_of(seen.values[column])
    if not found or any(word in KIND_OF for word in found):
        return KIND_OF
    if len(found) > _ASKED_AT_MOST:
        return None
    texts = {word: _text(seen, column, word) for word in found}
    answer = inquiry.ask(
        "TYPE_COLUMN",
        ("goods", "entries"),
        proposed="goods",
        columns=[header[column]],
        rows=_rows(seen, column, next(iter(found))),
        values=[", ".join(texts.values())],
    )
    return None if answer == "goods" else KIND_OF | _kinds_of(found, texts, column, header, seen, inquiry)


def _kinds_of(
    found: Counter[str],
    texts: Mapping[str, str],
    column: int,
    header: Sequence[str],
    seen: Profile,
    inquiry: Inquiry,
) -> dict[str, str]:
    """Return what each word says of its rows, as the owner answers."""
    return {
        word: inquiry.ask(
            code_of("TYPE", text),
            (words.SALE, words.RETURN, words.PURCHASE, words.EXPENSE, LEAVE_OUT),
            proposed=words.SALE,
            columns=[header[column]],
            rows=_rows(seen, column, word),
            values=[text, str(found[word])],
        )
        for word, text in texts.items()
    }


def _text(seen: Profile, column: int, word: str) -> str:
    """Return a word as the file writes it first."""
    return next(cell.strip() for cell in seen.values[column] if loosely(cell) == word)


def _statuses(
    columns: Mapping[str, int], header: Sequence[str], seen: Profile, inquiry: Inquiry, payment_from: PaymentFrom
) -> dict[str, str] | None:
    """Return the meaning of each status, None where the column is none of statuses."""
    column = columns["status"]
    found = words_of(seen.values[column])
    unknown = [word for word in found if word not in STATUS_OF]
    if len(unknown) > _ASKED_AT_MOST or len(unknown) == len(found) > _ASKED_AT_MOST // 2:
        return None
    of_payment = any(word in loosely(header[column]) for word in ("financial", "payment"))
    statuses = dict(STATUS_OF)
    for word in unknown:
        if word in _PENDING and of_payment:
            statuses[word] = words.ON_CREDIT
            continue
        text = _text(seen, column, word)
        proposed = LEAVE_OUT if word in _PENDING else words.SALE
        statuses[word] = inquiry.ask(
            code_of("STATUS", text),
            (words.SALE, words.ON_CREDIT, LEAVE_OUT),
            proposed=proposed,
            columns=[header[column]],
            rows=_rows(seen, column, word),
            values=[text, str(found[word])],
        )
    if payment_from:  # the amounts say how much was paid
        statuses |= {
            word: words.SALE for word, meaning in statuses.items() if meaning in {words.ON_CREDIT, words.PARTIAL}
        }
    return statuses


def _partial(
    columns: Mapping[str, int], header: Sequence[str], seen: Profile, inquiry: Inquiry, payment_from: PaymentFrom
) -> str:
    """Return what a payment called partial counts as; asked only where one is and no column has the amount."""
    for field in ("payment", "status"):
        column = columns.get(field)
        if column is None or payment_from:
            continue
        word = next((word for word in words_of(seen.values[column]) if word in _PARTIAL), None)
        if word:
            return inquiry.ask(
                "PARTIAL_PAYMENT",
                (words.ON_CREDIT, "cash", LEAVE_OUT),
                proposed=words.ON_CREDIT,
                columns=[header[column]],
                rows=_rows(seen, column, word),
            )
    return ""


def _rows(seen: Profile, column: int, word: str) -> list[int]:
    lines = (line for line, row in zip(seen.lines, seen.sample, strict=True) if loosely(row[column]) == word)
    return [line for line, _ in zip(lines, range(_ROWS_SHOWN), strict=False)]
