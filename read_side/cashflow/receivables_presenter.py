"""What customers owe: the total, its ageing, and the largest debtors."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.presentation.units import taka
from shared.domain.readmodels.cash import MOST_SHOWN, Facts
from shared.domain.rules.baki import NOBODY, Account, Due, ageing


def receivables(
    facts: Facts, accounts: Mapping[int, Account], dues: Mapping[int, Sequence[Due]], until: dt.date
) -> dict[str, Any]:
    """Return total, ageing, the sum expected until a day, the sum not expected at all, and the largest debtors."""
    lots = [due for owed in dues.values() for due in owed]
    named = {customer: owed for customer, owed in dues.items() if customer != NOBODY}
    largest = sorted(named, key=lambda customer: (-_sum(named[customer]), customer))[:MOST_SHOWN]
    return {
        "total": taka(_sum(lots)),
        "expected": taka(_sum([due for due in lots if due.expected_on is not None and due.expected_on <= until])),
        "not_expected": taka(_sum([due for due in lots if due.expected_on is None])),
        "without_name": taka(_sum(dues.get(NOBODY, ()))),
        "advances": taka(sum(account.advance for account in accounts.values())),
        "ageing": {bucket: taka(paisa) for bucket, paisa in ageing(lots, facts.today).items()},
        "customer_count": len(named),
        "customers": [_debtor(customer, facts.names.get(customer), named[customer]) for customer in largest],
    }


def _debtor(customer: int, name: str | None, owed: Sequence[Due]) -> dict[str, Any]:
    expected = [due.expected_on for due in owed if due.expected_on is not None]
    return {
        "customer_id": customer,
        "name": name or None,
        "outstanding": taka(_sum(owed)),
        "oldest_sale": owed[0].sold_on,
        "expected_date": min(expected, default=None),
    }


def _sum(dues: Sequence[Due]) -> int:
    return sum(due.paisa for due in dues)
