"""Scores and churn risk of customers, and what is needed to compute both for any later day.

A row changes by itself only on `next_change_on`: what a passing day changes evenly (days of silence, the score that
grows with them) is computed at reading.
"""

import datetime as dt
import functools
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import EPOCH_DAY, Facts, Row
from shared.domain.rules import calibration, churn, registry, rfm, rhythm
from shared.domain.rules.parameters import ChurnParameters
from shared.domain.rules.rhythm import Visits
from shared.eventstore.rule_versions import Rules, RuleVersion

RULES = ("rfm", "churn", "returning")
NEVER = dt.date(9999, 12, 31)
# `scored_from` of a customer whose score is 1 on any day: an order by score needs no more.
CERTAIN = dt.date(1, 1, 1)


class Churn(NamedTuple):
    """A row of `churn`: a customer who was not merged into another one.

    visits: days with a purchase; last_at: seconds as in `local_seconds`; usual_gap: twice the median days between
    visits; flips: the days on which `declining` changes if nobody comes; scored_from: the day silence is counted from.
    """

    business_id: int
    id: int
    sales: int
    visits: int
    paisa: int
    last_at: int | None
    last_on: dt.date | None
    usual_gap: int | None
    warmth: int | None
    return_rank: int | None
    recency: int
    frequency: int
    monetary: int
    segment: str
    risky: bool
    declining: bool
    flips: list[dt.date]
    level: str
    scored_from: dt.date
    rules: str
    next_change_on: dt.date


MEMBERS = Table("customer_ids", ("business_id", "id"), changes={"merged_into": "set"})
VISITS = Table("visits", ("business_id", "customer_id", "date", "second"), changes={"sales": "add", "paisa": "add"})
CHURN = Table("churn", Churn._fields[:2], changes=dict.fromkeys(Churn._fields[2:], "set"))
TOTALS = Table(
    "churn_totals",
    ("business_id",),
    changes=dict.fromkeys(rfm.SEGMENTS, "add") | dict.fromkeys(("horizon", "intercept", "slope", "scoring"), "set"),
)

# The columns before this one depend on purchases only: no passing day changes them.
_BOUGHT = Churn._fields.index("recency")
Integers = npt.NDArray[np.int64]


class _Scale(NamedTuple):
    """The rules as tables: recency scores by days of silence, segments by the sum of the scores.

    turns: the days of silence on which a row changes by itself, for customers who are not declining and who are.
    """

    versions: str
    churn: ChurnParameters
    recency: list[int]
    segments: list[str]
    turns: list[list[int]]


@functools.lru_cache(64)
def _scale(*chosen: RuleVersion) -> _Scale:
    of_rfm, of_churn, _ = (c.parameters for c in chosen)
    last = rfm.turning_days(of_rfm)[-1]
    return _Scale(
        " ".join(c.version for c in chosen),
        of_churn,
        rfm.recency_scores(np.arange(last + 1), of_rfm).tolist(),
        [rfm.SEGMENTS[i] for i in rfm.segments(np.arange(3 * rfm.BEST + 1), of_rfm).tolist()],
        [sorted({*rfm.turning_days(of_rfm), *churn.turning_days(declining, of_churn)}) for declining in (False, True)],
    )


def derive(facts: Facts, today: dt.date, rules: Rules, deltas: Deltas) -> None:
    """Compute a row per customer who was not merged into another, and their sums."""
    scale, returning = _scale(*map(rules.__getitem__, RULES)), rules["returning"].parameters
    members = facts.rows(MEMBERS)
    merged = {customer: into for customer, into in members if into is not None}
    ids, visits, sums = _visits(facts.rows(VISITS), merged)
    found: list[Churn] = []
    if len(ids):
        warmths = calibration.warmths(visits, returning)
        found = _bought(facts.business_id, np.vstack([ids, sums, warmths]), visits, today, scale)
        curve = calibration.fit(visits, returning)
        horizon = dt.date.fromordinal(int(visits.day.max()))
        deltas.merge(TOTALS, (facts.business_id,), horizon=horizon, **(curve._asdict() if curve else {}))
    bought = set(ids.tolist())
    idle = {customer for customer, _ in members} - merged.keys() - bought
    found += [_idle(facts.business_id, customer, scale) for customer in sorted(idle)]
    if found:
        deltas.merge(TOTALS, (facts.business_id,), scoring=registry.BOOK.to_text(rules, ("churn", "returning")))
    for row in found:
        deltas.put(CHURN, row)
        _count(deltas, facts.business_id, row.segment, 1)


def age(rows: Sequence[Row], today: dt.date, rules: Rules, deltas: Deltas) -> None:
    """Update rows of `churn` to a later day."""
    scale = _scale(*map(rules.__getitem__, RULES))
    for row in rows:
        before = Churn(*row)
        after = _as_of(before, today, scale)
        deltas.put(CHURN, after)
        if after.segment != before.segment:
            _count(deltas, before.business_id, before.segment, -1)
            _count(deltas, before.business_id, after.segment, 1)


