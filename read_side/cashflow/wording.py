"""Amounts and dates as they stand in sentences, in the reader's digits."""

import datetime as dt

from shared.texts import Language

_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
_LAKH_GROUP = 2


def spoken(paisa: int, language: Language) -> str:
    """Return an amount in whole taka: ৳123,456 in English, ৳১,২৩,৪৫৬ in Bangla."""
    taka = (abs(paisa) + 50) // 100
    sign = "-" if paisa < 0 and taka else ""
    return sign + "৳" + (f"{taka:,}" if language == "en" else _grouped(str(taka)).translate(_DIGITS))


def number(value: int, language: Language) -> str:
    """Return a small number in the reader's digits."""
    return str(value) if language == "en" else str(value).translate(_DIGITS)


def day(date: dt.date, language: Language) -> str:
    """Return a date as year-month-day in the reader's digits."""
    return str(date) if language == "en" else str(date).translate(_DIGITS)


def _grouped(digits: str) -> str:
    """Return digits in lakhs and crores: the last three, and pairs before them."""
    head, groups = digits[:-3], [digits[-3:]]
    while head:
        groups.insert(0, head[-_LAKH_GROUP:])
        head = head[:-_LAKH_GROUP]
    return ",".join(groups)
