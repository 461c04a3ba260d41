"""Numbers, names and kinds of rows: amounts in paisa, quantities in thousandths, names as shown and compared."""

import re
import unicodedata

from shared.domain.contacts import FORBIDDEN, MAX_NAME
from write_side.sales.csv.cells import ascii_digits, loosely
from write_side.sales.csv.faults import BadCell, Fault

MAX_SKU = 100
SALE, RETURN, PURCHASE, EXPENSE = "sale", "return", "purchase", "expense"

_LONGEST_NUMBER = 40
_LARGEST_PAISA = 10_000_000_00
_LARGEST_QUANTITY = 1_000_000
_LARGEST_STOCK = 1_000_000_000
_ONE = 1_000

_CURRENCY = r"(?:৳|tk\.?|bdt|taka|টাকা)"
_DIGITS = r"(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3})(?:\.(?P<places>[0-9]+))?"
_NUMBER = re.compile(rf"(?P<minus>-)?{_DIGITS}")
_MONEY = re.compile(
    rf"(?:(?P<minus>-)\s*(?:{_CURRENCY}\s*)?|(?:{_CURRENCY}\s*)?(?P<minus_after>-)?){_DIGITS}"
    rf"\s*(?:{_CURRENCY}|/[-=])?",
    re.IGNORECASE,
)

_WEIGHED = frozenset(
    {
        "kg",
        "kgs",
        "kilo",
        "kilogram",
        "kilograms",
        "g",
        "gm",
        "gms",
        "gram",
        "grams",
        "l",
        "ltr",
        "litre",
        "litres",
        "liter",
        "liters",
        "ml",
        "millilitre",
        "milliliter",
        "m",
        "mtr",
        "metre",
        "metres",
        "meter",
        "meters",
        "কেজি",
        "কিলোগ্রাম",
        "কিলো",
        "গ্রাম",
        "লিটার",
        "মিলিলিটার",
        "মিটার",
    }
)
# Written as `loosely` leaves them.
KINDS: dict[str, tuple[str, ...]] = {
    SALE: ("sale", "sales", "sell", "sold", "বিক্রি", "বিক্রয়"),
    RETURN: ("return", "returns", "returned", "salesreturn", "salereturn", "refund", "ফেরত", "ফেরৎ", "বিক্রয়ফেরত"),
    PURCHASE: ("purchase", "purchases", "purchased", "buy", "bought", "ক্রয়", "কেনা", "কেনাকাটা", "খরিদ"),
    EXPENSE: ("expense", "expenses", "cost", "spending", "খরচ", "ব্যয়"),
}
_KIND_OF = {loosely(word): kind for kind, words in KINDS.items() for word in words}


def amount(cell: str) -> int:
    """Return paisa, 1.00 to 10,000,000.00 taka.

    Bangla digits, 1,23,456.50 and 123,456.50, and ৳, Tk, BDT, টাকা before or after are understood. Raises BadCell:
    MISSING_VALUE, INVALID_NUMBER, NEGATIVE_AMOUNT, TOO_MANY_DECIMALS, AMOUNT_OUT_OF_RANGE.
    """
    number = _matched(_MONEY, cell)
    if number["minus"] or number["minus_after"]:
        raise BadCell(Fault.NEGATIVE_AMOUNT)
    paisa = _scaled(number, 2)
    if not 100 <= paisa <= _LARGEST_PAISA:  # noqa: PLR2004
        raise BadCell(Fault.AMOUNT_OUT_OF_RANGE)
    return paisa


def whole_quantity(cell: str) -> int:
    """Return thousandths of a whole quantity, 1 to 1,000; refuses as `weighed_quantity` does, or QUANTITY_NOT_WHOLE."""
    thousandths = _thousandths(cell)
    if thousandths % _ONE:
        raise BadCell(Fault.QUANTITY_NOT_WHOLE)
    if not _ONE <= thousandths <= _LARGEST_QUANTITY:
        raise BadCell(Fault.QUANTITY_OUT_OF_RANGE)
    return thousandths


