"""From a ledger to what will sell: by itself after an upload, and when an owner asks."""

import csv
import datetime as dt
from typing import Any

import httpx

from projections.operations import rebuild
from projections.registry import REGISTRY
from smartmarket.read_models import source_of
from tests.support.application import RunningSystem
from tests.support.forecasts_api import made_forecasts
from tests.support.reads import data, today
from tests.support.shops import Shop, finished_upload, upload
from tests.support.source_tree import ROOT
from tests.support.waiting import wait_until

SAMPLE = ROOT / "samples" / "tea_shop.csv"
SINGARA, EGG_ROLL, COFFEE = "Singara", "Egg Roll", "Coffee"


def ledger(*names: str) -> bytes:
    """Return what the tea shop sold of some products, as if its last day was yesterday."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["Product"] in names]
    dates = [dt.datetime.strptime(line["Date"], "%d/%m/%Y").date() for line in lines]  # noqa: DTZ007 - a date
    later = today() - dt.timedelta(1) - max(dates)
    cells = [[str(d + later), x["Product"], x["Quantity"], x["Amount"]] for d, x in zip(dates, lines, strict=True)]
    return "\n".join(",".join(row) for row in [["Date", "Product", "Quantity", "Amount"], *cells]).encode()


def by_name(client: httpx.Client, shop: Shop, path: str = "/forecasts") -> dict[str, dict[str, Any]]:
    """Return the items of a list by their products' names."""
    return {(item.get("product") or item)["name"]: item for item in data(client, shop, path)["results"]}


def settled(client: httpx.Client, shop: Shop, count: int) -> bool:
    """Tell whether there is this number of forecasts, and none is on its way: the tables follow the log."""
    found = data(client, shop, "/forecasts")
    return found["count"] == count and all(item["status"] != "pending" for item in found["results"])


def test_a_ledger_is_forecast_by_real_models_and_asked_for_further_ahead(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    answer = upload(client, shop, ledger(SINGARA, EGG_ROLL, COFFEE))
    finished_upload(client, shop, answer.json()["data"]["file_id"])
    first = made_forecasts(running, shop, 1)
    wait_until(lambda: settled(client, shop, 3))

    items = by_name(client, shop)
    assert {name: item["status"] for name, item in items.items()} == {
        SINGARA: "ready",
        EGG_ROLL: "ready",
        COFFEE: "insufficient_data",
    }
    singara = items[SINGARA]
    assert (singara["tier"], singara["stale"], singara["stockout_risk"]["reason"]) == ("full", False, "stock_unknown")
    assert "prophet" in {rival["model"] for rival in singara["rivals"]}
    assert singara["accuracy"]["windows"] == 8
    assert [day["date"] for day in singara["predicted_demand"]] == [str(today() + dt.timedelta(n)) for n in range(1, 8)]
    confidences = [day["confidence"] for day in singara["predicted_demand"]]
    assert confidences == sorted(confidences, reverse=True)
    assert singara["summary"]["total_demand"] > 0
    assert all(day["lower"] <= day["quantity"] <= day["upper"] for day in singara["predicted_demand"])
    assert data(client, shop, "/cashflow")["takings_forecast"]["made_on"] == str(today())

    count = {"kind": "count", "quantity": 1}
    moved = client.post(f"/api/products/{singara['product']['id']}/stock", json=count, headers=shop.headers)
    position = {"X-Min-Event-Position": moved.headers["X-Event-Position"]}
    warned = client.get("/api/forecasts?has_stockout_warning=true", headers=shop.headers | position).json()["data"]
    assert [item["product"]["name"] for item in warned["results"]] == [SINGARA]
    risk = warned["results"][0]["stockout_risk"]
    assert risk["recommendation"] == f"Reorder by {risk['reorder_by']}"
    block = by_name(client, shop, "/products")[SINGARA]["forecast"]
    assert (block["id"], block["days_until_stockout"]) == (singara["id"], risk["days_until_stockout"])

    ids = [items[name]["product"]["id"] for name in (SINGARA, COFFEE)]
    asked = client.post(
        "/api/forecasts/request", json={"product_ids": ids, "forecast_days": 14}, headers=shop.headers
    ).json()["data"]
    assert (asked["product_count"], [s["product_id"] for s in asked["skipped"]]) == (1, ids[1:])
    further = [event for event in made_forecasts(running, shop, 2) if event.horizon == 14]
    assert [event.product_id for event in further] == ids[:1]
    assert further[0].windows == []  # the weeks of the first forecast were not fitted again
    assert sum(len(event.windows) for event in first) == 16

    wait_until(lambda: data(client, shop, "/forecasts")["count"] == 5)
    before = data(client, shop, "/forecasts")
    rebuild.rebuild(source_of(running.container), REGISTRY["forecasting"])
    assert data(client, shop, "/forecasts") == before  # as it was recorded: a replay runs no model
    assert len(made_forecasts(running, shop, 2)) == 3
