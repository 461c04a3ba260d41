"""What may be wrong is asked or refused, and what was assumed is remarked."""

from tests.support.csv_rows import MARK, NOW, items, opened
from write_side.sales.csv.ledger import Ledger, sums_of
from write_side.sales.csv.rows import LedgerRow, RejectedRow

HEADER = "Date,Product,Quantity,Amount\n"
# A number with two decimals proves that a point separates them.
PROVEN = HEADER + "2025-10-01,Milk,1,1.50\n"
TYPED = (
    "Date,Type,Product,Quantity,Amount\n"
    "2025-10-01,Bikri,Tea,1,100\n2025-10-01,Pherot,Tea,1,40\n2025-10-01,Khoroch,Rent,1,30\n"
)


def codes(ledger: Ledger) -> list[str]:
    return [question.code for question in ledger.layout.questions]


def net(ledger: Ledger) -> int:
    return sums_of(ledger.items(ledger.reader(NOW, MARK))).net


def test_a_third_decimal_that_was_typed_is_refused_and_float_noise_is_rounded() -> None:
    def read(amount: str) -> int | str:
        item = items(f"{PROVEN}2025-10-01,Tea,1,{amount}\n")[1]
        return item.paisa if isinstance(item, LedgerRow) else item.code

    refused = ["1.005", "1.0050", "12.345", "33.333", "1.00499999999", "1.0050000001", "7.12500"]
    assert {read(amount) for amount in refused} == {"TOO_MANY_DECIMALS"}
    assert {amount: read(amount) for amount in ("12.299999999", "540.000", "119.99999999999999", "33.3333")} == {
        "12.299999999": 1_230,
        "540.000": 54_000,
        "119.99999999999999": 12_000,
        "33.3333": 3_333,
    }


def test_rounding_that_loses_money_is_remarked_and_float_noise_is_not() -> None:
    def notices(amount: str) -> list[str]:
        found = opened(f"{PROVEN}2025-10-01,Tea,1,{amount}\n")
        reader = found.reader(NOW, MARK)
        list(found.items(reader))
        return [notice.code for notice in reader.notices]

    assert notices("33.3333") == notices("33.333333333") == ["AMOUNT_ROUNDED"]
    assert notices("12.299999999") == notices("540.000") == []


def test_a_column_type_without_a_known_word_is_asked_about_then_word_by_word() -> None:
    assert codes(opened(TYPED)) == ["TYPE_COLUMN"]
    goods = opened(TYPED, TYPE_COLUMN="goods")
    assert (codes(goods), net(goods)) == ([], 17_000)
    words = opened(TYPED, TYPE_COLUMN="entries")
    assert codes(words) == ["TYPE:Bikri", "TYPE:Pherot", "TYPE:Khoroch"]
    meant = {"TYPE_COLUMN": "entries", "TYPE:Bikri": "sale", "TYPE:Pherot": "return", "TYPE:Khoroch": "expense"}
    answered = opened(TYPED, **meant)
    assert (codes(answered), net(answered)) == ([], 6_000)
    left = opened(TYPED, **(meant | {"TYPE:Khoroch": "leave_out"}))
    refused = [item for item in left.items(left.reader(NOW, MARK)) if isinstance(item, RejectedRow)]
    assert [(item.code, item.left_out) for item in refused] == [("LEFT_OUT_BY_ANSWER", True)]


ORDERS = "Date,Invoice No,Customer,Product,Quantity,Amount,Paid,Due\n"


def test_a_payment_of_an_order_is_spread_over_its_lines() -> None:
    repeated = ORDERS + (
        "2025-10-01,1,Ali,Tea,1,100,150,150\n2025-10-01,1,Ali,Rice,2,200,150,150\n"
        "2025-10-01,2,Salma,Tea,1,100,100,0\n2025-10-01,3,Rahim,Tea,1,100,0,200\n2025-10-01,3,Rahim,Oil,1,100,0,200\n"
    )
    once = repeated.replace("Rice,2,200,150,150", "Rice,2,200,,").replace("Oil,1,100,0,200", "Oil,1,100,,")
    for ledger in (repeated, once):
        found = opened(ledger)
        assert codes(found) == []
        rows = [item for item in found.items(found.reader(NOW, MARK)) if isinstance(item, LedgerRow)]
        paid = [row.paisa if row.received is None and row.payment != "credit" else row.received or 0 for row in rows]
        assert paid == [10_000, 5_000, 10_000, 0, 0]
        sums = sums_of(rows)
        assert (sums.revenue, sums.received, sums.owed) == (60_000, 25_000, 35_000)


def test_an_order_whose_payment_is_not_the_sum_of_its_lines_is_refused() -> None:
    good = "".join(
        f"2025-10-01,{n},Ali,Tea,1,100,150,150\n2025-10-01,{n},Ali,Rice,2,200,150,150\n" for n in range(1, 10)
    )
    bad = "2025-10-01,99,Ali,Tea,1,100,350,0\n2025-10-01,99,Ali,Rice,2,200,350,0\n"
    refused = [item for item in items(ORDERS + good + bad) if isinstance(item, RejectedRow)]
    assert [item.code for item in refused] == ["PAID_DUE_MISMATCH"] * 2
