import pytest

from shared.eventstore.vault import MasterKey
from tests.support.csv_rows import HEADER, items, sale, sales
from write_side.sales.aggregate import sale_index_key
from write_side.sales.batch_rows import with_twins
from write_side.sales.catalog import marking
from write_side.sales.csv.rows import LedgerRow

SEED = HEADER + "2025-10-01,Shirt,2,600,Ali,Cash\n2025-10-02,Pants,1,1200,,bKash\n"


def test_twins_have_fingerprints_of_their_own() -> None:
    tea = "2025-10-01,Tea,1,20,,\n"
    rows = sales(HEADER + tea * 3 + "2025-10-01,TEA ,১,৳20.00\n" + "2025-10-01,Milk,1,20,,\n" + tea)
    assert len({row.fingerprint for row in rows}) == 6
    alone = sales(HEADER + "2025-10-01,Milk,1,20,,\n" + tea * 5)
    assert {row.fingerprint for row in rows} == {row.fingerprint for row in alone}


def test_a_fingerprint_depends_on_what_was_sold_not_on_how_it_is_written() -> None:
    one = sale("2025-10-01,Red Tea,2,600,Ali,Cash")
    other = sale("cash|ALI|৳ ৬০০.০০|2.0|red  tea|1 Oct 2025", "Payment|Buyer|Total|Qty|Item|Sale Date\n")
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    "row",
    [
        "2025-10-02,Tea,2,600,Ali,Cash",
        "2025-10-01 00:00,Tea,2,600,Ali,Cash",
        "2025-10-01,Teas,2,600,Ali,Cash",
        "2025-10-01,Tea,3,600,Ali,Cash",
        "2025-10-01,Tea,2,600.01,Ali,Cash",
        "2025-10-01,Tea,2,600,Alim,Cash",
        "2025-10-01,Tea,2,600,,Cash",
        "2025-10-01,Tea,2,600,Ali,Card",
        "2025-10-01,Tea,2,600,Ali,",
        "2025-10-01,Tea,2,600,Ali,Upay",
    ],
)
def test_a_row_that_differs_has_another_fingerprint(row: str) -> None:
    assert sale(row).fingerprint != sale("2025-10-01,Tea,2,600,Ali,Cash").fingerprint


def test_two_unknown_payments_have_fingerprints_of_their_own() -> None:
    assert sale("2025-10-01,Tea,2,600,,Upay").fingerprint != sale("2025-10-01,Tea,2,600,,Tap").fingerprint


def test_two_installations_fingerprint_the_same_sale_differently() -> None:
    def read_in(secret: str) -> list[bytes]:
        rows = items(SEED, mark=marking(MasterKey(secret).lookup_key, 7))
        return [row.fingerprint for row in rows if isinstance(row, LedgerRow)]

    one, other = read_in("one secret"), read_in("another secret")
    assert one == read_in("one secret")
    assert one[0] != other[0]
    assert one[1] == other[1]  # nobody's name is in it


def test_fingerprints_of_released_ledgers_stay_what_they_were() -> None:
    rows = sales(HEADER + "2025-10-01 10:15,Tea,2,600,Ali,Upay\n" * 2)
    assert [row.fingerprint.hex() for row in rows] == ["6b37bf2beede9da4b58fc7d2", "6b7a399b27ca81829c80989b"]


def test_only_sales_that_were_recorded_before_get_fingerprints_of_their_own() -> None:
    fresh, known, bad = items(f"{HEADER}2025-10-01,Tea,1,20,,\n2025-10-02,Tea,1,20,,\n2025-10-03,Tea,0,20,,\n")
    assert isinstance(known, LedgerRow)
    left, changed, rejected = with_twins("file-1", [fresh, known, bad], {sale_index_key(known.date, known.fingerprint)})
    assert (left, rejected) == (fresh, bad)
    assert isinstance(changed, LedgerRow)
    assert changed.fingerprint != known.fingerprint
    assert len(changed.fingerprint) == len(known.fingerprint)
    (other,) = with_twins("file-2", [known], {sale_index_key(known.date, known.fingerprint)})
    assert isinstance(other, LedgerRow)
    assert other.fingerprint not in {known.fingerprint, changed.fingerprint}