def _bought(business_id: int, known: Integers, visits: Visits, today: dt.date, scale: _Scale) -> list[Churn]:
    """Return the rows of customers with visits; `known` are their ids, sales, paisa, last times and warmths."""
    gaps, warmths = rhythm.doubled_gaps(visits), known[-1]
    declining, flips = rhythm.declining(visits, gaps, today.toordinal())
    scores = [rfm.relative_scores(values).tolist() for values in (warmths, visits.counts, known[2])]
    numbers = (*known[:-1], visits.counts, visits.last, gaps, warmths)
    table = zip(*(column.tolist() for column in numbers), *scores, declining.tolist(), flips, strict=True)
    date = dt.date.fromordinal
    rows = (
        Churn(
            business_id,
            customer,
            sales,
            count,
            paisa,
            last_at,
            date(last),
            None if gap < 0 else gap,
            warmth,
            rank,
            0,
            frequency,
            monetary,
            "",
            False,  # noqa: FBT003 - the value of a column
            turned,
            [date(turn) for turn in turns],
            "",
            CERTAIN,
            "",
            NEVER,
        )
        for customer, sales, paisa, last_at, count, last, gap, warmth, rank, frequency, monetary, turned, turns in table
    )
    return [_as_of(row, today, scale) for row in rows]


def _visits(rows: Sequence[Row], merged: dict[int, int]) -> tuple[Integers, Visits, Integers]:
    """Return ids and visits of customers, and per customer sales, paisa and the last time."""
    kept = [(merged.get(who, who), on.toordinal(), n, paisa, second) for who, on, second, n, paisa in rows if n > 0]
    table: Integers = np.array(kept, dtype=np.int64).reshape(-1, 5).T
    table[4] += (table[1] - EPOCH_DAY) * 86_400
    table = table[:, np.lexsort((table[1], table[0]))]
    if table.shape[1]:
        first = np.flatnonzero((np.diff(table[0], prepend=-1) != 0) | (np.diff(table[1], prepend=-1) != 0))
        table = np.vstack([table[:2, first], np.add.reduceat(table[2:4], first, 1), _greatest(table[4], first)])
    ids, owner = np.unique(table[0], return_inverse=True)
    returned = _returned(rows, merged, ids)
    visits = Visits(owner, table[1], len(ids))
    if not len(ids):
        return ids, visits, table[2:]
    begin = np.cumsum(visits.counts) - visits.counts
    sums = np.add.reduceat(table[2:4], begin, 1)
    sums[1] += returned
    return ids, visits, np.vstack([sums, _greatest(table[4], begin)])


def _returned(rows: Sequence[Row], merged: dict[int, int], ids: Integers) -> Integers:
    """Return, for each customer in `ids`, the paisa of times without a sale: below zero for returns."""
    found = np.zeros(len(ids), dtype=np.int64)
    places = {customer: place for place, customer in enumerate(ids.tolist())}
    for who, _, _, sales, paisa in rows:
        place = places.get(merged.get(who, who))
        if sales <= 0 and paisa and place is not None:
            found[place] += paisa
    return found


def _greatest(values: Integers, begin: Integers) -> Integers:
    return np.maximum.reduceat(values, begin)


def _idle(business_id: int, customer: int, scale: _Scale) -> Churn:
    """Return the row of a customer without sales, or with voided ones only: the highest risk."""
    segment = scale.segments[3]
    return Churn(
        business_id,
        customer,
        0,
        0,
        0,
        None,
        None,
        None,
        None,
        None,
        1,
        1,
        1,
        segment,
        segment in rfm.AT_RISK,
        False,  # noqa: FBT003 - the value of a column
        [],
        churn.HIGH,
        CERTAIN,
        scale.versions,
        NEVER,
    )


def _as_of(row: Churn, today: dt.date, scale: _Scale) -> Churn:
    """Return the row as of a day; the columns that depend on purchases are unchanged."""
    if row.last_on is None:
        return row
    passed = bisect_right(row.flips, today)
    flips, declining = row.flips[passed:], row.declining ^ (passed % 2 == 1)
    days = (today - row.last_on).days
    recency = scale.recency[min(max(days, 0), len(scale.recency) - 1)]
    segment = scale.segments[recency + row.frequency + row.monetary]
    certain = days >= churn.certain_from(declining, scale.churn)
    turn = _turn(row.last_on, days, scale.turns[declining])
    return Churn._make(
        (
            *row[:_BOUGHT],
            recency,
            row.frequency,
            row.monetary,
            segment,
            segment in rfm.AT_RISK,
            declining,
            flips,
            churn.level(days, declining, scale.churn),
            CERTAIN if certain else row.last_on,
            scale.versions,
            min(turn, flips[0]) if flips else turn,
        )
    )


def _turn(last_on: dt.date, days: int, turns: Sequence[int]) -> dt.date:
    """Return the next day on which silence alone changes the row."""
    turn = bisect_right(turns, days)
    return last_on + dt.timedelta(turns[turn]) if turn < len(turns) else NEVER


def _count(deltas: Deltas, business_id: int, segment: str, change: int) -> None:
    changes: dict[str, Any] = {segment: change}
    deltas.merge(TOTALS, (business_id,), **changes)
