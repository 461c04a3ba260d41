"""Which customers a page of the list shows: for each order, the statement that finds its keys along an index."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from read_side.http.keyset_pagination import Start
from shared.domain.rules import churn
from shared.domain.rules.parameters import ChurnParameters

CERTAIN = 100
# How the tables mark that a score is 1 for good.
_FOR_GOOD = dt.date(1, 1, 1)
_MOST_DAYS = 10**6
_RISKY_KINDS = ("risky AND declining", "risky AND NOT declining")
_OTHER_KINDS = ("NOT risky AND declining", "NOT risky AND NOT declining")

_NAMED = """people CROSS JOIN LATERAL (SELECT risky FROM churn
    WHERE churn.business_id = people.business_id AND churn.id = people.id OFFSET 0) AS standing"""
_NAMED_OF_FEW = """(SELECT named.*
    FROM (SELECT id FROM churn WHERE business_id = %(business)s AND risky OFFSET 0) AS few
    CROSS JOIN LATERAL (SELECT business_id, id, sort_name FROM people
        WHERE business_id = %(business)s AND id = few.id LIMIT 1) AS named) AS people"""
# Customers who are at risk, or who are not, along an index.
_ONE_HALF = """SELECT {column} AS key, id FROM churn WHERE business_id = %(business)s AND {half} {stretch}
    ORDER BY {column} {way}, id {way} LIMIT %(reach)s"""
# Customers of one kind whose score is 1 for good, by id.
_CERTAIN = """SELECT 100 AS key, id FROM churn WHERE business_id = %(business)s AND {kind}
    AND scored_from = %(for_good)s::date {beyond} ORDER BY id {way} LIMIT %(reach)s"""
# The others: score by score, each of which a few days of last visits have, and as many as the page may reach to.
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
class Wanted:
    """What the list shall hold: everyone or those at risk only, of so many each, scored as of a day by a rule."""

    at_risk_only: bool
    customers: int
    at_risk: int
    today: dt.date
    rule: ChurnParameters = churn.DEFAULTS


def page(start: Start, wanted: Wanted, limit: int) -> tuple[str, dict[str, Any]]:
    """Return WITH items that end in `page` (key, id, n) as `Start.page` does, and their parameters."""
    parameters = start.parameters(limit)
    if start.order.name == "churn_score":
        return _by_score(start, wanted), parameters | _scores(start, wanted, parameters)
    where = "business_id = %(business)s"
    if start.order.name == "name":
        # Walking along the names meets one at risk every so often; where they are few, they are sorted instead.
        few = wanted.at_risk_only and wanted.at_risk**2 <= (start.offset + limit) * wanted.customers
        if few:
            return start.page(_NAMED_OF_FEW, where), parameters
        return start.page(_NAMED, f"{where} AND risky" if wanted.at_risk_only else where), parameters
    if wanted.at_risk_only:
        return start.page("churn", f"{where} AND risky"), parameters
    return _everyone(start), parameters | {"reach": start.offset + limit + 1}


def _everyone(start: Start) -> str:
    column, way = start.order.column, start.order.way
    parts = [
        _ONE_HALF.format(column=column, way=way, half=half, stretch=stretch)
        for half in ("risky", "NOT risky")
        for stretch in start.stretches()
    ]
    return _merged(parts, way)


def _merged(parts: Sequence[str], way: str) -> str:
    """Return the WITH items of the page that lies within the beginnings of several stretches."""
    keys = " UNION ALL ".join(f"({part})" for part in parts)
    return (
        f"keys AS MATERIALIZED (SELECT key, id FROM ({keys}) AS found"  # noqa: S608  (values are parameters)
        f" ORDER BY key {way}, id {way} OFFSET %(offset)s LIMIT %(rows)s),\n"
        f"page AS MATERIALIZED (SELECT key, id, row_number() OVER (ORDER BY key {way}, id {way}) AS n FROM keys)"
    )


def _by_score(start: Start, wanted: Wanted) -> str:
    way, beyond = start.order.way, "<" if start.order.descending else ">"
    parts = [_UNCERTAIN.format(way=way, beyond=beyond)]
    certain_after = start.after is not None and start.after[0] == CERTAIN
    if start.after is None or certain_after or not start.order.descending:
        stretch = f"AND id {beyond} %(after_id)s" if certain_after else ""
        kinds = _RISKY_KINDS if wanted.at_risk_only else (*_RISKY_KINDS, *_OTHER_KINDS)
        parts += [_CERTAIN.format(kind=kind, way=way, beyond=stretch) for kind in kinds]
    return _merged(parts, way)


def _scores(start: Start, wanted: Wanted, parameters: dict[str, Any]) -> dict[str, Any]:
    scored = [s for s in _all_scores(wanted.rule) if start.after is None or _not_before(s.percent, start)]
    day = wanted.today.toordinal()
    return {
        "percents": [s.percent for s in scored],
        "declining": [s.declining for s in scored],
        "oldest": [dt.date.fromordinal(max(2, day - s.longest)) for s in scored],
        # Who came after today, as a clock elsewhere may have it, came today.
        "newest": [dt.date.fromordinal(day - s.shortest) if s.shortest else dt.date.max for s in scored],
        "risky": [True] if wanted.at_risk_only else [True, False],
        "for_good": _FOR_GOOD,
        "reach": parameters["offset"] + parameters["rows"],
    }


def _all_scores(rule: ChurnParameters) -> Sequence[churn.Scored]:
    """Return who shows which score, those included whose score has become 1 since their row was written."""
    lately = [churn.Scored(CERTAIN, d, churn.certain_from(d, rule), _MOST_DAYS) for d in (False, True)]
    return [*churn.scored(rule), *lately]


def _not_before(percent: int, start: Start) -> bool:
    key = start.after[0] if start.after else None
    if not isinstance(key, int):
        return True
    return percent <= key if start.order.descending else percent >= key
