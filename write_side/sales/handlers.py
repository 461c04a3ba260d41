"""Command handlers of single sales; stored answers hold the sale's id only, names of people are read afterwards."""

from functools import partial
from typing import Any

from shared.domain.contacts import name_key
from shared.domain.refusals.inventory import ProductNotFound
from shared.errors import NotFound
from shared.eventstore.command import CommandContext, Result, allot
from shared.eventstore.store import UnitOfWork
from write_side.lookups.products import product_exists
from write_side.sales import catalog, lookups
from write_side.sales.aggregate import customer_key, product_index_key, sale_index_key, void_index_key
from write_side.sales.csv.rows import LedgerRow
from write_side.sales.lookups import sale_stream
from write_side.sales.manual_sale import SaleEntry, first_free, rows_of
from write_side.sales.presenter import sale_data
from write_side.sales.sale_aggregate import RecordSale, VoidSale, decide


def record_sale(ctx: CommandContext, entry: SaleEntry) -> Result[dict[str, Any]]:
    """Record a sale; answers with it as the list shows it. Raises InvalidFields, ProductNotFound."""

    def record(unit: UnitOfWork) -> int:
        product_id, row = _row(unit, entry)
        command = _identified(unit, row, product_id)
        unit.append(sale_stream(unit.business_id, command.tx), 0, *decide(command, None))
        unit.claim("sale", sale_index_key(row.date, row.fingerprint), command.tx)
        return command.tx

    return _with_names(ctx, ctx.execute(record))


def void_sale(ctx: CommandContext, tx: int, reason: str) -> Result[dict[str, Any]]:
    """Void a sale; answers with it and the void. Raises NotFound, AlreadyVoided."""

    def void(unit: UnitOfWork) -> int:
        sale = lookups.find_sale(unit, tx)
        events = decide(VoidSale(tx, reason), sale)
        unit.append(sale_stream(unit.business_id, tx), sale.version if sale else 0, *events)
        unit.claim("void", void_index_key(tx), tx)
        return tx

    return _with_names(ctx, ctx.execute(void))


def _row(unit: UnitOfWork, entry: SaleEntry) -> tuple[int | None, LedgerRow]:
    """Return the product's id, None for a new product, and the sale in the form of an upload's row."""
    product_id, name = _product(unit, entry)
    sold_in = lookups.product_unit(unit, product_id) if product_id else ""
    mark = catalog.marking(unit.vault.lookup_key, unit.business_id)
    return product_id, first_free(unit, rows_of(entry, name, sold_in, unit.now, mark))


def _product(unit: UnitOfWork, entry: SaleEntry) -> tuple[int | None, str]:
    """Return id and name of the product, no id for a new one; raises ProductNotFound for an unknown id."""
    if entry.product_id is None:
        name = entry.product_name or ""
        return next(iter(unit.find("product", [product_index_key(name_key(name))]).values()), None), name
    known = product_exists(unit, entry.product_id)
    found = lookups.product_name(unit, entry.product_id) if known else None
    if found is None:
        raise ProductNotFound(details={"product_id": entry.product_id})
    return entry.product_id, found


def _identified(unit: UnitOfWork, row: LedgerRow, product_id: int | None) -> RecordSale:
    """Return the command with the ids of sale, product and customer; new products and customers get new ids."""
    known = {row.product_key: product_id} if product_id else {}
    allot_in_unit = partial(allot, unit)
    products, new_product = catalog.products(unit, allot_in_unit, [row], known)
    customers, new_customer = catalog.customers(unit, allot_in_unit, [row], {})
    customer = customer_key(row)
    added = [addition for addition in (new_product, new_customer) if addition]
    customer_id = None if customer is None else customers[customer]
    return RecordSale(allot(unit, "transaction"), row, products[row.product_key], customer_id, added)


def _with_names(ctx: CommandContext, result: Result[int]) -> Result[dict[str, Any]]:
    return result.map(lambda tx: ctx.query(lambda unit: _item(unit, tx)))


def _item(unit: UnitOfWork, tx: int) -> dict[str, Any]:
    sale = lookups.find_sale(unit, tx)
    if sale is None:
        raise NotFound(details={"id": tx})
    customer = (None, None) if sale.customer_id is None else lookups.remaining_customer(unit, sale.customer_id)
    return sale_data(sale, lookups.product_name(unit, sale.product_id), *customer)
