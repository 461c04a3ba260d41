"""First and last names of customers in two columns are one name."""

import pytest

from tests.support.csv_rows import items, opened, sales
from write_side.sales.csv.rows import RejectedRow

ROWS = (
    "2025-10-01,Md,Rahim,Tea,1,100\n2025-10-01,Md,Karim,Cap,2,50\n2025-10-02,Salma,,Tea,1,100\n"
    "2025-10-02,,Begum,Tea,1,100\n2025-10-02,-,-,Tea,1,100\n2025-10-03,Walk-in,Customer,Tea,1,100\n"
)
PAIRS = [
    "First Name (Billing),Last Name (Billing)",
    "Billing First Name,Billing Last Name",
    "Customer First Name,Customer Last Name",
    "First Name,Last Name",
    "প্রথম নাম,শেষ নাম",
]


@pytest.mark.parametrize("pair", PAIRS)
def test_customers_with_one_first_name_stay_apart_by_their_last_names(pair: str) -> None:
    ledger = f"Date,{pair},Product,Quantity,Amount\n{ROWS}"
    assert [row.customer for row in sales(ledger)] == ["Md Rahim", "Md Karim", "Salma", "Begum", None, None]
    assert opened(ledger).layout.notices == ()


def test_customers_with_one_first_name_and_phone_are_asked_about_by_whole_names() -> None:
    header = "Date,First Name (Billing),Last Name (Billing),Phone,Product,Quantity,Amount\n"
    shared = header + "2025-10-01,Md,Rahim,01711000001,Tea,1,100\n2025-10-01,Md,Karim,01711000001,Tea,1,100\n"
    assert [question.kind for question in opened(shared).layout.questions] == ["SHARED_PHONE"]


def test_a_refused_row_with_a_whole_name_reads_the_same_once_it_is_corrected() -> None:
    header = "Date,First Name,Last Name,Product,Quantity,Amount\n"
    (refused,) = items(header + "2025-10-01,Md,Rahim,Tea,x,100\n")
    assert isinstance(refused, RejectedRow)
    corrected = ",".join(cell.replace("x", "1") for cell in refused.cells)
    assert sales(header + corrected + "\n") == sales(header + "2025-10-01,Md,Rahim,Tea,1,100\n")


def test_a_column_of_whole_names_goes_before_two_of_parts() -> None:
    ledger = "Date,Customer,First Name,Last Name,Product,Quantity,Amount\n2025-10-01,Rahim Store,Md,Rahim,Tea,1,100\n"
    assert [row.customer for row in sales(ledger)] == ["Rahim Store"]
