import csv
import datetime as dt
import io
import unicodedata
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.csv_rows import HEADER, MARK, NOW, TODAY, sales, stored
from tests.support.properties import examples
from write_side.sales.csv.ledger import open_ledger
from write_side.sales.csv.rows import LedgerRow
from write_side.sales.csv.table import NoLedger

BANGLA = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
HEADERS = {
    "date": ["Date", "sale_date", "তারিখ"],
    "product": ["Product", "Item Name", "পণ্যের নাম"],
    "quantity": ["QUANTITY", "Qty", "পরিমাণ"],
    "amount": ["Amount", "Line Total", "টাকা", "মূল্য"],
    "customer": ["Customer", "Buyer", "গ্রাহক"],
    "payment": ["Payment Method", "Payment", "পেমেন্ট পদ্ধতি"],
}
ENCODERS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
NAMES = st.text(st.sampled_from(list("abcXYZ ,;\t|'\"\nকখগিয়দই৳éß🧵")), min_size=1, max_size=9).filter(str.strip)


class Sold(NamedTuple):
    date: dt.date
    product: str
    quantity: int
    paisa: int
    customer: str
    payment: str


class Hand(NamedTuple):
    """How someone writes a ledger."""

    order: list[str]
    names: dict[str, str]
    delimiter: str
    ending: str
    all_quoted: bool
    encoding: str
    date_style: str
    in_bangla: bool


SOLD = st.lists(
    st.builds(
        Sold,
        st.dates(dt.date(2000, 1, 1), TODAY),
        NAMES,
        st.integers(1, 1_000),
        st.integers(100, 1_000_000_000),
        st.one_of(st.just(""), NAMES),
        st.sampled_from(["", "cash", "bkash", "nagad", "rocket", "card", "credit"]),
    ),
    min_size=1,
    max_size=8,
)
HANDS = st.builds(
    Hand,
    st.permutations(list(HEADERS)),
    st.fixed_dictionaries({field: st.sampled_from(names) for field, names in HEADERS.items()}),
    st.sampled_from(list(",;\t|")),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(ENCODERS),
    st.sampled_from(["{0:%Y-%m-%d}", "{0:%d/%m/%Y}", "{0:%d.%m.%Y}", "{0:%d %b %Y}", "{0.day}-{0.month}-{0.year}"]),
    st.booleans(),
)


def written(ledger: list[Sold], hand: Hand) -> bytes:
    digits = BANGLA if hand.in_bangla else {}
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=hand.delimiter,
        lineterminator=hand.ending,
        quoting=csv.QUOTE_ALL if hand.all_quoted else csv.QUOTE_MINIMAL,
    )
    writer.writerow([hand.names[field] for field in hand.order])
    for sold in ledger:
        cells = {
            "date": hand.date_style.format(sold.date).translate(digits),
            "product": sold.product,
            "quantity": str(sold.quantity).translate(digits),
            "amount": f"{sold.paisa // 100:,}.{sold.paisa % 100:02}".translate(digits),
            "customer": sold.customer,
            "payment": sold.payment.title(),
        }
        writer.writerow([cells[field] for field in hand.order])
    return text.getvalue().encode(hand.encoding)


def shown(name: str) -> str | None:
    return " ".join(unicodedata.normalize("NFC", name).split()) or None


@settings(deadline=None)
@given(SOLD, HANDS)
def test_a_ledger_in_any_hand_reads_back_equal(ledger: list[Sold], hand: Hand) -> None:
    rows = sales(written(ledger, hand), "dmy")
    assert [(row.date, row.product, row.quantity, row.paisa, row.customer, row.payment) for row in rows] == [
        (sold.date, shown(sold.product), sold.quantity * 1_000, sold.paisa, shown(sold.customer), sold.payment or None)
        for sold in ledger
    ]


@settings(deadline=None)
@given(SOLD, HANDS, HANDS)
def test_fingerprints_are_the_same_in_any_hand_and_never_twice_in_a_file(
    ledger: list[Sold], hand: Hand, other: Hand
) -> None:
    twice = [*ledger, *ledger]
    fingerprints = [row.fingerprint for row in sales(written(twice, hand), "dmy")]
    assert fingerprints == [row.fingerprint for row in sales(written(twice, other), "dmy")]
    assert len(set(fingerprints)) == len(twice)
    assert set(fingerprints) > {row.fingerprint for row in sales(written(ledger, other), "dmy")}


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Café", "Niño £5", "Müller", "Tea"]), min_size=1))
def test_a_cp1252_ledger_reads_back_equal(names: list[str]) -> None:
    ledger = HEADER + "".join(f"2025-10-01,{name},1,20,,\n" for name in names)
    assert [row.product for row in sales(ledger.encode("cp1252"))] == names


def read_completely(data: bytes, size: int) -> list[tuple[int, bytes | None]] | None:
    """Return line and fingerprint of every item of any bytes, None for what is no ledger."""
    chunks = stored(data, size)
    try:
        found = open_ledger(chunks)
    except NoLedger:
        return None
    rows = list(found.items(found.reader(NOW, MARK)))
    assert found.rows == len(rows) > 0
    lines = [row.row for row in rows]
    assert lines == sorted(set(lines))
    assert lines[0] > found.table.header_row
    return [(row.row, row.fingerprint if isinstance(row, LedgerRow) else None) for row in rows]


LEDGER_LIKE = st.lists(
    st.sampled_from(
        ["2025-10-01", "13/10/2025", "Tea", "1", "20", ",", ",", '"', '""', "\n", "\r\n", "\r", "\0", " ", "ক"]
    )
).map(lambda parts: "".join(parts).encode())


@settings(deadline=None, max_examples=examples(50))
@given(
    st.one_of(st.binary(), st.binary().map(HEADER.encode().__add__), LEDGER_LIKE.map(HEADER.encode().__add__)),
    st.integers(1, 64),
)
def test_any_bytes_are_refused_or_read_item_by_item_the_same_each_time(data: bytes, size: int) -> None:
    assert read_completely(data, size) == read_completely(data, 65_536)


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from(list("ab1,; ")), max_size=12)))
def test_without_quotes_every_line_with_content_is_one_item(lines: list[str]) -> None:
    data = (HEADER + "\n".join(lines)).encode()
    expected = [number for number, line in enumerate(lines, 2) if line.strip(", ")]
    read = read_completely(data, 65_536)
    assert [line for line, _ in read or []] == expected
