"""What POST /transactions and the void of a sale accept, refuse and leave behind."""

import datetime as dt
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.example_app import SECRET
from tests.support.reads import today
from tests.support.shops import Shop, register
from tests.support.uploading import kept, refusal, refused_in_both_languages, shop_for_refusals

PATH = "/api/transactions"
SALE = {"date": "2025-10-01", "product_name": "Shirt", "quantity": 2, "amount": 600}
TOMORROW = today() + dt.timedelta(days=1)


@pytest.fixture(scope="module")
def strict(running: RunningSystem, unserved: httpx.Client) -> tuple[httpx.Client, Shop]:
    """A shop that never sells anything."""
    return unserved, shop_for_refusals(running)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", None),
        ("date", ""),
        ("date", "01/10/2025"),
        ("date", "20251001"),
        ("date", "2025-W01-1"),
        ("date", "2025-02-30"),
        ("date", "2025-10-01T25:00"),
        ("date", 20251001),
        ("date", "২০২৫-১০-০১"),
        ("date", "1999-12-31"),
        ("date", "1999-12-31T17:59:59Z"),
        ("date", TOMORROW.isoformat()),
        ("date", f"{today()}T23:59:59-12:00"),
        ("date", "0001-01-01T00:00:00+14:00"),
        ("date", "9999-12-31T23:59-14:00"),
        ("product_name", None),
        ("product_name", ""),
        ("product_name", "  "),
        ("product_name", "x" * 256),
        ("product_name", "A\u202eB"),
        ("product_name", "A\x07"),
        ("product_name", 5),
        ("product_name", ["Shirt"]),
        ("product_id", 0),
        ("product_id", -1),
        ("product_id", "1"),
        ("product_id", 1.5),
        ("product_id", True),
        ("product_id", 1),
        ("quantity", None),
        ("quantity", 0),
        ("quantity", -1),
        ("quantity", 1001),
        ("quantity", 2.5),
        ("quantity", 0.5),
        ("quantity", 1.0001),
        ("quantity", True),
        ("quantity", "two"),
        ("quantity", "১"),
        ("quantity", "1_0"),
        ("quantity", "NaN"),
        ("quantity", "1e2"),
        ("quantity", [1]),
        ("amount", None),
        ("amount", 0),
        ("amount", 0.99),
        ("amount", 10_000_000.01),
        ("amount", 1.005),
        ("amount", -600),
        ("amount", False),
        ("amount", "Infinity"),
        ("amount", "৬০০"),
        ("amount", "1,000"),
        ("amount", "9" * 60),
        ("amount", 2**62),
        ("customer_name", "x" * 256),
        ("customer_name", "A\u202eB"),
        ("customer_name", 5),
        ("customer_phone", "12345"),
        ("customer_phone", "9" * 41),
        ("customer_phone", 1712345678),
        ("payment_method", "upay"),
        ("payment_method", "Cash"),
        ("payment_method", ""),
        ("payment_method", 1),
    ],
)
def test_a_bad_value_is_refused_and_nothing_is_written(
    running: RunningSystem, strict: tuple[httpx.Client, Shop], field: str, value: object
) -> None:
    client, shop = strict
    before = kept(running, shop)
    body = {name: said for name, said in {**SALE, field: value}.items() if said is not None}
    refused = refusal(client.post(PATH, json=body, headers=shop.headers), 400, "INVALID_REQUEST")
    assert refused["details"]["fields"][0]["field"] in {field, "body"}
    assert kept(running, shop) == before


@pytest.mark.parametrize("raw", [b"1e400", b"NaN", b"-Infinity", b"1e2", b"0x10", b"1" * 400])
def test_numbers_that_are_no_json_are_refused(strict: tuple[httpx.Client, Shop], raw: bytes) -> None:
    client, shop = strict
    body = b'{"date":"2025-10-01","product_name":"Shirt","quantity":1,"amount":' + raw + b"}"
    headers = shop.headers | {"Content-Type": "application/json"}
    refusal(client.post(PATH, content=body, headers=headers), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 2.5},
        {"date": TOMORROW.isoformat()},
        {"product_id": 1},
        {"customer_phone": "12345"},
        {"amount": 0.5},
        {"date": "yesterday"},
    ],
)
def test_a_refusal_says_what_is_wrong_in_both_languages(
    strict: tuple[httpx.Client, Shop], changes: dict[str, Any]
) -> None:
    client, shop = strict
    details = refused_in_both_languages(
        lambda headers: client.post(PATH, json=SALE | changes, headers=shop.headers | headers), 400, "INVALID_REQUEST"
    )
    assert details["fields"][0]["message"] != "this value is not valid"


def test_a_refusal_is_the_same_over_the_wire(client: httpx.Client, strict: tuple[httpx.Client, Shop]) -> None:
    _, shop = strict
    refused = refusal(client.post(PATH, json=SALE | {"amount": 0.5}, headers=shop.headers), 400, "INVALID_REQUEST")
    assert refused["details"]["fields"][0]["field"] == "amount"


