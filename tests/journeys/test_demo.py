"""A demo shop, opened by staff, has something true to show on every list; a reset leaves real shops alone."""

import asyncio
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.domain.refusals.admin import DemoNotAllowed
from shared.runtime import local_state
from shared.runtime.container import Container
from shared.runtime.output import Output
from smartmarket.api import build_api
from smartmarket.read_models import source_of
from tests.support.application import RunningSystem
from tests.support.shops import Shop, register
from tests.support.staff import staff_headers
from tests.support.tls import TLS
from write_side.admin.cli import seed_demo
from write_side.demo.welcome import introduce

SEED = 11
Get = dict[str, Any]


@dataclass(frozen=True)
class Collected(Output):
    """Keeps the answers of commands, as data."""

    answers: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, data: Mapping[str, object], text: str) -> None:
        assert text
        self.answers.append(dict(data))


@pytest.fixture(scope="module")
def staff(running: RunningSystem) -> dict[str, str]:
    return staff_headers(running.container.settings)


class Visitor:
    """Someone who looks at a demo shop with the login that an operator got."""

    def __init__(self, client: httpx.Client, account: dict[str, Any], position: str | None = None) -> None:
        self.account = account
        self._client = client
        self.login = client.post("/api/auth/login", json={k: account[k] for k in ("email", "password")})
        assert self.login.status_code == 200, self.login.text
        token = self.login.json()["data"]["tokens"]["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"} | ({"X-Min-Event-Position": position} if position else {})

    @classmethod
    def of(cls, client: httpx.Client, answer: httpx.Response) -> "Visitor":
        """Return a visitor of the shop that an operator's request opened."""
        assert answer.status_code == 201, answer.text
        return cls(client, answer.json()["data"], answer.headers["X-Event-Position"])

    def get(self, path: str, **params: Any) -> Get:  # noqa: ANN401 - the value of a query parameter
        answer = self._client.get(f"/api{path}", params=params, headers=self._headers)
        assert answer.status_code == 200, answer.text
        data: Get = answer.json()["data"]
        return data


@pytest.fixture(scope="module")
def machine(running: RunningSystem, tmp_path_factory: pytest.TempPathFactory) -> Container:
    """The installation as the command line of its machine knows it, with a data folder."""
    data_dir = tmp_path_factory.mktemp("data")
    local_state.store(data_dir, {"SECRET_KEY": "of this machine"})
    return Container(running.container.settings.model_copy(update={"data_dir": data_dir}))


@pytest.fixture(scope="module")
def visitors(running: RunningSystem, machine: Container, staff: dict[str, str]) -> Iterator[list[Visitor]]:
    """Two shops of one seed, opened at once: one over HTTP, one by the command line."""
    with httpx.Client(base_url=running.url, timeout=60, verify=TLS, headers={"Accept-Language": "en"}) as client:

        def over_http() -> Visitor:
            return Visitor.of(client, client.post("/api/admin/demo/seed", json={"seed": SEED}, headers=staff))

        def by_command() -> Visitor:
            output = Collected()
            seed_demo(machine, output, SEED, close_others=False)
            assert output.answers[0]["shown"]
            return Visitor(client, output.answers[0])

        with ThreadPoolExecutor(2) as pool:
            yield [made.result() for made in [pool.submit(over_http), pool.submit(by_command)]]


def test_every_list_of_a_demo_shop_has_something_to_show(visitors: list[Visitor]) -> None:
    visitor = visitors[0]
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=6))).date()
    profile = visitor.get("/business/profile")
    assert profile["is_demo"]
    assert profile["stats"]["customers"] >= 20
    sales = visitor.get("/transactions", limit=1)
    assert sales["count"] > 2500
    assert dt.date.fromisoformat(sales["results"][0]["date"][:10]) >= today - dt.timedelta(2)
    leaving = visitor.get("/customers", limit=100)
    assert leaving["summary"]["at_risk"] + leaving["summary"]["dormant"] >= 3
    assert sum(each["churn_analysis"]["churn_risk_level"] == "high" for each in leaving["results"]) >= 3
    low = visitor.get("/products", low_stock_only="true")["results"]
    assert "সয়াবিন তেল ১ লিটার" in [each["name"] for each in low]
    assert len(low) < profile["stats"]["products"] / 2
    cash = visitor.get("/cashflow", projection_days=30)
    assert cash["basis"] == "actual"
    assert cash["risk_analysis"]["critical_date"] is not None
    assert cash["forecast"]["current_balance"] > cash["risk_analysis"]["critical_threshold"]
    assert cash["receivables"]["total"] > 0


