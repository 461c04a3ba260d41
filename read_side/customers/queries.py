"""Finds the keys of a page of customers: for each order, a statement that reads a range of an index."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from read_side.http.keyset_pagination import Start
from shared.domain.rules import churn
from shared.domain.rules.parameters import ChurnParameters

CERTAIN = 100
# The date that marks a score of 1 that no longer changes with time.
_PERMANENT = dt.date(1, 1, 1)
_MOST_DAYS = 10**6
_RISKY_KINDS = ("risky AND declining", "risky AND NOT declining")
_OTHER_KINDS = ("NOT risky AND declining", "NOT risky AND NOT declining")

_NAMED = """people CROSS JOIN LATERAL (SELECT risky FROM churn
    WHERE churn.business_id = people.business_id AND churn.id = people.id OFFSET 0) AS churned"""
_NAMED_OF_FEW = """(SELECT named.*
    FROM (SELECT id FROM churn WHERE business_id = %(business)s AND risky OFFSET 0) AS few
    CROSS JOIN LATERAL (SELECT business_id, id, sort_name FROM people
        WHERE business_id = %(business)s AND id = few.id LIMIT 1) AS named) AS people"""
# The customers at risk, or the others, in the order of an index.
_ONE_HALF = """SELECT {column} AS key, id FROM churn WHERE business_id = %(business)s AND {half} {range}
    ORDER BY {column} {way}, id {way} LIMIT %(reach)s"""
# The customers of one kind whose score is permanently 1, by id.
_CERTAIN = """SELECT 100 AS key, id FROM churn WHERE business_id = %(business)s AND {kind}
    AND scored_from = %(permanent)s::date {beyond} ORDER BY id {way} LIMIT %(reach)s"""
# The others, score by score: each score belongs to a few dates of the last visit. At most `reach` rows are read.
_UNCERTAIN = """SELECT percent AS key, id FROM (
        SELECT DISTINCT percent FROM unnest(%(percents)s::int[]) AS percent ORDER BY percent {way}) AS score
    CROSS JOIN LATERAL (
        SELECT churn.id FROM unnest(%(percents)s::int[], %(declining)s::bool[], %(oldest)s::date[], %(newest)s::date[])
            AS days(percent, declining, oldest, newest)
        CROSS JOIN LATERAL (SELECT id FROM churn WHERE business_id = %(business)s AND risky = ANY(%(risky)s::bool[])
            AND declining = days.declining AND scored_from BETWEEN days.oldest AND days.newest OFFSET 0) AS churn
        WHERE days.percent = score.percent
            AND (score.percent <> %(after)s::bigint OR churn.id {beyond} %(after_id)s) IS NOT FALSE
        ORDER BY churn.id {way} LIMIT %(reach)s) AS scored
    LIMIT %(reach)s"""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the list contains: all customers or only those at risk, the numbers of both, day and rule of the scores."""

    at_risk_only: bool
    customers: int
    at_risk: int
    today: dt.date
    rule: ChurnParameters = churn.DEFAULTS


def page(start: Start, selection: Selection, limit: int) -> tuple[str, dict[str, Any]]:
    """Return WITH items that end in `page` (key, id, n) as `Start.page` does, and their parameters."""
    parameters = start.parameters(limit)
    if start.order.name == "churn_score":
        reach = {"reach": parameters["offset"] + parameters["rows"]}
        return _by_score(start, selection), parameters | scores(start, selection) | reach
    where = "business_id = %(business)s"
    if start.order.name == "name":
        # Reading in the order of names passes over customers not at risk; if few are at risk, sorting them is cheaper.
        few = selection.at_risk_only and selection.at_risk**2 <= (start.offset + limit) * selection.customers
        if few:
            return start.page(_NAMED_OF_FEW, where), parameters
        return start.page(_NAMED, f"{where} AND risky" if selection.at_risk_only else where), parameters
    if selection.at_risk_only:
        return start.page("churn", f"{where} AND risky"), parameters
    return _everyone(start), parameters | {"reach": start.offset + limit + 1}


def _everyone(start: Start) -> str:
    column, way = start.order.column, start.order.direction
    parts = [
        _ONE_HALF.format(column=column, way=way, half=half, range=condition)
        for half in ("risky", "NOT risky")
        for condition in start.ranges()
    ]
    return _merged(parts, way)


def _merged(parts: Sequence[str], way: str) -> str:
    """Return the WITH items of a page merged from the first rows of several selects."""
    keys = " UNION ALL ".join(f"({part})" for part in parts)
    ordered = f"ORDER BY key {way} NULLS LAST, id {way}"
    return (
        f"keys AS MATERIALIZED (SELECT key, id FROM ({keys}) AS found"  # noqa: S608 - values are parameters
        f" {ordered} OFFSET %(offset)s LIMIT %(rows)s),\n"
        f"page AS MATERIALIZED (SELECT key, id, row_number() OVER ({ordered}) AS n FROM keys)"
    )


def _by_score(start: Start, selection: Selection) -> str:
    way, beyond = start.order.direction, "<" if start.order.descending else ">"
    parts = [_UNCERTAIN.format(way=way, beyond=beyond)]
    certain_after = start.after is not None and start.after[0] == CERTAIN
    if start.after is None or certain_after or not start.order.descending:
        condition = f"AND id {beyond} %(after_id)s" if certain_after else ""
        kinds = _RISKY_KINDS if selection.at_risk_only else (*_RISKY_KINDS, *_OTHER_KINDS)
        parts += [_CERTAIN.format(kind=kind, way=way, beyond=condition) for kind in kinds]
    return _merged(parts, way)


def scores(start: Start, selection: Selection) -> dict[str, Any]:
    """Return the scores from the start on, each with the days of the last visit that it belongs to."""
    scored = [s for s in _all_scores(selection.rule) if start.after is None or _not_before(s.percent, start)]
    day = selection.today.toordinal()
    return {
        "percents": [s.percent for s in scored],
        "declining": [s.declining for s in scored],
        "oldest": [dt.date.fromordinal(max(2, day - s.longest)) for s in scored],
        # A visit dated after today (clocks may differ) counts as today's.
        "newest": [dt.date.fromordinal(day - s.shortest) if s.shortest else dt.date.max for s in scored],
        "risky": [True] if selection.at_risk_only else [True, False],
        "permanent": _PERMANENT,
    }


def _all_scores(rule: ChurnParameters) -> Sequence[churn.Scored]:
    """Return the scores with their days since the last visit, also of rows whose score has since reached 1."""
    lately = [churn.Scored(CERTAIN, d, churn.certain_from(d, rule), _MOST_DAYS) for d in (False, True)]
    return [*churn.scored(rule), *lately]


def _not_before(percent: int, start: Start) -> bool:
    key = start.after[0] if start.after else None
    if not isinstance(key, int):
        return True
    return percent <= key if start.order.descending else percent >= key
