"""Reads the input of the recommendation rules from a shop's read models.

All statements run in one transaction of the caller that begins with `database.FIRST_STATEMENT`, so that the
checkpoints are those of the rows.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, LiteralString

from psycopg import Connection

from shared.domain.readmodels import cash, shelves, takings
from shared.domain.readmodels.checkpoints import Checkpoints, read_checkpoints
from shared.domain.rules import cash as cash_rule
from shared.domain.rules.follow_up import Executed, Seen
from shared.domain.rules.recommend import NOBODY, AtRisk, Cash, Shelf, Signals, is_stale
from shared.domain.rules.recommendation_candidates import CASH_WARNING, DEFAULTS, PRICE_OPTIMIZATION, REORDER, RETENTION

PROJECTIONS = ("sales", "inventory", "customers", "cashflow", "forecasting")

# Selects the last day with sales, at the latest today.
SELECT_LAST_SALE = """SELECT max(date) FROM sales_days
    WHERE business_id = %(business)s AND sales > 0 AND date <= %(today)s::date"""
# Selects the rules that stock and customer scores were derived by, null if there are none yet.
SELECT_RULES = """SELECT (SELECT rule FROM stock WHERE business_id = %(business)s LIMIT 1),
    (SELECT rules FROM churn WHERE business_id = %(business)s LIMIT 1)"""
# Selects the customers at risk who spent most, each with the number of all at risk. It scans all customers of a shop:
# 9 ms for 20,000 scattered rows. These columns must not be indexed, see their schema.
SELECT_AT_RISK = """SELECT id, count(*) OVER () FROM churn
    WHERE business_id = %(business)s AND (segment = 'at_risk' OR level = 'high') AND visits > 0
    ORDER BY paisa DESC, id LIMIT %(most)s"""
# Sums the spending of customers less returns, with those merged into them, in the 90 days up to each last visit.
SELECT_SPENT = """SELECT coalesce(sum(v.paisa), 0)::bigint FROM churn AS c
    JOIN customer_ids AS m ON m.business_id = c.business_id AND coalesce(m.merged_into, m.id) = c.id
    JOIN visits AS v ON v.business_id = c.business_id AND v.customer_id = m.id
    WHERE c.business_id = %(business)s AND c.id = ANY(%(ids)s::bigint[]) AND v.date > c.last_on - 90"""
# Sums the deliveries of a product: from uploads since a day, entered by hand since a position.
SELECT_ARRIVED = """SELECT
    coalesce((SELECT sum(received) FROM stock_flow WHERE business_id = %(business)s AND product_id = %(product)s
        AND day >= %(since)s::date - date '2000-01-01'), 0)::bigint
    + coalesce((SELECT sum(received) FROM stock_entries WHERE business_id = %(business)s AND product_id = %(product)s
        AND entry < -%(position)s::bigint), 0)::bigint"""
# Selects which of some customers have come since a day; a merged customer counts as the one it was merged into.
SELECT_RETURNED = """SELECT DISTINCT one.id FROM (SELECT DISTINCT coalesce(merged_into, id) AS id FROM customer_ids
        WHERE business_id = %(business)s AND id = ANY(%(ids)s::bigint[])) AS one
    JOIN customer_ids AS m ON m.business_id = %(business)s AND coalesce(m.merged_into, m.id) = one.id
    JOIN visits AS v ON v.business_id = %(business)s AND v.customer_id = m.id
    WHERE v.sales > 0 AND v.date >= %(since)s::date"""
# Selects the current price of a product, and whether the owner set it.
SELECT_PRICE = """SELECT coalesce(nullif(g.unit_price, -1), p.unit_price, p.first_price),
        nullif(g.unit_price, -1) IS NOT NULL
    FROM products AS p
    LEFT JOIN goods AS g ON g.business_id = p.business_id AND g.product_id = p.id
    WHERE p.business_id = %(business)s AND p.id = %(product)s"""


class Reading:
    """Reads the signals of one shop over a connection within a read transaction of that shop."""

    def __init__(self, conn: Connection[Any], business_id: int, today: dt.date) -> None:
        """Read as of `today`."""
        self._conn = conn
        self._known: dict[str, Any] = {"business": business_id, "today": today}
        self._cash: cash.Facts | None = None
        self.today = today

    def checkpoints(self) -> Checkpoints:
        """Return the checkpoints of the read models for the shop."""
        return read_checkpoints(self._conn, self._known["business"], PROJECTIONS)

    def signals(self) -> Signals:
        """Return the input of the rules; only the last sale if the shop's data are stale."""
        last = self._value(SELECT_LAST_SALE)
        if is_stale(last, self.today):
            return Signals(last, [], None, NOBODY)
        ((stock, churn),) = self._rows(SELECT_RULES)
        versions = {REORDER: stock, PRICE_OPTIMIZATION: stock, RETENTION: churn, CASH_WARNING: cash_rule.VERSION}
        rules = {kind: version for kind, version in versions.items() if version}
        return Signals(last, self._shelves(last), self._cash_ahead(), self._at_risk(), rules)

    def seen(self, executed: Executed) -> Seen:
        """Return what has happened since a recommendation was executed."""
        match executed.type:
            case "reorder":
                since = {"since": executed.date, "position": executed.position}
                return Seen(arrived=self._value(SELECT_ARRIVED, product=executed.action["product_id"], **since))
            case "retention":
                rows = self._rows(SELECT_RETURNED, ids=executed.action["customer_ids"], since=executed.date)
                return Seen(returned=tuple(customer for (customer,) in rows))
            case "price_optimization":
                rows = self._rows(SELECT_PRICE, product=executed.action["product_id"])
                return Seen(unit_price=rows[0][0], owners_price=rows[0][1]) if rows else Seen()
        return Seen(balance=self._facts().balance)

    def _shelves(self, last: dt.date | None) -> list[Shelf]:
        forecasts = {row[0]: shelves.Forecast(*row) for row in self._rows(shelves.SELECT_FORECASTS)}
        stocked = [shelves.Stocked(*row) for row in self._rows(shelves.SELECT_STOCKED, last=last or self.today)]
        return [shelves.shelf(row, forecasts.get(row.product_id), self.today) for row in stocked]

    def _facts(self) -> cash.Facts:
        if self._cash is None:
            known = cash.parameters(self._known["business"], self.today)
            rows = cash.Rows(*[self._conn.execute(statement, known).fetchall() for statement in cash.STATEMENTS])
            self._cash = cash.facts(self.today, rows)
        return self._cash

    def _cash_ahead(self) -> Cash | None:
        facts = self._facts()
        if facts.balance is None:
            return None
        forecast = self._rows(takings.SELECT_TAKINGS, **takings.parameters(self._known["business"], self.today))
        expected = takings.takings_after(forecast[0] if forecast else None, self.today)
        situation = replace(facts.expected(), forecast=expected.days if expected else None)
        outlook = cash_rule.project(situation, DEFAULTS.cash_days)
        # Without an estimate of takings only today's balance is certain.
        ahead = [(step.date, step.balance) for step in outlook.steps] if outlook.takings_known else []
        return Cash(facts.balance, facts.settings.critical_threshold, ahead)

    def _at_risk(self) -> AtRisk:
        rows = self._rows(SELECT_AT_RISK, most=DEFAULTS.most_customers)
        if not rows:
            return NOBODY
        ids = [customer for customer, _ in rows]
        return AtRisk(rows[0][1], ids, self._value(SELECT_SPENT, ids=ids))

    def _rows(self, query: LiteralString, **parameters: Any) -> Sequence[Any]:  # noqa: ANN401 - values of the statement's parameters
        return self._conn.execute(query, {**self._known, **parameters}).fetchall()

    def _value(self, query: LiteralString, **parameters: Any) -> Any:  # noqa: ANN401 - any column
        rows = self._rows(query, **parameters)
        return rows[0][0] if rows else None
