import re
import tracemalloc
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.csv_rows import stored
from write_side.sales.csv.encoding import HEAD_SIZE, MAX_LINE, detect, head_of, lines, settle

BANGLA = "তারিখ,পণ্য,পরিমাণ,টাকা\n২০২৫-১০-০১,মিষ্টি দই,১,৬০০\n"
ENCODINGS = st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "cp1252"])


def read(data: bytes, encoding: str, size: int = 65_536) -> list[str]:
    return list(chain.from_iterable(lines(stored(data, size)(), encoding)))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", "utf-8"),
        (b"Date,Product\n", "utf-8"),
        (BANGLA.encode("utf-8"), "utf-8"),
        (BANGLA.encode("utf-8-sig"), "utf-8"),
        (b"\xff\xfe" + BANGLA.encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + BANGLA.encode("utf-16-be"), "utf-16-be"),
        (BANGLA.encode("utf-16-le"), "utf-16-le"),
        (BANGLA.encode("utf-16-be"), "utf-16-be"),
        ("Café,£5\n".encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_recognised_with_and_without_a_byte_order_mark(data: bytes, encoding: str) -> None:
    assert detect(data) == encoding
    assert settle(stored(data, 7)()) == encoding


def test_a_head_cut_within_a_character_is_still_utf8() -> None:
    assert detect(BANGLA.encode()[:-30]) == "utf-8"
    assert {detect(BANGLA.encode()[:end]) for end in range(1, 30)} == {"utf-8"}


def test_a_first_accent_far_behind_the_head_makes_the_file_cp1252() -> None:
    data = b"Date,Product\n" + b"2025-10-01,Tea\n" * 20_000 + "2025-10-01,Café\n".encode("cp1252")
    assert detect(data[:HEAD_SIZE]) == "utf-8"
    assert settle(stored(data)()) == "cp1252"


def test_bytes_apart_are_no_character_though_a_piece_ends_between_them() -> None:
    pieces = [b"x" * HEAD_SIZE, b"\xc3", b"aa", b"\xa9\n"]
    assert settle(pieces) == settle([b"".join(pieces)]) == "cp1252"


def test_one_damaged_name_does_not_turn_a_bangla_file_into_gibberish() -> None:
    data = BANGLA.encode() * 10 + b"2025-10-01,\xe0\xa6,1,600\n" + BANGLA.encode()
    assert settle(stored(data, 11)()) == "utf-8"
    read_back = read(data, "utf-8")
    assert [line for line in read_back if "\udce0" in line] == ["2025-10-01,\udce0\udca6,1,600"]
    assert read_back[-1] == "২০২৫-১০-০১,মিষ্টি দই,১,৬০০"


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    for encoding, mark in (("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        assert read(mark + "Date".encode(encoding), encoding, size=1) == ["Date"]


def test_crlf_lf_and_cr_end_lines_and_nothing_else_does() -> None:
    assert read("a\r\nb\nc\rd\x0be\x85f\u2028g".encode(), "utf-8", size=1) == ["a", "b", "c", "d\x0be\x85f\u2028g"]


def test_an_odd_last_byte_of_utf16_is_seen_as_damage() -> None:
    assert read("ab\r".encode("utf-16-le") + b"c", "utf-16-le") == ["ab", "\udc80"]


def test_the_head_is_the_same_in_small_pieces() -> None:
    data = bytes(range(256)) * 1000
    assert head_of(stored(data, 999)()) == data[:HEAD_SIZE]
    assert head_of(stored(b"short", 1)()) == b"short"


@settings(deadline=None)
@given(st.binary(), ENCODINGS, st.integers(1, 9))
def test_lines_of_any_bytes_do_not_depend_on_the_pieces(data: bytes, encoding: str, size: int) -> None:
    assert read(data, encoding, size) == read(data, encoding)


@settings(deadline=None)
@given(st.text(), ENCODINGS)
def test_lines_are_the_text_between_line_ends(text: str, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    expected = re.split("\r\n|\r|\n", data.decode(encoding).removeprefix("\ufeff"))
    assert read(data, encoding, size=3) == (expected if expected[-1] else expected[:-1])


@settings(deadline=None)
@given(st.binary(), st.integers(1, 9))
def test_any_bytes_have_one_encoding_whatever_the_pieces(data: bytes, size: int) -> None:
    assert settle(stored(data, size)()) == settle(stored(data)())


def test_of_an_endless_line_only_the_beginning_is_held() -> None:
    piece = b"x" * 65_536
    tracemalloc.start()
    try:
        (line,) = chain.from_iterable(lines((piece for _ in range(160)), "utf-8"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert MAX_LINE < len(line) <= MAX_LINE + 2 * len(piece)
    assert peak < 2_000_000


def test_an_endless_line_does_not_swallow_the_next_one() -> None:
    assert read(b"x" * 400_000 + b"\nnext\n", "utf-8", size=1000)[1:] == ["next"]
