"""What may be said of products and stock: given events, when a command, then events or a refusal."""

import datetime as dt
from dataclasses import replace
from functools import reduce

import pytest

from shared.domain.events.inventory import (
    ProductDetailsChanged,
    ProductLine,
    ProductSheetRecorded,
    StockEntryVoided,
    StockMoved,
)
from shared.domain.refusals.inventory import ProductNotFound, QuantityNotWhole, StockEntryNotFound
from shared.domain.refusals.sales import EntryAlreadyVoided
from shared.errors import TimeOutOfRange
from shared.eventstore.event import Event
from shared.runtime.business_day import DHAKA
from write_side.inventory.aggregate import (
    ChangeDetails,
    MoveStock,
    Product,
    StockEntry,
    VoidStockEntry,
    decide,
    evolve,
)

TEA = 1
NOW = dt.datetime(2025, 11, 3, 8, 30, 15, 999_000, tzinfo=dt.UTC)  # half past two in Dhaka
TODAY = dt.date(2025, 11, 3)


def product(*history: Event) -> Product:
    return reduce(evolve, history, Product(TEA))


def sheet(*lines: ProductLine) -> ProductSheetRecorded:
    return ProductSheetRecorded("file", list(lines))


def test_only_what_changes_is_recorded() -> None:
    before = product(ProductDetailsChanged(TEA, sku="T", unit="kg", cost=900))
    said = {"sku": "T", "cost": None, "unit": "kg", "pack_size": 5000, "min_order": None}
    assert decide(ChangeDetails(said), before, NOW) == [
        ProductDetailsChanged(TEA, pack_size=5000, cleared=["cost"]),
    ]
    assert decide(ChangeDetails({"sku": "T"}), before, NOW) == []


def test_the_newest_word_counts_whether_the_owners_or_a_ledgers() -> None:
    said = product(
        ProductDetailsChanged(TEA, sku="T", cost=900),
        sheet(ProductLine(TEA, "TEA-1", None, 5000, TODAY), ProductLine(2, "X", 1, None, None)),
        ProductDetailsChanged(TEA, cost=800, cleared=["unit"]),
    ).details
    assert (said["sku"], said["cost"], said["unit"]) == ("TEA-1", 800, None)
    assert (
        product(ProductDetailsChanged(TEA, sku="T"), ProductDetailsChanged(TEA, cleared=["sku"])).details["sku"] is None
    )


@pytest.mark.parametrize("name", ["reorder_point", "pack_size", "min_order"])
def test_fractions_are_for_weight_volume_and_length(name: str) -> None:
    for unit in (None, "piece", "packet"):
        before = product(ProductDetailsChanged(TEA, unit=unit))
        with pytest.raises(QuantityNotWhole):
            decide(ChangeDetails({name: 1500}), before, NOW)
        assert decide(ChangeDetails({name: 1500, "unit": "l"}), before, NOW)
    weighed = product(ProductDetailsChanged(TEA, unit="kg"))
    assert decide(ChangeDetails({name: 1500}), weighed, NOW)
    with pytest.raises(QuantityNotWhole):
        decide(ChangeDetails({name: 1500, "unit": None}), weighed, NOW)


def test_a_stock_of_pieces_is_whole() -> None:
    with pytest.raises(QuantityNotWhole):
        decide(MoveStock("count", 1500), product(), NOW)
    (moved,) = decide(MoveStock("count", 1500), product(ProductDetailsChanged(TEA, unit="m")), NOW)
    assert isinstance(moved, StockMoved)
    assert moved.qty == 1500
    with pytest.raises(QuantityNotWhole):
        decide(MoveStock("adjust", -1500), product(), NOW)


@pytest.mark.parametrize(
    ("kind", "at", "date", "time"),
    [
        ("count", None, TODAY, 52_215),
        ("receive", None, TODAY, 52_215),
        ("count", TODAY, TODAY, 52_215),
        ("receive", TODAY, TODAY, 52_215),
        ("count", dt.date(2025, 11, 2), dt.date(2025, 11, 2), 86_399),
        ("waste", dt.date(2025, 11, 2), dt.date(2025, 11, 2), 0),
        ("count", dt.datetime(2025, 11, 2, 20, 0, tzinfo=dt.UTC), TODAY, 7200),
        ("count", dt.datetime(2025, 11, 2, 20, 0, tzinfo=DHAKA), dt.date(2025, 11, 2), 72_000),
        ("return", dt.date(2000, 1, 1), dt.date(2000, 1, 1), 0),
        ("count", NOW + dt.timedelta(minutes=5), TODAY, 52_515),
    ],
)
def test_a_movement_has_a_time_of_its_own(
    kind: str, at: dt.datetime | dt.date | None, date: dt.date, time: int
) -> None:
    assert decide(MoveStock(kind, 5000, at), product(), NOW) == [StockMoved(TEA, kind, 5000, date, time)]


@pytest.mark.parametrize(
    "at",
    [
        NOW + dt.timedelta(minutes=5, seconds=1),
        dt.date(2025, 11, 4),
        dt.date(1999, 12, 31),
        dt.datetime(1999, 12, 31, 17, 59, 59, tzinfo=dt.UTC),
    ],
)
def test_a_movement_is_neither_of_the_future_nor_of_the_last_century(at: dt.datetime | dt.date) -> None:
    with pytest.raises(TimeOutOfRange):
        decide(MoveStock("count", 5000, at), product(), NOW)


@pytest.mark.parametrize("command", [ChangeDetails({"sku": "T"}), MoveStock("count", 5000)])
def test_an_unknown_product_is_not_found(command: ChangeDetails | MoveStock) -> None:
    with pytest.raises(ProductNotFound):
        decide(command, Product(TEA, exists=False), NOW)


def test_a_stock_entry_is_voided_once_with_what_was_recorded() -> None:
    entry = StockEntry(StockMoved(TEA, "waste", 2000, TODAY, 36_000), 41)
    void = VoidStockEntry(3, entry, "twice")
    assert decide(void, product(), NOW) == [StockEntryVoided(TEA, 3, "twice", 41, "waste", 2000, TODAY, 36_000)]
    with pytest.raises(EntryAlreadyVoided) as refused:
        decide(replace(void, entry=replace(entry, void_reason="before")), product(), NOW)
    assert refused.value.details == {"id": 3, "reason": "before"}
    with pytest.raises(StockEntryNotFound):
        decide(replace(void, entry=None), product(), NOW)
    with pytest.raises(ProductNotFound):
        decide(void, Product(TEA, exists=False), NOW)
