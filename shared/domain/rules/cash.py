"""Projects a shop's cash balance day by day, with a band and the risk of falling below the owner's threshold.

Balance = previous balance + takings + collected baki - recurring and planned expenses - other outflows. Takings are
the means of each weekday over the last eight weeks of data, other outflows their daily mean; unknown amounts count as 0
and are reported as unknown. Money is integer paisa.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from shared.domain.rules.cash_flows import Day, Flow, Parameters, Situation, cushion, flows, length, takings_per_day
from shared.domain.rules.chances import Floats, band, chance_below, deviations, paths
from shared.domain.rules.recurring import Recurring, due_dates

VERSION = "cash.v1"
_DAY = dt.timedelta(1)


class Step(NamedTuple):
    """A future day with its closing balance; `low` and `high` are None if the variation of takings is unknown."""

    date: dt.date
    flow: Flow
    balance: int
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Outlook:
    """The projection; `risk` (0 to 1) and `level` are None if there is not enough data to assess them."""

    steps: Sequence[Step]
    threshold: int
    takings_known: bool
    risk: float | None
    level: str | None
    critical_on: dt.date | None
    cushion: int | None
    strayed: Floats | None

    def risk_with(self, changes: Mapping[dt.date, int]) -> float | None:
        """Return the risk with these additional inflows per day; None if the risk is unknown."""
        if self.risk is None or self.strayed is None:
            return self.risk
        more = list(accumulate(changes.get(step.date, 0) for step in self.steps))
        expected = np.array([step.balance for step in self.steps], dtype=np.int64) + np.array(more, dtype=np.int64)
        return chance_below(expected, self.strayed, self.threshold)


def project(situation: Situation, days: int, parameters: Parameters | None = None) -> Outlook:
    """Return the projection of the next `days` days; an unknown balance starts at 0 and has no risk."""
    chosen = parameters or Parameters()
    takings = takings_per_day(situation, days, chosen)
    to_come = flows(situation, days, takings, chosen)
    balances = list(accumulate((f.inflows - f.outflows for f in to_come), initial=situation.balance or 0))[1:]
    strayed = None if takings is None else paths(_past(situation, chosen), days)
    steps = [Step(flow.date, flow, balance) for flow, balance in zip(to_come, balances, strict=True)]
    if strayed is not None:
        steps = _banded(steps, strayed, chosen)
    risk = _risk(situation, balances, strayed)
    level = None if risk is None else "low" if risk < chosen.medium else "high" if risk > chosen.high else "medium"
    critical = next((step.date for step in steps if step.balance < situation.threshold), None)
    return Outlook(
        steps,
        situation.threshold,
        takings is not None,
        risk,
        level,
        None if risk is None else critical,
        cushion(situation, chosen),
        strayed,
    )


def current_balance(
    opening: int, opened_on: dt.date, moved: int, recurring: Sequence[Recurring], today: dt.date
) -> int:
    """Return the balance at the end of `today`, from that at the start of `opened_on`.

    `moved` is the sum of inflows less outflows since then, without recurring expenses.
    """
    return opening + moved - sum(what.amount * len(due_dates(what, opened_on, today)) for what in recurring)


def _past(situation: Situation, chosen: Parameters) -> Floats:
    """Return the deviations of takings less outflows on the last days of data."""
    last = situation.last_sale or situation.as_of
    days = min(length(situation.first_sale, last), chosen.deviation_days)
    first = last - _DAY * (days - 1)
    known = [situation.days.get(first + _DAY * k, Day()) for k in range(days)]
    return deviations(np.array([day.takings - day.spent for day in known], dtype=np.int64), first.weekday())


def _banded(steps: Sequence[Step], strayed: Floats, chosen: Parameters) -> list[Step]:
    low, high = (np.rint(edge).astype(np.int64) for edge in band(strayed, chosen.band))
    return [
        step._replace(low=step.balance + int(low[k]), high=step.balance + int(high[k])) for k, step in enumerate(steps)
    ]


def _risk(situation: Situation, balances: Sequence[int], strayed: Floats | None) -> float | None:
    """Return the chance of a balance below the threshold; without a band only if it is below already."""
    if situation.balance is None:
        return None
    if strayed is None:
        return 1.0 if situation.balance < situation.threshold else None
    return chance_below(np.array(balances, dtype=np.int64), strayed, situation.threshold)
