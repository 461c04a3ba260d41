"""Any history that a few shops may have, in any order."""

import datetime as dt
from itertools import count
from typing import Any, NamedTuple

from hypothesis import strategies as st

from shared.events.base import Event
from shared.events.identity import BusinessRegistered, LoggedIn
from shared.events.jobs import JobFailed
from shared.events.sales import ReceiptStored, Remark, Sale, UploadCompleted, UploadFailed
from tests.projectors.events import accepted, batch, customers, file_id, products, profile

MOST_PRODUCTS, MOST_CUSTOMERS, MOST_FILES = 6, 5, 3
# Text that quoting, COPY or arrays might trip over.
NASTY = (
    "",
    "NULL",
    "null",
    "\\N",
    "\\",
    "{a,b}",
    'say "hi"',
    "a\tb\nc\r",
    "'",
    "টাকা ৳",
    "İß",
    "\x7f",
    " ",
    "%s",
    "=1+1",
)
texts = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
)
maybe = st.none() | texts
# A narrow window, so that sales meet on days and at moments; the bounds of the contract now and then.
dates = st.dates(dt.date(2025, 2, 27), dt.date(2025, 3, 2)) | st.sampled_from(
    [dt.date(2000, 1, 1), dt.date(2024, 2, 29)]
)
times = st.none() | st.sampled_from([0, 1, 43_200, 86_399]) | st.integers(0, 86_399)
quantities = st.sampled_from([1000, 3000, 1, 1_000_000]) | st.integers(1, 1_000_000)
amounts = st.sampled_from([100, 1_000_000_000]) | st.integers(100, 1_000_000_000)


class Fact(NamedTuple):
    """An event of the n-th shop of a history."""

    shop: int
    event: Event


class Shops:
    """What has been given out so far: public ids are given out once."""

    def __init__(self, businesses: list[int]) -> None:
        self.businesses = businesses
        self.transactions = {business: count(1) for business in businesses}
        self.products = dict.fromkeys(businesses, 0)
        self.customers = dict.fromkeys(businesses, 0)


@st.composite
def histories(draw: st.DrawFn, businesses: list[int], max_events: int = 30) -> list[tuple[int | None, Event]]:
    """Return facts of these businesses, in the order of the log."""
    shops = Shops(businesses)
    kinds = st.sampled_from([_batch] * 5 + [_products, _customers, _profile, _registered, _upload, _other])
    facts: list[tuple[int | None, Event]] = []
    for kind in draw(st.lists(kinds, min_size=1, max_size=max_events)):
        business = draw(st.sampled_from(businesses))
        facts.append(draw(kind(business, shops)))
    return facts


@st.composite
def _batch(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    payments = draw(st.lists(st.tuples(st.sampled_from(["cash", "bkash", "other"]), maybe), max_size=3))
    method = st.none() | st.sampled_from(range(len(payments))) if payments else st.none()
    fields: st.SearchStrategy[tuple[Any, ...]] = st.tuples(
        dates,
        times,
        st.integers(1, MOST_PRODUCTS),
        st.none() | st.integers(1, MOST_CUSTOMERS),
        quantities,
        amounts,
        method,
    )
    sales = [
        Sale(row, next(shops.transactions[business]), *line)
        for row, line in enumerate(draw(st.lists(fields, max_size=7)), 2)
    ]
    number, duplicates, rejected = (draw(st.integers(0, most)) for most in (MOST_FILES - 1, 9, 9))
    return business, batch(business, sales, number=number, duplicates=duplicates, rejected=rejected, payments=payments)


@st.composite
def _products(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    names = draw(st.lists(texts, min_size=1, max_size=3))
    first = shops.products[business] + 1
    shops.products[business] += len(names)
    return business, products(*names, first=first, price=draw(amounts))


@st.composite
def _customers(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    people = draw(st.lists(st.tuples(maybe, maybe), min_size=1, max_size=3))
    first = shops.customers[business] + 1
    shops.customers[business] += len(people)
    return business, customers(*people, first=first)


@st.composite
def _profile(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    said = {column: draw(maybe) for column in ("name", "type", "city", "description")}
    return business, profile(business, business, draw(maybe), **said)


@st.composite
def _registered(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    return business, BusinessRegistered(business, business, draw(texts), "retail", draw(st.booleans()))


@st.composite
def _upload(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    number = draw(st.integers(0, MOST_FILES - 1))
    file, said = file_id(business, number), draw(texts)
    warnings = [Remark("UNKNOWN_COLUMN", [said])] if draw(st.booleans()) else []
    details: dict[str, str | int | list[str]] = {"reason": said, "missing": [said]} if draw(st.booleans()) else {}
    kind = draw(st.sampled_from(["read_upload", "fit_model"]))
    return business, draw(st.sampled_from([
        accepted(business, number, draw(st.integers(0, 9))), UploadCompleted(file, 9, 5, 3, 1, warnings),
        UploadFailed(file, "INVALID_CSV_FORMAT", details), JobFailed(file, kind, file, 4, said),
    ]))  # fmt: skip


@st.composite
def _other(draw: st.DrawFn, business: int, _: Shops) -> tuple[int | None, Event]:
    receipt = ReceiptStored(file_id(business, 99), "image/png", 1, "ab")
    login = LoggedIn(business, "7d2c1c52-9d5c-4b7e-8f0e-5f4d3c2b1a01")
    return draw(st.sampled_from([(business, receipt), (business, login), (None, login)]))
