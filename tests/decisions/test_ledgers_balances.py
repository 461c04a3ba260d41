"""Balances that a ledger carries forward are no sales, and products with such a word in their name are."""

import pytest

from tests.support.csv_rows import items
from write_side.sales.csv.rows import LedgerRow, RejectedRow

BALANCES = [
    "Opening balance",
    "OPENING BALANCE (Nov)",
    "Opening balance as on 1 Nov 2025",
    "Closing Balance",
    "Balance",
    "Balance as on 1/11",
    "B/F",
    "b/f",
    "B. F.",
    "By balance b/f",
    "To balance c/d",
    "Balance c/d",
    "Balance b/d",
    "Bal. B/F",
    "C/F",
    "Brought forward",
    "Carried forward",
    "Balance brought forward",
    "Previous balance",
    "Previous due",
    "Previous Due: Rahim",
    "Old due",
    "Cash in hand",
    "Cash balance",
    "Opening cash",
    "জের",
    "পূর্বের জের",
    "অক্টোবর মাসের জের",
    "সাবেক",
    "সাবেক বাকি",
    "পূর্বের বাকি",
    "আগের বকেয়া",
    "হাতে নগদ",
    "Purber jer",
]
TOTALS = ["Todays sale", "Today's sales", "আজকের বিক্রি", "আজকের মোট বিক্রি"]
GOODS = [
    "Balance bike",
    "New Balance shoes",
    "Cash box",
    "CD",
    "DVD/CD",
    "BF cream",
    "Opening ceremony tape",
    "জেরক্স কাগজ",
    "Forward light",
    "Hand wash",
    "Stock pot",
    "Sabekun Nahar soap",
    "Due Diligence book",
    "C/D cable",
    "Cash memo",
    "Balance - yoga mat",
]
HEADER = "Date,Product,Quantity,Amount\n"


def codes(row: str) -> list[str]:
    found = items(f"{HEADER}2025-10-20,Tea,2,40\n{row}\n")
    assert isinstance(found[0], LedgerRow)
    return [f"{item.code} {item.left_out}" for item in found if isinstance(item, RejectedRow)]


@pytest.mark.parametrize("name", BALANCES)
def test_the_reader_leaves_a_balance_out_with_a_date_and_without_one(name: str) -> None:
    assert codes(f"2025-10-20,{name},1,5000") == ["CARRIED_ROW True"]
    assert codes(f"2025-10-20,{name},,5000") == ["CARRIED_ROW True"]
    assert codes(f",{name},,5000") == ["CARRIED_ROW True"]


@pytest.mark.parametrize("name", TOTALS)
def test_the_reader_takes_what_a_day_sold_for_a_total(name: str) -> None:
    assert codes(f"2025-10-20,{name},4,120") == ["TOTAL_ROW True"]


@pytest.mark.parametrize("name", GOODS)
def test_goods_with_a_word_of_balances_in_their_name_are_sold(name: str) -> None:
    assert codes(f"2025-10-20,{name},1,500") == []


def test_the_reader_leaves_a_customer_s_balance_out_without_a_date() -> None:
    found = items("Date,Customer,Product,Quantity,Amount\n2025-10-20,Ali,Tea,1,20\n,Salma,Total,,20\nx,Ali,B/F,,500\n")
    assert [item.code for item in found if isinstance(item, RejectedRow)] == ["TOTAL_ROW", "CARRIED_ROW"]
