"""What the read model `inventory` must hold, worked out product by product, move by move: no vectors, no blocks."""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from statistics import NormalDist
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, StockEntryVoided, StockMoved
from shared.domain.events.sales import (
    MovementsRecorded,
    ProductsAdded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadCompleted,
    UploadFailed,
)
from shared.domain.events.uploads import UploadUndone
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.system_events import RuleActivated
from tests.support.model_undo import remaining, still_named

Row = dict[str, Any]
Tables = dict[str, list[Row]]
DETAILS = ("sku", "unit", "unit_price", "cost", "reorder_point", "lead_time_days", "pack_size", "min_order")
SETTLING = (
    UploadCompleted,
    UploadFailed,
    UploadUndone,
    SaleRecorded,
    SaleVoided,
    StockMoved,
    StockEntryVoided,
    ProductDetailsChanged,
)
_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - the clock in Dhaka
_DHAKA = ZoneInfo("Asia/Dhaka")
_FIRST = RuleActivated("stock", "stock.v1", {})
_GIVEN = {"window_days": 56, "enough_days": 14, "lead_time_days": 3, "service_level": 0.95}


class Move(NamedTuple):
    """Something that came (above 0) or went; `order` is the position of what was entered as it happened, else 0."""

    product: int
    at: int
    order: int
    sold: int
    moved: int
    entry: int = 0
    reported: bool = True
    bought: bool = False
    taken_back: bool = False


class Count(NamedTuple):
    """A count of one product."""

    product: int
    at: int
    position: int
    quantity: int


def inventory(history: Sequence[RecordedEvent], _: Mapping[str, Any]) -> Tables:
    """Return the tables of the projection `inventory`."""
    tables: Tables = defaultdict(list)
    changes = [(r.position, r.event) for r in history if isinstance(r.event, RuleActivated) and r.event.rule == "stock"]
    rule = changes[-1][1] if changes else _FIRST
    for business in sorted({r.business_id for r in history if r.business_id is not None}):
        own = [r for r in history if r.business_id == business]
        for name, rows in _folded(remaining(own)).items():
            tables[name] += [{"business_id": business, **row} for row in rows]
        if settled := [r.position for r in own if isinstance(r.event, SETTLING)]:
            # A rule that changes recomputes everything, of who had anything.
            as_of = max([settled[-1], *(position for position, _ in changes if position > settled[0])])
            stock = _stock(remaining([r for r in own if r.position <= as_of]), rule)
            tables["stock"] += [{"business_id": business, **row} for row in stock]
            low = sum(row["is_low"] for row in stock)
            tables["stock_totals"].append({"business_id": business, "products": len(stock), "low": low})
    return tables