def test_an_unknown_or_foreign_product_is_not_found(running: RunningSystem, strict: tuple[httpx.Client, Shop]) -> None:
    client, shop = strict
    other = register(client)
    theirs = client.post(PATH, json=SALE, headers=other.headers).json()["data"]
    body = {name: value for name, value in SALE.items() if name != "product_name"}
    before = kept(running, shop)
    for number in (theirs["product_id"], 2**63 - 1):
        refusal(client.post(PATH, json=body | {"product_id": number}, headers=shop.headers), 404, "NOT_FOUND")
    refusal(client.post(f"{PATH}/{theirs['id']}/void", json={"reason": "x"}, headers=shop.headers), 404, "NOT_FOUND")
    assert kept(running, shop) == before


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": " \n "}, {"reason": "x" * 501}, {"reason": 5}, {"reason": "A\u202eB"}]
)
def test_a_void_needs_a_reason(strict: tuple[httpx.Client, Shop], body: dict[str, Any]) -> None:
    client, shop = strict
    refused = refusal(client.post(f"{PATH}/1/void", json=body, headers=shop.headers), 400, "INVALID_REQUEST")
    assert refused["details"]["fields"][0]["field"] == "reason"


def test_a_second_void_is_refused_in_both_languages(client: httpx.Client, shop: Shop) -> None:
    number = client.post(PATH, json=SALE, headers=shop.headers).json()["data"]["id"]

    def void(headers: dict[str, str]) -> httpx.Response:
        return client.post(f"{PATH}/{number}/void", json={"reason": "ভুল"}, headers=shop.headers | headers)

    assert void({}).status_code == 200
    details = refused_in_both_languages(void, 409, "ALREADY_VOIDED")
    assert (details["id"], details["reason"]) == (number, "ভুল")


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**63)])
def test_an_invalid_sale_id_is_refused(strict: tuple[httpx.Client, Shop], number: str) -> None:
    client, shop = strict
    answer = client.post(f"{PATH}/{number}/void", json={"reason": "x"}, headers=shop.headers)
    assert answer.status_code in {400, 404}


def test_the_bounds_of_every_field_are_accepted(unserved: httpx.Client, shop: Shop) -> None:
    bounds: list[dict[str, Any]] = [
        {"date": "2000-01-01"},
        {"date": "1999-12-31T18:00:00Z"},
        {"quantity": 1000},
        {"quantity": "3"},
        {"amount": 1},
        {"quantity": 1.0},
        {"amount": 10_000_000},
        {"amount": "10000000.00"},
        {"product_name": "ক" * 255},
        {"customer_name": ""},
        {"customer_name": None, "customer_phone": None, "payment_method": None},
        {"date": dt.datetime.now(dt.UTC).isoformat()},
        {"date": (dt.datetime.now(dt.UTC) + dt.timedelta(minutes=4)).isoformat()},
        *({"payment_method": m} for m in ("cash", "bkash", "nagad", "rocket", "card", "credit", "other")),
    ]
    for changes in bounds:
        answer = unserved.post(PATH, json=SALE | changes, headers=shop.headers)
        assert answer.status_code == 201, (changes, answer.text)
        said = changes.get("payment_method")
        assert answer.json()["data"]["payment_method"] == said


def test_only_owners_sell(client: httpx.Client) -> None:
    for path, body in ((PATH, SALE), (f"{PATH}/1/void", {"reason": "x"})):
        refusal(client.post(path, json=body), 401, "NOT_AUTHENTICATED")
        assert client.post(path, json=body, headers={"Authorization": f"Bearer {SECRET}"}).status_code == 401


def test_both_commands_are_documented(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    selling = paths["/api/transactions"]["post"]
    voiding = paths["/api/transactions/{transaction_id}/void"]["post"]
    assert selling["responses"]["201"]["content"]["application/json"]["example"]["data"]["product_name"] == "Shirt"
    assert voiding["responses"]["200"]["content"]["application/json"]["example"]["data"]["voided"] is True
    assert {"NOT_FOUND", "INVALID_REQUEST", "IDEMPOTENCY_KEY_REUSED"} <= set(selling["x-error-codes"])
    assert {"NOT_FOUND", "ALREADY_VOIDED", "IDEMPOTENCY_KEY_REUSED"} <= set(voiding["x-error-codes"])


def test_names_of_people_are_in_the_log_sealed_only(client: httpx.Client, running: RunningSystem, shop: Shop) -> None:
    body = SALE | {"customer_name": "Zulekha Banu", "customer_phone": "01799887766"}
    headers = shop.headers | {"Idempotency-Key": "zulekha-1"}
    assert client.post(PATH, json=body, headers=headers).json()["data"]["customer_name"] == "Zulekha Banu"
    with running.container.connect() as conn:
        reported = conn.execute(
            """SELECT string_agg(encode(state, 'escape'), '') || (SELECT string_agg(c::text, '') FROM log.commands c)
            FROM log.events WHERE business_id = %s""",
            (shop.business_id,),
        ).fetchone()
    assert reported
    assert "Shirt" in reported[0]
    assert not [word for word in ("Zulekha", "Banu", "99887766") if word in reported[0]]
