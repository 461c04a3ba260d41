"""The stock of each product, derived from its last count and the movements since."""

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Facts, Row
from shared.domain.rules import stock as rule
from shared.domain.rules.parameters import StockParameters
from shared.domain.rules.stock import FRACTIONAL_UNITS, Changes, Counts, Ints, Stock
from shared.eventstore.rule_versions import Rules

TEXTS = ("sku", "unit")
DETAILS = (*TEXTS, "unit_price", "cost", "reorder_point", "lead_time_days", "pack_size", "min_order")
DAY_SECONDS = 86_400
BLOCK_DAYS = 32
_BLOCK_SECONDS = BLOCK_DAYS * DAY_SECONDS
# Later than any day of a sale.
_NEVER = 10**9

GOODS = Table(
    "goods",
    ("business_id", "product_id"),
    changes=dict.fromkeys(DETAILS, "set"),
)
FLOW = Table(
    "stock_flow",
    ("business_id", "day", "product_id", "second"),
    changes={"sold": "add", "moved": "add", "received": "add"},
)
ENTRIES = Table(
    "stock_entries",
    ("business_id", "entry"),
    changes={
        "product_id": "set",
        "at": "least",
        "recorded": "least",
        "told_at": "least",
        "sold": "add",
        "moved": "add",
        "received": "add",
    },
)
BLOCKS = Table("stock_blocks", ("business_id", "block", "product_id"), changes={"change": "add", "sold": "add"})
# A count is a sum of one, so that one that is taken back leaves nothing, and another of the same time comes into force.
COUNTS = Table(
    "stock_counts", ("business_id", "product_id", "at", "recorded"), changes={"counts": "add", "quantity": "add"}
)
STOCK = Table(
    "stock",
    ("business_id", "product_id"),
    changes=dict.fromkeys(
        ("on_hand", "stock_known", "counted_at", "reorder_point", "reorder_auto", "is_low", "rule"), "set"
    ),
)
TOTALS = Table("stock_totals", ("business_id",), changes={"products": "add", "low": "add"})


RULES = ("stock",)
_Columns = Mapping[str, Sequence[Any]]
_NO_GOODS: _Columns = dict.fromkeys(("product_id", *GOODS.changes), ())


def derive(facts: Facts, _: dt.date, rules: Rules, deltas: Deltas) -> None:
    """Compute the stock and the reorder point of every product; the owner's point overrides the computed one."""
    chosen = rules[RULES[0]]
    goods = sorted(facts.rows(GOODS), key=itemgetter(0))
    of_goods = dict(zip(("product_id", *GOODS.changes), zip(*goods, strict=True), strict=True)) if goods else _NO_GOODS
    ids = np.array(of_goods["product_id"], np.int64)
    moves = _moves(facts, ids)
    number, product, change, sold = _columns(facts.rows(BLOCKS), 4).T
    blocks = _Blocks(number, _index(ids, product), change, sold)
    stock = _stock(facts, ids, moves, blocks)
    given = np.array([_given(point, -1) for point in of_goods["reorder_point"]], np.int64)
    points = np.where(given >= 0, given, _computed(of_goods, moves, blocks, chosen.parameters))
    low = rule.is_low(stock, points)
    columns = (ids, *stock[:3], points, given < 0, low)
    for product, quantity, known, counted_at, point, auto, is_low in zip(*(c.tolist() for c in columns), strict=True):
        deltas.merge(
            STOCK,
            (facts.business_id, product),
            on_hand=quantity,
            stock_known=known,
            counted_at=counted_at if known else None,
            reorder_point=None if point < 0 else point,
            reorder_auto=auto and point >= 0,
            is_low=is_low,
            rule=chosen.version,
        )
    deltas.merge(TOTALS, (facts.business_id,), products=len(goods), low=int(low.sum()))


class _Moves(NamedTuple):
    """Sales and other movements: index of the product, second, order within the second, quantities."""

    product: Ints
    at: Ints
    order: Ints
    sold: Ints
    moved: Ints


class _Blocks(NamedTuple):
    """Sums of blocks: number, index of the product, change of stock and the part of it that was sold."""

    number: Ints
    product: Ints
    change: Ints
    sold: Ints


def _moves(facts: Facts, ids: Ints) -> _Moves:
    day, product, second, sold, moved, _ = _columns(facts.rows(FLOW), 6).T
    entries = [
        (product, told_at if at is None else at, recorded or 0, sold, moved)
        for _, product, at, recorded, told_at, sold, moved, _ in facts.rows(ENTRIES)
    ]
    by_hand = _columns(entries, 5).T
    by_ledger = (product, day * DAY_SECONDS + second, np.zeros_like(day), sold, moved)
    joined = [np.concatenate(both) for both in zip(by_ledger, by_hand, strict=True)]
    return _Moves(_index(ids, joined[0]), *joined[1:])


