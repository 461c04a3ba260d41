"""From a ledger with baki, expenses and collections to the balance now and later, computed again by hand."""

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import httpx
import pytest

from shared.runtime.business_day import DHAKA
from tests.support.ledgers import imported, read, written
from tests.support.shops import Shop

HEADER = ("Date", "Type", "Product", "Quantity", "Amount", "Customer", "Payment Method")
BAKI = ("Ali", "Fatema", "Rahim")
PATH = "/api/cashflow"


class Line(NamedTuple):
    """A line of the ledger; `back` days before today."""

    back: int
    kind: str
    taka: Decimal
    customer: str
    payment: str


def today() -> dt.date:
    return dt.datetime.now(DHAKA).date()


def ago(days: int) -> dt.date:
    return today() - dt.timedelta(days)


def invented() -> list[Line]:
    """Return ten weeks of a shop: seven sales a day, one of them on credit, purchases and bills now and then."""
    chance = random.Random(11)  # noqa: S311 - no secret
    lines = []
    for back in range(70, 0, -1):
        lines += [Line(back, "Sale", Decimal(chance.randint(2_000, 90_000)) / 100, "", "Cash") for _ in range(5)]
        lines += [Line(back, "Sale", Decimal(chance.randint(100, 900)), "", chance.choice(["bKash", ""]))]
        lines += [Line(back, "Sale", Decimal(chance.randint(100, 900)), chance.choice(BAKI), "Baki")]
        if back % 9 == 0:
            lines += [Line(back, "Purchase", Decimal(chance.randint(1_000, 9_000)), "", "Cash")]
            lines += [Line(back, "Expense", Decimal(chance.randint(100, 500)), "", "Cash")]
        if back % 11 == 0:
            lines += [Line(back, "Return", Decimal(chance.randint(10, 90)), "", "Cash")]
            lines += [Line(back, "Return", Decimal(chance.randint(10, 90)), "Ali", "Baki")]
    return [*lines, Line(3, "Sale", Decimal(77), "", "Baki")]


def ledger(lines: list[Line]) -> bytes:
    cells = [
        [str(ago(line.back)), line.kind, f"{line.kind} {n}", "1", str(line.taka), line.customer, line.payment]
        for n, line in enumerate(lines)
    ]
    return written(cells, HEADER)


def cash_of(line: Line) -> Decimal:
    """Return what a line did to the cash."""
    if line.payment == "Baki":
        return Decimal(0)
    return line.taka if line.kind == "Sale" else -line.taka


def said(client: httpx.Client, shop: Shop, method: str, path: str, body: dict[str, Any]) -> tuple[Any, str]:
    answer = client.request(method, PATH + path, json=body, headers=shop.headers)
    assert answer.is_success, answer.text
    return answer.json()["data"], answer.headers["X-Event-Position"]


def owed_by_fifo(lots: list[tuple[int, Decimal]], paid: Decimal) -> list[tuple[int, Decimal]]:
    """Return what is left of lots, oldest first, after paying."""
    left = []
    for back, taka in sorted(lots, reverse=True):
        part = min(taka, paid)
        paid -= part
        left.append((back, taka - part))
    return [(back, taka) for back, taka in left if taka]


def money(value: Any) -> Decimal:  # noqa: ANN401 - a JSON number
    return Decimal(str(value))


