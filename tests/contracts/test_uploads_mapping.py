"""The owner's choice of columns, sent with a ledger."""

import json
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.ledgers import read
from tests.support.shops import Shop, finished_upload
from tests.support.uploading import UPLOAD, kept, refusal, refused_in_both_languages, shop_for_refusals

LEDGER = (
    b"Sold on,Date,Item,Qty,Total,Net\n2025-10-01,2025-10-05,Shirt,2,600,550\n2025-10-02,2025-10-05,Pants,1,1200,1100\n"
)
MAPPING = {"date": "sold ON", "amount": "Net"}


@pytest.fixture(scope="module")
def unlucky(running: RunningSystem) -> Shop:
    """A shop of which nothing is accepted."""
    return shop_for_refusals(running)


def send(client: httpx.Client, shop: Shop, mapping: object, content: bytes = LEDGER, **headers: str) -> httpx.Response:
    named = shop.headers | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(UPLOAD, files={"file": ("a.csv", content)}, data={"mapping": json.dumps(mapping)}, headers=named)


def amounts(client: httpx.Client, shop: Shop, answer: httpx.Response) -> list[tuple[str, float]]:
    assert answer.status_code == 202, answer.text
    finished = finished_upload(client, shop, answer.json()["data"]["file_id"])
    listed = read(client, shop, "/api/transactions", finished.headers["X-Event-Position"])
    return [(sale["date"][:10], sale["amount"]) for sale in listed["results"]]


def test_a_worker_reads_the_columns_that_were_chosen(client: httpx.Client, shop: Shop) -> None:
    answer = send(client, shop, MAPPING)
    assert amounts(client, shop, answer) == [("2025-10-02", 1100), ("2025-10-01", 550)]
    shown = read(client, shop, f"/api/data/uploads/{answer.json()['data']['file_id']}")
    assert [(warning["code"], warning["values"]) for warning in shown["warnings"]] == [
        ("RIVAL_COLUMNS", ["Date", "Total"])
    ]


def test_chosen_columns_are_read_in_later_ledgers_with_the_same_columns(client: httpx.Client, shop: Shop) -> None:
    amounts(client, shop, send(client, shop, MAPPING))
    later = LEDGER.replace(b"2025-10-0", b"2025-09-1")
    shown = client.post("/api/data/preview", files={"file": ("b.csv", later)}, headers=shop.headers).json()["data"]
    assert (shown["mapping"]["amount"]["column"], shown["sums"]["revenue"]) == ("Net", 1650)
    assert shown["remembered"]["mapping"] == MAPPING
    assert amounts(client, shop, send(client, shop, {}, later)) == [
        ("2025-10-02", 1100),
        ("2025-10-01", 550),
        ("2025-09-12", 1100),
        ("2025-09-11", 550),
    ]
    other = amounts(client, shop, send(client, shop, {"amount": "Total"}, later.replace(b"2025-09-1", b"2025-08-1")))
    assert other[-2:] == [("2025-08-12", 1200), ("2025-08-11", 600)]


def test_columns_of_unknown_names_can_be_chosen(client: httpx.Client, shop: Shop) -> None:
    ledger = "#,দিন,মাল,কত,৳,কাকে\n1,2025-10-01,চা,2,40,আলী\n".encode()
    chosen = {"date": "দিন", "product": "মাল", "quantity": "কত", "amount": "৳", "customer": "কাকে"}
    answer = send(client, shop, chosen, ledger)
    assert amounts(client, shop, answer) == [("2025-10-01", 40)]
    position = finished_upload(client, shop, answer.json()["data"]["file_id"]).headers["X-Event-Position"]
    assert [found["name"] for found in read(client, shop, "/api/customers", position)["results"]] == ["আলী"]


def test_a_column_that_is_not_there_is_refused_by_its_name(
    client: httpx.Client, unlucky: Shop, running: RunningSystem
) -> None:
    before = kept(running, unlucky)
    details: dict[str, Any] = refused_in_both_languages(
        lambda headers: send(client, unlucky, {"amount": "Grand Total"}, LEDGER, **headers), 400, "INVALID_CSV_FORMAT"
    )
    assert (details["missing"], details["found"][-1]) == (["Grand Total"], "Net")
    assert kept(running, unlucky) == before


@pytest.mark.parametrize("mapping", [[], {"colour": "Net"}, {"amount": 5}, {"amount": "Net", "cost": "net"}])
def test_an_invalid_upload_mapping_is_refused(
    client: httpx.Client, unlucky: Shop, running: RunningSystem, mapping: object
) -> None:
    before = kept(running, unlucky)
    details = refused_in_both_languages(
        lambda headers: send(client, unlucky, mapping, LEDGER, **headers), 400, "INVALID_REQUEST"
    )
    assert details["fields"][0]["field"].startswith("mapping")
    assert kept(running, unlucky) == before


def test_a_key_of_an_upload_with_other_columns_is_refused(client: httpx.Client, shop: Shop) -> None:
    first = send(client, shop, {"amount": "Net"}, Idempotency_Key="may-2025")
    again = send(client, shop, {"amount": " Net"}, Idempotency_Key="may-2025")
    assert again.json()["data"] == first.json()["data"]
    refusal(send(client, shop, {"amount": "Total"}, Idempotency_Key="may-2025"), 422, "IDEMPOTENCY_KEY_REUSED")


def test_the_document_lists_the_columns_of_a_mapping(client: httpx.Client) -> None:
    operation = client.get("/api/openapi.json").json()["paths"][UPLOAD]["post"]
    schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["mapping"]
    assert {"date", "product", "quantity", "amount", "customer", "payment"} < schema["properties"].keys()
    assert schema["additionalProperties"] is False
    assert schema["examples"] == [{"amount": "Total"}]