def _stock(facts: Facts, ids: Ints, moves: _Moves, blocks: _Blocks) -> Stock:
    """Return the stock of `ids`: from movements within the block of the last count, from sums of blocks after it."""
    product, at, recorded, _, quantity = _columns(facts.rows(COUNTS), 5).T
    counted = rule.last_counts(Counts(_index(ids, product), at, quantity, recorded), len(ids))
    block = counted.counted_at // _BLOCK_SECONDS
    close = moves.at // _BLOCK_SECONDS == block[moves.product]
    changes = Changes(  # a block that begins before the count is ignored
        np.concatenate((moves.product[close], blocks.product)),
        np.concatenate((moves.at[close], blocks.number * _BLOCK_SECONDS)),
        np.concatenate(((moves.moved - moves.sold)[close], blocks.change)),
        np.concatenate((moves.order[close], np.zeros_like(blocks.change))),
    )
    return rule.on_hand(counted, changes)


def _computed(of_goods: _Columns, moves: _Moves, blocks: _Blocks, parameters: StockParameters) -> Ints:
    """Return the reorder points computed from demand up to the last day with any sale."""
    products = len(of_goods["product_id"])
    day = moves.at // DAY_SECONDS
    if not (moves.sold > 0).any():
        return np.full(products, -1, np.int64)
    today = int(day[moves.sold > 0].max())
    column = day - (today - parameters.window_days + 1)
    recent = (column >= 0) & (column < parameters.window_days)
    demand = np.zeros((products, parameters.window_days), np.int64)
    np.add.at(demand, (moves.product[recent], column[recent]), moves.sold[recent])
    first = _first_sales(products, moves, blocks, (today - parameters.window_days + 1) // BLOCK_DAYS)
    lead = [_given(days, parameters.lead_time_days) for days in of_goods["lead_time_days"]]
    fractional = [unit in FRACTIONAL_UNITS for unit in of_goods["unit"]]
    return rule.reorder_points(demand, today - first + 1, np.array(lead), np.array(fractional), parameters)


def _first_sales(products: int, moves: _Moves, blocks: _Blocks, block: int) -> Ints:
    """Return the day of each product's first sale, of one before `block` perhaps the first day of its block."""
    first = np.full(products, _NEVER, np.int64)
    day = moves.at // DAY_SECONDS
    order = np.lexsort((day, moves.product))
    product, day, sold = moves.product[order], day[order], moves.sold[order]
    begin = np.flatnonzero((np.diff(product, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0))
    standing = begin[np.add.reduceat(sold, begin) > 0]
    np.minimum.at(first, product[standing], day[standing])
    before = (blocks.sold > 0) & (blocks.number < block)
    np.minimum.at(first, blocks.product[before], blocks.number[before] * BLOCK_DAYS)
    return first


def _given(value: int | None, default: int) -> int:
    return default if value is None or value < 0 else value


def _index(ids: Ints, product: Ints) -> Ints:
    return np.searchsorted(ids, product).astype(np.int64)


def _columns(rows: Sequence[Row], width: int) -> Ints:
    return np.fromiter(chain.from_iterable(rows), np.int64, len(rows) * width).reshape(-1, width)


# Selects the time of the last count of each product.
_LAST_COUNTS = """(SELECT product_id, max(at) AS at FROM {schema}.stock_counts
    WHERE business_id = %(business)s AND counts > 0 GROUP BY product_id)"""
# The expression that the index of the entries contains.
_ENTRY_AT = "coalesce(at, told_at)"
# Selects the first day of the block in which the window of demand begins.
_FIRST_DAY = f"""(SELECT (max(day) - (%(stock.window_days)s::int - 1)) / {BLOCK_DAYS} * {BLOCK_DAYS} FROM (
    SELECT max(day) AS day FROM {{schema}}.stock_flow WHERE business_id = %(business)s AND sold > 0
    UNION ALL SELECT max({_ENTRY_AT}) / {DAY_SECONDS} FROM {{schema}}.stock_entries
    WHERE business_id = %(business)s AND sold > 0) AS sales)"""  # noqa: S608 - constants
_OLDEST_DAY = f"least({_FIRST_DAY}, (SELECT min(at) / {DAY_SECONDS} FROM {_LAST_COUNTS} AS c))"  # noqa: S608 - constants; `schema` is filled in by the engine
# Selects the first block of each product with sales.
_FIRST_BLOCKS = """(SELECT g.product_id, b.block FROM {schema}.goods AS g CROSS JOIN LATERAL (
    SELECT block FROM {schema}.stock_blocks WHERE business_id = %(business)s AND product_id = g.product_id AND sold > 0
    ORDER BY block LIMIT 1) AS b WHERE g.business_id = %(business)s)"""
# Excludes flow before the window of demand, except in the block of a product's last count, and blocks before that
# except the first one with sales.
NARROW = {
    FLOW.name: f"""day >= {_OLDEST_DAY} AND (
        day >= {_FIRST_DAY} OR (product_id, day / {BLOCK_DAYS}) IN (
            SELECT product_id, at / {_BLOCK_SECONDS} FROM {_LAST_COUNTS} AS c))""",  # noqa: S608 - constants
    ENTRIES.name: f"{_ENTRY_AT} >= {_OLDEST_DAY} * {DAY_SECONDS}",
    BLOCKS.name: f"""block > (SELECT min(at) / {_BLOCK_SECONDS} FROM {_LAST_COUNTS} AS c)
        OR sold > 0 AND (product_id, block) IN {_FIRST_BLOCKS}""",  # noqa: S608 - constants; `schema` is filled in by the engine
}
