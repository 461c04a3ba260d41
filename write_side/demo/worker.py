"""Worker that furnishes a demo shop after its import: the commands of an owner, in the owner's place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from shared.domain.contacts import name_key, phone
from shared.domain.events.demo import DemoShopFurnished, DemoShopOpened
from shared.domain.presentation.units import PAISA, THOUSANDTHS
from shared.eventstore.command import CommandContext
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs.queue import Job, Lease, Retry
from write_side.cashflow import handlers as cash
from write_side.cashflow.aggregate import ChangeCashSettings
from write_side.demo.handlers import demo_stream
from write_side.demo.people import Person
from write_side.demo.shop import DemoShop, demo_shop
from write_side.inventory import handlers as stock
from write_side.inventory.aggregate import ChangeDetails, MoveStock
from write_side.sales import aggregate
from write_side.sales.aggregate import product_index_key

# Seconds until the import is checked again.
_PAUSE = 0.3
Step = Callable[[CommandContext], object]


class DemoFurnisher:
    """Handles `furnish_demo` jobs; a retry repeats no command."""

    def __init__(self, store: EventStore) -> None:
        """Append to `store`."""
        self._store = store

    def __call__(self, job: Job, lease: Lease) -> None:
        """Furnish the shop; raises Retry until its import is finished."""
        history = self._store.load(demo_stream(int(job.subject)))
        if len(history) != 1:
            return
        opened, position = cast("DemoShopOpened", history[0].event), history[0].position
        upload = aggregate.load(self._store.load(aggregate.stream_of(opened.file_id)))
        if upload is None or not upload.finished:
            raise Retry(_PAUSE)
        shop = demo_shop(opened.seed, opened.today)
        for number, step in enumerate(_Steps(self._store, opened.business_id, shop).all()):
            if not lease.held():
                return
            # The command id makes a repeated step the same command.
            step(CommandContext(self._store, opened.business_id, Metadata("worker", None, f"demo-{number}", position)))
        meta = Metadata("worker", causation=position)
        CommandContext(self._store, opened.business_id, meta).execute(lambda unit: _furnish(unit, opened.business_id))


def _furnish(unit: UnitOfWork, business_id: int) -> None:
    unit.append(demo_stream(business_id), 1, DemoShopFurnished(business_id))


@dataclass(frozen=True)
class _Steps:
    """The commands that furnish a shop, always in the same order."""

    store: EventStore
    business_id: int
    shop: DemoShop

    def all(self) -> Iterator[Step]:
        """Yield each command as a function of its context."""
        yield from self._stock()
        yield from self._cash()

    def _stock(self) -> Iterator[Step]:
        ids = self._ids("product", {s.good.name: product_index_key(name_key(s.good.name)) for s in self.shop.shelves})
        for good, counted_on, counted, received in self.shop.shelves:
            # A product that was never sold is unknown.
            if (product := ids.get(good.name)) is None:
                continue
            details = ChangeDetails({"unit": good.unit, "lead_time_days": good.lead_days})
            moves = [MoveStock("count", counted * THOUSANDTHS, counted_on)]
            moves += [MoveStock("receive", quantity * THOUSANDTHS, day) for day, quantity in received]
            yield partial(stock.change_details, product_id=product, command=details)
            for move in moves:
                yield partial(stock.move_stock, product_id=product, command=move)

    def _cash(self) -> Iterator[Step]:
        shop = self.shop
        settings = ChangeCashSettings(shop.opening_balance * PAISA, shop.opening_date, shop.threshold * PAISA)
        yield partial(cash.change_settings, command=settings)
        for date, amount, category, recurring in shop.expenses:
            paisa = amount * PAISA
            yield partial(cash.record_expense, date=date, amount=paisa, category=category, recurring=recurring)
        ids = self._ids("customer", {back.person.name: self._customer_key(back.person) for back in shop.repaid})
        for date, person, amount in shop.repaid:
            yield partial(cash.record_collection, date=date, amount=amount * PAISA, customer_id=ids[person.name])

    def _ids(self, kind: str, keys: Mapping[str, bytes]) -> dict[str, int]:
        """Return name -> public id of the known ones."""
        ctx = CommandContext(self.store, self.business_id, Metadata())
        found = ctx.query(lambda unit: unit.find(kind, list(keys.values())))
        return {name: found[key] for name, key in keys.items() if key in found}

    def _customer_key(self, person: Person) -> bytes:
        number = phone(person.phone or "")
        key = f"tel:{number}" if number else f"name:{name_key(person.name)}"
        return self.store.master.lookup_key("customer", self.business_id, key)
