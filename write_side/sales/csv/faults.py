"""What can be wrong, or worth knowing, about a ledger; each code has its texts in rows.toml."""

from enum import StrEnum

import msgspec

from write_side.sales.csv.cells import legible


class Fault(StrEnum):
    """Why a row was rejected."""

    MISSING_VALUE = "MISSING_VALUE"
    INVALID_DATE = "INVALID_DATE"
    TWO_DIGIT_YEAR = "TWO_DIGIT_YEAR"
    DATE_IN_FUTURE = "DATE_IN_FUTURE"
    DATE_TOO_OLD = "DATE_TOO_OLD"
    INVALID_NUMBER = "INVALID_NUMBER"
    TOO_MANY_DECIMALS = "TOO_MANY_DECIMALS"
    NEGATIVE_QUANTITY = "NEGATIVE_QUANTITY"
    QUANTITY_NOT_WHOLE = "QUANTITY_NOT_WHOLE"
    QUANTITY_OUT_OF_RANGE = "QUANTITY_OUT_OF_RANGE"
    NEGATIVE_AMOUNT = "NEGATIVE_AMOUNT"
    AMOUNT_OUT_OF_RANGE = "AMOUNT_OUT_OF_RANGE"
    PAID_DUE_MISMATCH = "PAID_DUE_MISMATCH"
    OVERPAID = "OVERPAID"
    RETURN_PAID_IN_PART = "RETURN_PAID_IN_PART"
    ORDER_DISCOUNT = "ORDER_DISCOUNT"
    PARTLY_REFUNDED = "PARTLY_REFUNDED"
    INVALID_CHARACTER = "INVALID_CHARACTER"
    TEXT_LOST = "TEXT_LOST"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    NOT_A_SALE = "NOT_A_SALE"
    STOCK_OUT_OF_RANGE = "STOCK_OUT_OF_RANGE"
    COST_OUT_OF_RANGE = "COST_OUT_OF_RANGE"
    SKU_TOO_LONG = "SKU_TOO_LONG"
    CODE_LOST = "CODE_LOST"
    TOO_FEW_CELLS = "TOO_FEW_CELLS"
    TOO_MANY_CELLS = "TOO_MANY_CELLS"
    AMOUNT_CUT = "AMOUNT_CUT"
    ROW_TOO_LONG = "ROW_TOO_LONG"
    UNCLOSED_QUOTE = "UNCLOSED_QUOTE"


class LeftOut(StrEnum):
    """Why a row that can be read is no entry in the books."""

    TOTAL_ROW = "TOTAL_ROW"
    CARRIED_ROW = "CARRIED_ROW"
    CANCELLED_ROW = "CANCELLED_ROW"
    REFUNDED_ROW = "REFUNDED_ROW"
    NOT_FINAL_ROW = "NOT_FINAL_ROW"
    MONEY_ROW = "MONEY_ROW"
    FREE_ROW = "FREE_ROW"
    REPEATED_HEADER = "REPEATED_HEADER"
    OTHER_TABLE = "OTHER_TABLE"
    LEFT_OUT_BY_ANSWER = "LEFT_OUT_BY_ANSWER"


class Remark(StrEnum):
    """What the owner should know about a file that is read all the same."""

    UNKNOWN_COLUMNS = "UNKNOWN_COLUMNS"
    RIVAL_COLUMNS = "RIVAL_COLUMNS"
    LINES_ABOVE_HEADER = "LINES_ABOVE_HEADER"
    AMOUNT_PERHAPS_CUT = "AMOUNT_PERHAPS_CUT"
    AMOUNT_CALCULATED = "AMOUNT_CALCULATED"
    AMOUNT_ROUNDED = "AMOUNT_ROUNDED"
    FOREIGN_CURRENCY = "FOREIGN_CURRENCY"
    NAGAD_OR_CASH = "NAGAD_OR_CASH"
    PHONE_UNREADABLE = "PHONE_UNREADABLE"
    PHONE_PLACEHOLDER = "PHONE_PLACEHOLDER"
    OPTIONAL_CELLS = "OPTIONAL_CELLS"
    PACKS_COUNTED = "PACKS_COUNTED"
    UNITS_APART = "UNITS_APART"
    FILLED_FROM_ABOVE = "FILLED_FROM_ABOVE"
    DATES_SWAPPED = "DATES_SWAPPED"
    READ_AS_UTC = "READ_AS_UTC"
    READ_DECIMAL_COMMA = "READ_DECIMAL_COMMA"
    MOJIBAKE_REPAIRED = "MOJIBAKE_REPAIRED"
    OWN_REPORT = "OWN_REPORT"
    OTHER_SHEETS = "OTHER_SHEETS"
    EXPENSES_BELOW = "EXPENSES_BELOW"
    COUNTS_ASSUMED = "COUNTS_ASSUMED"
    COUNTED_SAME_DAY = "COUNTED_SAME_DAY"
    BANGLA_CONVERTED = "BANGLA_CONVERTED"


class Notice(msgspec.Struct, frozen=True):
    """A remark, and the names, words or row numbers it is about: plain strings, fit to be recorded."""

    code: str
    values: tuple[str, ...] = ()

    @property
    def legible(self) -> "Notice":
        """Return the remark as it can be recorded and shown, whatever bytes the file has."""
        return Notice(self.code, tuple(legible(value) for value in self.values))


class BadCell(Exception):
    """A cell that cannot be read."""

    def __init__(self, fault: Fault) -> None:
        """Remember why."""
        super().__init__(fault)
        self.fault = fault
