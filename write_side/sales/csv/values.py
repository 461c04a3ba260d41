"""Numbers and names in cells: amounts in paisa, quantities in thousandths, names as shown and as compared."""

import re
import unicodedata
from typing import Literal

from shared.domain.contacts import FORBIDDEN, MAX_NAME
from write_side.sales.csv import words
from write_side.sales.csv.cells import ascii_digits, loosely
from write_side.sales.csv.faults import BadCell, Fault

MAX_SKU = 100

# What separates the decimals of a column's numbers: a comma, a point as the column proves, or a point unless there are
# exactly three digits behind it, which may as well be thousands.
Decimals = Literal["comma", "point", "unproven"]

_LONGEST_NUMBER = 40
_LEAST_PAISA = 100
_LARGEST_PAISA = 10_000_000_00
_LARGEST_QUANTITY = 1_000_000
_LARGEST_STOCK = 1_000_000_000
_ONE = 1_000
# A number with at least this many decimals was calculated by a spreadsheet, not typed.
_CALCULATED = 6
_PLACES = 2
_HALF = 0.5
# So near to a whole paisa a spreadsheet's arithmetic ends, e.g. 12.299999999.
_NOISE = 0.01

_CURRENCY = r"(?:৳|tk\.?|bdt|taka|টাকা|[$€£₹]|rs\.?)"
_FOREIGN = re.compile(r"[$€£₹]|rs", re.IGNORECASE)
_DIGITS = r"(?P<whole>[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3})(?:\.(?P<places>[0-9]+))?"
_COMMA_DIGITS = r"(?P<whole>[0-9]+|[1-9][0-9]{0,2}(?:[. ][0-9]{3})+)(?:,(?P<places>[0-9]+))?"


def _money(digits: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:(?P<minus>-)\s*(?:{_CURRENCY}\s*)?|(?:{_CURRENCY}\s*)?(?P<minus_after>-)?|(?P<open>\()\s*(?:{_CURRENCY}\s*)?)"
        rf"{digits}\s*(?:{_CURRENCY}|/[-=])?(?P<side>\s*(?:Cr|Dr)\.?)?(?P<close>\))?",
        re.IGNORECASE,
    )


_MONEY: dict[Decimals, re.Pattern[str]] = {
    "unproven": _money(_DIGITS),
    "point": _money(_DIGITS),
    "comma": _money(_COMMA_DIGITS),
}
_NUMBER: dict[Decimals, re.Pattern[str]] = {
    "unproven": re.compile(rf"(?P<minus>-)?{_DIGITS}"),
    "point": re.compile(rf"(?P<minus>-)?{_DIGITS}"),
    "comma": re.compile(rf"(?P<minus>-)?{_COMMA_DIGITS}"),
}

# An apostrophe by which spreadsheets, and our own reports, mark text that begins like a formula.
_TEXT_MARK = re.compile(r"'[=+\-@\t\r]")
_LOST = re.compile(r"[?\s.,-]*\?\?[?\s.,-]*")
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?E[+-]?[0-9]{1,3}", re.IGNORECASE)


def signed_amount(cell: str, decimals: Decimals = "unproven", minus_side: str = "c") -> int:
    """Return paisa up to 10,000,000.00 taka either way; below zero by a minus, parentheses, or a side behind it.

    minus_side: "c" where `Cr` behind an amount means that it is given back, "d" where `Dr` does.

    Bangla digits, 1,23,456.50 and 123,456.50, and currency signs before or after are understood. Raises BadCell:
    MISSING_VALUE, INVALID_NUMBER, TOO_MANY_DECIMALS, AMOUNT_OUT_OF_RANGE.
    """
    number = _matched(_MONEY[decimals], cell)
    if bool(number["open"]) != bool(number["close"]):
        raise BadCell(Fault.INVALID_NUMBER)
    paisa = _scaled(number, 2, decimals)
    if paisa > _LARGEST_PAISA:
        raise BadCell(Fault.AMOUNT_OUT_OF_RANGE)
    below = number["minus"] or number["minus_after"] or number["open"] or _side(number) == minus_side
    return -paisa if below else paisa


