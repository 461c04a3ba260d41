"""The dates of a ledger: one order of day and month for the whole column, then one cell at a time."""

import datetime as dt
import re
from collections.abc import Iterable
from itertools import islice
from typing import Literal
from unicodedata import normalize

import msgspec

from write_side.sales.csv.cells import ascii_digits
from write_side.sales.csv.faults import BadCell, Fault

Order = Literal["dmy", "mdy", "ymd"]

# Bangladesh has kept UTC+6 but for the summer of 2009.
DHAKA = dt.timezone(dt.timedelta(hours=6))

_LONGEST = 64
_REMEMBERED = 10_000
_PIECE = 1_000
_LAST_MONTH = 12
_LAST_DAY = 31
_NOON = 12
_WIDEST_OFFSET = 14
_MONTHS = (
    ("january", "jan", "জানুয়ারি", "জানুয়ারী"),
    ("february", "feb", "ফেব্রুয়ারি", "ফেব্রুয়ারী"),
    ("march", "mar", "মার্চ"),
    ("april", "apr", "এপ্রিল"),
    ("may", "মে"),
    ("june", "jun", "জুন"),
    ("july", "jul", "জুলাই"),
    ("august", "aug", "আগস্ট", "অগাস্ট"),
    ("september", "sep", "sept", "সেপ্টেম্বর"),
    ("october", "oct", "অক্টোবর"),
    ("november", "nov", "নভেম্বর"),
    ("december", "dec", "ডিসেম্বর"),
)
_MONTH_NUMBERS = {normalize("NFC", name): number for number, names in enumerate(_MONTHS, 1) for name in names}

_TIME = (
    r"(?:(?:T|,?\s+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"(?:\s*(?P<half>[AP])\.?M\.?)?\s*(?P<zone>Z|(?P<sign>[+-])(?P<zh>[0-9]{2}):?(?P<zm>[0-9]{2})?)?)?"
)
_NUMERIC = re.compile(r"(?P<a>[0-9]{1,4})([-/.])(?P<b>[0-9]{1,2})\2(?P<c>[0-9]{1,4})" + _TIME, re.IGNORECASE)
_MONTH = r"(?P<month>[^\s0-9.,/-]{2,20})\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_NAMED = (
    re.compile(rf"{_DAY}[\s.,/-]*{_MONTH}[\s,/-]*{_YEAR}{_TIME}", re.IGNORECASE),
    re.compile(rf"{_MONTH}[\s/-]*{_DAY}(?:\s*,\s*|\s+|[/-]){_YEAR}{_TIME}", re.IGNORECASE),
)


class AmbiguousDates(Exception):
    """The column does not say which number is the day; `example` is a cell of it, `choices` are the ways to read it."""

    def __init__(self, example: str, choices: tuple[Order, ...] = ("dmy", "mdy")) -> None:
        """Keep what the question to the owner is made of."""
        super().__init__(example)
        self.example = example
        self.choices = choices


class DateFormat(msgspec.Struct, frozen=True):
    """How numeric dates that do not begin with the year are read; all other forms speak for themselves.

    order: "ymd" if there are no such dates. short_years: whether 01-10-25 is read, as 2025: only when the owner chose
    the order, since no column can prove it. swapped: whether day and month of dates that begin with the year are the
    other way around, since a spreadsheet took DD/MM for MM/DD where it could.
    """

    order: Order
    short_years: bool = False
    swapped: bool = False

    def read(self, cell: str) -> tuple[dt.date, int | None]:
        """Return the date and the seconds since midnight (None without a time), both in Dhaka.

        Read are YYYY-MM-DD, DD/MM/YYYY or MM/DD/YYYY (with - / or .), D Mon YYYY, Mon D, YYYY, each with an optional
        time, AM/PM, seconds and offset; digits may be Bangla. Raises BadCell: MISSING_VALUE, INVALID_DATE,
        TWO_DIGIT_YEAR.
        """
        text = ascii_digits(cell).strip()
        if not text:
            raise BadCell(Fault.MISSING_VALUE)
        if len(text) > _LONGEST:
            raise BadCell(Fault.INVALID_DATE)
        numeric = _NUMERIC.fullmatch(text)
        if numeric:
            return _moment(self._numbers(numeric), numeric)
        for form in _NAMED:
            named = form.fullmatch(text)
            month = named and _MONTH_NUMBERS.get(normalize("NFC", named["month"].casefold()))
            if named and month:
                return _moment((_full_year(named["year"]), month, int(named["day"])), named)
        raise BadCell(Fault.INVALID_DATE)

    def _numbers(self, numeric: re.Match[str]) -> tuple[int, int, int]:
        first, middle, last = numeric["a"], numeric["b"], numeric["c"]
        if len(first) == len("2025"):
            if len(last) > len("31"):
                raise BadCell(Fault.INVALID_DATE)
            return (int(first), int(last), int(middle)) if self.swapped else (int(first), int(middle), int(last))
        if max(len(first), len(last)) <= len("25") and not self.short_years:
            raise BadCell(Fault.TWO_DIGIT_YEAR)
        if len(first) > len("31") or len(last) not in {len("25"), len("2025")} or self.order == "ymd":
            raise BadCell(Fault.INVALID_DATE)
        day, month = (first, middle) if self.order == "dmy" else (middle, first)
        return _full_year(last), int(month), int(day)


