"""What operators ask over HTTP: projections, generations, rules, the log, and why a row is as it is."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from projections.operations.lag_history import record
from projections.registry import REGISTRY
from read_side.admin.explain_router import SHOWN_TO_OWNERS
from shared.texts import catalogue
from smartmarket.read_models import source_of
from tests.support.application import RunningSystem
from tests.support.reads import rows
from tests.support.shops import Shop
from tests.support.tls import TLS
from tests.support.waiting import wait_until
from write_side.identity.staff_handlers import create_staff

PASSWORD = "SecurePass123"
LEDGER = rows(*(f"2025-10-{day:02},Tea,1,{day}0,Customer {day % 3},Cash" for day in range(1, 29)))


class Operator:
    """Staff, logged in."""

    def __init__(self, client: httpx.Client, headers: dict[str, str]) -> None:
        self.client = client
        self.headers = headers

    def get(self, path: str, **params: Any) -> httpx.Response:  # noqa: ANN401 - the value of a query parameter
        return self.client.get(f"/api/admin{path}", params=params or None, headers=self.headers)

    def post(self, path: str, body: object = None) -> httpx.Response:
        return self.client.post(f"/api/admin{path}", json=body, headers=self.headers)

    def data(self, path: str, **params: Any) -> Any:  # noqa: ANN401 - JSON
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def made(self, path: str, body: object = None) -> dict[str, Any]:
        """Ask for a generation; returns it once it has been made."""
        answer = self.post(path, body)
        assert answer.status_code == 202, answer.text
        generation = answer.json()["data"]["generation_id"]
        assert answer.headers["location"] == f"/api/admin/generations/{generation}"
        under_way = {"replaying", "catching_up"}
        wait_until(lambda: self.data(f"/generations/{generation}")["state"] not in under_way)
        found: dict[str, Any] = self.data(f"/generations/{generation}")
        return found


@pytest.fixture(scope="module")
def operator(running: RunningSystem) -> Iterator[Operator]:
    """A member of staff."""
    store = running.container.store(pool_size=1)
    create_staff(store, "operator@smartmarket.bd", "Op", PASSWORD, "en")
    store.close()
    with httpx.Client(base_url=running.url, timeout=30, verify=TLS, headers={"Accept-Language": "en"}) as http:
        sent = http.post("/api/auth/login", json={"email": "operator@smartmarket.bd", "password": PASSWORD})
        assert sent.status_code == 200, sent.text
        token = sent.json()["data"]["tokens"]["access_token"]
        yield Operator(http, {"Authorization": f"Bearer {token}"})


@pytest.fixture
def known(shop: Shop, ledger: Callable[..., str]) -> Shop:
    """A shop whose ledger has been read."""
    ledger(LEDGER)
    return shop


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    assert answer.json()["message"]
    assert answer.json()["suggestions"]
    details: dict[str, Any] = answer.json()["details"]
    return details


GETS = (
    "/projections",
    "/generations",
    "/generations/1",
    "/rules",
    "/events",
    "/events/1",
    "/explain?table=stock&business_id=1",
)
POSTS = (
    "/projections/sales/rebuild",
    "/projections/sales/verify",
    "/projections/customers/preview",
    "/generations/1/adopt",
    "/generations/1/drop",
    "/rules/rfm/activate",
)


def test_operators_alone_may_ask(client: httpx.Client, shop: Shop) -> None:
    body = {"set": {"rfm.recency_days": [1, 2, 3, 4]}}
    for path in GETS:
        refused(client.get(f"/api/admin{path}", headers=shop.headers), 403, "FORBIDDEN")
        assert client.get(f"/api/admin{path}").status_code == 401
    for path in POSTS:
        assert client.post(f"/api/admin{path}", json=body, headers=shop.headers).status_code == 403, path
        assert client.post(f"/api/admin{path}", json=body).status_code == 401


def test_operators_see_the_positions_of_projections(operator: Operator) -> None:
    found = {item["name"]: item for item in operator.data("/projections")["results"]}
    assert set(found) == set(REGISTRY)
    assert found["sales"]["projector_version"] == REGISTRY["sales"].version
    assert {"position", "lag", "generation", "parked", "state"} <= found["sales"].keys()


@pytest.mark.usefixtures("known")
def test_operators_see_how_far_a_projection_was_behind(running: RunningSystem, operator: Operator) -> None:
    with source_of(running.container).connect() as conn:
        record(conn)
    shown = operator.data("/projections/uploads/lag")
    assert shown["name"] == "uploads"
    assert shown["results"][-1]["position"] > 0
    assert {"lag_seconds", "stalled"} <= operator.data("/projections")["results"][0].keys()
    unknown = operator.get("/projections/nothing/lag")
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "NOT_FOUND")
    assert "uploads" in unknown.json()["suggestions"][0]


def test_a_rebuild_and_a_verification(operator: Operator, known: Shop) -> None:
    rebuilt = operator.made("/projections/sales/rebuild")
    assert (rebuilt["kind"], rebuilt["state"], rebuilt["progress"]) == ("rebuild", "live", 1)
    verified = operator.made("/projections/sales/verify", {"business_id": known.business_id})
    assert (verified["state"], verified["equal"], verified["differences"]) == ("completed", True, [])
    assert (verified["business_id"], verified["eta_seconds"]) == (known.business_id, 0)
    alone = operator.made("/projections/customers/rebuild", {"business_id": known.business_id})
    assert (alone["kind"], alone["state"], alone["businesses"]) == ("rebuild", "completed", 1)
    refused(operator.post(f"/generations/{rebuilt['id']}/drop"), 409, "GENERATION_NOT_READY")
    assert operator.post(f"/generations/{verified['id']}/drop").json()["data"]["state"] == "dropped"
    assert rebuilt["id"] in {item["id"] for item in operator.data("/generations")["results"]}


def test_a_preview_is_adopted_and_the_list_of_customers_shows_it(
    client: httpx.Client, operator: Operator, known: Shop
) -> None:
    def segments() -> dict[str, int]:
        answer = client.get("/api/customers", headers=known.headers).json()["data"]
        return dict(answer["summary"])

    def score() -> float:
        (item, *_) = client.get("/api/customers", headers=known.headers).json()["data"]["results"]
        return float(item["churn_analysis"]["churn_risk_score"])

    before = segments(), score()
    change: dict[str, Any] = {"set": {"rfm.segment_tenths": [48, 49]}}
    refused(operator.post("/projections/customers/preview", change), 400, "INVALID_RULE")
    change = {"set": {"rfm.segment_tenths": [47, 48, 49, 50], "churn.year": 3000}, "business_id": known.business_id}
    previewed = operator.made("/projections/customers/preview", change)
    assert (previewed["state"], previewed["kind"]) == ("ready", "preview")
    assert (segments(), score()) == before
    moves = previewed["tables"]["churn"]["moves"]
    assert {move["to"] for move in moves if move["column"] == "segment"} == {"dormant"}
    assert operator.post(f"/generations/{previewed['id']}/adopt").json()["data"]["state"] == "live"
    try:
        wait_until(lambda: segments()["dormant"] == 3 and score() < before[1])
        (rfm,) = [r for r in operator.data("/rules")["results"] if r["rule"] == "rfm"]
        assert (rfm["parameters"]["segment_tenths"], rfm["history"][-1]["by"][:5]) == ([47, 48, 49, 50], "user-")
    finally:
        for rule in ("rfm", "churn"):
            answer = operator.post(f"/rules/{rule}/activate", {"version": f"{rule}.v1"})
            assert answer.status_code == 200
    wait_until(lambda: (segments(), score()) == before)


def test_rules_tell_what_may_be_chosen_and_refuse_the_rest(operator: Operator) -> None:
    found = {item["rule"]: item for item in operator.data("/rules")["results"]}
    assert found["rfm"]["allowed"]["recency_days"] == {"least": 0, "most": 3650, "items": 4}
    assert found["rfm"]["projections"] == ["customers"]
    assert {"rfm.v1", "rfm.v2"} <= {version["version"] for version in found["rfm"]["versions"]}
    details = refused(operator.post("/rules/profit/activate", {"version": "profit.v1"}), 404, "NOT_FOUND")
    assert details["allowed"] == list(found)
    bodies: list[dict[str, Any]] = [
        {"version": "rfm.v9"},
        {"version": "churn.v1"},
        {"parameters": {"days": 1}},
        {"parameters": {"recency_days": [4, 3, 2, 1]}},
    ]
    for body in bodies:
        assert refused(operator.post("/rules/rfm/activate", body), 400, "INVALID_RULE")["allowed"]
    for body in ({}, {"version": "rfm.v1", "parameters": {"recency_days": [1, 2, 3, 4]}}):
        refused(operator.post("/rules/rfm/activate", body), 400, "INVALID_REQUEST")
    same = operator.post("/rules/stock/activate", {"version": "stock.v1"}).json()["data"]
    assert (same["changed"], same["position"]) == (False, None)


def test_an_unknown_name_is_refused_with_the_known_ones(operator: Operator, known: Shop) -> None:
    details = refused(operator.post("/projections/profits/rebuild"), 404, "NOT_FOUND")
    assert details["allowed"] == list(REGISTRY)
    refused(operator.post("/projections/sales/verify", {"business_id": 10**12}), 404, "NOT_FOUND")
    refused(operator.post("/projections/sales/verify", {"business": 1}), 400, "INVALID_REQUEST")
    refused(operator.post("/projections/customers/preview", {}), 400, "INVALID_REQUEST")
    refused(operator.post("/projections/customers/preview", {"rule": "rfm.v9"}), 400, "INVALID_RULE")
    refused(operator.post("/projections/sales/preview", {"rule": "rfm.v1"}), 400, "INVALID_RULE")
    for path in ("/generations/999999999", "/events/999999999"):
        refused(operator.get(path), 404, "NOT_FOUND")
    refused(operator.post("/generations/999999999/adopt"), 404, "NOT_FOUND")
    refused(operator.get("/events", after=10**9), 400, "INVALID_QUERY")
    refused(operator.get("/events", colour="red"), 400, "INVALID_QUERY")
    refused(operator.get("/explain", table="profits", business_id=1, id="1"), 404, "NOT_FOUND")
    refused(operator.get("/explain", table="churn", business_id=known.business_id, id="99"), 404, "NOT_FOUND")


def test_the_log_is_shown_in_order_filtered_and_sealed(operator: Operator, known: Shop) -> None:
    seen: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = operator.data("/events", business_id=known.business_id, after=after, limit=3)
        seen += page["results"]
        after = page["next_after"]
    assert [event["position"] for event in seen] == sorted(event["position"] for event in seen)
    assert {event["business_id"] for event in seen} == {known.business_id}
    topics = [event["topic"] for event in seen]
    assert topics[0].startswith("identity.")
    assert "sales.SalesBatchRecorded" in topics
    assert "Customer 1" not in str(seen)
    (batch,) = operator.data("/events", business_id=known.business_id, topic="sales.SalesBatchRecorded")["results"]
    one = operator.data(f"/events/{batch['position']}")
    assert one["hash"]
    assert one["data"] == batch["data"]


def test_operators_and_owners_see_why(client: httpx.Client, operator: Operator, known: Shop, other_shop: Shop) -> None:
    sealed = operator.data("/explain", table="people", business_id=known.business_id, id="1")
    assert sealed["row"]["name"] == "•"
    assert sealed["steps"][0]["topic"] == "sales.CustomersAdded"

    def why(shop: Shop, what: str, number: int, language: str = "en") -> httpx.Response:
        headers = shop.headers | {"Accept-Language": language}
        return client.get("/api/explain", params={"what": what, "id": number}, headers=headers)

    for what in ("transaction", "customer", "product"):
        found = why(known, what, 1).json()["data"]
        assert found["row"]["business_id"] == known.business_id
        assert found["unexplained"] == {}
        assert all(step["title"] for step in found["steps"])
        refused(why(other_shop, what, 1), 404, "NOT_FOUND")
    assert why(known, "transaction", 1, "bn").json()["data"]["steps"][0]["title"] == "খাতা থেকে বিক্রি পড়া হয়েছে"
    refused(why(known, "people", 1), 400, "INVALID_QUERY")
    travelling = known.headers | {"X-Replay": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"}
    refused(client.get("/api/explain?what=customer&id=1", headers=travelling), 400, "INVALID_REQUEST")
    assert operator.client.get("/api/explain?what=customer&id=1", headers=operator.headers).status_code == 403


@pytest.mark.parametrize("table", SHOWN_TO_OWNERS.values())
def test_every_step_that_owners_are_shown_has_a_title_in_both_languages(table: str) -> None:
    (projection,) = (p for p in REGISTRY.values() if table in {t.name for t in p.tables})
    steps = {*projection.handlers, *(projection.derivation.after if projection.derivation else ())}
    for event in steps:
        titles = catalogue().get(f"EVENT_{event.topic.replace('.', '_').upper()}")
        assert titles, event.topic
        assert titles["bn"].message != titles["en"].message


def test_owners_see_what_a_recommendation_came_from(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    poor = {"opening_balance": 10, "opening_date": "2025-01-01", "critical_threshold": 20_000}
    assert client.put("/api/cashflow/settings", json=poor, headers=shop.headers).status_code == 200

    def warned() -> list[dict[str, Any]]:
        found = client.get("/api/recommendations?type=cash_warning", headers=shop.headers).json()["data"]["results"]
        return list(found)

    wait_until(lambda: bool(warned()))
    number = warned()[0]["id"]
    reported = client.get(f"/api/explain?what=recommendation&id={number}", headers=shop.headers).json()["data"]
    assert reported["steps"][0]["title"] == "The recommendation was issued"
    assert (reported["row"]["type"], reported["unexplained"]) == ("cash_warning", {})
    refused(client.get(f"/api/explain?what=recommendation&id={number}", headers=other_shop.headers), 404, "NOT_FOUND")
