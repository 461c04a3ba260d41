import datetime as dt
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.events.sales import SaleVoided
from shared.domain.refusals.sales import AlreadyVoided
from shared.errors import NotFound
from shared.http.error_handlers import InvalidFields
from tests.support.csv_rows import MARK, NOW, sales
from write_side.sales.manual_sale import SaleEntry, rows_of
from write_side.sales.presenter import sale_data
from write_side.sales.sale_aggregate import RecordedSale, VoidSale, decide

HEADER = "Date,Product,Quantity,Unit,Amount,Customer,Payment Method\n"
ENTRY = SaleEntry("2025-10-01", None, None, "2", "600", "Ali", "", "cash")
SALE = RecordedSale(9, dt.date(2025, 10, 1), 37_230, 5, 7, 3_000, 100_000, "cash")


def twins(entry: SaleEntry, count: int, product: str = "Shirt", unit: str = "") -> list[bytes]:
    """Return the fingerprints of a number of equal sales by hand."""
    return [row.fingerprint for row in islice(rows_of(entry, product, unit, NOW, MARK), count)]


@pytest.mark.parametrize(
    ("entry", "product", "unit", "line"),
    [
        (ENTRY, "Shirt", "", "2025-10-01,shirt,2,,600.00,ALI,Cash"),
        (
            ENTRY._replace(date="2025-10-01T18:30:15Z", payment_method=""),
            "চাল",
            "",
            "2025-10-02 00:30:15,চাল,২,,৬০০,Ali,",
        ),
        (ENTRY._replace(quantity="0.125"), "Rice", "kg", "01 Oct 2025,Rice,0.125,KG,600,Ali,ক্যাশ"),
        (ENTRY._replace(payment_method="other", customer_name=""), "Tea", "", "2025-10-01,Tea,2,,৳ 600,,Other"),
        (ENTRY._replace(payment_method="credit"), "Tea", "pcs", "2025-10-01,Tea,2,pcs,600,Ali,বাকি"),
    ],
)
def test_a_sale_by_hand_has_the_fingerprints_of_a_ledgers_twins(
    entry: SaleEntry, product: str, unit: str, line: str
) -> None:
    rows = sales(HEADER + f"{line}\n" * 20)
    assert twins(entry, 20, product, unit) == [row.fingerprint for row in rows]


@settings(deadline=None)
@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2025, 10, 31)),
    st.integers(1, 1000),
    st.integers(100, 1_000_000_000),
    st.sampled_from(["", "Ali", "রহিম"]),
    st.sampled_from(["", "cash", "bkash", "nagad", "rocket", "card", "credit"]),
)
def test_any_sale_is_known_to_a_ledger(date: dt.date, quantity: int, paisa: int, customer: str, paid: str) -> None:
    amount = f"{paisa // 100}.{paisa % 100:02}"
    entry = SaleEntry(date.isoformat(), None, None, str(quantity), amount, customer, "", paid)
    line = f"{date:%d %b %Y},Shirt,{quantity},,{amount},{customer},{paid.title()}\n"
    assert twins(entry, 2) == [row.fingerprint for row in sales(HEADER + line * 2)]


@pytest.mark.parametrize(
    ("changes", "unit", "field"),
    [
        ({"date": "2025-11-01"}, "", "date"),
        ({"date": "2025-10-31T12:05:01"}, "", "date"),
        ({"date": "1999-12-31"}, "", "date"),
        ({"date": "2025-02-30"}, "", "date"),
        ({"quantity": "2.5"}, "", "quantity"),
        ({"quantity": "2.5"}, "pcs", "quantity"),
    ],
)
def test_a_sale_that_no_ledger_may_hold_is_refused(changes: dict[str, Any], unit: str, field: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        next(rows_of(ENTRY._replace(**changes), "Shirt", unit, NOW, MARK))
    assert refused.value.details["fields"][0]["field"] == field


def test_a_timestamp_may_be_five_minutes_ahead() -> None:
    row = next(rows_of(ENTRY._replace(date="2025-10-31T12:05:00"), "Shirt", "", NOW, MARK))
    assert (row.date, row.time) == (dt.date(2025, 10, 31), 43_500)


def test_a_void_repeats_what_was_recorded_once() -> None:
    (event,) = decide(VoidSale(9, "twice"), SALE)
    assert event == SaleVoided(9, "twice", SALE.date, 37_230, 5, 7, 3_000, 100_000, "cash")
    assert isinstance(event, SaleVoided)
    with pytest.raises(AlreadyVoided):
        decide(VoidSale(9, "again"), SALE.after(event, NOW))
    with pytest.raises(NotFound):
        decide(VoidSale(9, "again"), None)


def test_a_sale_is_shown_in_taka_and_local_time() -> None:
    item = sale_data(SALE, "Shirt", None, None)
    assert (item["date"], float(item["quantity"]), float(item["amount"])) == ("2025-10-01T10:20:30+06:00", 3, 1000)
    assert float(item["unit_price"]) == 333.33
    assert "voided" not in item
    (void,) = decide(VoidSale(9, "twice"), SALE)
    assert isinstance(void, SaleVoided)
    reported = sale_data(SALE.after(void, NOW), "Shirt", None, None)
    assert reported == item | {"voided": True, "reason": "twice", "voided_at": NOW}
