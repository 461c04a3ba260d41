"""How busy the demo shop is on a day: the rhythm of a week, the days wages are paid, the two Eids."""

import datetime as dt
from collections.abc import Mapping
from functools import cache

# Monday first: Friday is the day off on which families shop.
_WEEK = (0.9, 0.85, 0.95, 1.1, 1.5, 1.05, 0.9)
_PAYDAYS, _PAYDAY = 7, 1.15
_EVE_DAYS, _EVE, _AFTERWARDS = 10, 1.7, 0.7
_DAY = dt.timedelta(1)


def busyness(day: dt.date) -> float:
    """Return how many times as many baskets as usual leave the shop; 0 on the first day of an Eid: it is closed."""
    feasts = _eids(day.year)
    if day in feasts:
        return 0.0 if day - _DAY not in feasts else _AFTERWARDS
    wages = _PAYDAY if day.day <= _PAYDAYS else 1.0
    return _WEEK[day.weekday()] * wages * (1 + (_EVE - 1) * eve(day))


def eve(day: dt.date) -> float:
    """Return how near an Eid is: 1 on the day before it, less on earlier ones, 0 more than ten days before."""
    for ahead in range(1, _EVE_DAYS + 1):
        feast = day + _DAY * ahead
        if feast in _eids(feast.year):
            return 1 - (ahead - 1) / _EVE_DAYS
    return 0.0


@cache
def _eids(year: int) -> Mapping[dt.date, str]:
    """Return the days of both Eids as Bangladesh keeps them; those to come are astronomers' estimates."""
    import holidays  # noqa: PLC0415 - no process but the one that makes a demo shop has to carry it

    kept = holidays.country_holidays("BD", years=year, language="en_US")
    return {day: name for day, name in kept.items() if "Eid" in name and day.year == year}
