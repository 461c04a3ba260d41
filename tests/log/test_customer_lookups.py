"""What finds customers after they were renamed and merged, made again from the log."""

import pytest

from shared.domain.refusals.customers import CustomerMerged
from shared.eventstore.command import CommandContext
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, Metadata
from tests.support.accepted_ledgers import Held, accept, job_of
from tests.support.log_facts import connected, rows
from write_side.customers.handlers import change_customer, merge_customers
from write_side.indexes import rebuild_indexes
from write_side.sales.worker import LedgerReader

EVERY_ROW = "SELECT kind, scope, encode(key, 'hex'), value FROM log.index_rows ORDER BY 1, 2, 3"
CUSTOMERS = "SELECT DISTINCT value FROM log.index_rows WHERE kind = 'customer' AND scope = %s ORDER BY 1"
LEDGER = "Date,Product,Quantity,Amount,Customer\n" + "".join(f"2025-10-01,Tea,1,10,C{i}\n" for i in range(5))


def context(store: EventStore) -> CommandContext:
    return CommandContext(store, 7, Metadata())


def test_lookups_made_again_from_the_log_are_the_same(store: EventStore, database_url: str) -> None:
    files = Files(store, TableParts(store))
    for business in (7, 70):
        LedgerReader(store, files)(job_of(accept(store, files, business, LEDGER.encode()), business), Held())
    a, b, c, d, e = (number for (number,) in rows(database_url, CUSTOMERS, 7))
    change_customer(context(store), a, {"name": "Renamed", "phone": "+8801911111111", "notes": "new"})
    for survivor, other in ((b, a), (d, b), (c, d)):
        merge_customers(context(store), survivor, other)
    change_customer(context(store), c, {"name": "Renamed again"})
    before = rows(database_url, EVERY_ROW)
    assert rows(database_url, CUSTOMERS, 7) == [(c,), (e,)]
    assert len(rows(database_url, CUSTOMERS, 70)) == 5
    with connected(database_url) as owner:
        owner.execute("TRUNCATE log.index_rows")
        assert rebuild_indexes(owner) == len(before)
    assert rows(database_url, EVERY_ROW) == before
    with pytest.raises(CustomerMerged) as refused:
        change_customer(context(store), a, {"notes": "x"})
    assert refused.value.details == {"id": a, "customer_id": c}
    assert change_customer(context(store), c, {}).data.merged == [d, b, a]
