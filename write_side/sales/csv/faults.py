"""What can be wrong, or worth knowing, about a ledger that is read; each code has its text in rows.toml."""

from enum import StrEnum

import msgspec


class Fault(StrEnum):
    """Why a row was not taken over."""

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
    INVALID_CHARACTER = "INVALID_CHARACTER"
    NAME_TOO_LONG = "NAME_TOO_LONG"
    NOT_A_SALE = "NOT_A_SALE"
    STOCK_OUT_OF_RANGE = "STOCK_OUT_OF_RANGE"
    COST_OUT_OF_RANGE = "COST_OUT_OF_RANGE"
    SKU_TOO_LONG = "SKU_TOO_LONG"
    TOO_FEW_CELLS = "TOO_FEW_CELLS"
    TOO_MANY_CELLS = "TOO_MANY_CELLS"
    AMOUNT_CUT = "AMOUNT_CUT"
    ROW_TOO_LONG = "ROW_TOO_LONG"
    UNCLOSED_QUOTE = "UNCLOSED_QUOTE"


class Remark(StrEnum):
    """What the owner should know about a file that is read all the same."""

    UNKNOWN_COLUMNS = "UNKNOWN_COLUMNS"
    RIVAL_COLUMNS = "RIVAL_COLUMNS"
    AMOUNT_PERHAPS_CUT = "AMOUNT_PERHAPS_CUT"
    NAGAD_OR_CASH = "NAGAD_OR_CASH"
    PHONE_UNREADABLE = "PHONE_UNREADABLE"


class Notice(msgspec.Struct, frozen=True):
    """A remark, and the names or words it is about; `code` is a plain string, fit to be recorded."""

    code: str
    values: tuple[str, ...] = ()


class BadCell(Exception):
    """A cell that cannot be read."""

    def __init__(self, fault: Fault) -> None:
        """Remember why."""
        super().__init__(fault)
        self.fault = fault
