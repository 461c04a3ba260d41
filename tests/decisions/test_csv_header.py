import csv

import pytest

from write_side.sales.csv.cells import loosely
from write_side.sales.csv.columns import NAMES, field_of
from write_side.sales.csv.encoding import HEAD_SIZE
from write_side.sales.csv.faults import Notice
from write_side.sales.csv.layout import Layout, insist_on_columns, understand
from write_side.sales.csv.profile import profile
from write_side.sales.csv.records import text_table
from write_side.sales.csv.table import NoLedger, Table, insist_on_records

ROW = b"\n2025-10-01,Tea,1,20\n"


def table_of(data: bytes, mapping: dict[str, str] | None = None) -> Table:
    """Return the table that the first bytes of a file begin."""
    table = text_table(lambda: [data], mapping)
    insist_on_columns(table.header, mapping or {})
    if len(data) < HEAD_SIZE:
        insist_on_records(table)
    return table


def read_header(data: bytes, mapping: dict[str, str] | None = None) -> Layout:
    table = table_of(data, mapping)
    return understand(table, profile(table, mapping or {}), mapping or {}, {}, {}, {})


def layout_of(header: str) -> Layout:
    """Return the layout of a ledger with one sale below the header: a date, names and the number 1."""
    return read_header(filled(header))


def filled(header: str) -> bytes:
    delimiter = max(",;\t|", key=header.count)
    names = next(csv.reader([line for line in header.split("\n") if line.strip(delimiter)][-1:], delimiter=delimiter))
    texts = {"date": "2025-10-01", **dict.fromkeys(("product", "customer", "payment", "sku", "type", "unit"), "sale")}
    cells = [texts.get(field_of(name) or "", "1") for name in names]
    return f"{header}\n{delimiter.join(cells)}\n".encode()


def refusal_of(data: bytes, mapping: dict[str, str] | None = None) -> NoLedger:
    with pytest.raises(NoLedger) as refused:
        table_of(data, mapping)
    return refused.value


@pytest.mark.parametrize(
    "header",
    [
        "Date,Product,Quantity,Amount",
        "\ufeffDate,Product,Quantity,Amount",
        " date , PRODUCT , quantity , amount ",
        '"Date","Product","Quantity","Amount"',
        "Sale Date;Item;Qty;Amount (BDT)",
        "sale_date\tproduct_name\tQTY\tLine Total",
        "Sale-Date|Description|Qty.|Total",
        "তারিখ,পণ্য,পরিমাণ,টাকা",
        "তারিখ;পণ্যের নাম;পরিমাণ;মোট",
        "তারিখ\tপণ্য\tপরিমাণ\tমূল্য",
    ],
)
def test_columns_are_found_by_english_and_bangla_names(header: str) -> None:
    layout = layout_of(header)
    assert layout.columns == {"date": 0, "product": 1, "quantity": 2, "amount": 3}
    assert table_of(filled(header)).header_row == 1
    assert layout.notices == ()


@pytest.mark.parametrize(
    ("header", "customer", "payment"),
    [
        ("Payment Method,Customer,Amount,Quantity,Product,Date", 1, 0),
        ("গ্রাহক,পেমেন্ট পদ্ধতি,টাকা,পরিমাণ,পণ্য,তারিখ", 0, 1),
        ("পেমেন্ট,ক্রেতা,টাকা,পরিমাণ,পণ্য,তারিখ", 1, 0),
    ],
)
def test_columns_may_be_in_any_order(header: str, customer: int, payment: int) -> None:
    layout = layout_of(header)
    assert (layout.columns["customer"], layout.columns["payment"]) == (customer, payment)
    assert layout.fields[2:] == ["amount", "quantity", "product", "date"]


def test_every_name_is_written_as_names_are_compared_and_claims_one_field() -> None:
    names = [name for of_field in NAMES.values() for name in of_field]
    assert [name for name in names if loosely(name) != name] == []
    assert len(set(names)) == len(names)


def test_a_composed_and_a_decomposed_letter_name_the_same_column() -> None:
    for name in ("বিক্র\u09dfের তারিখ", "বিক্র\u09af\u09bcের তারিখ"):
        assert layout_of(f"{name},পণ্য,পরিমাণ,টাকা").columns["date"] == 0


def test_the_separator_with_the_most_known_columns_wins() -> None:
    layout = layout_of('Date;"Product, Item";Product;Quantity;Amount, in taka;Amount')
    assert layout.delimiter == ";"
    assert layout.columns == {"date": 0, "product": 2, "quantity": 3, "amount": 5}


