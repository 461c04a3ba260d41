"""Single sales: recorded and voided by their owner, told as the list of transactions shows them."""

import base64
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from shared.domain.events.sales import SaleRecorded, SaleVoided
from shared.domain.refusals.inventory import ProductNotFound
from shared.domain.refusals.sales import AlreadyVoided
from shared.domain.rules.pricing import unit_price
from shared.errors import NotFound
from shared.eventstore.store import ALLOT, EventStore, Metadata, UnitOfWork
from write_side.sales import catalog, lookups
from write_side.sales.aggregate import customer_key, product_index_key, sale_index_key, void_index_key
from write_side.sales.csv.rows import LedgerRow
from write_side.sales.csv.values import name_key
from write_side.sales.lookups import RecordedSale, sale_stream
from write_side.sales.manual_sale import Wish, first_free, rows_of

# Returns whether the business has a product of this public id.
SELECT_PRODUCT = """SELECT 1 FROM log.index_rows WHERE kind = 'product' AND scope = %s AND value = %s AND value > 0
    LIMIT 1"""

# A sale as the list shows it, and the position of what happened to it.
Answer = tuple[dict[str, Any], int | None]


@dataclass(frozen=True)
class Till:
    """Takes one command of one business; the same Idempotency-Key again answers as before."""

    store: EventStore
    business_id: int
    meta: Metadata
    request_hash: bytes | None

    def record(self, wish: Wish) -> Answer:
        """Record a sale; raises InvalidFields, ProductNotFound, IdempotencyKeyReused."""
        outcome = self.store.execute(
            self.business_id, self.meta, lambda unit: _record(unit, wish), request_hash=self.request_hash
        )
        return self._shown(outcome.result), outcome.position

    def void(self, tx: int, reason: str) -> Answer:
        """Take a sale out of the books; raises NotFound, AlreadyVoided, IdempotencyKeyReused."""
        outcome = self.store.execute(
            self.business_id, self.meta, lambda unit: _void(unit, tx, reason), request_hash=self.request_hash
        )
        return self._shown(outcome.result), outcome.position

    def _shown(self, tx: int) -> dict[str, Any]:
        # Read apart from the command, whose stored answer may hold no name of a person.
        return self.store.execute(self.business_id, Metadata(), lambda unit: _item(unit, tx)).result


def _record(unit: UnitOfWork, wish: Wish) -> int:
    product_id, name = _product(unit, wish)
    sold_in = lookups.product_unit(unit, product_id) if product_id else ""
    mark = catalog.marking(unit.vault.lookup_key, unit.business_id)
    row = first_free(unit, rows_of(wish, name, sold_in, unit.now, mark))
    known = {row.product_key: product_id} if product_id else {}
    products, new_product = catalog.products(unit, _allotting(unit), [row], known)
    customers, new_customer = catalog.customers(unit, _allotting(unit), [row], {})
    customer = customer_key(row)
    tx = _allotting(unit)("transaction", 1)
    event = _recorded(row, tx, products[row.product_key], None if customer is None else customers[customer])
    added = [addition for addition in (new_product, new_customer) if addition]
    unit.append(sale_stream(unit.business_id, tx), 0, *added, event)
    unit.claim("sale", sale_index_key(row.date, row.fingerprint), tx)
    return tx


def _product(unit: UnitOfWork, wish: Wish) -> tuple[int | None, str]:
    """Return id and name of what is sold, no id for a product that is met first."""
    if wish.product_id is None:
        name = wish.product_name or ""
        return next(iter(unit.find("product", [product_index_key(name_key(name))]).values()), None), name
    known = unit.sql(SELECT_PRODUCT, (unit.business_id, wish.product_id))
    found = lookups.product_name(unit, wish.product_id) if known else None
    if found is None:
        raise ProductNotFound(details={"product_id": wish.product_id})
    return wish.product_id, found


def _recorded(row: LedgerRow, tx: int, product_id: int, customer_id: int | None) -> SaleRecorded:
    payment = None if row.payment is None else (row.payment, row.payment_raw)
    fingerprint = base64.b64encode(row.fingerprint).decode()
    return SaleRecorded(tx, row.date, row.time, product_id, customer_id, row.quantity, row.paisa, payment, fingerprint)


def _void(unit: UnitOfWork, tx: int, reason: str) -> int:
    sale = lookups.find_sale(unit, tx)
    if sale is None:
        raise NotFound(details={"id": tx})
    unit.append(sale_stream(unit.business_id, tx), sale.version, voided(sale, reason))
    unit.claim("void", void_index_key(tx), tx)
    return tx


def voided(sale: RecordedSale, reason: str) -> SaleVoided:
    """Return that a sale never was; raises AlreadyVoided."""
    if sale.void:
        raise AlreadyVoided(details={"id": sale.tx, "reason": sale.void.reason, "voided_at": sale.voided_at})
    return SaleVoided(
        sale.tx,
        reason,
        sale.date,
        sale.time,
        sale.product_id,
        sale.customer_id,
        sale.qty,
        sale.paisa,
        sale.payment,
        sale.received,
    )


def _item(unit: UnitOfWork, tx: int) -> dict[str, Any]:
    sale = lookups.find_sale(unit, tx)
    if sale is None:
        raise NotFound(details={"id": tx})
    customer = None if sale.customer_id is None else lookups.customer_name(unit, sale.customer_id)
    return shown(sale, lookups.product_name(unit, sale.product_id), customer)


def shown(sale: RecordedSale, product: str | None, customer: str | None) -> dict[str, Any]:
    """Return a sale as an item of GET /transactions, with the reason and time of its void where there is one."""
    hours, seconds = divmod(sale.time or 0, 3600)
    price = unit_price(sale.paisa, sale.qty)
    item = {
        "id": sale.tx,
        "date": f"{sale.date}T{hours:02}:{seconds // 60:02}:{seconds % 60:02}+06:00",
        "product_id": sale.product_id,
        "product_name": product,
        "quantity": Decimal(sale.qty).scaleb(-3),
        "amount": Decimal(sale.paisa).scaleb(-2),
        "unit_price": Decimal(price).scaleb(-2),
        "customer_id": sale.customer_id,
        "customer_name": customer,
        "payment_method": sale.payment,
        "data_source": sale.source,
    }
    if sale.void is None:
        return item
    return item | {"voided": True, "reason": sale.void.reason, "voided_at": sale.voided_at}


def _allotting(unit: UnitOfWork) -> catalog.Allot:
    """Return what gives ids out in the unit's own transaction: a request holds one connection, never two."""

    def allot(kind: str, count: int) -> int:
        wanted = {"scope": unit.business_id, "kind": kind, "count": count}
        return int(unit.sql(ALLOT, cast("Any", wanted))[0]["first"])

    return allot
