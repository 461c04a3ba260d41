"""The whole story on the year of a real vending machine: sign up, upload, see sales, forecasts, advice, and do it."""

import csv
import datetime as dt

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.forecasts_api import made_forecasts
from tests.support.ledgers import DATA
from tests.support.reads import data, today
from tests.support.shops import finished_upload, register, upload
from tests.support.waiting import wait_until

LEDGER = DATA / "coffee_vending" / "machine1.csv"
pytestmark = pytest.mark.skipif(not LEDGER.is_file(), reason="real ledgers are not at ../shared/data")


def until_yesterday() -> list[list[str]]:
    """Return the ledger's lines, moved by whole weeks so that the last sale is of the last seven days."""
    with LEDGER.open(encoding="utf-8-sig", newline="") as file:
        header, *lines = csv.reader(file)
    newest = max(dt.date.fromisoformat(line[0]) for line in lines)
    later = dt.timedelta((today() - dt.timedelta(1) - newest).days // 7 * 7)
    return [header, *([str(dt.date.fromisoformat(line[0]) + later), *line[1:]] for line in lines)]


def test_from_signing_up_to_doing_what_was_recommended(client: httpx.Client, running: RunningSystem) -> None:
    shop = register(client, business_name="Vending Machine 1")
    header, *lines = until_yesterday()
    text = "\n".join(",".join(line) for line in [header, *lines])
    file_id = upload(client, shop, text.encode(), name=LEDGER.name).json()["data"]["file_id"]
    read = finished_upload(client, shop, file_id)
    assert read.json()["data"]["created"] == sum(1 for line in lines if line[1])

    fresh = {"X-Min-Event-Position": read.headers["X-Event-Position"]}
    books = client.get("/api/transactions", headers=shop.headers | fresh).json()["data"]
    revenue = sum(round(float(line[3]) * 100) for line in lines if line[1])
    assert round(books["summary"]["total_revenue"] * 100) == revenue

    made = made_forecasts(running, shop, 1)
    names = {line[1] for line in lines if line[1]}
    wait_until(lambda: data(client, shop, "/forecasts", has_stockout_warning=False)["count"] == len(names))
    assert len(made) == len(names) == 8
    forecasts = {item["product"]["name"]: item for item in data(client, shop, "/forecasts")["results"]}
    latte = forecasts["Latte"]
    assert (latte["status"], latte["stale"], latte["accuracy"]["windows"]) == ("ready", False, 8)
    assert latte["summary"]["total_demand"] > 7

    product = latte["product"]["id"]
    counted = {"kind": "count", "quantity": 3}
    assert client.post(f"/api/products/{product}/stock", json=counted, headers=shop.headers).status_code == 201
    wait_until(lambda: data(client, shop, "/recommendations", type="reorder")["count"] == 1)
    (advice,) = data(client, shop, "/recommendations", type="reorder")["results"]
    assert "Latte" in advice["title"]
    assert (advice["urgency"], advice["priority_score"]) == ("high", 0.88)
    assert advice["action_data"]["product_id"] == product
    assert advice["id"] in {action["id"] for action in data(client, shop, "/today")["actions"]}

    address = f"/api/recommendations/{advice['id']}"
    viewed = client.post(f"{address}/view", json={"view_duration_seconds": 12}, headers=shop.headers).json()["data"]
    assert viewed["recommendation"]["engagement"]["view_duration_seconds"] == 12
    wanted = {"confirmation": True, "modified_action": {"recommended_qty": 60}}
    done = client.post(f"{address}/execute", json=wanted, headers=shop.headers)
    assert done.status_code == 200, done.text
    (line,) = done.json()["data"]["side_effects"]["order_list"]
    assert (line["product_name"], line["quantity"]) == ("Latte", 60)
    again = client.post(f"{address}/execute", json=wanted, headers=shop.headers)
    assert (again.status_code, again.json()["error_code"]) == (409, "ALREADY_EXECUTED")
