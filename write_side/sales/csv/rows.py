"""What the rows of a ledger say: sales, returns, purchases and expenses, or rows that are not taken over and why."""

import datetime as dt
from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from write_side.sales.csv.faults import BadCell, Fault, LeftOut
from write_side.sales.csv.words import KINDS, SALE

FINGERPRINT_SIZE = 12
# What tells a row of a kind from the same row as a sale.
MARKS = {kind: "" if kind == SALE else f"{kind}\x1f" for kind in KINDS}

# Returns what represents a person's name in a fingerprint: the same for the same name, and of no use without the key.
Mark = Callable[[str], str]


class LedgerRow(msgspec.Struct, frozen=True, gc=False):
    """A sale as the ledger records it, or a row of another kind: return, purchase, expense.

    row: physical line at which it starts; time: seconds since midnight in Dhaka, or None; product_key, customer_key:
    what spellings are compared by; phone: +8801…, if the file has such a column; quantity: thousandths; paisa: the
    line's total; payment: cash, bkash, nagad, rocket, card, credit, other or None; payment_raw: the text behind
    `other`; fingerprint: 12 bytes that tell this row, and which of its twins in the file it is; received: the paisa
    paid at once where the rest is owed, else None; former: day and fingerprint by which an earlier release knew the
    row, None where it is the same, or was not asked for. An expense has its description as product, and no quantity.
    """

    row: int
    date: dt.date
    time: int | None
    product: str
    product_key: str
    customer: str | None
    customer_key: str | None
    phone: str | None
    quantity: int
    paisa: int
    payment: str | None
    payment_raw: str | None
    fingerprint: bytes
    kind: str = SALE
    received: int | None = None
    former: tuple[dt.date, bytes] | None = None


class RejectedRow(msgspec.Struct, frozen=True):
    """A row that was not taken over: the column ("" for the whole row) and value at fault, why, the row's own cells.

    left_out: whether it can be read but is no entry of the books, e.g. a total. Value and cells are shortened to 200
    and 1,000 characters, and hold no NUL or lone surrogate.
    """

    row: int
    column: str
    value: str
    code: str
    cells: list[str]
    left_out: bool = False


Item = LedgerRow | RejectedRow


class LeaveOut(Exception):
    """The row is no entry of the books."""

    def __init__(self, reason: LeftOut, field: str = "") -> None:
        """Name the reason, and the field that shows it."""
        super().__init__(reason)
        self.reason, self.field = reason, field


class BadField(BadCell):
    """A cell, or what follows from several, that cannot be taken over."""

    def __init__(self, fault: Fault, field: str) -> None:
        """Name the field at fault."""
        super().__init__(fault)
        self.field = field


class Fingerprints:
    """Identifies the rows of one file: equal rows get fingerprints of their own, by their number in the file."""

    def __init__(self) -> None:
        """Start with no rows."""
        self._met: set[bytes] = set()
        self._twins: dict[bytes, int] = {}

    def of(self, content: str) -> bytes:
        """Return the fingerprint of the next row with this content."""
        return self.of_all([content])[0]

    def of_all(self, contents: Sequence[str]) -> list[bytes]:
        """Return the fingerprints of the next rows."""
        met, size = self._met, FINGERPRINT_SIZE
        found = [sha256(f"{content}1".encode()).digest()[:size] for content in contents]
        for place, fingerprint in enumerate(found):
            if fingerprint in met:
                found[place] = self._twin(fingerprint, contents[place])
            else:
                met.add(fingerprint)
        return found

    def _twin(self, fingerprint: bytes, content: str) -> bytes:
        occurrence = self._twins.get(fingerprint, 1) + 1
        self._twins[fingerprint] = occurrence
        return sha256(f"{content}{occurrence}".encode()).digest()[:FINGERPRINT_SIZE]
