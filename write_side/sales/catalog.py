"""Products and customers by what a row calls them: found where they are known, added where they are met first."""

from collections.abc import Callable, Mapping, Sequence

from shared.domain.events.sales import CustomersAdded, NewProduct, ProductsAdded
from shared.domain.rules.pricing import unit_price
from shared.eventstore.store import UnitOfWork
from write_side.lookups.customers import Allot, Person, found_or_added
from write_side.sales.aggregate import customer_key, product_index_key
from write_side.sales.csv.rows import LedgerRow, Mark
from write_side.sales.csv.words import EXPENSE, SALE


def marking(lookup_key: Callable[[str, int | None, str], bytes], business_id: int | None) -> Mark:
    """Return what stands for a customer's name in the fingerprints of a business.

    It uses the key of the installation, not of the customer: it stays the same when the customer is erased, so that
    the rows of a repeated upload are still recognized as duplicates.
    """
    return lambda name: lookup_key("fingerprint", business_id, name).hex()


def products(
    unit: UnitOfWork, allot: Allot, rows: Sequence[LedgerRow], met: Mapping[str, int]
) -> tuple[dict[str, int], ProductsAdded | None]:
    """Return the ids of `met` and of every product in `rows` by key, and the event that adds the new ones.

    A new product is priced by its first sale, else by its first row; its key is claimed. Expenses have no product.
    """
    sales_first = sorted((row for row in rows if row.kind != EXPENSE), key=lambda row: row.kind != SALE)
    first_rows = {row.product_key: row for row in reversed(sales_first) if row.product_key not in met}
    index_keys = {key: product_index_key(key) for key in first_rows}
    found = unit.find("product", list(index_keys.values()))
    known = dict(met) | {key: found[index] for key, index in index_keys.items() if index in found}
    missing = [row for row in reversed(first_rows.values()) if row.product_key not in known]
    if not missing:
        return known, None
    added = []
    for number, row in enumerate(missing, allot("product", len(missing))):
        unit.claim("product", index_keys[row.product_key], number)
        known[row.product_key] = number
        added.append(NewProduct(number, row.product, row.product_key, unit_price(row.paisa, row.quantity)))
    return known, ProductsAdded(added)


def customers(
    unit: UnitOfWork, allot: Allot, rows: Sequence[LedgerRow], met: Mapping[str, int]
) -> tuple[dict[str, int], CustomersAdded | None]:
    """Return the ids of `met` and of every customer in `rows` by key, and the event that adds the new ones.

    A row without a phone is of the customer of its name.
    """
    named = ((customer_key(row), row) for row in reversed(rows))
    first_rows = {key: row for key, row in named if key is not None and key not in met}
    people = {key: Person(row.customer, row.phone) for key, row in reversed(first_rows.items())}
    known, added = found_or_added(unit, allot, people)
    return dict(met) | known, added
