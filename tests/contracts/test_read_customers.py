"""GET /customers, through the real import."""

import datetime as dt
import random
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.domain.events.sales import CustomersAdded, NewCustomer, UploadFailed
from tests.support.application import RunningSystem
from tests.support.reads import by_cursor, by_offset, data, record, refusal, rows, today
from tests.support.shops import Shop

PATH = "/customers"
FOUND_BY = [
    ("fat", ["Fatema Begum"]),
    ("BEG", ["Fatema Begum"]),
    ("begum f", []),
    ("atema", []),
    ("রহ", ["রহিম মিয়া"]),
    ("মি", ["রহিম মিয়া"]),
    ("01712", ["Ali"]),
    ("+8801712345678", ["Ali"]),
    ("০১৭১২", ["Ali"]),
    ("345 678", ["Ali"]),
    ("a", ["Abdul-Alim", "Ali"]),
    ("alim", ["Abdul-Alim"]),
    ("(x", ["Zara (X) 100%"]),
    ("100%", ["Zara (X) 100%"]),
    ("%", []),
    (".*", []),
    ("\\", []),
]
SEGMENTS = {
    "champion": "champions",
    "loyal": "loyal",
    "potential": "potential",
    "at_risk": "at_risk",
    "dormant": "dormant",
}


def ago(days: int) -> str:
    return str(today() - dt.timedelta(days))


@pytest.fixture
def visited(ledger: Callable[..., str]) -> None:
    """Seven customers; Fatema came on two days and bought three times."""
    lines = [f"{ago(9)},Rice,1,100,Fatema,Cash", f"{ago(9)},Oil,1,150.5,Fatema,Cash", f"{ago(1)},Tea,1,50,Fatema,Cash"]
    lines += [f"{ago(20 + i)},Tea,1,{10 * i},{name},Cash" for i, name in enumerate(("Ali", "রহিম", "zara", "Babul"), 1)]
    lines += [f"{ago(30)},Tea,1,70,{name},Cash" for name in ("Twin", "Gemini")]
    ledger(rows(*lines))


@pytest.fixture
def crowd(ledger: Callable[..., str]) -> None:
    """120 customers of every age and rhythm, many with equal scores."""
    chance = random.Random(3)  # noqa: S311 - no secret
    lines = []
    for number in range(120):
        last = chance.choice((0, 1, 2, 5, 30, 61, 70, 100, 109, 110, 219, 220, 254, 300, 364, 365, 700))
        gaps = [chance.choice((3, 10, 40)) for _ in range(chance.choice((0, 1, 2, 6)))]
        days = [last + sum(gaps[:i]) for i in range(len(gaps) + 1)]
        lines += [f"{ago(day)},Tea,1,{chance.choice((10, 50, 900))},C{number},Cash" for day in days]
    ledger(rows(*lines))


@pytest.mark.usefixtures("visited")
def test_an_item_has_the_shape_of_the_contract_and_counts_days_as_visits(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, PATH)
    fatema = found["results"][0]
    assert fatema.pop("id") > 0
    assert fatema == {
        "name": "Fatema",
        "phone": None,
        "email": None,
        "address": None,
        "notes": None,
        "purchase_metrics": {
            "total_spent": 300.5,
            "purchase_count": 2,
            "transaction_count": 3,
            "last_purchase": f"{ago(1)}T00:00:00+06:00",
            "days_since": 1,
            "avg_value": 150.25,
        },
        "churn_analysis": {
            "rfm_segment": "champion",
            "rfm_score": 5.0,
            "recency_score": 5,
            "frequency_score": 5,
            "monetary_score": 5,
            "churn_risk_score": 0.0,
            "churn_risk_level": "low",
            "declining": False,
            "risk_reason": "Recent and frequent buyer",
            "risk_code": "recent_and_frequent",
        },
        "return_probability": None,
        "return_rank": 5,
    }
    assert found["count"] == found["summary"]["total"] == 7
    assert found["summary"]["champions"] == 1


