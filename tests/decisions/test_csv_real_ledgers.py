import csv
import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.csv_rows import MARK, NOW
from write_side.sales.csv.ledger import Ledger, open_ledger
from write_side.sales.csv.rows import LedgerRow, RejectedRow

DATA = Path(__file__).parents[2].parent / "shared" / "data"
LEDGERS = sorted(path for path in DATA.glob("*/*.csv") if path.parent.name != "fieldcases")

pytestmark = pytest.mark.skipif(not LEDGERS, reason="real ledgers are not at ../shared/data")


def opened(path: Path) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(65_536):
                yield chunk

    return chunks


def read(path: Path) -> tuple[Ledger, list[LedgerRow], list[RejectedRow]]:
    found = open_ledger(opened(path))
    rows = list(found.items(found.reader(NOW, MARK)))
    sales = [row for row in rows if isinstance(row, LedgerRow)]
    return found, sales, [row for row in rows if isinstance(row, RejectedRow)]


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_line_of_a_real_ledger_is_a_sale_or_refused(path: Path) -> None:
    found, sales, refused = read(path)
    assert len(sales) + len(refused) == found.rows == path.read_bytes().count(b"\n") - 1
    assert len({row.fingerprint for row in sales}) == len(sales)


@pytest.mark.parametrize("path", sorted(DATA.glob("online_retail/*.csv"))[:2], ids=lambda path: path.stem)
def test_sales_are_what_the_standard_reader_finds(path: Path) -> None:
    _, sales, refused = read(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = dict(enumerate(csv.DictReader(file), 2))
    assert {(row.row, row.date.isoformat(), row.quantity, row.paisa) for row in sales} == {
        (line, row["Date"], int(row["Quantity"]) * 1_000, round(float(row["Amount"]) * 100))
        for line, row in rows.items()
        if float(row["Amount"]) >= 1 and int(row["Quantity"]) <= 1_000
    }
    assert {row.code for row in refused} == {"AMOUNT_OUT_OF_RANGE", "QUANTITY_OUT_OF_RANGE"}


def test_the_raw_month_is_month_first_with_times_in_cp1252() -> None:
    found, sales, refused = read(DATA / "online_retail_raw" / "2010-12.csv")
    assert (found.table.encoding, found.layout.date_format.order) == ("cp1252", "mdy")
    assert (sales[0].date, sales[0].time) == (dt.date(2010, 12, 1), 30_360)
    assert "Dotcomgiftshop Gift Voucher £40.00" in {row.product for row in sales}
    assert Counter(row.code for row in refused) == {
        "AMOUNT_OUT_OF_RANGE": 1_661,
        "MISSING_VALUE": 125,
        "QUANTITY_OUT_OF_RANGE": 12,
        "NEGATIVE_QUANTITY": 8,
    }
    returns = [row for row in sales if row.kind == "return"]
    assert len(returns) == 712
    assert min(row.paisa for row in returns) >= 100


def test_the_vending_machines_have_a_mark_and_timestamps() -> None:
    found, sales, refused = read(DATA / "coffee_vending_raw" / "machine2.csv")
    assert (found.table.encoding, found.layout.date_format.order) == ("utf-8", "mdy")
    assert (sales[0].product, sales[0].time, sales[0].payment) == ("Tea", 51_960, "cash")
    assert [(row.column, row.code) for row in refused][-1] == ("Date", "MISSING_VALUE")


def test_sales_before_the_year_2000_are_refused() -> None:
    _, sales, refused = read(DATA / "cdnow" / "cdnow.csv")
    assert not sales
    assert {row.code for row in refused} == {"DATE_TOO_OLD"}
