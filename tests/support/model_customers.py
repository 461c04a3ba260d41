"""What the read model `customers` must hold, worked out customer by customer, day by day: no vectors, no ageing."""

import datetime as dt
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.events.cashflow import OpeningDebtRecorded
from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import (
    CustomersAdded,
    MovementsRecorded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadCompleted,
    UploadFailed,
)
from shared.domain.events.uploads import UploadUndone
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.system_events import DayCorrected, DayOpened, RuleActivated
from tests.support.model_undo import remaining

Row = dict[str, Any]
Tables = dict[str, list[Row]]
People = Mapping[str, Mapping[str, str | None]]
DETAILS = ("name", "phone", "email", "address", "notes")
SEGMENTS = ("dormant", "at_risk", "potential", "loyal", "champion")
SETTLING = (UploadCompleted, UploadFailed, UploadUndone, SaleRecorded, SaleVoided, CustomersMerged, OpeningDebtRecorded)
_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - the clock in Dhaka
_DHAKA = ZoneInfo("Asia/Dhaka")
RULES = ("rfm", "churn", "returning")
_GIVEN: Row = {
    "recency_days": [7, 30, 60, 120],
    "segment_tenths": [17, 27, 37, 47],
    "year": 365,
    "declining_adds": 30,
    "silent_days": 60,
    "silent_score": 61,
    "medium_from": 30,
    "high_above": 60,
    "half_life": 180,
}
_READ: dict[str, Row] = {
    "churn": {},
    "returning": {"half_life": 180, "ahead": 90, "least_days": 180, "before": 60, "cases": 10},
}
_NEVER, _CERTAIN = dt.date(9999, 12, 31), dt.date(1, 1, 1)


class Came(NamedTuple):
    """One customer's purchases on one day."""

    customer: int
    date: dt.date
    sales: int
    paisa: int
    last_at: int | None


def customers(history: Sequence[RecordedEvent], people: People) -> Tables:
    """Return the tables of the projection `customers`; the days are those of `history`."""
    tables: Tables = defaultdict(list)
    days = [(r.position, r.event) for r in history if isinstance(r.event, DayOpened | DayCorrected)]
    corrected = [position for position, event in days if isinstance(event, DayCorrected)]
    changes = [(r.position, r.event) for r in history if isinstance(r.event, RuleActivated) and r.event.rule in RULES]
    rules = _rules([event for _, event in changes])
    for business in sorted({r.business_id for r in history if r.business_id is not None}):
        own = [r for r in history if r.business_id == business]
        left = remaining(own)
        tables["people"] += _people(left, people, business)
        tables["customer_ids"] += [{"business_id": business, "id": i, "merged_into": m} for i, m in _members(left)]
        tables["visits"] += [{"business_id": business, **row} for row in _visits(left)]
        settled = [r for r in own if isinstance(r.event, SETTLING)]
        if settled:
            # A rule that changes, or a day that is corrected, recomputes everything, of who had anything.
            moved = [*(at for at, _ in changes), *corrected]
            as_of = max([settled[-1].position, *(at for at in moved if at > settled[0].position)])
            known = remaining([r for r in own if r.position <= as_of])
            churn = _churn(known, business, _today(settled[-1], days), rules)
            tables["churn"] += churn
            tables["churn_totals"] += _totals(known, churn, business, rules)
    return dict(tables)


def _rules(activated: Sequence[RuleActivated]) -> Row:
    """Return every parameter that holds, the versions as rows show them, and what is kept for scoring at reading."""
    versions = {name: f"{name}.v1" for name in RULES}
    rules = dict(_GIVEN)
    reported: Row = {}
    for event in activated:
        rules |= event.parameters
        versions[event.rule] = event.version
        if event.rule in _READ:
            reported[event.rule] = [event.version, _READ[event.rule] | event.parameters]
    scoring = json.dumps(reported, sort_keys=True) if reported else None
    return rules | {"rules": " ".join(versions.values()), "scoring": scoring}


def _today(settled: RecordedEvent, days: list[tuple[int, DayOpened | DayCorrected]]) -> dt.date:
    before = [event.date for position, event in days if position < settled.position]
    today = before[-1] if before else settled.recorded_at.astimezone(_DHAKA).date()
    for position, event in days:
        if position > settled.position:
            today = event.date if isinstance(event, DayCorrected) else max(today, event.date)
    return today


def _people(own: Sequence[RecordedEvent], people: People, business: int) -> list[Row]:
    found: dict[int, Row] = {}
    for event, number, sealed in _sealed_customers(own):
        row = found.setdefault(number, {"business_id": business, "id": number, **dict.fromkeys(DETAILS)})
        if isinstance(event, CustomerDataErased):
            row |= dict.fromkeys(DETAILS)
            continue
        row |= {d: v for d, v in people.get(sealed, {}).items() if d in DETAILS and v is not None}
    return [row | {"sort_name": None if row["name"] is None else row["name"].casefold()} for row in found.values()]


