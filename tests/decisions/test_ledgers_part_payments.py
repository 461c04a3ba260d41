"""What was paid and is owed of a row with signs: overpaid sales, and returns that are paid back in part."""

import pytest

from tests.support.csv_rows import MARK, NOW, items, opened
from write_side.sales.csv.faults import Fault
from write_side.sales.csv.ledger import sums_of
from write_side.sales.csv.rows import LedgerRow, RejectedRow

HEADER = "Date,Customer,Product,Quantity,Total,Paid,Due\n"
SALES = "2025-10-20,Ali,Rice,1,3000,1000,2000\n2025-10-22,Salma,Dal,2,260,0,260\n2025-10-23,Salma,Dal,2,260,260,0\n"
OVERPAID = HEADER + SALES + "2025-10-21,Ali,Oil,1,900,1500,-600\n"
RETURNED = HEADER + SALES + "2025-10-24,Ali,Rice,-1,-3000,-1000,-2000\n"


def refused(ledger: str, **answers: str) -> list[tuple[str, str]]:
    found = opened(ledger, **answers)
    read = found.items(found.reader(NOW, MARK))
    return [(item.code, item.column) for item in read if isinstance(item, RejectedRow)]


def test_the_reader_asks_nothing_about_signed_amounts_that_add_up() -> None:
    assert opened(OVERPAID).layout.questions == ()
    assert opened(RETURNED).layout.questions == ()


@pytest.mark.parametrize("answer", ["paid", "due"])
def test_the_reader_never_takes_what_was_overpaid_for_a_debt(answer: str) -> None:
    assert refused(OVERPAID) == [("OVERPAID", "Due")]
    unclear = OVERPAID + "2025-10-25,Ali,Tea,1,20,5,5\n" * 3
    assert [question.code for question in opened(unclear).layout.questions] == ["PAID_UNCLEAR"]
    assert ("OVERPAID", "Due") in refused(unclear, PAID_UNCLEAR=answer)


def test_the_reader_names_a_return_that_was_paid_back_in_part() -> None:
    assert refused(RETURNED) == [("RETURN_PAID_IN_PART", "Paid")]
    typed = HEADER.replace("Due", "Due,Type") + SALES.replace("\n", ",sale\n")
    assert refused(typed + "2025-10-24,Ali,Rice,1,3000,1000,2000,return\n") == [("RETURN_PAID_IN_PART", "Paid")]


def test_the_reader_still_takes_debts_with_a_minus_for_debts() -> None:
    read = items(HEADER + SALES.replace("1000,2000", "1000,-2000").replace("0,260", "0,-260", 1))
    assert all(isinstance(item, LedgerRow) for item in read)
    assert sums_of(read).owed == 226_000


def test_a_refused_row_with_a_time_in_the_future_names_the_column_of_times() -> None:
    (item,) = items("Date,Time,Product,Quantity,Amount\n2025-10-31,11:30 PM,Tea,2,40\n")
    assert isinstance(item, RejectedRow)
    assert (item.code, item.column, item.value) == (Fault.DATE_IN_FUTURE, "Time", "11:30 PM")
