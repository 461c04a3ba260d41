"""How a sale was paid, as shops write it in English and Bangla."""

from typing import NamedTuple

from shared.domain.contacts import name_key
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.faults import Remark
from write_side.sales.csv.values import name

# Written as `loosely` leaves them. Credit is a sale on credit (baki), not a credit card.
METHODS: dict[str, tuple[str, ...]] = {
    "cash": ("cash", "cashpayment", "ক্যাশ", "নগদ", "নগদটাকা"),
    "bkash": ("bkash", "বিকাশ"),
    "nagad": ("nagad", "নগদমোবাইল", "নগদঅ্যাপ"),
    "rocket": ("rocket", "dbblrocket", "রকেট"),
    "card": ("card", "creditcard", "debitcard", "visa", "mastercard", "amex", "কার্ড", "ক্রেডিটকার্ড", "ডেবিটকার্ড"),
    "credit": ("credit", "oncredit", "baki", "due", "unpaid", "বাকি", "বাকী", "ক্রেডিট", "ধার"),
}
_METHOD_OF = {loosely(word): method for method, words in METHODS.items() for word in words}
_CASH_OR_NAGAD = "নগদ"


class Payment(NamedTuple):
    """A payment: the method (None where the cell was blank), its text where the method is `other`, and a doubt.

    mark: what tells this payment from others in a fingerprint. remark: what the owner should know.
    """

    method: str | None
    raw: str | None
    mark: str
    remark: Remark | None = None


def payment(cell: str) -> Payment:
    """Return the payment a cell names; raises BadCell INVALID_CHARACTER or NAME_TOO_LONG."""
    if not cell or cell.isspace():
        return Payment(None, None, "")
    text = name(cell)
    word = loosely(text)
    method = _METHOD_OF.get(word)
    if method:
        return Payment(method, None, method, Remark.NAGAD_OR_CASH if word == _CASH_OR_NAGAD else None)
    return Payment("other", text, "other:" + name_key(text))
