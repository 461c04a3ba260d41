"""GET /data/uploads/{file_id}/errors.csv: what became no sale, and why."""

import csv
import io

import httpx
import pytest

from tests.support.ledgers import SAMPLE, errors_of, imported, written
from tests.support.shops import Shop, upload
from tests.support.uploading import BANGLA

COLUMNS = ["row", "column", "value", "code", "message", "fix"]
HEADER = ["Date", "Product", "Qty", "Amount", "Note"]
BAD = [
    # line, cells, column at fault, value shown, code
    (2, ["2025-02-30", "Tea", "1", "20", ""], "Date", "2025-02-30", "INVALID_DATE"),
    (4, ["2999-01-01", "Tea", "1", "20", ""], "Date", "2999-01-01", "DATE_IN_FUTURE"),
    (5, ["1999-12-31", "Tea", "1", "20", ""], "Date", "1999-12-31", "DATE_TOO_OLD"),
    (6, ["2025-10-01", " ", "1", "20", ""], "Product", " ", "MISSING_VALUE"),
    (7, ["2025-10-01", "T" * 256, "1", "20", ""], "Product", "T" * 200, "NAME_TOO_LONG"),
    (8, ["2025-10-01", "Tea", "-2", "20", ""], "Qty", "'-2", "NEGATIVE_QUANTITY"),
    (9, ["2025-10-01", "Tea", "1.5", "20", ""], "Qty", "1.5", "QUANTITY_NOT_WHOLE"),
    (10, ["2025-10-01", "Tea", "1001", "20", ""], "Qty", "1001", "QUANTITY_OUT_OF_RANGE"),
    (11, ["2025-10-01", "Tea", "1", "0.99", ""], "Amount", "0.99", "AMOUNT_OUT_OF_RANGE"),
    (12, ["2025-10-01", "Tea", "1", "10000000.01", ""], "Amount", "10000000.01", "AMOUNT_OUT_OF_RANGE"),
    (13, ["2025-10-01", "Tea", "1", "1.0.5", ""], "Amount", "1.0.5", "INVALID_NUMBER"),
    (14, ["2025-10-01", "Tea", "one", "20", ""], "Qty", "one", "INVALID_NUMBER"),
]
GOOD = ["2025-10-01", "Tea", "1", "20", ""]
FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "\t=1", "-1"]


@pytest.fixture
def bad_ledger() -> bytes:
    cells = [row for _, row, *_ in BAD]
    return written([cells[0], GOOD, *cells[1:]], HEADER)


def test_a_rejected_row_has_its_place_value_reason_and_remedy(
    client: httpx.Client, shop: Shop, bad_ledger: bytes
) -> None:
    upload_ = imported(client, shop, bad_ledger)
    assert upload_.counts == (1, 0, len(BAD))
    reported = errors_of(client, shop, upload_.data["file_id"])
    assert list(reported[0]) == COLUMNS + HEADER
    assert [(int(row["row"]), row["column"], row["value"], row["code"]) for row in reported] == [
        (line, column, value, code) for line, _, column, value, code in BAD
    ]
    for row, (_, cells, *_) in zip(reported, BAD, strict=True):
        own = [row[name].removeprefix("'") for name in HEADER]
        assert own == cells
        assert row["message"].endswith(".")
        assert row["fix"].endswith(".")


def test_reasons_and_remedies_are_in_the_readers_language(client: httpx.Client, shop: Shop, bad_ledger: bytes) -> None:
    file_id = imported(client, shop, bad_ledger).data["file_id"]
    bangla, english = (errors_of(client, shop, file_id, language) for language in ("bn", "en"))
    for ours, theirs in zip(bangla, english, strict=True):
        assert BANGLA.search(ours["message"])
        assert BANGLA.search(ours["fix"])
        assert not BANGLA.search(theirs["message"] + theirs["fix"])
        assert ours | {"message": "", "fix": ""} == theirs | {"message": "", "fix": ""}