def amount(cell: str) -> int:
    """Return paisa, 1.00 to 10,000,000.00 taka; refuses as `signed_amount` does, or NEGATIVE_AMOUNT."""
    paisa = signed_amount(cell)
    if paisa < 0 or cell.strip().startswith(("-", "\N{MINUS SIGN}")):
        raise BadCell(Fault.NEGATIVE_AMOUNT)
    if paisa < _LEAST_PAISA:
        raise BadCell(Fault.AMOUNT_OUT_OF_RANGE)
    return paisa


def is_rounded(cell: str, decimals: Decimals) -> bool:
    """Return whether an amount that `signed_amount` reads had a part of a paisa that somebody may miss."""
    places = _matched(_MONEY[decimals], cell)["places"] or ""
    return len(places) > _PLACES and _NOISE <= _fraction(places[_PLACES:]) <= 1 - _NOISE


def is_foreign(cell: str) -> bool:
    """Return whether an amount has the sign of another currency."""
    return _FOREIGN.search(cell) is not None


def whole_quantity(cell: str) -> int:
    """Return thousandths of a whole quantity, 1 to 1,000; refuses as `weighed_quantity` does, or QUANTITY_NOT_WHOLE."""
    return checked_quantity(_positive(cell), fractions=False)


def weighed_quantity(cell: str) -> int:
    """Return thousandths of a quantity with up to three places, above 0 and at most 1,000.

    Raises BadCell: MISSING_VALUE, INVALID_NUMBER, NEGATIVE_QUANTITY, TOO_MANY_DECIMALS, QUANTITY_OUT_OF_RANGE.
    """
    return checked_quantity(_positive(cell), fractions=True)


def checked_quantity(thousandths: int, *, fractions: bool) -> int:
    """Return a quantity that a sale may have; raises BadCell QUANTITY_NOT_WHOLE or QUANTITY_OUT_OF_RANGE."""
    if thousandths % _ONE and not fractions:
        raise BadCell(Fault.QUANTITY_NOT_WHOLE)
    if not 0 < thousandths <= _LARGEST_QUANTITY:
        raise BadCell(Fault.QUANTITY_OUT_OF_RANGE)
    return thousandths


def signed_quantity(cell: str, decimals: Decimals = "unproven") -> int:
    """Return thousandths; raises BadCell MISSING_VALUE, INVALID_NUMBER or TOO_MANY_DECIMALS."""
    number = _matched(_NUMBER[decimals], cell)
    thousandths = _scaled(number, 3, decimals)
    return -thousandths if number["minus"] else thousandths


def is_weighed(unit: str) -> bool:
    """Return whether a unit (kg, g, l, ml, m in English or Bangla) is sold in fractions."""
    return loosely(unit) in words.WEIGHED


def stock(cell: str) -> int | None:
    """Return thousandths of a stock from 0 to 1,000,000 with up to three places, None for a cell that says nothing.

    Raises BadCell: INVALID_NUMBER, TOO_MANY_DECIMALS, STOCK_OUT_OF_RANGE.
    """
    if _says_nothing(cell):
        return None
    number = _matched(_NUMBER["unproven"], cell)
    thousandths = _scaled(number, 3, "unproven")
    if (number["minus"] and thousandths) or thousandths > _LARGEST_STOCK:
        raise BadCell(Fault.STOCK_OUT_OF_RANGE)
    return thousandths


def cost(cell: str) -> int | None:
    """Return paisa, 0.01 to 10,000,000.00 taka, written as amounts are; None for a cell that says nothing.

    Raises BadCell: INVALID_NUMBER, TOO_MANY_DECIMALS, COST_OUT_OF_RANGE.
    """
    if _says_nothing(cell):
        return None
    number = _matched(_MONEY["unproven"], cell)
    paisa = _scaled(number, 2, "unproven")
    if number["minus"] or number["minus_after"] or number["open"] or not 0 < paisa <= _LARGEST_PAISA:
        raise BadCell(Fault.COST_OUT_OF_RANGE)
    return paisa


