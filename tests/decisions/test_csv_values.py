import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.contacts import phone
from tests.support.csv_rows import fault_of
from write_side.sales.csv.cells import Memo
from write_side.sales.csv.faults import BadCell, Fault
from write_side.sales.csv.meanings import kind
from write_side.sales.csv.values import (
    amount,
    cost,
    is_weighed,
    sku,
    stock,
    weighed_quantity,
    whole_quantity,
)

BANGLA = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


def lakh(paisa: int) -> str:
    """Write an amount with lakh grouping, as 1,23,456.50."""
    taka, places = divmod(paisa, 100)
    head, tail = divmod(taka, 1000)
    groups = []
    while head:
        head, pair = divmod(head, 100)
        groups.append(f"{pair:02}" if head else f"{pair}")
    return f"{','.join([*reversed(groups), f'{tail:03}' if groups else str(tail)])}.{places:02}"


def test_a_memo_reads_a_cell_once_and_forgets_before_it_grows_large() -> None:
    read: list[str] = []

    def length(cell: str) -> int:
        read.append(cell)
        return len(cell)

    memo = Memo(length)
    assert [memo["Tea"], memo["Tea"], memo["Coffee"]] == [3, 3, 6]
    assert read == ["Tea", "Coffee"]
    for number in range(100_000):
        memo[str(number)]
    assert len(memo) <= 32_768


@pytest.mark.parametrize(
    ("cell", "paisa"),
    [
        ("600", 60_000),
        (" 38.7 ", 3_870),
        ("1", 100),
        ("1.00", 100),
        ("10000000", 1_000_000_000),
        ("10,000,000.00", 1_000_000_000),
        ("1,00,00,000", 1_000_000_000),
        ("1,23,456.50", 12_345_650),
        ("123,456.50", 12_345_650),
        ("১,২৩,৪৫৬.৫০", 12_345_650),
        ("৬০০", 60_000),
        ("৳ 600", 60_000),
        ("৳৬০০", 60_000),
        ("600৳", 60_000),
        ("Tk 600", 60_000),
        ("Tk.600", 60_000),
        ("600 tk.", 60_000),
        ("BDT 600", 60_000),
        ("600 BDT", 60_000),
        ("৬০০ টাকা", 60_000),
        ("600/-", 60_000),
        ("600/=", 60_000),
    ],
)
def test_amounts_are_read_as_shops_write_them(cell: str, paisa: int) -> None:
    assert amount(cell) == paisa


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("", Fault.MISSING_VALUE),
        ("  ", Fault.MISSING_VALUE),
        ("0", Fault.AMOUNT_OUT_OF_RANGE),
        ("0.99", Fault.AMOUNT_OUT_OF_RANGE),
        ("10000000.01", Fault.AMOUNT_OUT_OF_RANGE),
        ("9" * 39, Fault.AMOUNT_OUT_OF_RANGE),
        ("-600", Fault.NEGATIVE_AMOUNT),
        ("-৳600", Fault.NEGATIVE_AMOUNT),
        ("৳ -600", Fault.NEGATIVE_AMOUNT),
        ("\u2212600", Fault.NEGATIVE_AMOUNT),
        ("1.005", Fault.TOO_MANY_DECIMALS),
        ("600.000", Fault.TOO_MANY_DECIMALS),
    ],
)
def test_amounts_outside_the_limits_are_refused(cell: str, fault: Fault) -> None:
    assert fault_of(amount, cell) == fault


@pytest.mark.parametrize(
    "cell",
    [
        "abc",
        "nan",
        "inf",
        "1e3",
        "1_000",
        "0x10",
        "1,2345",
        "1,23",
        "12,34,56",
        ",600",
        "600,",
        "6.",
        ".5",
        "1.2.3",
        "1 200",
        "৳",
        "Tk Tk 600",
        "৳600৳৳",
        "--600",
        "٦٠٠",
        "½",
        "=600",
        "600,50",
        "1.5,000",
        "9" * 41,
        "9" * 10_000,
    ],
)
def test_an_invalid_number_is_refused(cell: str) -> None:
    assert fault_of(amount, cell) == Fault.INVALID_NUMBER
    assert fault_of(whole_quantity, cell) == Fault.INVALID_NUMBER


@pytest.mark.parametrize(
    ("cell", "thousandths"),
    [("1", 1_000), ("1000", 1_000_000), ("1,000", 1_000_000), ("৫", 5_000), ("6.0", 6_000), (" 7.000", 7_000)],
)
def test_whole_quantities_are_thousandths(cell: str, thousandths: int) -> None:
    assert whole_quantity(cell) == weighed_quantity(cell) == thousandths


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("", Fault.MISSING_VALUE),
        ("0", Fault.QUANTITY_OUT_OF_RANGE),
        ("1001", Fault.QUANTITY_OUT_OF_RANGE),
        ("-1", Fault.NEGATIVE_QUANTITY),
        ("2.5", Fault.QUANTITY_NOT_WHOLE),
        ("0.5", Fault.QUANTITY_NOT_WHOLE),
        ("2.5000", Fault.TOO_MANY_DECIMALS),
        ("৳5", Fault.INVALID_NUMBER),
    ],
)
def test_quantities_outside_the_limits_are_refused(cell: str, fault: Fault) -> None:
    assert fault_of(whole_quantity, cell) == fault


