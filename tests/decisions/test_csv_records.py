import csv
import io
import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from write_side.sales.csv.faults import Fault
from write_side.sales.csv.records import Header, read_records
from write_side.sales.csv.table import Record

DELIMITERS = st.sampled_from(list(",;\t|"))
CELLS = st.text(st.sampled_from(list("ab ক,;\t|\"'\n")), max_size=4)
HEADER = "Date,Product,Quantity,Amount"


def read(*rows: str, delimiter: str = ",") -> list[Record]:
    return list(read_records([[HEADER], list(rows)], Header(delimiter, HEADER.split(","), 1), 0))


def test_records_carry_the_line_at_which_they_start() -> None:
    assert read("a,b", "", 'c,"d\ne"'.replace("\n", ""), "f") == [
        (2, ["a", "b"], None),
        (4, ["c", "de"], None),
        (5, ["f"], None),
    ]


def test_a_quoted_cell_may_hold_delimiters_quotes_and_line_ends() -> None:
    assert read('a,"b, ""c""', 'd",e', "f") == [(2, ["a", 'b, "c"\nd', "e"], None), (4, ["f"], None)]


def test_a_quote_within_an_unquoted_cell_is_itself() -> None:
    assert read('TV 32",1') == [(2, ['TV 32"', "1"], None)]


def test_rows_of_empty_cells_are_left_out() -> None:
    assert read("", ",,,", "  , ,", '"",""', "\u00a0,\u00a0", '" ",') == []
    assert [line for line, _, _ in read(",,1,", "", ',"",,x')] == [2, 4]


def test_an_unclosed_quote_costs_one_row() -> None:
    rows = ['1,"Tea,1,20', "2,Tea,1,20", '3,"Milk, hot",1,20', "4,Tea,1,20"]
    assert read(*rows) == [
        (2, ["1", '"Tea', "1", "20"], Fault.UNCLOSED_QUOTE),
        (3, ["2", "Tea", "1", "20"], None),
        (4, ["3", "Milk, hot", "1", "20"], None),
        (5, ["4", "Tea", "1", "20"], None),
    ]


def test_an_unclosed_quote_on_the_last_line_costs_that_row() -> None:
    assert read("1,Tea", '2,"Tea')[1:] == [(3, ["2", '"Tea'], Fault.UNCLOSED_QUOTE)]


def test_two_stray_quotes_do_not_melt_the_rows_between_them() -> None:
    rows = ['2025-10-01,Tea,1,20,"Ali', "2025-10-02,Milk,1,30,Rahim", '২০২৫-১০-০৩,Bread,1,40,Karim"']
    assert [(line, fault) for line, _, fault in read(*rows)] == [(2, Fault.UNCLOSED_QUOTE), (3, None), (4, None)]
    assert [(line, fault) for line, _, fault in read('2025-10-01,"Tea,1,20', '2025-10-02,Milk",1,40')] == [
        (2, Fault.UNCLOSED_QUOTE),
        (3, None),
    ]


def test_a_cell_may_span_twenty_lines_and_no_more() -> None:
    short = ['1,"a', *["b"] * 18, 'c"', "2"]
    assert [(line, fault) for line, _, fault in read(*short)] == [(2, None), (22, None)]
    long = ['1,"a', *["b"] * 19, 'c"', "2"]
    read_long = read(*long)
    assert read_long[0] == (2, ["1", '"a'], Fault.UNCLOSED_QUOTE)
    assert [(line, fault) for line, _, fault in read_long[1:]] == [(line, None) for line in range(3, 24)]


def test_a_quoted_cell_of_more_than_64_kib_is_an_unclosed_quote() -> None:
    rows = ['1,"a', "b" * 40_000, "c" * 40_000, 'd"', "2"]
    assert [(line, fault) for line, _, fault in read(*rows)] == [
        (2, Fault.UNCLOSED_QUOTE),
        (3, None),
        (4, None),
        (5, None),
        (6, None),
    ]


def test_a_line_of_more_than_64_kib_is_one_row_too_long() -> None:
    assert [(line, fault) for line, _, fault in read("a", "x," * 40_000, "b")] == [
        (2, None),
        (3, Fault.ROW_TOO_LONG),
        (4, None),
    ]


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8), DELIMITERS, st.booleans())
def test_records_equal_those_of_the_standard_csv_reader(
    rows: list[list[str]], delimiter: str, all_quoted: bool
) -> None:
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    )
    writer.writerows(rows)
    expected = [row for row in csv.reader(io.StringIO(text.getvalue()), delimiter=delimiter) if "".join(row).strip()]
    read_back = read(*text.getvalue().split("\n")[:-1], delimiter=delimiter)
    assert [cells for _, cells, _ in read_back] == expected


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from(list('ab,"  ')), max_size=12), max_size=40))
def test_no_line_is_lost_or_read_twice(rows: list[str]) -> None:
    read_back = read(*rows)
    starts = [line for line, _, _ in read_back]
    assert starts == sorted(set(starts))
    for (line, cells, fault), (following, _, _) in pairwise([*read_back, (len(rows) + 2, [], None)]):
        between = rows[line - 1 : following - 2]
        spanned = "".join(cells).count("\n") if fault is None else 0
        assert re.fullmatch(r'[,\s"]*', "".join(between[spanned:]))
