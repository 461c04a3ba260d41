"""What a projection of a shop's cash is computed from: statements, and plain functions over their rows."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from shared.domain.rules import baki
from shared.domain.rules.cash import current_balance
from shared.domain.rules.cash_flows import DEFAULT_THRESHOLD, Day, Parameters, Repayment, Situation
from shared.domain.rules.recurring import Recurring

# How far back sales on credit are followed one by one; what is owed from before is one sum per customer.
BAKI_DAYS = 180
# How many of the customers who owe most are shown by name.
MOST_SHOWN = 10

# Selects the settings (null where unset), the first and last day with sales, and what has moved since the opening day.
SELECT_STANDING = """SELECT s.opening_balance, s.opening_date, s.critical_threshold,
    (SELECT min(date) FROM cash_days WHERE business_id = %(business)s AND sale_count > 0),
    (SELECT max(date) FROM cash_days WHERE business_id = %(business)s AND sale_count > 0 AND date <= %(today)s::date),
    coalesce((SELECT sum(takings + collections - refunds - purchases - expenses) FROM cash_days
        WHERE business_id = %(business)s AND date BETWEEN s.opening_date AND %(today)s::date), 0)::bigint
    - coalesce((SELECT sum(amount) FROM cash_expenses WHERE business_id = %(business)s AND recurring IS NULL
        AND ended_on IS NULL AND voided IS NULL AND date BETWEEN s.opening_date AND %(today)s::date), 0)::bigint
    FROM (SELECT) AS one LEFT JOIN cash_settings AS s ON s.business_id = %(business)s"""
# Selects takings, what was lent and what was spent (without recurring expenses) per day of the weeks before the last
# sale.
SELECT_DAYS = """WITH since AS MATERIALIZED (
        SELECT coalesce(max(date), %(today)s::date) - %(deviation_days)s::int AS day FROM cash_days
        WHERE business_id = %(business)s AND sale_count > 0 AND date <= %(today)s::date)
    SELECT date, sum(takings)::bigint, sum(lent)::bigint, sum(spent)::bigint FROM (
        SELECT date, takings, lent, refunds + purchases + expenses AS spent FROM cash_days
        WHERE business_id = %(business)s AND date > (SELECT day FROM since) AND date <= %(today)s::date
        UNION ALL SELECT date, 0, 0, amount FROM cash_expenses
        WHERE business_id = %(business)s AND recurring IS NULL AND ended_on IS NULL AND voided IS NULL
            AND date > (SELECT day FROM since) AND date <= %(today)s::date) AS moved
    GROUP BY date"""
# Selects the recurring expenses, those that have ended included.
SELECT_RECURRING = """SELECT date, amount, recurring, ended_on FROM cash_expenses
    WHERE business_id = %(business)s AND recurring IS NOT NULL AND date IS NOT NULL AND voided IS NULL
    ORDER BY date, id"""
# Sums the expenses that are known to be paid once on a later day.
SELECT_PLANNED = """SELECT date, sum(amount)::bigint FROM cash_expenses
    WHERE business_id = %(business)s AND recurring IS NULL AND ended_on IS NULL AND voided IS NULL
        AND date > %(today)s::date GROUP BY date"""
# Selects, per customer after merges, what was lent and paid on each of the last days; and in a row without a date what
# is owed from before.
SELECT_BAKI = """WITH recent AS MATERIALIZED (
        SELECT coalesce(m.customer_id, d.customer_id) AS customer, d.date, sum(d.lent) AS lent, sum(d.paid) AS paid
        FROM baki_days AS d LEFT JOIN baki_merges AS m ON m.business_id = d.business_id AND m.id = d.customer_id
        WHERE d.business_id = %(business)s AND d.date > %(today)s::date - %(baki_days)s::int GROUP BY 1, 2),
    totals AS (
        SELECT coalesce(m.customer_id, t.customer_id) AS customer, sum(t.lent - t.paid) AS owed
        FROM baki_totals AS t LEFT JOIN baki_merges AS m ON m.business_id = t.business_id AND m.id = t.customer_id
        WHERE t.business_id = %(business)s GROUP BY 1)
    SELECT customer, NULL AS date, (owed - coalesce(newer, 0))::bigint, 0::bigint FROM totals
        LEFT JOIN (SELECT customer, sum(lent - paid) AS newer FROM recent GROUP BY 1) AS r USING (customer)
        WHERE owed <> coalesce(newer, 0)
    UNION ALL SELECT customer, date, lent::bigint, paid::bigint FROM recent"""
# Selects the names of customers; one whose data was erased has none.
SELECT_NAMES = "SELECT id, name FROM people WHERE business_id = %(business)s AND id = ANY(%(ids)s::bigint[])"
STATEMENTS: tuple[LiteralString, ...] = (SELECT_STANDING, SELECT_DAYS, SELECT_RECURRING, SELECT_PLANNED, SELECT_BAKI)
"""What `Rows` holds the rows of, in order; all take `parameters`."""


class Rows(NamedTuple):
    """The rows of each of STATEMENTS."""

    standing: Sequence[Any]
    days: Sequence[Any]
    recurring: Sequence[Any]
    planned: Sequence[Any]
    owing: Sequence[Any]


@dataclass(frozen=True)
class Settings:
    """What the owner entered; a balance of None is unknown."""

    opening_balance: int | None
    opening_date: dt.date | None
    critical_threshold: int

    @property
    def known(self) -> bool:
        """Tell whether an opening balance and its date are known."""
        return self.opening_balance is not None and self.opening_date is not None


@dataclass(frozen=True)
class Facts:
    """Everything that was read, as of `today`; `owing` are the rows of SELECT_BAKI, `names` those of who owes most."""

    today: dt.date
    settings: Settings
    first_sale: dt.date | None
    last_sale: dt.date | None
    moved: int
    days: Mapping[dt.date, Day]
    recurring: Sequence[Recurring]
    planned: Mapping[dt.date, int]
    owing: Sequence[tuple[int, dt.date | None, int, int]]
    names: Mapping[int, str | None]

    @property
    def balance(self) -> int | None:
        """Return the balance at the end of today as far as it was recorded, None if it is unknown."""
        opening, date = self.settings.opening_balance, self.settings.opening_date
        if opening is None or date is None:
            return None
        return current_balance(opening, date, self.moved, self.recurring, self.today)

    def accounts(self) -> dict[int, baki.Account]:
        """Return what each customer owes."""
        carried: dict[int, int] = {}
        entries: dict[int, list[baki.Entry]] = defaultdict(list)
        for customer, date, lent, paid in self.owing:
            if date is None:
                carried[customer] = lent
            else:
                entries[customer].append(baki.Entry(date, lent, paid))
        return {
            customer: baki.settled(entries.get(customer, ()), carried.get(customer, 0))
            for customer in carried.keys() | entries.keys()
        }

    def expected(self) -> Situation:
        """Return what the rule projects from, with all the baki that may come in."""
        accounts = self.accounts()
        lots = [due for owed in baki.expectations(accounts, self.today).values() for due in owed]
        return self.situation(baki.expected_inflows(lots), baki.repaid_in_all(accounts))

    def situation(self, due: Mapping[dt.date, int], repaid: Mapping[int, int]) -> Situation:
        """Return what the rule projects from: with the baki that is `due`, and what was `repaid` after how long."""
        days, lent = baki.usual_days(repaid), sum(row[2] for row in self.owing if row[1] is not None)
        back = None if days is None or lent <= 0 else Repayment(days, sum(repaid.values()), lent)
        return Situation(
            self.today,
            self.balance,
            self.days,
            self.first_sale,
            self.last_sale,
            self.settings.critical_threshold,
            self.recurring,
            due,
            back,
            planned=self.planned,
        )


def parameters(business_id: int, today: dt.date) -> dict[str, Any]:
    """Return the parameters of STATEMENTS."""
    return {
        "business": business_id,
        "today": today,
        "deviation_days": Parameters().deviation_days,
        "baki_days": BAKI_DAYS,
    }


def largest_debtors(rows: Rows) -> list[int]:
    """Return the customers whose names are shown: parameter `ids` of SELECT_NAMES."""
    sums: Counter[int] = Counter()
    for customer, _, lent, paid in rows.owing:
        sums[customer] += lent - paid
    return [customer for customer, _ in sums.most_common(MOST_SHOWN + 1)]


def facts(today: dt.date, rows: Rows, names: Sequence[Any] = ()) -> Facts:
    """Return the facts of a shop as of a day; `names` are the rows of SELECT_NAMES, for who is to be shown."""
    ((opening, opened_on, threshold, first, last, moved),) = rows.standing
    return Facts(
        today,
        Settings(opening, opened_on, DEFAULT_THRESHOLD if threshold is None else threshold),
        first,
        last,
        moved,
        {date: Day(takings, lent, spent) for date, takings, lent, spent in rows.days},
        [Recurring(*row) for row in rows.recurring],
        dict(rows.planned),
        [(customer, date, lent, paid) for customer, date, lent, paid in rows.owing],
        dict(names),
    )
