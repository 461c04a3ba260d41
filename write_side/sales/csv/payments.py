"""How a sale was paid: the method, and how much of it was paid at once."""

import re
from typing import NamedTuple

from shared.domain.contacts import name_key
from write_side.sales.csv import words
from write_side.sales.csv.cells import ascii_digits, loosely
from write_side.sales.csv.faults import BadCell, Fault, Remark
from write_side.sales.csv.values import Decimals, name, signed_amount

CREDIT = "credit"

_METHOD_OF = words.meanings(words.METHODS)
_PARTIAL = frozenset(map(loosely, words.STATUSES[words.PARTIAL]))
_CASH_OR_NAGAD = "নগদ"
# "Cash 1000 + Due 2000": two methods, each with its amount.
_SPLIT = re.compile(
    r"(?P<a>[^0-9+]+?)[\s:=-]*(?P<x>[0-9][0-9.,]*)\s*[+,;&/]\s*(?P<b>[^0-9+]+?)[\s:=-]*(?P<y>[0-9][0-9.,]*)"
)


class Payment(NamedTuple):
    """A payment: the method (None where the cell was blank), its text where the method is `other`, and a doubt.

    mark: what tells this payment from others in a fingerprint. remark: what the owner should know. parts: paisa paid
    and paisa owed where the cell has both. partial: whether only a part was paid, without saying how much.
    """

    method: str | None
    raw: str | None
    mark: str
    remark: Remark | None = None
    parts: tuple[int, int] | None = None
    partial: bool = False


def payment(cell: str) -> Payment:
    """Return the payment a cell names; raises BadCell INVALID_CHARACTER or NAME_TOO_LONG."""
    if not cell or cell.isspace():
        return Payment(None, None, "")
    text = name(cell)
    word = loosely(text)
    method = _METHOD_OF.get(word)
    if method:
        return Payment(method, None, method, Remark.NAGAD_OR_CASH if word == _CASH_OR_NAGAD else None)
    if word in words.NOTHING:
        return Payment(None, None, "")
    if word in _PARTIAL:
        return Payment(CREDIT, None, "partial", partial=True)
    return _split(text) or Payment("other", text, "other:" + name_key(text))


def _split(text: str) -> Payment | None:
    found = _SPLIT.fullmatch(ascii_digits(text))
    if not found:
        return None
    methods = [_METHOD_OF.get(loosely(found[part])) for part in "ab"]
    try:
        amounts = [signed_amount(found[part]) for part in "xy"]
    except BadCell:
        return None
    if None in methods or methods.count(CREDIT) != 1:
        return None
    owed = amounts[methods.index(CREDIT)]
    paid = sum(amounts) - owed
    method = methods[1 - methods.index(CREDIT)]
    return Payment(method, None, f"{method}+{paid}", parts=(paid, owed))


class Settled(NamedTuple):
    """How one sale was paid: `received` are the paisa paid at once where only a part was, else None."""

    method: str | None
    raw: str | None
    mark: str
    received: int | None = None


def settled(found: Payment, paisa: int, paid: int | None, owed: int | None) -> Settled:
    """Return how a sale of `paisa` was paid, given what columns say was paid and is owed (None where they say nothing).

    Raises BadCell PAID_DUE_MISMATCH where the parts are not the whole.
    """
    if found.parts and paid is None and owed is None:
        paid, owed = found.parts
    if paid is None and owed is None:
        return Settled(found.method, found.raw, found.mark)
    if paid is None:
        paid = paisa - abs(owed or 0)
    paid, owed = abs(paid), abs(owed) if owed is not None else paisa - abs(paid)
    if abs(paid + owed - paisa) > 1 or paid > paisa or owed < 0:
        raise BadCell(Fault.PAID_DUE_MISMATCH)
    if not owed:
        whole = paisa if found.method == CREDIT else None
        return Settled(found.method, found.raw, found.mark, whole)
    if not paid:
        return Settled(CREDIT, None, CREDIT)
    mark = found.mark if found.parts else f"{found.mark}+{paid}"
    return Settled(found.method, found.raw, mark, paisa - owed)


def amount_or_none(cell: str, decimals: Decimals) -> int | None:
    """Return the paisa in a cell of what was paid or is owed, None for a blank one; refuses as `signed_amount` does."""
    if loosely(cell) in words.NOTHING:
        return None
    return signed_amount(cell, decimals)