def _folded(own: Sequence[RecordedEvent]) -> Tables:
    flow: dict[tuple[int, int, int], list[Move]] = defaultdict(list)
    blocks: dict[tuple[int, int], list[Move]] = defaultdict(list)
    for move in _moves(own):
        day = move.at // 86_400
        blocks[day // 32, move.product].append(move)
        if not move.entry:
            flow[day, move.product, move.at % 86_400].append(move)
    standing = set(_counts(own))
    return {
        "goods": _goods(own),
        "stock_flow": [
            {"day": day, "product_id": product, "second": second, **_sums(moves)}
            for (day, product, second), moves in flow.items()
        ],
        "stock_entries": _entries(own),
        "stock_blocks": [
            {
                "block": block,
                "product_id": product,
                "change": sum(m.moved - m.sold for m in moves),
                "sold": sum(m.sold for m in moves),
            }
            for (block, product), moves in blocks.items()
        ],
        "stock_counts": [
            {"product_id": c.product, "at": c.at, "recorded": c.position}
            | {"counts": int(c in standing), "quantity": c.quantity * (c in standing)}
            for c in _all_counts(own)
        ],
        "stock_log": _log(own),
    }


def _sums(moves: Sequence[Move]) -> Row:
    return {
        "sold": sum(m.sold for m in moves),
        "moved": sum(m.moved for m in moves),
        "received": sum(m.moved for m in moves if m.bought),
    }


def _goods(own: Sequence[RecordedEvent]) -> list[Row]:
    goods: dict[int, Row] = {}
    for product, said in _said(own):
        row = goods.setdefault(product, {"product_id": product, **dict.fromkeys(DETAILS)})
        row |= {name: value for name, value in said.items() if value is not None}
    return list(goods.values())


def _first_sale(moves: Sequence[Move]) -> int | None:
    """Return the first day on which more was sold than voided."""
    sold: dict[int, int] = defaultdict(int)
    for move in moves:
        sold[move.at // 86_400] += move.sold
    return min((day for day, units in sold.items() if units > 0), default=None)


def _said(own: Sequence[RecordedEvent]) -> Iterable[tuple[int, Row]]:
    for recorded in own:
        match recorded.event:
            case ProductsAdded() as event:
                yield from ((added.id, {}) for added in event.products)
            case ProductDetailsChanged() as event:
                yield event.product_id, {name: getattr(event, name) for name in DETAILS}
                yield event.product_id, {name: "" if name in {"sku", "unit"} else -1 for name in event.cleared}
            case ProductSheetRecorded() as event:
                yield from ((line.product_id, {"sku": line.sku, "cost": line.cost}) for line in event.lines)
            case StockMoved() as event:
                yield event.product_id, {}
    yield from ((move.product, {}) for move in _moves(own))
    yield from ((product, {}) for _, product in still_named(own))


def _entries(own: Sequence[RecordedEvent]) -> list[Row]:
    entries: dict[int, list[Move]] = defaultdict(list)
    for move in _moves(own):
        if move.entry:
            entries[move.entry].append(move)
    rows = []
    for entry, moves in entries.items():
        made = next((m for m in moves if not m.reported), None)
        reported = next((m for m in moves if m.reported and not m.taken_back), None)
        rows.append(
            {
                "entry": entry,
                "product_id": moves[0].product,
                "at": made and made.at,
                "recorded": made and made.order,
                "told_at": reported and reported.at,
                **_sums(moves),
            }
        )
    return rows


def _stock(known: Sequence[RecordedEvent], rule: RuleActivated) -> list[Row]:
    moves = list(_standing(known))
    counts = list(_counts(known))
    sold = [m.at // 86_400 for m in _standing(known) if m.sold > 0]
    rows = []
    for goods in _goods(known):
        own = [m for m in moves if m.product == goods["product_id"]]
        last = max(
            (c for c in counts if c.product == goods["product_id"]), key=lambda c: (c.at, c.position), default=None
        )
        on_hand = 0
        if last:
            later = [m for m in own if m.at > last.at or (m.at == last.at and m.order > last.position)]
            on_hand = last.quantity + sum(m.moved - m.sold for m in later)
        given = goods["reorder_point"]
        auto = given is None or given < 0
        point = _computed_point(goods, own, max(sold, default=0), _GIVEN | rule.parameters) if auto else given
        rows.append(
            {
                "product_id": goods["product_id"],
                "on_hand": on_hand,
                "stock_known": last is not None,
                "counted_at": last and last.at,
                "reorder_point": point,
                "reorder_auto": auto and point is not None,
                "is_low": last is not None and point is not None and on_hand < point,
                "rule": rule.version,
            }
        )
    return rows


def _computed_point(goods: Row, own: Sequence[Move], today: int, given: Mapping[str, Any]) -> int | None:
    first = _first_sale(own)
    days = 0 if first is None else min(given["window_days"], today - first + 1)
    demand = [sum(m.sold for m in own if m.at // 86_400 == today - ago) for ago in range(days)]
    if days < given["enough_days"] or sum(demand) <= 0:
        return None
    said = goods["lead_time_days"]
    lead = given["lead_time_days"] if said is None or said < 0 else said
    mean = Fraction(sum(demand), days)
    variance = sum((units - mean) ** 2 for units in demand) / (days - 1)
    point = float(mean * lead)
    if lead and variance:
        ninth = float(variance / (9 * mean**2 * lead))
        point *= max(1 - ninth + NormalDist().inv_cdf(given["service_level"]) * math.sqrt(ninth), 0) ** 3
    step = 100 if goods["unit"] in {"kg", "g", "l", "ml", "m"} else 1000
    return math.ceil((point - 1e-6) / step) * step


def _standing(own: Sequence[RecordedEvent]) -> Iterable[Move]:
    """Yield what moved the stock, without what was entered by hand and voided."""
    by_hand = {r.event.tx for r in own if isinstance(r.event, SaleRecorded)}
    voided = {r.event.tx for r in own if isinstance(r.event, SaleVoided)}
    gone = by_hand & voided | {-position for position in _voided(own)}
    return (move for move in _moves(own) if move.entry not in gone)


def _voided(own: Sequence[RecordedEvent]) -> set[int]:
    """Return the positions of stock entries that were voided."""
    return {r.event.of for r in own if isinstance(r.event, StockEntryVoided)}


def _log(own: Sequence[RecordedEvent]) -> list[Row]:
    gone = _voided(own)
    kept = [(r, r.event) for r in own if isinstance(r.event, StockMoved) and r.position not in gone]
    return [
        {"id": r.position, "product_id": e.product_id, "number": r.version, "kind": e.kind, "quantity": e.qty}
        | {"at": _at(e.date, e.time)}
        for r, e in kept
    ]


def _moves(own: Sequence[RecordedEvent]) -> Iterable[Move]:
    for recorded in own:
        match recorded.event:
            case SalesBatchRecorded() as batch:
                yield from (Move(s.product_id, _passed(recorded, s.date, s.time), 0, s.qty, 0) for s in batch.sales)
            case MovementsRecorded() as movements:
                for m in movements.movements:
                    if m.product_id is not None:
                        at = _passed(recorded, m.date, m.time)
                        yield Move(m.product_id, at, 0, 0, m.qty, bought=m.kind == "purchase")
            case SaleRecorded() as sale:
                now = _now(recorded)
                untimed_today = sale.time is None and now // 86_400 == _at(sale.date, None) // 86_400
                at = now if untimed_today else _at(sale.date, sale.time)
                yield Move(sale.product_id, at, _order(recorded, at), sale.qty, 0, sale.tx, reported=False)
            case SaleVoided() as void:
                yield Move(void.product_id, _at(void.date, void.time), 0, -void.qty, 0, void.tx)
            case StockMoved(kind="receive" | "return" | "adjust" | "waste") as moved:
                at, change = _at(moved.date, moved.time), -moved.qty if moved.kind == "waste" else moved.qty
                order, bought = _order(recorded, at), moved.kind == "receive"
                yield Move(moved.product_id, at, order, 0, change, -recorded.position, reported=False, bought=bought)
            case StockEntryVoided() as void if void.kind != "count":
                at, change = _at(void.date, void.time), void.qty if void.kind == "waste" else -void.qty
                yield Move(void.product_id, at, 0, 0, change, -void.of, bought=void.kind == "receive", taken_back=True)


def _counts(own: Sequence[RecordedEvent]) -> Iterable[Count]:
    """Yield the counts that were not voided."""
    gone = _voided(own)
    return (count for count in _all_counts(own) if count.position not in gone)


def _all_counts(own: Sequence[RecordedEvent]) -> Iterable[Count]:
    for recorded in own:
        match recorded.event:
            case StockMoved(kind="count") as counted:
                at = _at(counted.date, counted.time)
                yield Count(counted.product_id, at, recorded.position, counted.qty)
            case ProductSheetRecorded() as sheet:
                for line in sheet.lines:
                    if line.stock is not None and line.date is not None:
                        at = _passed(recorded, line.date, 86_399)
                        yield Count(line.product_id, at, recorded.position, line.stock)


def _order(recorded: RecordedEvent, at: int) -> int:
    return recorded.position if at <= _now(recorded) <= at + 1 else 0


def _passed(recorded: RecordedEvent, date: dt.date, time: int | None) -> int:
    """Return when something was that a ledger recorded: by its clock, but no later than its upload."""
    return min(_now(recorded), _at(date, time))


def _now(recorded: RecordedEvent) -> int:
    return int((recorded.recorded_at.astimezone(_DHAKA).replace(tzinfo=None) - _EPOCH).total_seconds())


def _at(date: dt.date, time: int | None) -> int:
    return int((dt.datetime.combine(date, dt.time()) - _EPOCH).total_seconds()) + (time or 0)
