"""A shop with something of everything, another one with nothing, and requests of the one for what is the other's."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from shared.domain.events.recommendations import Fact
from tests.support.application import RunningSystem
from tests.support.pictures import PNG
from tests.support.reads import record, rows, today
from tests.support.recommendation_events import issued
from tests.support.shops import Shop, finished_upload, register, upload
from tests.support.tenancy import Operation
from tests.support.time_travel_api import travel

ABSENT = {"integer": 2**62, "string": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"}
FACTS: dict[str, Fact] = {
    "product_id": 1,
    "current_stock": 5_000,
    "demand": 28_000,
    "days": 7,
    "basis": "forecast",
    "recommended_qty": 25_000,
    "unit_price": 12_000,
    "stockout_on": str(today()),
    "reorder_by": str(today()),
}
LEDGER = rows("2025-03-01,Tea,1,20,Ali,Cash", "2025-03-02,Rice,2,90,Rahim,Due", "2025-03-03,Soap,1,50,Ali,Cash")


@dataclass(frozen=True)
class Belongings:
    """What one shop owns: an id for each name that paths, queries and bodies have, and tokens for headers."""

    shop: Shop
    ids: dict[str, Any]
    position: str
    replay: str


@dataclass(frozen=True)
class Matrix:
    """The API called in process, a shop that owns something, one that owns nothing, and an operator."""

    client: httpx.Client
    owner: Belongings
    stranger: Shop
    staff: dict[str, str]
    events_of: Callable[[int], int]

    def ask(self, operation: Operation, path: dict[str, Any], **options: Any) -> httpx.Response:  # noqa: ANN401 - of a request
        """Send a request that is valid but for what is replaced."""
        address = re.sub(r"\{(\w+)\}", lambda found: str(path[found[1]]), operation.path)
        options.setdefault("params", operation.query())
        options.setdefault("headers", self.stranger.headers)
        if operation.body is not None:
            options.setdefault("json", operation.sample())
        if operation.form is not None:
            options["files"] = {next(iter(operation.form["required"])): ("a.csv", b"", "text/csv")}
        return self.client.request(operation.method, address, **options)

    def own(self, name: str) -> Any:  # noqa: ANN401 - an id
        """Return an id that the owner has."""
        assert name in self.owner.ids, f"say in Belongings what a shop owns as {name}"
        return self.owner.ids[name]

    def absent(self, name: str) -> Any:  # noqa: ANN401 - an id
        """Return an id of the same kind that no shop has."""
        return ABSENT["integer"] if isinstance(self.own(name), int) else ABSENT["string"]


def furnished(running: RunningSystem, client: httpx.Client) -> Belongings:
    """Register a shop with something of everything."""
    shop = register(client)
    sent = [upload(client, shop, ledger) for ledger in (LEDGER, rows("2025-04-01,Oil,1,99,Fatema,Cash"))]
    file_ids = [answer.json()["data"]["file_id"] for answer in sent]
    done = [finished_upload(client, shop, file_id) for file_id in file_ids][-1]
    rent = {"category": "Rent", "amount": 500, "date": str(today())}
    spent = [client.post("/api/cashflow/expenses", json=rent, headers=shop.headers) for _ in range(2)]
    assert [answer.status_code for answer in spent] == [201, 201], spent[0].text
    day = str(today())
    entered = {
        path: client.post(f"/api/{path}", json=body | {"date": day}, headers=shop.headers)
        for path, body in (
            ("cashflow/collections", {"customer_id": 2, "amount": 5}),
            ("cashflow/opening-debts", {"customer_id": 2, "amount": 50}),
        )
    }
    stock = client.post("/api/products/1/stock", json={"kind": "count", "quantity": 9}, headers=shop.headers)
    assert [answer.status_code for answer in (*entered.values(), stock)] == [201, 201, 201], stock.text
    picture = client.post("/api/data/upload-receipt", files={"image": ("r.png", PNG)}, headers=shop.headers)
    assert picture.status_code == 202, picture.text
    advice = (issued(n, facts=FACTS, expires_on=today()) for n in (1, 2))
    waiting = record(running, shop, *advice, stream=f"recommendations-{shop.business_id}")
    assert client.get("/api/recommendations", headers=shop.headers | waiting).json()["data"]["count"] == 2
    return Belongings(
        shop,
        {
            "collection_id": entered["cashflow/collections"].json()["data"]["id"],
            "customer_id": 1,
            "debt_id": entered["cashflow/opening-debts"].json()["data"]["id"],
            "entry_id": stock.json()["data"]["id"],
            "expense_id": spent[0].json()["data"]["id"],
            "file_id": file_ids[0],
            "image_id": picture.json()["data"]["image_id"],
            "forecast_run_id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a12",  # a shop this young has no forecasts
            "id": 1,
            "position": position_of(running, shop),
            "product_id": 1,
            "product_ids": [1],
            "recommendation_id": 1,
            "replay_id": (replay := travel(client, shop, known_at=str(today()))),
            "transaction_id": 1,
        },
        done.headers["X-Event-Position"],
        replay,
    )


def position_of(running: RunningSystem, shop: Shop) -> int:
    with running.container.connect_owner() as conn:
        query = "SELECT max(notification_id) FROM log.events WHERE business_id = %s"
        ((position,),) = conn.execute(query, (shop.business_id,)).fetchall()
    return int(position)
