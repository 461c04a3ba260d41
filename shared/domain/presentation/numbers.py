"""Formats amounts, numbers and dates for texts, in Bangla or English digits."""

import datetime as dt
from decimal import Decimal

from shared.texts import Language

_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
_MONTHS = (
    "জানুয়ারি",
    "ফেব্রুয়ারি",
    "মার্চ",
    "এপ্রিল",
    "মে",
    "জুন",
    "জুলাই",
    "আগস্ট",
    "সেপ্টেম্বর",
    "অক্টোবর",
    "নভেম্বর",
    "ডিসেম্বর",
)
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
    """Return a date: 2025-11-18, ১৮ নভেম্বর ২০২৫."""
    return str(date) if language == "en" else f"{short_day(date, language)} {number(date.year, language)}"


def short_day(date: dt.date, language: Language) -> str:
    """Return a date without its year: Nov 18, ১৮ নভেম্বর."""
    if language == "en":
        return f"{date:%b} {date.day}"
    return f"{number(date.day, language)} {_MONTHS[date.month - 1]}"


def quantity(thousandths: int, language: Language) -> str:
    """Return a quantity without trailing zeros, in the reader's digits."""
    plain = f"{Decimal(thousandths).scaleb(-3).normalize():f}"
    return plain if language == "en" else plain.translate(_DIGITS)


def _grouped(digits: str) -> str:
    """Return digits grouped in lakhs and crores: the last three, and pairs before them."""
    head, groups = digits[:-3], [digits[-3:]]
    while head:
        groups.insert(0, head[-_LAKH_GROUP:])
        head = head[:-_LAKH_GROUP]
    return ",".join(groups)
