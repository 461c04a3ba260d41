import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.contacts import name_key
from tests.support.csv_rows import fault_of
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.faults import BadCell, Fault, Remark
from write_side.sales.csv.payments import Payment, payment
from write_side.sales.csv.values import name
from write_side.sales.csv.words import METHODS


@pytest.mark.parametrize(
    "cell",
    [
        "Shirt",
        "O'Brien",
        "Ali's Tea Shop",
        "মিষ্টি দই",
        "x'; DROP TABLE sales;--",
        "=1+1",
        "Crème",
        "茶",
        "🧵",
        "র\u200d্যাব",
    ],
)
def test_every_printable_name_is_accepted(cell: str) -> None:
    assert name(cell) == unicodedata.normalize("NFC", cell)


def test_names_are_trimmed_and_collapsed() -> None:
    assert name("  Red\t Tea \n\u00a0 large ") == "Red Tea large"


@pytest.mark.parametrize(
    "character",
    ["\0", "\x07", "\x1f", "\x7f", "\x85", chr(0xD800), chr(0xDCFF), "\u202a", "\u202e", "\u2066", "\u2069"],
)
def test_names_with_controls_lone_surrogates_or_turned_text_are_refused(character: str) -> None:
    assert fault_of(name, f"Te{character}a") == Fault.INVALID_CHARACTER


def test_names_have_1_to_255_characters_after_trimming() -> None:
    assert fault_of(name, " \t ") == Fault.MISSING_VALUE
    assert name(" " + "ক" * 255 + " ") == "ক" * 255
    assert fault_of(name, "a" * 256) == Fault.NAME_TOO_LONG
    assert fault_of(name, "a" * 10_240) == Fault.NAME_TOO_LONG


def test_spellings_of_one_name_share_a_key() -> None:
    assert name_key("RED  Tea ") == name_key("red tea") == "red tea"
    assert name_key("দ\u09df") == name_key("দ\u09af\u09bc")
    assert name_key("STRASSE") == name_key("Straße")
    assert name_key("Rahim") != name_key("Karim")


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_key_is_the_key_of_itself_and_of_the_shown_name(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)
    try:
        shown = name(text)
    except BadCell:
        return
    assert name(shown) == shown
    assert name_key(shown) == name_key(text)


@pytest.mark.parametrize(
    ("cell", "method"),
    [
        ("Cash", "cash"),
        ("CASH ", "cash"),
        ("bKash", "bkash"),
        ("b-Kash", "bkash"),
        ("বিকাশ", "bkash"),
        ("Nagad", "nagad"),
        ("Rocket", "rocket"),
        ("রকেট", "rocket"),
        ("card", "card"),
        ("Credit Card", "card"),
        ("কার্ড", "card"),
        ("credit", "credit"),
        ("Baki", "credit"),
        ("বাকি", "credit"),
        ("ক্রেডিট", "credit"),
    ],
)
def test_payments_are_recognised_in_english_and_bangla(cell: str, method: str) -> None:
    assert payment(cell) == Payment(method, None, method)


def test_a_blank_payment_is_none() -> None:
    assert payment("") == payment(" \u00a0") == Payment(None, None, "")


def test_nagad_in_bangla_is_cash_with_a_remark() -> None:
    assert payment("নগদ") == Payment("cash", None, "cash", Remark.NAGAD_OR_CASH)
    assert payment("নগদ টাকা").remark is None


def test_an_unknown_payment_is_other_with_its_text() -> None:
    assert payment(" Upay  wallet ") == Payment("other", "Upay wallet", "other:upay wallet")
    assert payment("Other").raw == "Other"
    assert fault_of(payment, "x" * 256) == Fault.NAME_TOO_LONG


def test_every_payment_word_is_written_as_words_are_compared() -> None:
    words = [word for method in METHODS.values() for word in method]
    assert [word for word in words if loosely(word) != word] == []
    assert len(set(words)) == len(words)