def decide(cells: Iterable[str], choice: Order | None = None) -> DateFormat:
    """Return the date format that the whole column proves, or the owner's choice; raises as `DateEvidence.judged`."""
    evidence = DateEvidence()
    remaining = iter(cells)
    while piece := list(islice(remaining, _PIECE)):
        evidence.add_all(piece)
    return evidence.chosen(choice) if choice else evidence.judged()


class DateEvidence:
    """What the cells of a date column say together about the order of day and month."""

    def __init__(self) -> None:
        """Start with no cells."""
        self._seen: set[str] = set()
        self.day_first = ""
        self.month_first = ""
        self.either = ""
        self.same = False
        self.short = ""
        self.clear = False
        self.iso_low = 0
        self.iso_high = False

    def add_all(self, cells: Iterable[str]) -> None:
        """Take cells into account, each spelling once."""
        seen = self._seen
        new = [cell for cell in dict.fromkeys(cells) if cell not in seen]
        for cell in new:
            self._add(cell)
        if len(seen) + len(new) > _REMEMBERED:
            seen.clear()
        seen.update(new)

    def _add(self, cell: str) -> None:
        text = ascii_digits(cell).strip()
        numeric = _NUMERIC.fullmatch(text) if len(text) <= _LONGEST else None
        if not numeric or len(numeric["a"]) == len("2025"):
            self.clear = self.clear or _speaks_for_itself(text)
            if numeric:
                self._add_iso(int(numeric["b"]), int(numeric["c"]))
            return
        first, middle = int(numeric["a"]), int(numeric["b"])
        if len(numeric["c"]) != len("2025"):
            self.short = self.short or text
        elif _LAST_MONTH < first <= _LAST_DAY and middle <= _LAST_MONTH:
            self.day_first = self.day_first or text
        elif _LAST_MONTH < middle <= _LAST_DAY and first <= _LAST_MONTH:
            self.month_first = self.month_first or text
        elif first == middle <= _LAST_MONTH:
            self.same = True
        elif max(first, middle) <= _LAST_MONTH:
            self.either = self.either or text

    def _add_iso(self, month: int, day: int) -> None:
        if day > _LAST_MONTH:
            self.iso_high = True
        elif day != month:
            self.iso_low += 1

    @property
    def half_converted(self) -> bool:
        """Return whether a spreadsheet seems to have swapped day and month wherever both are at most 12.

        It turns what it can read in its own order into real dates, and leaves the others as they were typed.
        """
        left = bool(self.day_first) != bool(self.month_first)
        return left and self.iso_low > 0 and not self.iso_high and not self.either

    def chosen(self, choice: Order) -> DateFormat:
        """Return the format in the owner's order."""
        return DateFormat(choice, short_years=choice != "ymd")

    def judged(self) -> DateFormat:
        """Return the format that the cells prove; raises AmbiguousDates.

        A cell proves an order by a number above 12 in the day's place. Cells that prove opposite orders, cells of
        which none proves anything though the orders differ, and a column of two-digit years only are ambiguous.
        """
        if self.day_first and self.month_first:
            raise AmbiguousDates(self.either or self.month_first)
        if self.month_first:
            return DateFormat("mdy")
        if self.day_first:
            return DateFormat("dmy")
        if self.either:
            raise AmbiguousDates(self.either)
        if self.same:
            return DateFormat("dmy")
        if self.short and not self.clear:
            raise AmbiguousDates(self.short)
        return DateFormat("ymd")


def _speaks_for_itself(text: str) -> bool:
    try:
        DateFormat("ymd").read(text)
    except BadCell:
        return False
    return True


def _full_year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == len("25") else 0)


def _moment(date: tuple[int, int, int], match: re.Match[str]) -> tuple[dt.date, int | None]:
    try:
        day = dt.date(*date)
        if match["hour"] is None:
            return day, None
        local = dt.datetime.combine(day, _time_of_day(match))
        if match["zone"]:
            local = local.replace(tzinfo=_zone(match)).astimezone(DHAKA)
    except (ValueError, OverflowError):
        raise BadCell(Fault.INVALID_DATE) from None
    return local.date(), local.hour * 3600 + local.minute * 60 + local.second


def _time_of_day(match: re.Match[str]) -> dt.time:
    hour, half = int(match["hour"]), match["half"]
    if half:
        if not 1 <= hour <= _NOON:
            raise BadCell(Fault.INVALID_DATE)
        hour = hour % _NOON + (_NOON if half in "Pp" else 0)
    return dt.time(hour, int(match["minute"]), int(match["second"] or 0))


def _zone(match: re.Match[str]) -> dt.timezone:
    if not match["sign"]:
        return dt.UTC
    hours, minutes = int(match["zh"]), int(match["zm"] or 0)
    if hours > _WIDEST_OFFSET or minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        raise BadCell(Fault.INVALID_DATE)
    offset = dt.timedelta(hours=hours, minutes=minutes)
    return dt.timezone(-offset if match["sign"] == "-" else offset)