def test_equal_seeds_give_equal_shops(visitors: list[Visitor]) -> None:
    def shown(visitor: Visitor) -> list[Any]:
        products = [
            {name: each[name] for name in ("name", "unit_price", "current_stock", "is_low_stock")}
            for each in visitor.get("/products", limit=100)["results"]
        ]
        people = [
            (each["name"], each["phone"], each["purchase_metrics"])
            for each in visitor.get("/customers", limit=100)["results"]
        ]
        sales = visitor.get("/transactions", limit=1)["summary"]
        cash = visitor.get("/cashflow", projection_days=90)
        return [sorted(products, key=str), sorted(people, key=str), sales, cash["forecast"], cash["risk_analysis"]]

    one, same = visitors
    assert one.account["business_id"] != same.account["business_id"]
    assert one.account["email"] != same.account["email"]
    assert shown(one) == shown(same)
    assert (one.account["seed"], same.account["seed"]) == (SEED, SEED)


def test_a_replay_reproduces_a_demo_shop(running: RunningSystem, visitors: list[Visitor]) -> None:
    business = [visitors[0].account["business_id"]]
    found = {name: verify(source_of(running.container), projection, business) for name, projection in REGISTRY.items()}
    assert [name for name, verified in found.items() if not verified.equal] == []
    assert sum(verified.rows for verified in found.values()) > 2500


def test_the_next_start_shows_the_login_of_a_demo_shop_and_a_link_that_logs_in_once(
    running: RunningSystem, machine: Container, visitors: list[Visitor]
) -> None:
    account, data_dir = visitors[1].account, machine.settings.data_dir
    said: list[str] = []
    introduce(machine, running.url, said.append, lambda: False)
    assert account["email"] in said[0]
    assert account["password"] in said[0]
    (code,) = re.findall(rf"{running.url}/#login=(\S+)", said[0])
    with httpx.Client(base_url=running.url, verify=TLS) as client:
        answers = [client.post("/api/auth/login-link", json={"code": code}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[0].json()["data"]["user"]["email"] == account["email"]
    production = Container(machine.settings.model_copy(update={"env": "production"}))
    introduce(production, running.url, said.append, lambda: False)
    assert account["email"] in said[1]
    assert "#login=" not in said[1]
    local_state.store(data_dir, {"DEMO_EMAIL": "nobody@smartmarket.example"})
    introduce(machine, running.url, said.append, lambda: False)
    assert "demo reset" in said[2]
    assert account["password"] not in said[2]


def test_an_installation_without_demo_shops_refuses_them(running: RunningSystem, staff: dict[str, str]) -> None:
    container = Container(running.container.settings.model_copy(update={"demo": False}))
    app = build_api(container)

    async def ask() -> list[httpx.Response]:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://t")
        async with app.router.lifespan_context(app), client:
            return [await client.post(f"/api/admin/demo/{action}", headers=staff) for action in ("seed", "reset")]

    for answer in asyncio.run(ask()):
        assert (answer.status_code, answer.json()["error_code"]) == (403, "DEMO_NOT_ALLOWED")
        assert "SMARTMARKET_DEMO" in answer.json()["suggestions"][0]
    with pytest.raises(DemoNotAllowed):
        seed_demo(container, Output(), 1, close_others=True)


def test_a_reset_ends_demo_shops_and_no_others(
    client: httpx.Client, staff: dict[str, str], visitors: list[Visitor], shop: Shop
) -> None:
    answer = client.post("/api/admin/demo/reset", headers=staff, timeout=60)
    renewed = Visitor.of(client, answer)
    assert {visitor.account["business_id"] for visitor in visitors} <= set(renewed.account["closed"])
    assert shop.business_id not in renewed.account["closed"]
    assert renewed.account["seed"] == 1
    for visitor in visitors:
        body = {k: visitor.account[k] for k in ("email", "password")}
        assert client.post("/api/auth/login", json=body).status_code == 401
        kept = visitor.login.json()["data"]["tokens"]["refresh_token"]
        assert client.post("/api/auth/token/refresh", json={"refresh_token": kept}).status_code == 401
    again = client.post("/api/auth/login", json={"email": shop.email, "password": shop.password})
    assert again.status_code == 200


def test_demo_shops_are_for_staff(client: httpx.Client) -> None:
    owner = register(client)
    for action in ("seed", "reset"):
        assert client.post(f"/api/admin/demo/{action}", json={}).status_code == 401
        assert client.post(f"/api/admin/demo/{action}", json={}, headers=owner.headers).status_code == 403


@pytest.mark.parametrize("body", [{"seed": -1}, {"seed": "1"}, {"seed": True}, {"number": 1}])
def test_an_invalid_seed_is_refused(client: httpx.Client, staff: dict[str, str], body: dict[str, Any]) -> None:
    answer = client.post("/api/admin/demo/seed", json=body, headers=staff)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_REQUEST")