@pytest.mark.parametrize("opened", [30, 0])
def test_the_cash_and_what_is_owed_are_what_plain_counting_finds(client: httpx.Client, shop: Shop, opened: int) -> None:
    lines = invented()
    upload_ = imported(client, shop, ledger(lines))
    assert upload_.data["rejected"] == 0
    before = read(client, shop, PATH, upload_.position)
    assert (before["basis"], before["risk_analysis"]["risk_level"]) == ("estimated", None)
    assert "CASH_NO_OPENING_BALANCE" in [warning["code"] for warning in before["warnings"]]
    names = {debtor["name"]: debtor["customer_id"] for debtor in before["receivables"]["customers"]}
    assert names.keys() == set(BAKI)

    said(
        client,
        shop,
        "PUT",
        "/settings",
        {"opening_balance": 40000.75, "opening_date": str(ago(opened)), "critical_threshold": 20000},
    )
    paid = {"Ali": [(20, Decimal("1500.50")), (2, Decimal(700))], "Fatema": [(0, Decimal(300))]}
    for name, payments in paid.items():
        for back, taka in payments:
            body = {"date": str(ago(back)), "amount": float(taka), "customer_id": names[name]}
            said(client, shop, "POST", "/collections", body)
    said(client, shop, "POST", "/expenses", {"date": str(ago(0)), "amount": 60.5, "category": "ice"})
    mistake, _ = said(client, shop, "POST", "/expenses", {"date": str(ago(0)), "amount": 9999, "category": "typo"})
    said(
        client,
        shop,
        "POST",
        "/expenses",
        {
            "date": str(ago(16)),
            "amount": 700,
            "category": "wages",
            "recurring": "weekly",
        },
    )
    answer = client.delete(f"{PATH}/expenses/{mistake['id']}", headers=shop.headers)
    found = read(client, shop, PATH, answer.headers["X-Event-Position"], projection_days="90")

    balance = Decimal("40000.75") - Decimal("60.5") + sum(cash_of(line) for line in lines if line.back <= opened)
    balance += sum(taka for payments in paid.values() for back, taka in payments if back <= opened)
    balance -= 700 * sum(back <= opened for back in (16, 9, 2))
    assert money(found["forecast"]["current_balance"]) == balance
    check_receivables(found["receivables"], lines, paid)
    check_projection(found, lines, balance)


def check_receivables(found: dict[str, Any], lines: list[Line], paid: dict[str, list[tuple[int, Decimal]]]) -> None:
    """Assert that what is owed, by whom and since when, is FIFO's."""
    lent: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in lines:
        if line.payment == "Baki":
            lent[line.customer][line.back] += line.taka if line.kind == "Sale" else -line.taka
    left = {}
    for name, days in lent.items():
        # What was brought back on a day without a sale pays for older ones.
        brought_back = -sum((taka for taka in days.values() if taka < 0), Decimal(0))
        bought = [(back, taka) for back, taka in days.items() if taka > 0]
        left[name] = owed_by_fifo(bought, brought_back + sum((taka for _, taka in paid.get(name, [])), Decimal(0)))
    assert money(found["total"]) == sum(taka for owed in left.values() for _, taka in owed)
    assert money(found["without_name"]) == 77
    buckets = {"0-7": (0, 7), "8-30": (8, 30), "31-60": (31, 60), "60+": (61, 9999)}
    for bucket, (youngest, oldest) in buckets.items():
        aged = sum(taka for owed in left.values() for back, taka in owed if youngest <= back <= oldest)
        assert money(found["ageing"][bucket]) == aged
    for debtor in found["customers"]:
        owed = left[debtor["name"]]
        assert money(debtor["outstanding"]) == sum(taka for _, taka in owed)
        assert debtor["oldest_sale"] == str(ago(max(back for back, _ in owed)))