@pytest.mark.usefixtures("visited")
def test_those_who_spent_most_come_first_unless_asked_otherwise(client: httpx.Client, shop: Shop) -> None:
    spent = [item["purchase_metrics"]["total_spent"] for item in data(client, shop, PATH)["results"]]
    assert spent == [300.5, 70, 70, 40, 30, 20, 10]
    since = [item["purchase_metrics"]["days_since"] for item in data(client, shop, PATH, sort="days_since")["results"]]
    assert since == [30, 30, 24, 23, 22, 21, 1]
    named = [item["name"] for item in data(client, shop, PATH, sort="name")["results"]]
    assert named == sorted(named, key=str.casefold)


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize("sort", ["name", "total_spent", "days_since", "churn_score"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_by_offset_and_by_cursor_show_every_customer_once(
    client: httpx.Client, shop: Shop, running: RunningSystem, sort: str, order: str
) -> None:
    add_nameless(client, running, shop, 3)
    whole = data(client, shop, PATH, sort=sort, order=order)["results"]
    assert len({item["id"] for item in whole}) == 10
    if sort in {"name", "days_since"}:  # who has no name, or never bought, comes last in both orders
        assert [item["purchase_metrics"]["days_since"] for item in whole[-3:]] == [None] * 3
    assert by_offset(client, shop, PATH, sort=sort, order=order, limit=2) == whole
    assert by_cursor(client, shop, PATH, sort=sort, order=order, limit=2) == whole


@pytest.mark.usefixtures("crowd")
def test_a_crowd_is_scored_segmented_sorted_and_filtered_as_it_shows(client: httpx.Client, shop: Shop) -> None:
    everyone = (
        data(client, shop, PATH, limit=100)["results"] + data(client, shop, PATH, limit=100, offset=100)["results"]
    )
    assert len(everyone) == 120
    summary = data(client, shop, PATH)["summary"]
    shown = [item["churn_analysis"]["rfm_segment"] for item in everyone]
    assert summary == {name: shown.count(segment) for segment, name in SEGMENTS.items()} | {"total": 120}
    at_risk = [item for item in everyone if item["churn_analysis"]["rfm_segment"] in {"at_risk", "dormant"}]
    assert 20 < len(at_risk) < 110
    for items, chosen in ((everyone, {}), (at_risk, {"churn_risk_only": "true"})):
        assert data(client, shop, PATH, **chosen)["count"] == len(items)
        for order, sign in (("asc", 1), ("desc", -1)):
            wanted = sorted(items, key=lambda item: (item["churn_analysis"]["churn_risk_score"], item["id"]))[::sign]
            for read, limit in ((by_offset, 29), (by_cursor, 13), (by_offset, 100)):
                assert read(client, shop, PATH, sort="churn_score", order=order, limit=limit, **chosen) == wanted
        for sort in ("name", "total_spent", "days_since"):
            listed = by_cursor(client, shop, PATH, sort=sort, limit=17, **chosen)
            assert listed == by_offset(client, shop, PATH, sort=sort, limit=50, **chosen)
            assert sorted(item["id"] for item in listed) == sorted(item["id"] for item in items)


@pytest.mark.usefixtures("crowd")
def test_score_level_and_reason_fit_the_days_of_silence(client: httpx.Client, shop: Shop) -> None:
    for item in by_cursor(client, shop, PATH, limit=100):
        days, churn = item["purchase_metrics"]["days_since"], item["churn_analysis"]
        score, level = churn["churn_risk_score"], churn["churn_risk_level"]
        assert level == ("low" if score < 0.3 else "medium" if score <= 0.6 else "high")
        formula = min(1, days / 365 + (0.3 if churn["declining"] else 0))
        silent = churn["declining"] and days > 60
        assert score == pytest.approx(max(formula, 0.61) if silent else formula, abs=0.01)
        assert round(score, 2) == score
        assert churn["rfm_score"] == round(
            (churn["recency_score"] + churn["frequency_score"] + churn["monetary_score"]) / 3, 2
        )
        if churn["risk_code"] in {"out_of_rhythm", "long_silence"}:
            assert str(days) in churn["risk_reason"]


def test_a_silent_regular_customer_is_at_high_risk_with_reasons(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows(*(f"{ago(70 + 10 * i)},Tea,1,10,Rahim,Cash" for i in range(10))))
    (rahim,) = data(client, shop, PATH)["results"]
    churn = rahim["churn_analysis"]
    assert (churn["churn_risk_level"], churn["churn_risk_score"]) == ("high", 0.61)
    assert churn["risk_reason"] == "Used to come about every 10 days; no visit for 70 days"
    bangla = client.get(f"/api{PATH}", headers=shop.headers | {"Accept-Language": "bn"}).json()["data"]["results"][0]
    assert bangla["churn_analysis"]["risk_reason"] == "আগে প্রায় ১০ দিন পরপর আসতেন, এখন ৭০ দিন ধরে আসছেন না"
    assert bangla["churn_analysis"]["risk_code"] == churn["risk_code"] == "out_of_rhythm"


def test_a_shop_with_history_shows_return_probabilities(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    lines = [f"{ago(day)},Tea,1,10,Regular {i},Cash" for i in range(20) for day in range(i % 9, 300, 9)]
    lines += [f"{ago(12 * i)},Tea,1,10,Once {i},Cash" for i in range(25)]
    ledger(rows(*lines))
    chances = {item["name"]: item["return_probability"] for item in by_cursor(client, shop, PATH, limit=50)}
    assert all(0 <= chance <= 1 for chance in chances.values())
    assert min(chances[f"Regular {i}"] for i in range(20)) > 0.8
    assert max(chances[f"Once {i}"] for i in range(25)) < 0.5


def test_a_customer_whose_key_was_destroyed_has_no_name(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    add_nameless(client, running, shop, 1)
    (nobody,) = data(client, shop, PATH)["results"]
    assert (nobody["name"], nobody["phone"]) == (None, None)
    assert nobody["purchase_metrics"] == {
        "total_spent": 0,
        "purchase_count": 0,
        "transaction_count": 0,
        "last_purchase": None,
        "days_since": None,
        "avg_value": 0,
    }
    assert nobody["churn_analysis"]["risk_reason"] == "Has not bought anything"


@pytest.mark.parametrize(
    "params", [{"sort": "age"}, {"order": ""}, {"churn_risk_only": "2"}, {"product_id": 1}], ids=str
)
def test_an_invalid_customer_query_is_refused(client: httpx.Client, shop: Shop, params: dict[str, Any]) -> None:
    assert refusal(client, shop, PATH, **params) == "INVALID_QUERY"


def add_nameless(client: httpx.Client, running: RunningSystem, shop: Shop, count: int) -> None:
    """Record customers whose data nobody can open any more, and wait until they are listed."""
    added = [NewCustomer(number, f"key-{number}", "c2VhbGVk") for number in range(1000, 1000 + count)]
    fresh = record(running, shop, CustomersAdded(added), UploadFailed(str(uuid.uuid4()), "INVALID_CSV_FORMAT"))
    assert client.get("/api/customers", headers=shop.headers | fresh).status_code == 200


@pytest.fixture
def named(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    """Five customers; Ali has a phone number."""
    names = ("Fatema Begum", "রহিম মিয়া", "Ali", "Abdul-Alim", "Zara (X) 100%")
    ledger(rows(*(f"{ago(5)},Tea,1,{10 * number},{name},Cash" for number, name in enumerate(names, 1))))
    ali = next(item["id"] for item in data(client, shop, PATH)["results"] if item["name"] == "Ali")
    changed = client.patch(f"/api/customers/{ali}", headers=shop.headers, json={"phone": "01712345678"})
    position = {"X-Min-Event-Position": changed.headers["X-Event-Position"]}
    assert client.get("/api/customers", headers=shop.headers | position).status_code == 200


@pytest.mark.usefixtures("named")
def test_customers_are_found_by_words_of_the_name_and_by_phone(client: httpx.Client, shop: Shop) -> None:
    for text, names in FOUND_BY:
        found = data(client, shop, PATH, q=text, sort="name")
        assert ([item["name"] for item in found["results"]], found["count"]) == (names, len(names)), text
        assert found["summary"]["total"] == 5


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["name", "total_spent", "days_since", "churn_score"])
def test_searches_and_segments_keep_the_order_of_the_list(
    client: httpx.Client, shop: Shop, sort: str, order: str
) -> None:
    everyone = by_offset(client, shop, PATH, sort=sort, order=order, limit=100)
    expected: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {
        (("q", "c1"),): [item for item in everyone if item["name"].startswith("C1")],
        (("churn_risk_only", "true"), ("q", "c1")): [
            item
            for item in everyone
            if item["name"].startswith("C1") and item["churn_analysis"]["rfm_segment"] in {"at_risk", "dormant"}
        ],
        **{
            (("segment", segment),): [item for item in everyone if item["churn_analysis"]["rfm_segment"] == segment]
            for segment in SEGMENTS
        },
    }
    for filters, items in expected.items():
        query = {"sort": sort, "order": order, "limit": 7, **dict(filters)}
        assert by_offset(client, shop, PATH, **query) == items, filters
        assert by_cursor(client, shop, PATH, **query) == items, filters
    assert all(expected[("segment", segment),] for segment in ("potential", "dormant"))


@pytest.mark.usefixtures("visited")
def test_one_customer_is_shown_as_in_the_list_with_the_debt(client: httpx.Client, shop: Shop) -> None:
    listed = data(client, shop, PATH)["results"][0]
    shown = data(client, shop, f"{PATH}/{listed['id']}")
    assert shown == {**listed, "baki": {"owed": 0, "lent": 0, "paid": 0}, "merged_ids": [], "merge_candidates": []}


def test_the_debt_is_that_of_all_merged_customers(
    client: httpx.Client, shop: Shop, other_shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows(f"{ago(9)},Rice,1,100,Fatema,Credit", f"{ago(8)},Rice,1,50.5,Fatema Begum,Credit"))
    ids = {item["name"]: item["id"] for item in data(client, shop, PATH)["results"]}
    one, two = ids["Fatema"], ids["Fatema Begum"]
    paid = client.post(
        "/api/cashflow/collections",
        headers=shop.headers,
        json={"date": ago(1), "amount": 30, "customer_id": two},
    )
    assert paid.status_code == 201, paid.text
    merged = client.post(f"/api/customers/{one}/merge", headers=shop.headers, json={"customer_id": two})
    position = {"X-Min-Event-Position": merged.headers["X-Event-Position"]}
    shown = client.get(f"/api/customers/{one}", headers=shop.headers | position).json()["data"]
    assert shown["baki"] == {"owed": 120.5, "lent": 150.5, "paid": 30}
    assert (shown["merged_ids"], shown["purchase_metrics"]["total_spent"]) == ([two], 150.5)
    gone = client.get(f"/api/customers/{two}", headers=shop.headers)
    assert (gone.status_code, gone.json()["error_code"], gone.json()["details"]["survivor"]) == (
        409,
        "CUSTOMER_MERGED",
        one,
    )
    for holder, customer_id in ((shop, 10**6), (other_shop, one)):
        answer = client.get(f"/api/customers/{customer_id}", headers=holder.headers)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