def test_formulas_become_text(client: httpx.Client, shop: Shop) -> None:
    header = ["Date", "Product", "Quantity", "Amount", "=HYPERLINK(1)"]
    rows = [["2025-10-01", formula, formula, "20", formula] for formula in FORMULAS]
    upload_ = imported(client, shop, written(rows, header))
    assert upload_.counts == (0, 0, len(FORMULAS))
    reported = errors_of(client, shop, upload_.data["file_id"])
    assert list(reported[0])[-1] == "'=HYPERLINK(1)"
    for row, formula in zip(reported, FORMULAS, strict=True):
        text = "'" + formula.replace("\t=", "\t'=")  # a tab may separate cells
        assert row["value"] == row["Product"] == row["'=HYPERLINK(1)"] == text
    answer = client.get(f"/api/data/uploads/{upload_.data['file_id']}/errors.csv", headers=shop.headers)
    cells = [cell for row in csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_cells_keep_their_delimiters_quotes_and_lines(client: httpx.Client, shop: Shop) -> None:
    rows = [["2025-10-01", 'a "quoted", name', "0", "20", "", ""], ["2025-10-01", "two\nlines", "0", "20", "", ""]]
    reported = errors_of(client, shop, imported(client, shop, written(rows)).data["file_id"])
    assert [row["Product"] for row in reported] == ['a "quoted", name', "two lines"]


def test_the_columns_are_called_as_in_the_file(client: httpx.Client, shop: Shop) -> None:
    header = ["তারিখ", "পণ্যের নাম", "পরিমাণ", "টাকা"]
    upload_ = imported(client, shop, written([["২০২৫-১০-০১", "চা", "০", "২০"]], header, delimiter=";"))
    (reported,) = errors_of(client, shop, upload_.data["file_id"])
    assert (reported["column"], reported["value"]) == ("পরিমাণ", "০")
    assert list(reported) == COLUMNS + header


def test_a_ledger_without_fault_has_a_report_of_column_names_only(client: httpx.Client, shop: Shop) -> None:
    file_id = imported(client, shop, SAMPLE).data["file_id"]
    answer = client.get(f"/api/data/uploads/{file_id}/errors.csv", headers=shop.headers)
    assert answer.content == b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\r\n"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="errors-{file_id}.csv"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_ledger_that_failed_has_an_empty_report(client: httpx.Client, shop: Shop) -> None:
    lost = b"Date,Product,Quantity,Amount\n" + b"2025-04-03,????,1,20\n" * 8_000  # too large to be read at once
    upload_ = imported(client, shop, lost)
    assert upload_.data["state"] == "failed"
    assert errors_of(client, shop, upload_.data["file_id"]) == []


def test_a_ledger_without_a_good_row_is_explained_row_by_row(client: httpx.Client, shop: Shop) -> None:
    rows = [["2025-10-01", f"Tea {number}", "0", "20", "", ""] for number in range(4500)]
    upload_ = imported(client, shop, written(rows))
    assert upload_.counts == (0, 0, 4500)
    reported = errors_of(client, shop, upload_.data["file_id"])
    assert [(int(row["row"]), row["Product"]) for row in reported] == [(n + 2, f"Tea {n}") for n in range(4500)]


def test_a_corrected_report_row_is_no_duplicate_of_the_rejected_one(client: httpx.Client, shop: Shop) -> None:
    content = written([["2025-10-01", "Tea", "0", "20", "Ali", "Cash"]])
    assert imported(client, shop, content).counts == (0, 0, 1)
    assert imported(client, shop, content.replace(b"Tea,0", b"Tea,1")).counts == (1, 0, 0)


def test_a_report_asked_for_at_once_holds_what_is_read_so_far(client: httpx.Client, shop: Shop) -> None:
    answer = upload(client, shop, written([["2025-10-01", "Tea", "0", "20", "", ""]] * 3))
    report = client.get(f"{answer.headers['Location']}/errors.csv", headers=shop.headers)
    assert report.status_code == 200
    assert len(report.text.splitlines()) in {1, 4}
