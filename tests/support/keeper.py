"""A shop whose owner uploads, sells, counts, merges and undoes, by the commands of the API and the workers."""

import contextlib
import csv
import datetime as dt
import io
from collections.abc import Sequence
from itertools import count
from typing import Any

from shared.domain.events.customers import CustomerDetailsChanged
from shared.domain.events.recommendations import RecommendationExecuted
from shared.domain.events.sales import CustomersAdded
from shared.errors import Refusal
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.command import CommandContext
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import Metadata
from shared.eventstore.vault import Vault, sql_over
from tests.support.accepted_ledgers import Held, accept, job_of, upload_of
from tests.support.forecast_events import made
from tests.support.recommendation_events import issued
from tests.support.world import World
from write_side.cashflow.handlers import record_collection
from write_side.customers.handlers import change_customer, merge_customers
from write_side.inventory.aggregate import ChangeDetails, MoveStock
from write_side.inventory.handlers import change_details, move_stock
from write_side.sales.handlers import record_sale, void_sale
from write_side.sales.manual_sale import SaleEntry
from write_side.sales.undo_worker import UploadUndoer
from write_side.sales.upload.undo import undo_upload
from write_side.sales.worker import LedgerReader

HEADER = ("Date", "Product", "Quantity", "Amount", "Customer", "Payment Method", "Type", "SKU", "Stock", "Cost")
DAYS = [dt.date(2025, 9, 1) + dt.timedelta(days=n) for n in (0, 1, 2, 40, 63)]
SELECT_IDS = "SELECT DISTINCT value FROM log.index_rows WHERE kind = %s AND scope = %s ORDER BY value"
SELECT_INDEX = """SELECT kind, key, value FROM log.index_rows WHERE scope = %s AND kind <> 'void'
    ORDER BY kind, key"""


class Keeper:
    """One shop whose owner uploads, sells, counts, merges and undoes, by the commands of the API and the workers."""

    def __init__(self, world: World, business: int) -> None:
        self.world, self.business = world, business
        self.ctx = CommandContext(world.store, business, Metadata())
        self.files = Files(world.store, TableParts(world.store))
        self.uploads: list[str] = []
        self.contents: dict[str, bytes] = {}
        self._numbers = count(1)

    def upload(self, rows: Sequence[Sequence[str]]) -> str:
        text = io.StringIO()
        csv.writer(text).writerows([HEADER, *rows])
        return self.upload_bytes(text.getvalue().encode())

    def upload_bytes(self, content: bytes, **options: Any) -> str:  # noqa: ANN401 - options passed on unchanged
        file_id = accept(self.world.store, self.files, self.business, content, **options)
        LedgerReader(self.world.store, self.files)(job_of(file_id, self.business), Held())
        self.uploads.append(file_id)
        self.contents[file_id] = content
        return file_id

    def undo(self, which: int) -> str | None:
        if not self.uploads:
            return None
        file_id = self.uploads[which % len(self.uploads)]
        undo_upload(self.ctx, file_id)
        UploadUndoer(self.world.store)(job_of(file_id, self.business), Held())
        assert upload_of(self.world.store, file_id).undone
        return file_id

    def sell(self, row: Sequence[str]) -> None:
        date, product, quantity, amount, customer, method = row[:6]
        record_sale(self.ctx, SaleEntry(date, product, None, quantity, amount, customer, "", method.lower()))

    def void(self, which: int) -> None:
        if ids := self._ids("sale"):
            void_sale(self.ctx, ids[which % len(ids)], "twice")

    def move(self, said: tuple[str, int, dt.date]) -> None:
        kind, which, day = said
        if ids := self._ids("product"):
            move_stock(self.ctx, ids[which % len(ids)], MoveStock(kind, 5_000, day))

    def details(self, said: tuple[int, tuple[str, str | int | None]]) -> None:
        which, (name, value) = said
        if ids := self._ids("product"):
            change_details(self.ctx, ids[which % len(ids)], ChangeDetails({name: value}))

    def collect(self, which: int) -> None:
        if ids := self._ids("customer"):
            record_collection(self.ctx, DAYS[0], 5_000, ids[which % len(ids)])

    def merge(self, which: tuple[int, int]) -> None:
        if ids := self._ids("customer"):
            merge_customers(self.ctx, ids[which[0] % len(ids)], ids[which[1] % len(ids)])

    def rename(self, which: int) -> None:
        if ids := self._ids("customer"):
            change_customer(self.ctx, ids[which % len(ids)], {"notes": f"note {which}"})

    def advise(self, which: int) -> None:
        """Record a forecast and a recommendation, which the owner carries out now and then."""
        for product in self._ids("product")[:1]:
            number = next(self._numbers)
            advice = issued(number, subject=f"product-{product}", facts={"product_id": product})
            self.world.append(self.business, made(product, [1, 2], number=number), advice)
            if which % 3 == 0:
                done = RecommendationExecuted(number, DAYS[0], {"product_id": product}, DAYS[1])
                self.world.append(self.business, done)

    def do(self, step: tuple[str, Any]) -> None:
        """Do one step; what is refused is not done."""
        with contextlib.suppress(Refusal):
            getattr(self, step[0])(step[1])

    def history(self) -> list[RecordedEvent]:
        return self.world.history([self.business])

    def people(self, history: Sequence[RecordedEvent]) -> dict[str, dict[str, str | None]]:
        """Return what the sealed texts of a history open to."""
        sealed = [
            (f"customer-{self.business}-{customer.id}", customer.sealed)
            for recorded in history
            if isinstance(event := recorded.event, CustomersAdded)
            for customer in event.customers
        ]
        sealed += [
            (f"customer-{self.business}-{event.customer_id}", event.sealed)
            for recorded in history
            if isinstance(event := recorded.event, CustomerDetailsChanged)
        ]
        with self.world.store.cursor() as cursor:
            keys = Vault(self.world.master, sql_over(cursor.connection)).keys([subject for subject, _ in sealed])
        return {text: keys.open(subject, text) or {} for subject, text in sealed}

    def index(self) -> list[tuple[Any, ...]]:
        return self.world.admin.execute(SELECT_INDEX, (self.business,)).fetchall()

    def _ids(self, kind: str) -> list[int]:
        return [value for (value,) in self.world.admin.execute(SELECT_IDS, (kind, self.business)).fetchall()]