def test_weighed_quantities_may_be_fractions() -> None:
    assert weighed_quantity("2.5") == 2_500
    assert weighed_quantity("০.০০১") == 1
    assert fault_of(weighed_quantity, "0.000") == Fault.QUANTITY_OUT_OF_RANGE
    assert fault_of(weighed_quantity, "1000.001") == Fault.QUANTITY_OUT_OF_RANGE
    assert fault_of(weighed_quantity, "0.0001") == Fault.TOO_MANY_DECIMALS


def test_kilograms_grams_litres_and_metres_are_weighed_and_pieces_are_not() -> None:
    assert all(map(is_weighed, ["kg", "KG.", "g", "gm", "l", "Ltr", "ml", "m", "কেজি", "গ্রাম", "লিটার", "মিটার"]))
    assert not any(map(is_weighed, ["", "pcs", "dozen", "পিস"]))


@settings(deadline=None)
@given(st.integers(100, 1_000_000_000), st.booleans(), st.sampled_from(["{}", "৳ {}", "Tk. {}", "{} BDT", "{} টাকা"]))
def test_every_amount_is_read_in_every_grouping(paisa: int, in_bangla: bool, style: str) -> None:
    for number in (f"{paisa // 100}.{paisa % 100:02}", f"{paisa // 100:,}.{paisa % 100:02}", lakh(paisa)):
        assert amount(style.format(number.translate(BANGLA) if in_bangla else number)) == paisa


@settings(deadline=None)
@given(st.one_of(st.text(max_size=50), st.from_regex(r"[-৳]?[0-9০-৯,]{1,12}\.?[0-9]{0,4}")))
def test_any_cell_is_a_number_within_the_limits_or_refused(cell: str) -> None:
    for read, largest in ((amount, 1_000_000_000), (whole_quantity, 1_000_000), (weighed_quantity, 1_000_000)):
        try:
            number = read(cell)
        except BadCell:
            continue
        assert 1 <= number <= largest


@pytest.mark.parametrize(
    ("cells", "meant"),
    [
        (("", " ", "Sale", "SALES", "বিক্রি", "বিক্র\u09df", "বিক্র\u09af\u09bc"), "sale"),
        (("Return", "Sales Return", "refund", "ফেরত"), "return"),
        (("Purchase", "ক্রয়", "ক্র\u09af\u09bc", "কেনা"), "purchase"),
        (("Expense", "EXPENSES ", "খরচ"), "expense"),
    ],
)
def test_a_type_is_written_in_english_or_bangla(cells: tuple[str, ...], meant: str) -> None:
    assert {kind(cell) for cell in cells} == {meant}


def test_an_unknown_type_is_refused() -> None:
    assert {fault_of(kind, cell) for cell in ("Gift", "salee", "0", "উপহার")} == {Fault.NOT_A_SALE}


def test_a_stock_has_three_places_and_may_be_nothing() -> None:
    assert [stock(cell) for cell in ("", " ", "0", "-0", "২.৫", "0.001", "1,000,000")] == [
        None,
        None,
        0,
        0,
        2_500,
        1,
        1_000_000_000,
    ]
    assert fault_of(stock, "1000000.001") == fault_of(stock, "-1") == Fault.STOCK_OUT_OF_RANGE
    assert fault_of(stock, "1.0001") == Fault.TOO_MANY_DECIMALS
    assert fault_of(stock, "a few") == fault_of(stock, "1e3") == Fault.INVALID_NUMBER


def test_a_cost_is_money_above_nothing() -> None:
    assert [cost(cell) for cell in ("", "0.01", "৳ ১২.৫০", "10,000,000.00")] == [None, 1, 1_250, 1_000_000_000]
    assert {fault_of(cost, cell) for cell in ("0", "-5", "10000000.01", "৳ -5")} == {Fault.COST_OUT_OF_RANGE}
    assert fault_of(cost, "1.005") == Fault.TOO_MANY_DECIMALS
    assert fault_of(cost, "cheap") == Fault.INVALID_NUMBER


def test_a_product_code_is_shown_as_it_is_written() -> None:
    assert [sku(cell) for cell in ("", "  ", " RIC-001 ", "ক-১", "x" * 100)] == [
        None,
        None,
        "RIC-001",
        "ক-১",
        "x" * 100,
    ]
    assert fault_of(sku, "x" * 101) == fault_of(sku, "x" * 300) == Fault.SKU_TOO_LONG
    assert fault_of(sku, "A\u202eB") == Fault.INVALID_CHARACTER


@pytest.mark.parametrize(
    "cell", ["01712345678", "1712345678", "+8801712345678", "8801712345678", "017-1234 5678", "০১৭১২৩৪৫৬৭৮"]
)
def test_one_phone_number_has_one_form(cell: str) -> None:
    assert phone(cell) == "+8801712345678"


def test_foreign_numbers_stay_and_other_text_is_none() -> None:
    assert phone("+44 20 7946 0958") == "+442079460958"
    assert [phone(cell) for cell in ("", "n/a", "1.71E+09", "12345", "9" * 10_000)] == [None] * 5
