"""Cells of exported files are texts, whatever a spreadsheet makes of a sign."""

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.spreadsheets import csv_line, inert

STARTS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\u2212"]
SKIPPED = ["", " ", "\u00a0", "\n", "\r\n", "\t", "\u3000", "\ufeff", "\u200b", "\u202e", '"', "  \n "]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("skipped", SKIPPED)
def test_a_sign_is_text_behind_anything_that_readers_skip(skipped: str, start: str) -> None:
    cell = inert(skipped + start + "HYPERLINK(1)")
    assert cell.startswith("'")
    assert "\n" not in cell


@pytest.mark.parametrize("separator", [";", "|", "\t", ",", "\r"])
@pytest.mark.parametrize("start", STARTS)
def test_a_sign_is_text_behind_what_another_reader_splits_at(separator: str, start: str) -> None:
    assert inert(f"Tea{separator} {start}1+1") == f"Tea{separator}' {start}1+1"


@pytest.mark.parametrize("cell", ["", "Tea", "Tea - large", "a=b", "+"[:0], "5 kg", "চা", "x@shop.bd", "1-2"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert inert(cell) == cell


def test_numbers_stay_numbers_and_texts_of_numbers_stay_texts() -> None:
    assert csv_line([-5, Decimal("-2.50"), None, "-5", "Tea, milk"]) == '-5,-2.50,,\'-5,"Tea, milk"\r\n'


@given(st.lists(st.text(alphabet="=+-@;|, \t\r\n\"'\uff1dab\u200b", max_size=12), min_size=1, max_size=5))
def test_no_cell_of_a_line_begins_with_a_sign_for_any_reader(cells: list[str]) -> None:
    line = csv_line(cells)
    for delimiter in ",;\t|":
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL):
            for cell in row:
                assert not cell.lstrip(' "\u200b').startswith(tuple("=+-@\uff1d"))
