"""Workbooks and HTML tables are read as the CSV they would be saved as; bombs are refused unread."""

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable, Sequence

import pytest
import xlsxwriter

from tests.support.csv_rows import MARK, stored
from tests.support.ole_files import compound_file
from write_side.sales.csv.ledger import Ledger, open_ledger, weighed_questions
from write_side.sales.csv.rows import LedgerRow
from write_side.sales.csv.table import NoLedger

NOW = dt.datetime(2026, 11, 29, 6, tzinfo=dt.UTC)
HEADER = ["Date", "Product", "Qty", "Amount", "Customer"]
ROWS: list[list[object]] = [
    [dt.datetime(2026, 11, 1), "চা", 2, 40, "রহিম"],  # noqa: DTZ001 - a cell has no zone
    [dt.datetime(2026, 11, 2, 9, 30), "Rice 5kg", 1, 450.5, ""],  # noqa: DTZ001 - a cell has no zone
]


def workbook(*rows: Sequence[object], fill: Callable[[xlsxwriter.Workbook], None] | None = None) -> bytes:
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"default_date_format": "dd/mm/yyyy"})
    if fill:
        fill(book)
    sheet = book.add_worksheet("Sales")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return data.getvalue()


def read(data: bytes) -> tuple[Ledger, list[LedgerRow]]:
    ledger = open_ledger(stored(data))
    return ledger, [item for item in ledger.items(ledger.reader(NOW, MARK)) if isinstance(item, LedgerRow)]


def reason_of(data: bytes) -> str:
    with pytest.raises(NoLedger) as refused:
        open_ledger(stored(data))
    return refused.value.reason


def test_a_workbook_has_dates_as_dates_and_numbers_as_numbers() -> None:
    ledger, (tea, rice) = read(workbook(HEADER, *ROWS))
    assert (ledger.table.format, ledger.table.sheet, ledger.table.header_row) == ("xlsx", "Sales", 1)
    assert (tea.date, tea.time, tea.product, tea.quantity, tea.paisa) == (dt.date(2026, 11, 1), None, "চা", 2_000, 4_000)
    assert (rice.date, rice.time, rice.paisa) == (dt.date(2026, 11, 2), 34_200, 45_050)


def test_a_row_of_a_workbook_is_known_again_from_a_csv_file() -> None:
    _, from_book = read(workbook(HEADER, *ROWS))
    text = "Date,Product,Qty,Amount,Customer\n2026-11-01,চা,2,40,রহিম\n2026-11-02 09:30:00,Rice 5kg,1,450.50,\n"
    _, from_text = read(text.encode())
    assert [row.fingerprint for row in from_book] == [row.fingerprint for row in from_text]


def test_the_sheet_with_the_columns_is_read_below_its_titles() -> None:
    def notes(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("Notes").write_row(0, 0, ["Printed by", "Owner"])

    ledger, rows = read(workbook(["My shop"], [], HEADER, *ROWS, fill=notes))
    assert (ledger.table.sheet, ledger.table.header_row, len(rows)) == ("Sales", 3, 2)
    assert [notice.code for notice in ledger.table.notices] == ["LINES_ABOVE_HEADER"]


def test_a_merged_date_is_that_of_all_its_rows() -> None:
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    sheet.merge_range(1, 0, 3, 0, "2026-11-05")
    for number in (1, 2, 3):
        sheet.write_row(number, 1, [f"Tea {number}", 1, 20, ""])
    book.close()
    _, rows = read(data.getvalue())
    assert [row.date for row in rows] == [dt.date(2026, 11, 5)] * 3


@pytest.mark.parametrize("start", [b"<html><body>", b"<!DOCTYPE html>\n<html>", b"  <table>"])
def test_an_html_table_saved_as_xls_is_read(start: bytes) -> None:
    cells = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for row in (HEADER, ["2026-11-01", "Tea &amp; milk", "2", "40", "Rahim"])
    )
    table = cells if start.strip() == b"<table>" else f"<table>{cells}"
    ledger, (row,) = read(start + table.encode() + b"</table>")
    assert (ledger.table.format, row.product, row.paisa) == ("html", "Tea & milk", 4_000)


def test_the_content_says_what_a_file_is_not_its_name() -> None:
    assert read(workbook(HEADER, *ROWS))[0].table.format == "xlsx"
    assert read(b"Date,Product,Qty,Amount\n2026-11-01,Tea,1,20\n")[0].table.format == "csv"


def test_an_empty_workbook_an_encrypted_one_and_other_archives_are_refused() -> None:
    assert reason_of(workbook()) == "empty"
    encrypted = compound_file({"EncryptionInfo": b"", "EncryptedPackage": bytes(9_000)})
    assert reason_of(encrypted) == "encrypted"
    assert reason_of(compound_file({"WordDocument": b""})) == "binary"
    assert reason_of(b"\xd0\xcf\x11\xe0" + bytes(2_000)) == "binary"
    assert reason_of(b"PK\x03\x04" + bytes(64)) == "binary"
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", struct.pack("<I", 1))
    assert reason_of(other.getvalue()) == "binary"


def months(book: xlsxwriter.Workbook) -> None:
    for month in (9, 10):
        sheet = book.add_worksheet(f"Month {month}")
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, [f"2026-{month:02}-05", f"Tea of {month}", 1, 20, ""])


def test_a_workbook_with_several_ledgers_is_asked_about_and_the_others_are_named() -> None:
    data = workbook(HEADER, *ROWS, fill=months)
    ledger, _ = read(data)
    (question,) = ledger.layout.questions
    assert (question.code, question.values) == ("SHEET", ("Month 9", "Month 10", "Sales"))
    assert question.proposed == "sheet_1"
    for answer, sheet, others in (
        ("sheet_2", "Month 10", ("Month 9", "Sales")),
        ("Sales", "Sales", ("Month 9", "Month 10")),
    ):
        found = open_ledger(stored(data), answers={"SHEET": answer})
        assert (found.table.sheet, found.layout.questions) == (sheet, ())
        assert [notice.values for notice in found.layout.notices if notice.code == "OTHER_SHEETS"] == [others]
    (first, *_) = weighed_questions(ledger, NOW, MARK)
    assert [choice.sums.revenue if choice.sums else None for choice in first.choices] == [2_000, None, None]


@pytest.mark.parametrize("wanted", ["sheet_4", "sheet_0", "July"])
def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(wanted: str) -> None:
    with pytest.raises(NoLedger) as refused:
        open_ledger(stored(workbook(HEADER, *ROWS, fill=months)), answers={"SHEET": wanted})
    assert (refused.value.reason, refused.value.found) == ("no_sheet", ["Month 9", "Month 10", "Sales"])