def test_lines_above_the_header_are_counted() -> None:
    assert table_of(b"\n,,,\nDate,Product,Quantity,Amount" + ROW).header_row == 3
    table = table_of(b"sep=;\r\nDate;Product;Quantity;Amount" + ROW)
    assert (table.delimiter, table.header_row) == (";", 2)


def test_a_name_over_two_lines_is_one_name() -> None:
    data = b'Date,Product,Quantity,"Amount\n(BDT)"' + ROW
    assert (read_header(data).columns["amount"], table_of(data).header_row) == (3, 2)


def test_unknown_columns_are_named_in_a_warning() -> None:
    layout = layout_of("Date,Product,Quantity,Amount,Colour,,Shelf")
    assert layout.notices == (Notice("UNKNOWN_COLUMNS", ("Colour", "Shelf")),)


@pytest.mark.parametrize(
    "header",
    [
        "Date,Product,Quantity,Amount,Type,SKU,Stock,Phone,Cost,Unit",
        "তারিখ,পণ্য,পরিমাণ,টাকা,ধরন,পণ্যকোড,মজুদ,ফোন,ক্রয়মূল্য,একক",
        "Sale Date,Item,Qty,Total,Kind,Barcode,Current Stock,Mobile,Purchase Price,UoM",
    ],
)
def test_every_optional_column_is_found(header: str) -> None:
    layout = layout_of(header)
    assert layout.fields[4:] == ["type", "sku", "stock", "phone", "cost", "unit"]
    assert [notice.code for notice in layout.notices] == ["COUNTS_ASSUMED"]


def test_missing_columns_are_named() -> None:
    refused = refusal_of(b"Date,Thing,Amount" + ROW)
    assert (refused.reason, refused.missing) == ("missing_columns", ["Product", "Quantity"])
    assert refused.found == ["Date", "Thing", "Amount"]


def test_a_first_line_of_data_is_no_header() -> None:
    refused = refusal_of(b"2025-10-01,Shirt,2,600,Ali,Cash" + ROW)
    assert (refused.reason, refused.missing) == ("missing_columns", ["Date", "Product", "Quantity", "Amount"])


@pytest.mark.parametrize(
    ("header", "duplicates"),
    [
        ("Date,Date,Product,Quantity,Amount", ["Date", "Date"]),
        ("Date,Product,Quantity,amount,Total,AMOUNT", ["amount", "AMOUNT"]),
        ("Date,Product,Quantity,Line Total,Total,line_total", ["Line Total", "line_total"]),
    ],
)
def test_the_same_name_twice_is_refused(header: str, duplicates: list[str]) -> None:
    refused = refusal_of(header.encode() + ROW)
    assert (refused.reason, refused.duplicates) == ("duplicate_column", duplicates)


@pytest.mark.parametrize(
    ("header", "field", "read", "left_out"),
    [
        ("Date,Product,Quantity,Total,Amount", "amount", "Amount", ["Total"]),
        ("Date,Product,Quantity,Total,Line Total", "amount", "Line Total", ["Total"]),
        ("তারিখ,পণ্য,পরিমাণ,মূল্য,মোট টাকা", "amount", "মোট টাকা", ["মূল্য"]),
        ("Customer ID,Customer Name,Date,Product,Quantity,Amount", "customer", "Customer Name", ["Customer ID"]),
        ("Date,CustomerID,Buyer,Product,Quantity,Amount", "customer", "Buyer", ["CustomerID"]),
        ("Date,Description,Item,Quantity,Amount", "product", "Item", ["Description"]),
        ("Date,Item,Item Name,Quantity,Amount", "product", "Item Name", ["Item"]),
        ("Item Description,Date,পণ্যের নাম,Quantity,Amount", "product", "পণ্যের নাম", ["Item Description"]),
        ("Timestamp,Invoice Date,Order Date,Item,Qty,Total", "date", "Order Date", ["Timestamp", "Invoice Date"]),
        ("Date,Product,Quantity,Amount,Payment,Payment Method", "payment", "Payment Method", ["Payment"]),
        ("Date,Product,Quantity,Total,Total,Amount", "amount", "Amount", ["Total", "Total"]),
    ],
)
def test_of_two_equivalent_columns_the_better_name_is_read(
    header: str, field: str, read: str, left_out: list[str]
) -> None:
    layout = layout_of(header)
    assert layout.header[layout.columns[field]] == read
    assert layout.notices == (Notice("RIVAL_COLUMNS", tuple(left_out)),)