def _sealed_customers(own: Sequence[RecordedEvent]) -> list[tuple[Event, int, str]]:
    reported: list[tuple[Event, int, str]] = []
    for recorded in own:
        event = recorded.event
        if isinstance(event, CustomersAdded):
            reported += [(event, c.id, c.sealed) for c in event.customers]
        if isinstance(event, CustomerDetailsChanged):
            reported.append((event, event.customer_id, event.sealed))
        if isinstance(event, CustomerDataErased):
            reported += [(event, number, "") for number in (event.customer_id, *event.merged_ids)]
    return reported


def _members(own: Sequence[RecordedEvent]) -> list[tuple[int, int | None]]:
    members: dict[int, int | None] = {
        number: None for event, number, _ in _sealed_customers(own) if isinstance(event, CustomersAdded)
    }
    members |= _merged(own)
    return list(members.items())


def _merged(own: Sequence[RecordedEvent]) -> dict[int, int]:
    return {m: r.event.customer_id for r in own if isinstance(r.event, CustomersMerged) for m in r.event.merged_ids}


def _moments(own: Sequence[RecordedEvent]) -> dict[tuple[int, dt.date, int], list[tuple[int, int]]]:
    """Return the sales and paisa of each customer by date and second."""
    moments: dict[tuple[int, dt.date, int], list[tuple[int, int]]] = defaultdict(list)
    for recorded in own:
        event = recorded.event
        sales: Sequence[Any] = event.sales if isinstance(event, SalesBatchRecorded) else []
        for back in event.movements if isinstance(event, MovementsRecorded) else []:
            if back.kind == "return" and back.customer_id is not None:
                moments[back.customer_id, back.date, back.time or 0].append((0, -back.paisa))
        lines: list[Any] = [*sales, *([event] if isinstance(event, SaleRecorded | SaleVoided) else [])]
        for line in lines:
            if line.customer_id is not None:
                sign = -1 if isinstance(event, SaleVoided) else 1
                moments[line.customer_id, line.date, line.time or 0].append((sign, sign * line.paisa))
    return moments


def _visits(own: Sequence[RecordedEvent]) -> list[Row]:
    return [
        {
            "customer_id": who,
            "date": date,
            "second": second,
            "sales": sum(n for n, _ in lines),
            "paisa": sum(paisa for _, paisa in lines),
        }
        for (who, date, second), lines in _moments(own).items()
    ]


def _came(own: Sequence[RecordedEvent]) -> list[Came]:
    days: dict[tuple[int, dt.date], list[Row]] = defaultdict(list)
    for row in _visits(own):
        days[row["customer_id"], row["date"]].append(row)
    return [
        Came(
            who,
            date,
            sum(row["sales"] for row in rows),
            sum(row["paisa"] for row in rows),
            max((_seconds(date, row["second"]) for row in rows if row["sales"] > 0), default=None),
        )
        for (who, date), rows in days.items()
    ]


def _seconds(date: dt.date, time: int | None) -> int:
    return int((dt.datetime.combine(date, dt.time()) - _EPOCH).total_seconds()) + (time or 0)


def _bought(own: Sequence[RecordedEvent]) -> dict[int, list[Came]]:
    merged = _merged(own)
    found: dict[int, dict[dt.date, Came]] = defaultdict(dict)
    for came in (c for c in _came(own) if c.sales > 0):
        who = merged.get(came.customer, came.customer)
        other = found[who].get(came.date, Came(who, came.date, 0, 0, came.last_at))
        found[who][came.date] = Came(
            who,
            came.date,
            came.sales + other.sales,
            came.paisa + other.paisa,
            max(came.last_at or 0, other.last_at or 0),
        )
    return {who: sorted(days.values(), key=lambda c: c.date) for who, days in found.items()}


def _churn(own: Sequence[RecordedEvent], business: int, today: dt.date, rules: Row) -> list[Row]:
    bought = _bought(own)
    warmths = {who: _warmth([c.date for c in visits], rules["half_life"]) for who, visits in bought.items()}
    counts = {who: len(visits) for who, visits in bought.items()}
    spent = {who: sum(c.paisa for c in visits) for who, visits in bought.items()}
    merged = _merged(own)
    for came in (c for c in _came(own) if c.sales <= 0):  # goods brought back on a day without a purchase
        who = merged.get(came.customer, came.customer)
        if who in spent:
            spent[who] += came.paisa
    living = [number for number, merged in _members(own) if merged is None]
    return [
        _row(bought[who], today, rules)
        | {
            "business_id": business,
            "id": who,
            "paisa": spent[who],
            "warmth": warmths[who],
            "return_rank": _score(warmths, who),
            **_rfm(bought[who], today, (_score(counts, who), _score(spent, who)), rules),
        }
        for who in bought
    ] + [_stranger(business, number, rules) for number in living if number not in bought]


