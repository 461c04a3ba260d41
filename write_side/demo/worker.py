"""What a worker does for a demo shop once its ledger is read: what its owner would, by the same commands."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from shared.domain.events.demo import DemoShopFurnished, DemoShopOpened
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs.queue import Job, Lease, Retry
from write_side.cashflow.aggregate import ChangeCashSettings
from write_side.cashflow.handlers import Cashbook
from write_side.demo.handlers import demo_stream
from write_side.demo.people import Person
from write_side.demo.shop import DemoShop, demo_shop
from write_side.inventory.aggregate import ChangeDetails, MoveStock
from write_side.inventory.handlers import Stockroom
from write_side.sales import aggregate
from write_side.sales.aggregate import product_index_key
from write_side.sales.csv.values import name_key, phone

_PAISA, _THOUSANDTHS = 100, 1000
# How often it is looked whether the ledger is read.
_PAUSE = 0.3
Step = Callable[[Metadata], object]


class DemoFurnisher:
    """Handles `furnish_demo` jobs; begun anew, it finds what was done before and goes on after it."""

    def __init__(self, store: EventStore) -> None:
        """Append to `store`."""
        self._store = store

    def __call__(self, job: Job, lease: Lease) -> None:
        """Furnish the shop; raises Retry while its ledger is being read."""
        history = self._store.load(demo_stream(int(job.subject)))
        if len(history) != 1:
            return
        opened = cast("DemoShopOpened", history[0].event)
        upload = aggregate.load(self._store.load(aggregate.stream_of(opened.file_id)))
        if upload is None or not upload.finished:
            raise Retry(_PAUSE)
        shop = demo_shop(opened.seed, opened.today)
        for number, step in enumerate(_Owner(self._store, opened.business_id, shop).steps()):
            if not lease.held():
                return
            # The same id again means the same command: it was carried out, or is now.
            step(Metadata("worker", None, f"demo-{number}", history[0].position))
        self._store.execute(opened.business_id, Metadata("worker", causation=history[0].position), _furnished(opened))


def _furnished(opened: DemoShopOpened) -> Callable[[UnitOfWork], None]:
    def decide(unit: UnitOfWork) -> None:
        unit.append(demo_stream(opened.business_id), 1, DemoShopFurnished(opened.business_id))

    return decide


@dataclass(frozen=True)
class _Owner:
    """Does for a shop what its owner would, always in the same order."""

    store: EventStore
    business_id: int
    shop: DemoShop

    def steps(self) -> Iterator[Step]:
        """Yield what is to be done, each as one command under an id of its own."""
        yield from self._stock()
        yield from self._cash()

    def _stock(self) -> Iterator[Step]:
        ids = self._ids("product", {s.good.name: product_index_key(name_key(s.good.name)) for s in self.shop.shelves})
        for good, counted_on, counted, received in self.shop.shelves:
            # A product that nobody bought in six months is unknown to the shop's books.
            if (product := ids.get(good.name)) is None:
                continue
            said = ChangeDetails({"unit": good.unit, "lead_time_days": good.lead_days})
            moves = [MoveStock("count", counted * _THOUSANDTHS, counted_on)]
            moves += [MoveStock("receive", quantity * _THOUSANDTHS, day) for day, quantity in received]
            yield partial(self._tell, product, said)
            for move in moves:
                yield partial(self._move, product, move)

    def _cash(self) -> Iterator[Step]:
        shop = self.shop
        settings = ChangeCashSettings(shop.opening_balance * _PAISA, shop.opening_date, shop.threshold * _PAISA)
        yield partial(self._set_cash, settings)
        for date, amount, category, recurring in shop.expenses:
            yield partial(self._spend, date, amount * _PAISA, category, recurring)
        ids = self._ids("customer", {back.person.name: self._customer_key(back.person) for back in shop.repaid})
        for date, person, amount in shop.repaid:
            yield partial(self._collect, date, amount * _PAISA, ids[person.name])

    def _tell(self, product: int, said: ChangeDetails, meta: Metadata) -> None:
        Stockroom(self.store, self.business_id, meta, None).change_details(product, said)

    def _move(self, product: int, move: MoveStock, meta: Metadata) -> None:
        Stockroom(self.store, self.business_id, meta, None).move_stock(product, move)

    def _set_cash(self, settings: ChangeCashSettings, meta: Metadata) -> None:
        self._cashbook(meta).change_settings(settings)

    def _spend(self, date: dt.date, paisa: int, category: str, recurring: str | None, meta: Metadata) -> None:
        self._cashbook(meta).record_expense(date, paisa, category, recurring)

    def _collect(self, date: dt.date, paisa: int, customer: int, meta: Metadata) -> None:
        self._cashbook(meta).record_collection(date, paisa, customer)

    def _cashbook(self, meta: Metadata) -> Cashbook:
        return Cashbook(self.store, self.business_id, meta, None)

    def _ids(self, kind: str, keys: Mapping[str, bytes]) -> dict[str, int]:
        """Return name -> public id of those that the shop's books know."""
        found = self.store.execute(
            self.business_id, Metadata(), lambda unit: unit.find(kind, list(keys.values()))
        ).result
        return {name: found[key] for name, key in keys.items() if key in found}

    def _customer_key(self, person: Person) -> bytes:
        told = phone(person.phone or "")
        key = f"tel:{told}" if told else f"name:{name_key(person.name)}"
        return self.store.master.lookup_key("customer", self.business_id, key)
