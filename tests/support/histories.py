"""Any history that a few shops may have, in any order."""

import datetime as dt
import json
from itertools import count
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st

from shared.domain.events.cashflow import (
    CashSettingsChanged,
    CollectionRecorded,
    CollectionVoided,
    ExpenseEnded,
    ExpenseRecorded,
    ExpenseVoided,
    OpeningDebtRecorded,
    OpeningDebtVoided,
)
from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.forecasting import Accuracy, ForecastFailed, ForecastRunCompleted, ForecastsRequested, Short
from shared.domain.events.identity import (
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessRegistered,
    LoggedIn,
    LoggedOut,
    SessionsRevoked,
)
from shared.domain.events.inventory import (
    ProductDetails,
    ProductDetailsChanged,
    ProductLine,
    ProductSheetRecorded,
    ProductSheetUndone,
    StockEntryVoided,
    StockMoved,
)
from shared.domain.events.recommendations import (
    RecommendationDismissed,
    RecommendationExecuted,
    RecommendationExpired,
    RecommendationFollowedUp,
    RecommendationViewed,
    RecommendationWithdrawn,
)
from shared.domain.events.sales import (
    AskedQuestion,
    Movement,
    MovementsRecorded,
    ReceiptStored,
    Remark,
    Sale,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.domain.events.storage import FileDeleted
from shared.domain.events.uploads import (
    CustomersRemoved,
    MovementsUndone,
    ProductsRemoved,
    Removed,
    SalesBatchUndone,
    UploadUndone,
    UploadUndoRequested,
)
from shared.eventstore.event import Event
from shared.eventstore.system_events import (
    DayCorrected,
    DayOpened,
    JobFailed,
    JobRetried,
    ParkedBusinessRetried,
    RuleActivated,
)
from tests.support import forecast_events, recommendation_events
from tests.support.shop_events import accepted, batch, customers, file_id, products, profile

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
TODAY = [dt.date(2025, 3, 2)]
_versions = count(1)
_LATER = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
# A narrow window, so that sales meet on days and at moments; the bounds of the contract now and then.
dates = st.dates(dt.date(2025, 2, 27), dt.date(2025, 3, 2)) | st.sampled_from(
    [dt.date(2000, 1, 1), dt.date(2024, 2, 29)]
)
# The day on which the log is written, and one after it: what was recorded as it happened, and ahead of time.
NOW = dt.datetime.now(ZoneInfo("Asia/Dhaka")).date()
any_dates = dates | st.sampled_from([NOW, NOW + dt.timedelta(days=1)])
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
        self.sales: dict[int, list[SaleRecorded]] = {business: [] for business in businesses}
        self.received: dict[int, dict[int, int]] = {business: {} for business in businesses}
        self.expenses: dict[int, list[ExpenseRecorded]] = {business: [] for business in businesses}
        self.collections: dict[int, list[CollectionRecorded]] = {business: [] for business in businesses}
        self.debts: dict[int, list[OpeningDebtRecorded]] = {business: [] for business in businesses}
        self.merged: dict[int, dict[int, int]] = {business: {} for business in businesses}
        # How many facts there are, and at which place among them stock was moved.
        self.facts = 0
        self.moves: dict[int, list[tuple[int, StockMoved]]] = {business: [] for business in businesses}
        # What an undo may take back: the index of the fact, and the fact.
        self.standing: dict[int, list[tuple[int, Event]]] = {business: [] for business in businesses}
        self.said: dict[int, list[Event]] = {business: [] for business in businesses}
        self.removed: set[tuple[str, int, int]] = set()
        self.sources: dict[int, int] = dict.fromkeys(businesses, 0)


@st.composite
def histories(draw: st.DrawFn, businesses: list[int], max_events: int = 30) -> list[tuple[int | None, Event]]:
    """Return facts of these businesses, in the order of the log."""
    shops = Shops(businesses)
    kinds: st.SearchStrategy[Any] = st.sampled_from(
        [_batch] * 5
        + [_sale, _void] * 2
        + [
            _products,
            _customers,
            _profile,
            _registered,
            _erasure,
            _upload,
            _other,
            _movements,
            _details,
            _merge,
            _erase,
            _day,
            _rule,
        ]
        + [_goods, _stock, _sheet, _cash, _expense, _collection, _opening_debt]
        + [_forecast, _forecast, _run, _takings, _advice, _advice]
        + [_undone] * 4
        + [_removed, _undo]
    )
    facts: list[tuple[int | None, Event]] = []
    for kind in draw(st.lists(kinds, min_size=1, max_size=max_events)):
        business = draw(st.sampled_from(businesses))
        facts.append(draw(kind(business, shops)))
        if isinstance(facts[-1][1], SalesBatchRecorded | MovementsRecorded | ProductSheetRecorded):
            shops.standing[business].append((shops.facts, facts[-1][1]))
        if isinstance(facts[-1][1], ProductDetailsChanged | ProductSheetRecorded):
            shops.said[business].append(facts[-1][1])
        shops.facts += 1
    return facts


@st.composite
def _batch(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    payments = draw(st.lists(st.tuples(st.sampled_from(["cash", "bkash", "credit", "other"]), maybe), max_size=3))
    method = st.none() | st.sampled_from(range(len(payments))) if payments else st.none()
    fields: st.SearchStrategy[tuple[Any, ...]] = st.tuples(
        any_dates,
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
    shops.sales[business] += [
        SaleRecorded(
            s.tx,
            s.date,
            s.time,
            s.product_id,
            s.customer_id,
            s.qty,
            s.paisa,
            None if s.payment is None else payments[s.payment],
            "",
        )
        for s in sales
    ]
    number, duplicates, rejected, left_out = (draw(st.integers(0, most)) for most in (MOST_FILES - 1, 9, 9, 2))
    parts = [(s.tx, draw(st.integers(0, s.paisa))) for s in sales if draw(st.integers(0, 4)) == 0]
    shops.received[business] |= dict(parts)
    event = batch(business, sales, number=number, duplicates=duplicates, rejected=rejected, payments=payments)
    return business, msgspec.structs.replace(event, left_out=left_out, part_payments=parts)


@st.composite
def _sale(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    event = SaleRecorded(
        next(shops.transactions[business]),
        draw(any_dates),
        draw(times),
        draw(st.integers(1, MOST_PRODUCTS)),
        draw(st.none() | st.integers(1, MOST_CUSTOMERS)),
        draw(quantities),
        draw(amounts),
        draw(st.none() | st.tuples(st.sampled_from(["cash", "credit", "other"]), maybe)),
        "",
    )
    shops.sales[business].append(event)
    return business, event


@st.composite
def _void(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    if not shops.sales[business]:
        return draw(_sale(business, shops))
    sale = shops.sales[business].pop(draw(st.integers(0, len(shops.sales[business]) - 1)))
    return business, SaleVoided(
        sale.tx,
        draw(texts),
        sale.date,
        sale.time,
        sale.product_id,
        sale.customer_id,
        sale.qty,
        sale.paisa,
        sale.payment and sale.payment[0],
        shops.received[business].get(sale.tx),
    )


@st.composite
def _movements(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    kind = draw(st.sampled_from(["return", "purchase", "expense"]))
    goods = kind != "expense"
    movement = Movement(
        2,
        next(shops.transactions[business]),
        kind,
        draw(any_dates),
        draw(times),
        draw(st.integers(1, MOST_PRODUCTS)) if goods else None,
        draw(st.none() | st.integers(1, MOST_CUSTOMERS)) if kind == "return" else None,
        None if goods else draw(texts),
        draw(quantities) if goods else 0,
        draw(amounts),
        draw(st.sampled_from([None, 0, 1])),
    )
    return business, MovementsRecorded(file_id(business, 0), [movement], [("cash", None), ("credit", None)], "")


@st.composite
def _details(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    said = draw(st.dictionaries(st.sampled_from(["name", "phone", "email", "address", "notes"]), texts, min_size=1))
    return business, CustomerDetailsChanged(draw(st.integers(1, MOST_CUSTOMERS)), json.dumps(said))


@st.composite
def _merge(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    into = shops.merged[business]
    free = [number for number in range(1, MOST_CUSTOMERS + 1) if number not in into]
    if len(free) < 2:
        return draw(_sale(business, shops))
    survivor, merged = draw(st.permutations(free))[:2]
    gone = [merged, *(number for number, to in into.items() if to == merged)]
    into |= dict.fromkeys(gone, survivor)
    return business, CustomersMerged(survivor, gone)


@st.composite
def _erase(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    into = shops.merged[business]
    customer = draw(st.sampled_from([number for number in range(1, MOST_CUSTOMERS + 1) if number not in into]))
    return business, CustomerDataErased(customer, [number for number, to in into.items() if to == customer], [], "")


@st.composite
def _goods(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    cleared = draw(st.lists(st.sampled_from(["sku", "unit", "reorder_point", "lead_time_days", "cost"]), unique=True))
    said = {
        "sku": draw(maybe),
        "unit": draw(st.sampled_from([None, "kg", "piece"])),
        "reorder_point": draw(st.none() | quantities),
        "lead_time_days": draw(st.none() | st.integers(0, 9)),
        "cost": draw(st.none() | amounts),
    }
    reported: dict[str, Any] = {name: None if name in cleared else value for name, value in said.items()}
    return business, ProductDetailsChanged(draw(st.integers(1, MOST_PRODUCTS)), **reported, cleared=cleared)


@st.composite
def _stock(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    moves = shops.moves[business]
    if moves and draw(st.integers(0, 2)) == 0:
        place, was = moves.pop(draw(st.integers(0, len(moves) - 1)))
        back = place - shops.facts
        return business, StockEntryVoided(was.product_id, 1, draw(texts), back, was.kind, was.qty, was.date, was.time)
    kind = draw(st.sampled_from(["count", "count", "receive", "adjust", "waste", "return"]))
    qty = draw(quantities) * (draw(st.sampled_from([1, -1])) if kind == "adjust" else 1)
    event = StockMoved(draw(st.integers(1, MOST_PRODUCTS)), kind, qty, draw(any_dates), draw(times) or 0)
    moves.append((shops.facts, event))
    return business, event


@st.composite
def _sheet(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    stock = draw(st.none() | quantities)
    line = ProductLine(
        draw(st.integers(1, MOST_PRODUCTS)),
        draw(maybe),
        draw(st.none() | amounts),
        stock,
        None if stock is None else draw(any_dates),
    )
    return business, ProductSheetRecorded(file_id(business, 0), [line])


@st.composite
def _undone(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    """Take back a batch, movements or a sheet; World.record fills in the place of the fact of this index."""
    if not shops.standing[business]:
        return draw(_batch(business, shops))
    index, event = shops.standing[business].pop(draw(st.integers(0, len(shops.standing[business]) - 1)))
    if isinstance(event, SalesBatchRecorded):
        unvoided = {sale.tx for sale in shops.sales[business]}
        sales = [sale for sale in event.sales if sale.tx in unvoided]
        gone = {sale.tx for sale in sales}
        shops.sales[business] = [sale for sale in shops.sales[business] if sale.tx not in gone]
        parts = [(tx, paisa) for tx, paisa in event.part_payments if tx in gone]
        return business, SalesBatchUndone(event.file_id, index, _LATER, sales, event.payments, "", parts)
    if isinstance(event, MovementsRecorded):
        return business, MovementsUndone(event.file_id, index, _LATER, event.movements, event.payments, "")
    assert isinstance(event, ProductSheetRecorded)
    shops.said[business] = [said for said in shops.said[business] if said is not event]
    details = [_details_of(line.product_id, shops.said[business]) for line in event.lines]
    return business, ProductSheetUndone(event.file_id, index, _LATER, event.lines, details)


def _details_of(product: int, said: list[Event]) -> ProductDetails:
    names = ("sku", "unit", "unit_price", "cost", "reorder_point", "lead_time_days", "pack_size", "min_order")
    details: dict[str, Any] = dict.fromkeys(names)
    cleared: set[str] = set()
    for event in said:
        values: dict[str, Any] = {}
        gone: list[str] = []
        if isinstance(event, ProductSheetRecorded):
            for line in (line for line in event.lines if line.product_id == product):
                values = {"sku": line.sku, "cost": line.cost}
        else:
            assert isinstance(event, ProductDetailsChanged)
            if event.product_id != product:
                continue
            values, gone = {name: getattr(event, name) for name in names}, event.cleared
        given = {name: value for name, value in values.items() if value is not None}
        details |= given | dict.fromkeys(gone)
        cleared = (cleared - given.keys()) | set(gone)
    return ProductDetails(product, **details, cleared=sorted(cleared))


@st.composite
def _removed(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    """Remove products or customers that were added, but that no other fact of these histories names."""
    kind = draw(st.sampled_from(["product", "customer"]))
    least, most = {
        "product": (MOST_PRODUCTS, shops.products[business]),
        "customer": (MOST_CUSTOMERS, shops.customers[business]),
    }[kind]
    gone = [number for number in range(least + 1, most + 1) if (kind, business, number) not in shops.removed][:2]
    if not gone:
        return draw((_products if kind == "product" else _customers)(business, shops))
    shops.removed |= {(kind, business, number) for number in gone}
    removed = [Removed(number, "") for number in gone]
    return business, ProductsRemoved(removed) if kind == "product" else CustomersRemoved(removed)


@st.composite
def _undo(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    file = file_id(business, draw(st.integers(0, MOST_FILES - 1)))
    if not shops.sources[business] or draw(st.booleans()):
        return business, UploadUndoRequested(file, draw(st.none() | st.just(file)))
    shops.sources[business] -= 1
    ids = st.lists(st.integers(1, 9), max_size=2)
    kept, people, forecasts, advice, executed = (draw(ids) for _ in range(5))
    return business, UploadUndone(file, 3, 1, 0, kept, people, forecasts, advice, executed, [file], draw(maybe))


@st.composite
def _cash(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    some = st.none() | amounts
    return business, CashSettingsChanged(draw(some), draw(st.none() | dates), draw(some))


@st.composite
def _expense(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    if draw(st.booleans()) and shops.expenses[business]:
        gone = shops.expenses[business].pop()
        void = ExpenseVoided(gone.expense_id, draw(texts), gone.date, gone.amount)
        return business, draw(st.sampled_from([ExpenseEnded(gone.expense_id, draw(dates)), void]))
    recurring = draw(st.sampled_from([None, "daily", "weekly", "monthly", "yearly"]))
    number = next(shops.transactions[business])
    event = ExpenseRecorded(number, draw(dates), draw(amounts), draw(texts), recurring)
    shops.expenses[business].append(event)
    return business, event


@st.composite
def _collection(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    if draw(st.booleans()) and shops.collections[business]:
        gone = shops.collections[business].pop()
        return business, CollectionVoided(gone.collection_id, draw(texts), gone.date, gone.amount, gone.customer_id)
    number = next(shops.transactions[business])
    event = CollectionRecorded(number, draw(dates), draw(amounts), draw(st.integers(1, MOST_CUSTOMERS)))
    shops.collections[business].append(event)
    return business, event


@st.composite
def _opening_debt(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    if draw(st.booleans()) and shops.debts[business]:
        gone = shops.debts[business].pop()
        return business, OpeningDebtVoided(
            gone.debt_id, draw(texts), gone.kind, gone.date, gone.amount, gone.customer_id
        )
    number, kind = next(shops.transactions[business]), draw(st.sampled_from(["debt", "advance"]))
    event = OpeningDebtRecorded(number, kind, draw(dates), draw(amounts), draw(st.integers(1, MOST_CUSTOMERS)))
    shops.debts[business].append(event)
    return business, event


@st.composite
def _forecast(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    units = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3))
    number, horizon = next(shops.transactions[business]), draw(st.sampled_from([7, 14]))
    lacking = st.sampled_from(
        [forecast_events.ACCURACY, Accuracy(None, "no_window", None, None, None, None, None, 0, 9)]
    )
    return business, forecast_events.made(
        draw(st.integers(1, 3)), units, number=number, horizon=horizon, made_on=draw(dates), accuracy=draw(lacking)
    )


@st.composite
def _run(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    product, horizon, day = draw(st.integers(1, 3)), draw(st.sampled_from([7, 14])), draw(dates)
    short = draw(st.lists(st.builds(Short, st.integers(1, 3), st.integers(0, 29), st.just(30)), max_size=2))
    return business, draw(
        st.sampled_from(
            [
                ForecastsRequested(forecast_events.RUN, "owner", horizon, day, [product], skipped=short),
                ForecastFailed(forecast_events.RUN, product, horizon, day, "too_slow", draw(texts)),
                ForecastRunCompleted(forecast_events.RUN, 0, 1, horizon, [], short, [product]),
            ]
        )
    )


@st.composite
def _takings(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    return business, forecast_events.takings(draw(st.lists(amounts, max_size=4)), made_on=draw(dates))


@st.composite
def _advice(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    number, day, said, stock = draw(st.integers(1, 3)), draw(dates), draw(texts), draw(quantities)
    return business, draw(
        st.sampled_from(
            [
                recommendation_events.issued(number, facts={"name": said, "current_stock": stock}, expires_on=day),
                recommendation_events.refreshed(number, name=said, current_stock=stock, customer_ids=[1, 2]),
                RecommendationViewed(number, draw(st.integers(0, 99))),
                RecommendationExecuted(number, day, {"name": said}, day, [said]),
                RecommendationDismissed(number, day, draw(maybe)),
                RecommendationExpired(number, day),
                RecommendationWithdrawn(number, "resolved", recommendation_events.BASED_ON),
                RecommendationFollowedUp(number, day, "stock_arrived", {"quantity": stock}),
            ]
        )
    )


@st.composite
def _day(draw: st.DrawFn, *_: object) -> tuple[None, Event]:
    # The log is shared by all examples: its days go on from one day to a season at a time, and seldom back.
    if draw(st.integers(0, 4)) == 0:
        wrong, TODAY[0] = TODAY[0], TODAY[0] - dt.timedelta(days=draw(st.sampled_from([1, 2, 40])))
        return None, DayCorrected(TODAY[0], wrong)
    today = TODAY[0] = TODAY[0] + dt.timedelta(days=draw(st.sampled_from([1, 7, 30, 61, 90])))
    return None, DayOpened(today)


@st.composite
def _rule(draw: st.DrawFn, *_: object) -> tuple[None, Event]:
    if draw(st.integers(0, 2)):  # seldom, since every shop of every example is derived again
        return draw(_day())
    # Numbers so low that these few days and sales meet them.
    few = st.integers(0, 12)
    bands = st.lists(few, min_size=4, max_size=4, unique=True).map(sorted)
    tenths = st.sampled_from([[17, 27, 37, 47], [11, 20, 34, 50]])
    rules: list[tuple[str, dict[str, Any]]] = [
        ("rfm", {"recency_days": draw(bands), "segment_tenths": draw(tenths)}),
        (
            "churn",
            {
                "year": draw(st.integers(30, 99)),
                "declining_adds": draw(st.integers(0, 99)),
                "silent_days": draw(few),
                "silent_score": draw(st.integers(0, 99)),
                "medium_from": draw(st.integers(1, 49)),
                "high_above": draw(st.integers(50, 98)),
            },
        ),
        ("returning", {"half_life": draw(st.sampled_from([30, 180]))}),
        (
            "stock",
            {
                "service_level": draw(st.sampled_from([0.5, 0.95])),
                "lead_time_days": draw(st.integers(0, 9)),
                "window_days": draw(st.integers(14, 20)),
                "enough_days": draw(st.integers(2, 5)),
            },
        ),
    ]
    rule, parameters = draw(st.sampled_from(rules))
    return None, RuleActivated(rule, f"{rule}.v1.{next(_versions)}", parameters)


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
def _erasure(draw: st.DrawFn, business: int, _: Shops) -> tuple[int, Event]:
    after = dt.datetime.combine(draw(dates), dt.time(10), dt.UTC)
    asked, kept = BusinessErasureRequested(business, business, after), BusinessErasureCancelled(business, business)
    return business, draw(st.sampled_from([asked, kept]))


@st.composite
def _upload(draw: st.DrawFn, business: int, shops: Shops) -> tuple[int, Event]:
    number = draw(st.integers(0, MOST_FILES - 1))
    file, said = file_id(business, number), draw(texts)
    warnings = [Remark("UNKNOWN_COLUMN", [said])] if draw(st.booleans()) else []
    details: dict[str, str | int | list[str]] = {"reason": said, "missing": [said]} if draw(st.booleans()) else {}
    kind = draw(st.sampled_from(["read_upload", "fit_model", "make_forecasts"]))
    subject = f"{forecast_events.RUN}-0" if kind == "make_forecasts" else file
    event = draw(
        st.sampled_from(
            [
                accepted(business, number, draw(st.integers(0, 9))),
                UploadQuestionsAsked(file, "layout", [AskedQuestion("STATUS:x", [said], [2], [said], [])]),
                UploadAnswered(file, "layout", {"STATUS:x": "sale"}),
                UploadCompleted(file, 9, 5, 3, 1, warnings),
                UploadFailed(file, "INVALID_CSV_FORMAT", details),
                JobFailed(file, kind, subject, 4, said),
                JobRetried(file, kind, subject),
                FileDeleted(file, "ledger", 9),
            ]
        )
    )
    shops.sources[business] += isinstance(event, UploadAccepted)
    return business, event


@st.composite
def _other(draw: st.DrawFn, business: int, _: Shops) -> tuple[int | None, Event]:
    receipt = ReceiptStored(file_id(business, 99), "image/png", 1, "ab")
    family = "7d2c1c52-9d5c-4b7e-8f0e-5f4d3c2b1a01"
    login = LoggedIn(business, family)
    ended = [LoggedOut(business, family), SessionsRevoked(business, [family, file_id(business, 98)], "logout_all")]
    of_business = [receipt, login, *ended, ParkedBusinessRetried(business, ["sales"])]
    return draw(st.sampled_from([(None, login), (None, ended[0]), *((business, event) for event in of_business)]))
