"""Names typed for the font SutonnyMJ (Bijoy) are converted with the owner's yes."""

import unicodedata

import pytest

from tests.support.csv_rows import MARK, NOW, opened
from write_side.sales.csv.bijoy import from_bijoy, looks_like_bijoy
from write_side.sales.csv.rows import LedgerRow

# The sentences are samples of public converters; the names are goods of grocers.
SAMPLES = {
    "Avwg evsjvq Mvb MvB|": "আমি বাংলায় গান গাই।",
    "‡Kv‡bv w`b, AvKvk‡Rvov †gN K‡i, Kv‡R gb e‡m bv|": "কোনো দিন, আকাশজোড়া মেঘ করে, কাজে মন বসে না।",
    "†W‡¯‹i mvg‡bi Rvbvjvi c`©v Zz‡j w`B|": "ডেস্কের সামনের জানালার পর্দা তুলে দিই।",
    "w¯Œ‡b ZvKvB, `‚ieZ©x AvKvk I Bgvi‡Z wKQz †LvuR _v‡K|": "স্ক্রিনে তাকাই, দূরবর্তী আকাশ ও ইমারতে কিছু খোঁজ থাকে।",
    "Pvj": "চাল",
    "wPwb": "চিনি",
    "mqvweb †Zj": "সয়াবিন তেল",
    "gmyi Wvj": "মসুর ডাল",
    "gwjøKv ÷vi": "মল্লিকা স্টার",
}
HEADER = "Date,Product,Quantity,Amount,Customer\n"
LEDGER = HEADER + "2025-10-01,mqvweb †Zj,1,180,iwng\n2025-10-02,Pvj,2,140,mvjgv †eMg\n"


def names(ledger: str, encoding: str, **answers: str) -> list[tuple[str, str | None]]:
    found = opened(ledger.encode(encoding), **answers)
    rows = [row for row in found.items(found.reader(NOW, MARK)) if isinstance(row, LedgerRow)]
    return [(row.product, row.customer) for row in rows]


@pytest.mark.parametrize("typed", SAMPLES)
def test_text_in_the_font_becomes_unicode(typed: str) -> None:
    assert unicodedata.normalize("NFC", from_bijoy(typed)) == unicodedata.normalize("NFC", SAMPLES[typed])
    assert from_bijoy(SAMPLES[typed]) == SAMPLES[typed]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_names_in_the_font_are_converted_with_the_owners_yes(encoding: str) -> None:
    (question,) = opened(LEDGER.encode(encoding)).layout.questions
    assert (question.code, question.proposed) == ("BANGLA_FONT", "all")
    assert question.values == ("mqvweb †Zj", "সয়াবিন তেল")
    assert names(LEDGER, encoding, BANGLA_FONT="all") == [("সয়াবিন তেল", "রহিম"), ("চাল", "সালমা বেগম")]
    assert names(LEDGER, encoding, BANGLA_FONT="marked") == [("সয়াবিন তেল", "iwng"), ("Pvj", "সালমা বেগম")]
    assert names(LEDGER, encoding, BANGLA_FONT="keep")[0] == ("mqvweb †Zj", "iwng")


def test_a_question_shows_no_name_of_a_customer() -> None:
    (question,) = opened(HEADER + "2025-10-01,Rice,1,180,mvjgv †eMg\n").layout.questions
    assert question.values == ("evsjv", "বাংলা")


@pytest.mark.parametrize(
    "name",
    [
        "Rice 5kg",
        "Crème brûlée",
        "চাল",
        "Tea & milk",
        "Café",
        "5 °C fridge",
        "50% off",
        "Müller",
        "NESCAFÉ 3in1",
        "Niño £5",
        "Rosé wine ½ l",
        "Jalapeño, extra…",
        "Pokémon® vest",
        "Coke™ 2² × 250 ml",
        "L'Oréal «Elvive»",
        "Xß",
    ],
)
def test_names_of_other_languages_are_not_asked_about(name: str) -> None:
    assert looks_like_bijoy(name) is False
    assert opened(HEADER + f'2025-10-01,"{name}",1,180,Rahim\n').layout.questions == ()


@pytest.mark.parametrize("name", ["†Zj", "cÖvY", "c`©v", "gwjøKv ÷vi", "wZ³v", "w¯Œ‡b", "wgwó"])
def test_a_name_with_signs_of_the_font_is_noticed(name: str) -> None:
    assert looks_like_bijoy(name) is True
