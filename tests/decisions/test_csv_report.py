import csv
import io

import pytest
from msgspec.structs import replace

from shared.texts import LANGUAGES, text
from tests.support.csv_rows import HEADER, MARK, NOW, items, opened
from write_side.sales.csv.faults import Fault, LeftOut, Remark
from write_side.sales.csv.rows import LedgerRow, RejectedRow
from write_side.sales.upload.rejections import errors_csv


def report(ledger: str, language: str = "en") -> list[str]:
    refused = [item for item in items(ledger) if isinstance(item, RejectedRow)]
    header = opened(ledger).table.header
    return list(errors_csv(refused, header, language, lambda code, chosen: (f"{code}-{chosen}", f"fix-{chosen}")))


def test_the_report_has_the_reason_the_fix_and_the_rows_own_cells() -> None:
    assert report(HEADER + "2025-10-01,Tea,0,20,Ali,\n2025-10-01,Tea,1,20,,\n", "bn") == [
        "row,column,value,code,message,fix,Date,Product,Quantity,Amount,Customer,Payment Method\r\n",
        "2,Quantity,0,QUANTITY_OUT_OF_RANGE,QUANTITY_OUT_OF_RANGE-bn,fix-bn,2025-10-01,Tea,0,20,Ali,\r\n",
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_report_can_be_taken_for_a_formula(start: str) -> None:
    bad = RejectedRow(2, start + "column", start + "1", "CODE", [start + "cell", "plain"])
    (line, row) = errors_csv([bad], [start + "name", "other"], "en", lambda _code, _language: (start, start))
    cells = [*next(csv.reader([line])), *next(csv.reader(io.StringIO(row, newline="")))]
    assert not [cell for cell in cells if cell.startswith(start)]
    assert f"'{start}cell" in cells


def test_a_cell_over_two_lines_is_one_line_of_the_report() -> None:
    lines = report(HEADER + '2025-10-01,"Tea\nlarge",0,20,Ali,\n')
    assert len("".join(lines).splitlines()) == 2
    assert "Tea large" in lines[1]


def test_a_corrected_report_brings_all_its_rows_under_the_same_names() -> None:
    header = "Date,Product,Qty,Amount,Customer,Phone\n"
    good = header + (
        "2025-10-24,Tea,2,40,Rahim,+8801711000001\n2025-10-25,-20C Ice cream,1,60,Karim,+8801711000002\n"
        "2025-10-26,@home bread,1,30,Salma,01711000003\n2025-10-26,Tea,-1,-20,Rahim,+8801711000001\n"
    )
    bad = good.replace("10-24", "13-24").replace("cream,1", "cream,0").replace(",30,", ",0,").replace("-1,", "-1.5,")
    sent_back = "".join(report(bad))
    assert sent_back.count("\r\n") == 1 + 4
    fixed = sent_back.replace("13-24,Tea", "10-24,Tea").replace("cream,0", "cream,1").replace(",0,Salma", ",30,Salma")
    found = opened(fixed.replace("'-1.5,'-20,Rahim", "'-1,'-20,Rahim"))
    rows = [item for item in found.items(found.reader(NOW, MARK)) if isinstance(item, LedgerRow)]
    wanted = [item for item in items(good) if isinstance(item, LedgerRow)]
    assert len(wanted) == 4
    assert [replace(row, row=0) for row in rows] == [replace(row, row=0) for row in wanted]


def test_every_fault_and_remark_has_its_texts_in_both_languages() -> None:
    for code in [*Fault, *LeftOut, *Remark]:
        for language in LANGUAGES:
            message, (fix,) = text(code.value, language)
            assert message
            assert fix
