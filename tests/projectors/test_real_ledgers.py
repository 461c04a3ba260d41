import csv
import datetime as dt
import uuid
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest

from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.domain.events.sales import UploadAccepted
from shared.eventstore.files import PART_BYTES, Files, TableParts
from shared.jobs.queue import Job
from tests.support.accepted_ledgers import Held
from tests.support.ledgers import DATA
from tests.support.model import Row
from tests.support.world import World, differences
from write_side.sales.aggregate import stream_of
from write_side.sales.policy import READ_UPLOAD
from write_side.sales.worker import LedgerReader

LEDGERS = [
    DATA / "online_retail" / "2010-12.csv",
    DATA / "coffee_vending" / "machine1.csv",
    DATA / "coffee_vending" / "machine2.csv",
]
SHOP = 7

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="real ledgers are not at ../shared/data")


class Line(NamedTuple):
    """A line of a ledger as a plain reader finds it."""

    date: dt.date
    product: str
    qty: int
    paisa: int
    customer: str | None
    method: str


def upload(world: World, path: Path) -> uuid.UUID:
    """Store a ledger and read it as a worker does."""
    file_id, content = uuid.uuid4(), path.read_bytes()
    files = Files(world.store, TableParts(world.store))
    put = files.writer(SHOP, file_id)
    for part, start in enumerate(range(0, len(content), PART_BYTES)):
        put(part, content[start : start + PART_BYTES])
    accepted = UploadAccepted(str(file_id), path.name, None, len(content), "", content.count(b"\n") - 1)
    world.append_to(stream_of(str(file_id)), SHOP, accepted)
    job = Job(uuid.uuid4(), READ_UPLOAD, str(file_id), SHOP, world.store.head(), {}, 0)
    LedgerReader(world.store, files)(job, Held())
    return file_id


def reported(path: Path) -> tuple[list[Line], int]:
    """Return what the contract lets in, and how many rows there are."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [
        Line(
            dt.date.fromisoformat(row["Date"]),
            _spelling(row["Product"]),
            int(row["Quantity"]),
            int(Decimal(row["Amount"]) * 100),
            _spelling(row["Customer"]) or None,
            row.get("Payment Method", "").lower(),
        )
        for row in rows
    ]
    return [
        line for line in lines if line.product and 1 <= line.qty <= 1000 and 100 <= line.paisa <= 1_000_000_000
    ], len(rows)


def _spelling(name: str) -> str:
    return " ".join(name.split()).casefold()


def brought(lines: list[Line], *by: str) -> dict[tuple[object, ...], tuple[int, int, int]]:
    """Return sales, units in thousandths and paisa by some of the columns."""
    sums: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for line in lines:
        group = sums[tuple(getattr(line, column) for column in by)]
        group[:] = group[0] + 1, group[1] + line.qty * 1000, group[2] + line.paisa
    return {key: (n, units, paisa) for key, (n, units, paisa) in sums.items()}


def sums_of(row: Row) -> tuple[int, int, int]:
    return row["sales"], row["units"], row["paisa"]


@pytest.mark.parametrize("paths", [LEDGERS[:1], LEDGERS[1:]], ids=["a wholesaler's month", "two vending machines"])
def test_a_real_ledger_shows_the_sums_a_plain_reader_finds_live_and_replayed(world: World, paths: list[Path]) -> None:
    uploads = {upload(world, path): reported(path) for path in paths}
    world.project()
    live = {name: world.rows(name) for name in REGISTRY}
    for name, projection in REGISTRY.items():
        rebuild(world.source, projection, workers=0)
        assert differences(world.rows(name), live[name]) == {}
    lines = [line for accepted, _ in uploads.values() for line in accepted]
    sales = live["sales"]
    products = {row["id"]: row["sort_name"] for row in sales["products"]}
    people = {row["id"]: row["sort_name"] for row in live["customers"]["people"]}
    customers = people | {None: None}
    assert Counter(
        Line(
            row["sold_at"].date(),
            products[row["product_id"]],
            row["quantity"] // 1000,
            row["paisa"],
            customers[row["customer_id"]],
            row["payment_method"] or "",
        )
        for row in sales["transactions"]
    ) == Counter(lines)
    assert {(row["date"], row["payment_method"]): sums_of(row) for row in sales["sales_days"]} == brought(
        lines, "date", "method"
    )
    assert {
        (products[row["product_id"]], row["date"], row["payment_method"]): sums_of(row) for row in sales["product_days"]
    } == brought(lines, "product", "date", "method")
    assert {(row["sort_name"],): sums_of(row) for row in sales["products"]} == brought(lines, "product")
    named = brought([line for line in lines if line.customer], "customer")
    assert {(people[row["id"]],): (row["sales"], row["paisa"]) for row in live["customers"]["churn"]} == {
        key: (n, paisa) for key, (n, _, paisa) in named.items()
    }
    newest = {line.product: line for line in sorted(lines, key=lambda line: line.date)}
    assert {row["sort_name"]: row["unit_price"] for row in sales["products"]} == {
        product: round(Fraction(line.paisa, line.qty)) for product, line in newest.items()
    }
    (stats,) = live["identity"]["profile_stats"]
    assert (stats["products"], stats["customers"]) == (len(newest), len(named))
    assert (stats["transactions"], stats["paisa"]) == (len(lines), sum(line.paisa for line in lines))
    assert max(day["date"] for day in live["identity"]["profile_days"]) == max(line.date for line in lines)
    assert {
        row["file_id"]: (row["state"], row["rows"], row["created"], row["rejected"])
        for row in live["uploads"]["uploads"]
    } == {
        file_id: ("completed", rows, len(accepted), rows - len(accepted))
        for file_id, (accepted, rows) in uploads.items()
    }