def check_projection(found: dict[str, Any], lines: list[Line], balance: Decimal) -> None:
    """Assert that every day follows from the one before, with the weekdays' means and the wages of each week."""
    steps = found["forecast"]["projected_balance"]
    assert [step["date"] for step in steps] == [str(ago(-day)) for day in range(1, 91)]
    taken: dict[int, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.kind == "Sale" and line.payment != "Baki" and line.back <= 56:
            taken[ago(line.back).weekday()] += line.taka
    for day, step in enumerate(steps, 1):
        balance += money(step["inflows"]) - money(step["outflows"])
        assert money(step["balance"]) == balance
        assert step["low"] <= step["balance"] <= step["high"]
        amounts = {line["line"]: money(line["amount"]) for line in step["lines"]}
        mean = Fraction(taken[ago(-day).weekday()]) / 8
        assert abs(Fraction(amounts["takings"]) - mean) <= Fraction(1, 200)
        assert amounts.get("recurring_expenses", 0) == (700 if (16 + day) % 7 == 0 else 0)
    # Goods, bills and refunds of eight weeks up to today, when the ice was bought.
    spent = Decimal("60.5") - sum(cash_of(line) for line in lines if line.kind != "Sale" and line.back <= 55)
    others = {money(line["amount"]) for step in steps for line in step["lines"] if line["line"] == "other_outflows"}
    assert len(others) == 1
    assert abs(Fraction(others.pop()) - Fraction(spent) / 56) <= Fraction(1, 200)
    check_risk(found, steps)


def check_risk(found: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """Assert that risk, critical day and advice fit the days."""
    summary, risk = found["forecast"]["summary"], found["risk_analysis"]
    assert (summary["min_balance"], summary["max_balance"]) == (
        min(step["balance"] for step in steps),
        max(step["balance"] for step in steps),
    )
    assert risk["critical_date"] == next((step["date"] for step in steps if step["balance"] < 20000), None)
    levels = [level for level, most in (("low", 0.3), ("medium", 0.6), ("high", 1.0)) if risk["risk_score"] <= most]
    assert risk["risk_level"] == levels[0]
    assert (found["stale"], found["data_as_of"], found["basis"]) == (False, str(ago(1)), "actual")
    assert [warning["code"] for warning in found["warnings"]] == ["CASH_BAKI_WITHOUT_NAME"]


def test_a_shop_short_of_cash_learns_when_and_what_to_do(client: httpx.Client, shop: Shop) -> None:
    imported(client, shop, ledger(invented()))
    said(client, shop, "PUT", "/settings", {"opening_balance": 25000, "opening_date": str(ago(0))})
    wages = {"date": str(ago(-1)), "amount": 4000, "category": "wages", "recurring": "daily"}
    _, position = said(client, shop, "POST", "/expenses", wages)
    found = read(client, shop, PATH, position)
    risk = found["risk_analysis"]
    assert (risk["risk_level"], risk["critical_threshold"]) == ("high", 20000)
    assert risk["warning"] == f"Balance drops below critical threshold (৳20,000) on {risk['critical_date']}"
    assert {item["type"] for item in found["recommendations"]} == {"reduce_expenses", "accelerate_collections"}
    for item in found["recommendations"]:
        assert item["urgency"] == "high"
        assert 0 <= item["impact"] <= 1
        assert "৳" in item["description"]
    bangla = client.get(PATH, headers=shop.headers | {"Accept-Language": "bn"}).json()["data"]
    assert "৳২০,০০০" in bangla["risk_analysis"]["warning"]
    assert all("৳" in item["description"] for item in bangla["recommendations"])


def test_an_empty_shop_learns_which_data_are_missing(client: httpx.Client, shop: Shop) -> None:
    found = read(client, shop, PATH, projection_days="7")
    assert (found["basis"], found["data_as_of"], found["stale"]) == ("estimated", None, False)
    assert [warning["code"] for warning in found["warnings"]] == [
        "CASH_NO_OPENING_BALANCE",
        "CASH_FEW_SALES",
        "CASH_NO_OUTFLOWS",
    ]
    assert len(found["forecast"]["projected_balance"]) == 7
    assert {step["balance"] for step in found["forecast"]["projected_balance"]} == {0}
    assert (found["risk_analysis"]["risk_level"], found["risk_analysis"]["risk_score"]) == (None, None)
    assert (found["receivables"]["total"], found["recommendations"]) == (0, [])


@pytest.mark.parametrize("query", ["projection_days=14", "projection_days=", "projection_days=7.0", "days=7"])
def test_other_horizons_are_refused(client: httpx.Client, shop: Shop, query: str) -> None:
    refused = client.get(f"{PATH}?{query}", headers=shop.headers)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_QUERY")


def test_baki_of_two_who_are_one_person_is_the_survivors(client: httpx.Client, shop: Shop) -> None:
    lines = [Line(9, "Sale", Decimal(100), "Fatema", "Baki"), Line(5, "Sale", Decimal(40), "Fatema Begum", "Baki")]
    position = imported(client, shop, ledger(lines)).position
    ids = {item["name"]: item["customer_id"] for item in read(client, shop, PATH, position)["receivables"]["customers"]}
    merge = f"/api/customers/{ids['Fatema']}/merge"
    answer = client.post(merge, json={"customer_id": ids["Fatema Begum"]}, headers=shop.headers)
    assert answer.status_code == 200, answer.text
    # The old number is still accepted.
    body = {"date": str(ago(1)), "amount": 110, "customer_id": ids["Fatema Begum"]}
    _, position = said(client, shop, "POST", "/collections", body)
    found = read(client, shop, PATH, position)["receivables"]
    assert [(item["customer_id"], item["outstanding"], item["oldest_sale"]) for item in found["customers"]] == [
        (ids["Fatema"], 30, str(ago(5)))
    ]