def sku(cell: str) -> str | None:
    """Return a product code as it is shown, at most 100 characters, None for a cell that says nothing.

    Raises BadCell: INVALID_CHARACTER, SKU_TOO_LONG, and CODE_LOST for a code that a spreadsheet turned into a number.
    """
    if _says_nothing(cell):
        return None
    if len(cell) > MAX_NAME:
        raise BadCell(Fault.SKU_TOO_LONG)
    text = name(cell)
    if len(text) > MAX_SKU:
        raise BadCell(Fault.SKU_TOO_LONG)
    if _SCIENTIFIC.fullmatch(text):
        raise BadCell(Fault.CODE_LOST)
    return text


def name(cell: str) -> str:
    """Return a name as it is shown: NFC, trimmed, white space collapsed, 1 to 255 characters of any script.

    Raises BadCell: MISSING_VALUE, INVALID_CHARACTER, NAME_TOO_LONG, and TEXT_LOST for what a spreadsheet left of it.
    """
    if FORBIDDEN.search(cell):
        raise BadCell(Fault.INVALID_CHARACTER)
    text = " ".join(unicodedata.normalize("NFC", cell).split())
    if not text:
        raise BadCell(Fault.MISSING_VALUE)
    if len(text) > MAX_NAME:
        raise BadCell(Fault.NAME_TOO_LONG)
    if text[0] in "#'?" and (text.casefold() in words.SPREADSHEET_ERRORS or is_lost(text)):
        raise BadCell(Fault.TEXT_LOST)
    return text[1:] if text[0] == "'" and _TEXT_MARK.match(text) else text


def is_lost(text: str) -> bool:
    """Return whether nothing but question marks is left of a name."""
    return _LOST.fullmatch(text) is not None


def is_placeholder(number: str) -> bool:
    """Return whether a phone number is one that tills want and nobody has: 01700000000, 01234567890."""
    return len(set(number[-8:])) == 1 or number.endswith("34567890")


def _side(number: re.Match[str]) -> str:
    return (number["side"] or "").strip()[:1].casefold()


def _says_nothing(cell: str) -> bool:
    return (
        not cell
        or cell.isspace()
        or loosely(cell) in words.NOTHING
        or cell.strip().casefold() in words.SPREADSHEET_ERRORS
    )


def _positive(cell: str) -> int:
    thousandths = signed_quantity(cell)
    if thousandths < 0 or cell.strip().startswith(("-", "\N{MINUS SIGN}")):
        raise BadCell(Fault.NEGATIVE_QUANTITY)
    return thousandths


def _matched(form: re.Pattern[str], cell: str) -> re.Match[str]:
    text = ascii_digits(cell).replace("\N{MINUS SIGN}", "-").strip()
    if not text:
        raise BadCell(Fault.MISSING_VALUE)
    number = form.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if not number:
        raise BadCell(Fault.INVALID_NUMBER)
    return number


def _scaled(number: re.Match[str], places: int, decimals: Decimals) -> int:
    """Return a number in units of its last place; more digits must be a spreadsheet's.

    One more digit is one that somebody typed, and may be thousands (1.005), so it is refused, as is what lies within a
    hundredth of a half. Zeros say nothing.
    """
    digits = number["places"] or ""
    whole = re.sub("[., ]", "", number["whole"])
    if len(digits) <= places:
        return int(whole + digits.ljust(places, "0"))
    if decimals == "unproven" and len(digits) < _CALCULATED:
        raise BadCell(Fault.TOO_MANY_DECIMALS)
    kept, rest = int(whole + digits[:places]), _fraction(digits[places:])
    if len(digits.rstrip("0")) == places + 1 or abs(rest - _HALF) < _NOISE:
        raise BadCell(Fault.TOO_MANY_DECIMALS)
    return kept + (rest > _HALF)


def _fraction(digits: str) -> float:
    return float(f"0.{digits}")
