"""The history that a shop's books of a day have, worked out event by event: by the rules, not by their declarations."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from shared.domain.events import recommendations
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
from shared.domain.events.forecasting import (
    ForecastFailed,
    ForecastMade,
    ForecastRunCompleted,
    ForecastsRequested,
    RevenueForecastMade,
)
from shared.domain.events.inventory import (
    ProductDetailsChanged,
    ProductSheetRecorded,
    ProductSheetUndone,
    StockEntryVoided,
    StockMoved,
)
from shared.domain.events.sales import (
    CustomersAdded,
    MovementsRecorded,
    ProductsAdded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
)
from shared.domain.events.uploads import CustomersRemoved, MovementsUndone, ProductsRemoved, SalesBatchUndone
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from shared.eventstore.system_events import DayCorrected, DayOpened, JobFailed, JobRetried, RuleActivated

_DHAKA = ZoneInfo("Asia/Dhaka")
_ADVICE = tuple(e for e in vars(recommendations).values() if isinstance(e, type) and issubclass(e, Event) and e.topic)


class Mention(NamedTuple):
    """A dated entry about something: `what` is product, customer or expense."""

    what: str
    number: int
    date: dt.date


def books_until(history: Sequence[RecordedEvent], day: dt.date) -> list[RecordedEvent]:
    """Return the history of one shop as of the books of `day`; the only day that has begun is `day` itself."""
    since = _since([recorded.event for recorded in history])
    kept = [DayOpened(day)]
    found = [RecordedEvent(0, "days", 1, DayOpened.topic, None, history[0].recorded_at, {}, encode(kept[0]))]
    for recorded in history:
        event = recorded.event
        today = recorded.recorded_at.astimezone(_DHAKA).date()
        if isinstance(event, DayOpened | DayCorrected):
            continue
        if isinstance(event, (RuleActivated, ForecastRunCompleted, JobFailed, JobRetried, *_ADVICE)):
            left: Event | None = event if today <= day else None
        else:
            left = _left(event, day, since)
        if left is not None:
            found.append(recorded._replace(state=encode(left)))
    return found


def _left(event: Event, day: dt.date, since: dict[tuple[str, int], dt.date]) -> Event | None:  # noqa: PLR0911 - a case each
    match event:
        case SalesBatchRecorded() | SalesBatchUndone():
            return _with(event, "sales", [s for s in event.sales if s.date <= day])
        case MovementsRecorded() | MovementsUndone():
            return _with(event, "movements", [m for m in event.movements if m.date <= day])
        case (
            SaleRecorded() | SaleVoided() | StockMoved() | StockEntryVoided() | CollectionRecorded() | ExpenseRecorded()
        ):
            return event if event.date <= day else None
        case CollectionVoided() | ExpenseVoided() | OpeningDebtRecorded() | OpeningDebtVoided():
            return event if event.date <= day else None
        case ForecastsRequested() | ForecastFailed():
            return event if event.date <= day else None
        case ForecastMade() | RevenueForecastMade():
            return event if event.made_on <= day else None
        case ProductSheetRecorded() | ProductSheetUndone():
            counted = [line.date is None or line.date <= day for line in event.lines]
            lines = zip(event.lines, counted, strict=True)
            known = [line if there else msgspec.structs.replace(line, stock=None, date=None) for line, there in lines]
            return msgspec.structs.replace(event, lines=known)
        case CashSettingsChanged() if event.opening_date and event.opening_date > day:
            return msgspec.structs.replace(event, opening_balance=None, opening_date=None)
    return _knowledge(event, day, since)


def _knowledge(event: Event, day: dt.date, since: dict[tuple[str, int], dt.date]) -> Event | None:
    """Return what is left of an event that says something about a product, a customer or an expense."""

    def there(what: str, number: int) -> bool:
        return since.get((what, number), day) <= day

    match event:
        case ProductsAdded() | ProductsRemoved():
            return _with(event, "products", [p for p in event.products if there("product", p.id)])
        case CustomersAdded() | CustomersRemoved():
            return _with(event, "customers", [c for c in event.customers if there("customer", c.id)])
        case ExpenseEnded():
            return event if there("expense", event.expense_id) else None
        case CustomerDetailsChanged() | CustomersMerged() | CustomerDataErased():
            return event if there("customer", event.customer_id) else None
        case ProductDetailsChanged():
            return event if there("product", event.product_id) else None
    return event


def _with(event: Event, name: str, lines: list[Any]) -> Event | None:
    whole = len(getattr(event, name)) == len(lines)
    return event if whole else msgspec.structs.replace(event, **{name: lines}) if lines else None


def _since(events: Iterable[Event]) -> dict[tuple[str, int], dt.date]:
    """Return when what the books are about came up first; one customer who has several numbers came once."""
    every = list(events)
    since: dict[tuple[str, int], dt.date] = {}
    for what, number, date in (mention for event in every for mention in _mentions(event)):
        since[what, number] = min(date, since.get((what, number), date))
    for merged in (event for event in every if isinstance(event, CustomersMerged | CustomerDataErased)):
        group = [("customer", number) for number in (merged.customer_id, *merged.merged_ids)]
        dates = [since[one] for one in group if one in since]
        since |= dict.fromkeys(group, min(dates)) if dates else {}
    return since


def _mentions(event: Event) -> Iterator[Mention]:
    lines: Sequence[Any] = []
    match event:
        case SalesBatchRecorded():
            lines = event.sales
        case MovementsRecorded():
            lines = event.movements
        case SaleRecorded():
            lines = [event]
        case StockMoved():
            yield Mention("product", event.product_id, event.date)
        case CollectionRecorded() | OpeningDebtRecorded():
            yield Mention("customer", event.customer_id, event.date)
        case ExpenseRecorded():
            yield Mention("expense", event.expense_id, event.date)
    for line in lines:
        if line.product_id is not None:
            yield Mention("product", line.product_id, line.date)
        if line.customer_id is not None:
            yield Mention("customer", line.customer_id, line.date)