def _row(visits: list[Came], today: dt.date, rules: Row) -> Row:
    dates, last = [c.date for c in visits], visits[-1].date
    gaps = [(later - sooner).days for sooner, later in pairwise(dates)]
    silence = (today - last).days
    declining = _declining(dates, today)
    # Nothing but the edge of a window, or the end of an unusual pause, can turn it.
    edges = {date + dt.timedelta(days) for date in dates for days in (90, 180)}
    edges |= {last + dt.timedelta(days=1 + int(2 * median(gaps)))} if gaps else set()
    flips = sorted(d for d in edges if d > today and _declining(dates, d) != _declining(dates, d - dt.timedelta(1)))
    certain = _shown(silence, rules, declining=declining)[1] == 100
    bands = {days + 1 for days in rules["recency_days"]} | {
        d
        for d in range(1, rules["year"] + 1)
        if _shown(d, rules, declining=declining) != (before := _shown(d - 1, rules, declining=declining))
        and (_shown(d, rules, declining=declining)[0] != before[0] or _shown(d, rules, declining=declining)[1] == 100)
    }
    turns = [last + dt.timedelta(days) for days in bands if days > silence]
    return {
        "sales": sum(c.sales for c in visits),
        "visits": len(visits),
        "last_on": last,
        "last_at": max(c.last_at or 0 for c in visits),
        "usual_gap": int(2 * median(gaps)) if len(dates) > 2 else None,
        "declining": declining,
        "flips": tuple(flips),
        "level": _shown(silence, rules, declining=declining)[0],
        "scored_from": _CERTAIN if certain else last,
        "rules": rules["rules"],
        "next_change_on": min([*flips, *turns], default=_NEVER),
    }


def _declining(dates: list[dt.date], today: dt.date) -> bool:
    ages = [(today - date).days for date in dates]
    if len(ages) < 3:
        return False
    gaps = [sooner - later for sooner, later in pairwise(ages)]
    return sum(a < 90 for a in ages) < sum(90 <= a < 180 for a in ages) or ages[-1] > 2 * median(gaps)


def _shown(silence: int, rules: Row, *, declining: bool) -> tuple[str, int]:
    """Return the level and the score in percent, rounded to what lies within the level."""
    adds = Fraction(rules["declining_adds"], 100) if declining else 0
    score = min(Fraction(1), Fraction(max(silence, 0), rules["year"]) + adds)
    if declining and silence > rules["silent_days"]:
        score = max(score, Fraction(rules["silent_score"], 100))
    percent = int(score * 100 + Fraction(1, 2))
    if score * 100 < rules["medium_from"]:
        return "low", min(percent, rules["medium_from"] - 1)
    if score * 100 <= rules["high_above"]:
        return "medium", min(max(percent, rules["medium_from"]), rules["high_above"])
    return "high", max(percent, rules["high_above"] + 1)


def _rfm(visits: list[Came], today: dt.date, others: tuple[int, int], rules: Row) -> Row:
    silence, (frequency, monetary) = (today - visits[-1].date).days, others
    recency = 5 - sum(silence > days for days in rules["recency_days"])
    segment = SEGMENTS[_segment(recency + frequency + monetary, rules)]
    return {
        "recency": recency,
        "frequency": frequency,
        "monetary": monetary,
        "segment": segment,
        "risky": segment in {"at_risk", "dormant"},
    }


def _segment(total: int, rules: Row) -> int:
    return sum(Fraction(total, 3) >= Fraction(tenths, 10) for tenths in rules["segment_tenths"])


def _score(values: Mapping[int, int], who: int) -> int:
    less = sum(value < values[who] for value in values.values())
    equal = sum(value == values[who] for value in values.values())
    return min(5, 1 + int(5 * (less + Fraction(equal, 2)) / len(values)))


def _warmth(dates: list[dt.date], half_life: int) -> int:
    return round(1e6 * math.log2(math.fsum(2 ** ((date - _EPOCH.date()).days / half_life) for date in dates)))


def _stranger(business: int, number: int, rules: Row) -> Row:
    return {
        "business_id": business,
        "id": number,
        "sales": 0,
        "visits": 0,
        "paisa": 0,
        "last_at": None,
        "last_on": None,
        "usual_gap": None,
        "warmth": None,
        "return_rank": None,
        "recency": 1,
        "frequency": 1,
        "monetary": 1,
        "segment": SEGMENTS[_segment(3, rules)],
        "risky": _segment(3, rules) < 2,
        "declining": False,
        "flips": (),
        "level": "high",
        "scored_from": _CERTAIN,
        "rules": rules["rules"],
        "next_change_on": _NEVER,
    }


def _totals(own: Sequence[RecordedEvent], churn: list[Row], business: int, rules: Row) -> list[Row]:
    if not churn:
        return []
    segments = Counter(row["segment"] for row in churn)
    dates = [c.date for visits in _bought(own).values() for c in visits]
    # These histories have too few customers for a curve; how one is fitted is tested in tests/decisions.
    return [
        {
            "business_id": business,
            **{segment: segments[segment] for segment in SEGMENTS},
            "horizon": max(dates, default=None),
            "intercept": None,
            "slope": None,
            "scoring": rules["scoring"],
        }
    ]
