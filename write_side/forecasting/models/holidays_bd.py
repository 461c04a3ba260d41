"""The days of Bangladesh that move a shop's sales, as named stretches around each holiday.

To edit a stretch, change its line in STRETCHES. A stretch is one effect for all of its days, not one per day: a
history carries each of them once or twice a year.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple


class Stretch(NamedTuple):
    """Days from `begin` to `end`, counted from a holiday's first day, that share one effect."""

    name: str
    holiday: str
    begin: int
    end: int


# The Durga Puja ends on Dussehra, which the library knows of India only, and in these years.
_PUJA_YEARS = range(2001, 2036)
EID_AL_FITR, EID_AL_ADHA, DURGA_PUJA = "Eid al-Fitr", "Eid al-Adha", "Dussehra"
STRETCHES: tuple[Stretch, ...] = (
    Stretch("ramadan", EID_AL_FITR, -29, -11),
    Stretch("eid_al_fitr_shopping", EID_AL_FITR, -10, -1),
    Stretch("eid_al_fitr", EID_AL_FITR, 0, 2),
    Stretch("eid_al_fitr_after", EID_AL_FITR, 3, 6),
    Stretch("eid_al_adha_shopping", EID_AL_ADHA, -7, -1),
    Stretch("eid_al_adha", EID_AL_ADHA, 0, 2),
    Stretch("eid_al_adha_after", EID_AL_ADHA, 3, 6),
    Stretch("durga_puja_shopping", DURGA_PUJA, -10, -5),
    Stretch("durga_puja", DURGA_PUJA, -4, 0),
    Stretch("pohela_boishakh_shopping", "Bengali New Year's Day", -5, -1),
    Stretch("pohela_boishakh", "Bengali New Year's Day", 0, 0),
    Stretch("national_day", "Martyrs' Day and International Mother Language Day", 0, 0),
    Stretch("national_day", "Independence Day", 0, 0),
    Stretch("national_day", "May Day", 0, 0),
    Stretch("national_day", "July Mass Uprising Day", 0, 0),
    Stretch("national_day", "Victory Day", 0, 0),
)


def days(first: dt.date, last: dt.date, stretches: Sequence[Stretch] = STRETCHES) -> list[tuple[dt.date, str]]:
    """Return each day from `first` to `last` that is within a stretch, with the stretch's name, in order."""
    years = range(first.year - 1, last.year + 2)
    found = {
        (day, stretch.name)
        for stretch in stretches
        for year in years
        for start in _starts(year).get(stretch.holiday, ())
        for day in _span(start, stretch)
        if first <= day <= last
    }
    return sorted(found)


def _span(start: dt.date, stretch: Stretch) -> Iterator[dt.date]:
    return (start + dt.timedelta(days=n) for n in range(stretch.begin, stretch.end + 1))


@lru_cache(maxsize=64)
def _starts(year: int) -> dict[str, tuple[dt.date, ...]]:
    """Return the first day of each holiday's runs in a year; the moon's days are estimated where not announced yet."""
    import holidays  # noqa: PLC0415 - processes that only read forecasts must not load calendars

    named: dict[str, list[dt.date]] = {}
    home = holidays.country_holidays("BD", years=year, language="en_US")
    puja = holidays.country_holidays("IN", years=year, language="en_US") if year in _PUJA_YEARS else {}
    both = [*home.items(), *((day, names) for day, names in puja.items() if DURGA_PUJA in names)]
    for day, names in sorted(both):
        for name in names.split("; "):
            named.setdefault(name.removesuffix(" (estimated)"), []).append(day)
    return {
        name: tuple(day for day in found if day - dt.timedelta(days=1) not in found) for name, found in named.items()
    }