def test_superseded_columns_are_reported_apart_from_unknown_ones() -> None:
    layout = layout_of("Date,Product,Shelf,Description,Quantity,Amount,Colour")
    assert layout.notices == (
        Notice("UNKNOWN_COLUMNS", ("Shelf", "Colour")),
        Notice("RIVAL_COLUMNS", ("Description",)),
    )


def test_the_owners_mapping_goes_before_known_names() -> None:
    data = b"Sold on,Date,Product,Quantity,Amount,Net" + ROW
    layout = read_header(data, mapping={"date": "sold ON", "amount": "Net"})
    assert (layout.columns["date"], layout.columns["amount"]) == (0, 5)
    assert refusal_of(data, mapping={"customer": "Who"}).missing == ["Who"]


def test_a_chosen_column_may_have_a_name_of_signs_alone() -> None:
    data = "#,Date,Product,Quantity,,৳\n1,2025-10-01,Tea,2,,40\n".encode()
    assert read_header(data, mapping={"amount": "৳"}).columns["amount"] == 5
    assert refusal_of(data, mapping={"amount": "$"}).missing == ["$"]


def test_a_chosen_name_that_is_there_as_it_is_written_goes_before_its_like() -> None:
    data = b"Date,Product,Quantity,total,TOTAL" + ROW
    assert read_header(data, mapping={"amount": "TOTAL"}).columns["amount"] == 4
    refused = refusal_of(data, mapping={"amount": "Total"})
    assert (refused.reason, refused.duplicates) == ("duplicate_column", ["total", "TOTAL"])


def test_a_column_that_is_chosen_for_one_field_is_no_other() -> None:
    data = b"Date,Product,Quantity,Amount,Total" + ROW
    assert read_header(data, mapping={"cost": "Total"}).columns["cost"] == 4
    assert refusal_of(data, mapping={"cost": "Amount", "amount": "Amount"}).reason == "missing_columns"


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\n\r\n  \n", b",,,\n;;\n"])
def test_a_file_without_content_is_empty(data: bytes) -> None:
    assert refusal_of(data).reason == "empty"


@pytest.mark.parametrize("below", [b"", b"\n", b"\r\n\r\n", b"\n,,,\n   \n"])
def test_a_header_alone_is_no_ledger(below: bytes) -> None:
    assert refusal_of(b"Date,Product,Quantity,Amount" + below).reason == "header_only"


def test_rows_may_follow_behind_the_head() -> None:
    head = (b"Date,Product,Quantity,Amount" + b"\n" * HEAD_SIZE)[:HEAD_SIZE]
    assert table_of(head).header_row == 1


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "picture"),
        (b"\xff\xd8\xff\xe0" + bytes(64), "picture"),
        (b"%PDF-1.7\n", "pdf"),
        (b"PK\x03\x04" + bytes(64), "spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + bytes(64), "spreadsheet"),
        (b"Date,Prod\x00uct,Quantity,Amount" + ROW, ""),
        (bytes(HEAD_SIZE), ""),
    ],
)
def test_a_file_of_another_kind_is_binary(data: bytes, kind: str) -> None:
    refused = refusal_of(data)
    assert (refused.reason, refused.kind) == ("binary", kind)


def test_ten_thousand_columns_are_too_many() -> None:
    assert refusal_of(b",".join(b"c%d" % i for i in range(10_000)) + ROW).reason == "too_many_columns"
    assert len(layout_of("Date,Product,Quantity,Amount" + "," * 252).header) == 256


def test_an_endless_first_line_has_no_columns() -> None:
    refused = refusal_of(b"x" * HEAD_SIZE)
    assert refused.reason == "missing_columns"
    assert len(refused.found[0]) <= 60


def test_an_unclosed_quote_in_the_header_costs_no_line_below_it() -> None:
    data = b'Date,"Product,Quantity,Amount' + ROW * 30
    assert table_of(data).header_row == 1
    assert read_header(data).fields == ["date", "product", "quantity", "amount"]


def test_an_order_export_with_a_row_per_piece_and_no_quantities_is_refused_with_what_is_missing() -> None:
    header = (
        "Order Item Id,Seller Sku,Create Time,Order Number,Customer Name,Pay Method,Paid Price,Unit Price,Item Name"
    )
    refused = refusal_of(f"{header}\n1,S1,01 Oct 2025 10:00,700,Salma,COD,380,400,Sari\n".encode())
    assert (refused.reason, refused.missing) == ("missing_columns", ["Date", "Quantity"])