def weighed_quantity(cell: str) -> int:
    """Return thousandths of a quantity with up to three places, above 0 and at most 1,000.

    Raises BadCell: MISSING_VALUE, INVALID_NUMBER, NEGATIVE_QUANTITY, TOO_MANY_DECIMALS, QUANTITY_OUT_OF_RANGE.
    """
    thousandths = _thousandths(cell)
    if not 0 < thousandths <= _LARGEST_QUANTITY:
        raise BadCell(Fault.QUANTITY_OUT_OF_RANGE)
    return thousandths


def is_weighed(unit: str) -> bool:
    """Return whether a unit (kg, g, l, ml, m in English or Bangla) is sold in fractions."""
    return loosely(unit) in _WEIGHED


def kind(cell: str) -> str:
    """Return what a row is: sale (also where the cell is blank), return, purchase, expense; raises NOT_A_SALE."""
    word = loosely(cell)
    if not word:
        return SALE
    if word not in _KIND_OF:
        raise BadCell(Fault.NOT_A_SALE)
    return _KIND_OF[word]


def stock(cell: str) -> int | None:
    """Return thousandths of a stock from 0 to 1,000,000 with up to three places, None for a blank cell.

    Raises BadCell: INVALID_NUMBER, TOO_MANY_DECIMALS, STOCK_OUT_OF_RANGE.
    """
    if _blank(cell):
        return None
    number = _matched(_NUMBER, cell)
    thousandths = _scaled(number, 3)
    if (number["minus"] and thousandths) or thousandths > _LARGEST_STOCK:
        raise BadCell(Fault.STOCK_OUT_OF_RANGE)
    return thousandths


def cost(cell: str) -> int | None:
    """Return paisa, 0.01 to 10,000,000.00 taka, written as amounts are; None for a blank cell.

    Raises BadCell: INVALID_NUMBER, TOO_MANY_DECIMALS, COST_OUT_OF_RANGE.
    """
    if _blank(cell):
        return None
    number = _matched(_MONEY, cell)
    paisa = _scaled(number, 2)
    if number["minus"] or number["minus_after"] or not 0 < paisa <= _LARGEST_PAISA:
        raise BadCell(Fault.COST_OUT_OF_RANGE)
    return paisa


def sku(cell: str) -> str | None:
    """Return a product code as it is shown, at most 100 characters, None for a blank cell.

    Raises BadCell: INVALID_CHARACTER, SKU_TOO_LONG.
    """
    if _blank(cell):
        return None
    if len(cell) > MAX_NAME:
        raise BadCell(Fault.SKU_TOO_LONG)
    text = name(cell)
    if len(text) > MAX_SKU:
        raise BadCell(Fault.SKU_TOO_LONG)
    return text


def name(cell: str) -> str:
    """Return a name as it is shown: NFC, trimmed, white space collapsed, 1 to 255 characters of any script.

    Raises BadCell: MISSING_VALUE, INVALID_CHARACTER, NAME_TOO_LONG.
    """
    if FORBIDDEN.search(cell):
        raise BadCell(Fault.INVALID_CHARACTER)
    text = " ".join(unicodedata.normalize("NFC", cell).split())
    if not text:
        raise BadCell(Fault.MISSING_VALUE)
    if len(text) > MAX_NAME:
        raise BadCell(Fault.NAME_TOO_LONG)
    return text


def _blank(cell: str) -> bool:
    return not cell or cell.isspace()


def _thousandths(cell: str) -> int:
    number = _matched(_NUMBER, cell)
    if number["minus"]:
        raise BadCell(Fault.NEGATIVE_QUANTITY)
    return _scaled(number, 3)


def _matched(form: re.Pattern[str], cell: str) -> re.Match[str]:
    text = ascii_digits(cell).replace("\N{MINUS SIGN}", "-").strip()
    if not text:
        raise BadCell(Fault.MISSING_VALUE)
    number = form.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if not number:
        raise BadCell(Fault.INVALID_NUMBER)
    return number


def _scaled(number: re.Match[str], places: int) -> int:
    decimals = number["places"] or ""
    if len(decimals) > places:
        raise BadCell(Fault.TOO_MANY_DECIMALS)
    return int(number["whole"].replace(",", "") + decimals.ljust(places, "0"))
