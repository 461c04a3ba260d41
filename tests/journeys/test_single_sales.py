"""A sale entered by hand and voided again, and ledgers that hold the same sale."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from shared.domain.events.inventory import ProductDetailsChanged
from tests.support.application import RunningSystem
from tests.support.ledgers import HEADER, imported, read, written
from tests.support.log_facts import rows
from tests.support.reads import record, today
from tests.support.sales_api import PATH, SHIRT, sell, void
from tests.support.shops import Shop

SHIRT_ROW = ["2025-10-01", "Shirt", "2", "600", "Ali", "Cash"]


def position(answer: httpx.Response) -> str:
    """Return the position of an accepted command."""
    return answer.headers["X-Event-Position"]


def test_a_sale_by_hand_is_answered_as_the_list_shows_it(client: httpx.Client, shop: Shop) -> None:
    answer = sell(client, shop)
    item = answer.json()["data"]
    assert item == {
        "id": item["id"],
        "kind": "sale",
        "date": "2025-10-01T00:00:00+06:00",
        "product_id": item["product_id"],
        "product_name": "Shirt",
        "quantity": 2,
        "amount": 600,
        "unit_price": 300,
        "customer_id": item["customer_id"],
        "customer_name": "Ali",
        "payment_method": "cash",
        "data_source": "manual",
    }
    assert answer.headers["Location"] == f"{PATH}/{item['id']}"
    shown = read(client, shop, PATH, position(answer))
    assert (shown["count"], shown["results"]) == (1, [item])
    again = sell(client, shop, product_name=" SHIRT", customer_name="ali", date="2025-10-01T23:30:15Z", amount=100.5)
    twin = again.json()["data"]
    assert (twin["product_id"], twin["customer_id"]) == (item["product_id"], item["customer_id"])
    assert (twin["date"], twin["unit_price"], twin["product_name"]) == ("2025-10-02T05:30:15+06:00", 50.25, "Shirt")
    by_id = sell(client, shop, product_name=None, product_id=item["product_id"], customer_name=None, quantity=1)
    assert read(client, shop, PATH, position(by_id))["results"] == [twin, by_id.json()["data"], item]


@pytest.mark.parametrize(
    ("quantity", "amount", "price"), [(8, 1, 0.12), (8, 1.08, 0.14), (10, 100.25, 10.02), (3, 1, 0.33)]
)
def test_a_unit_price_is_rounded_half_to_even_wherever_it_is_shown(
    client: httpx.Client, shop: Shop, quantity: int, amount: float, price: float
) -> None:
    answer = sell(client, shop, quantity=quantity, amount=amount)
    (shown,) = read(client, shop, PATH, position(answer))["results"]
    (product,) = read(client, shop, "/api/products", position(answer))["results"]
    assert [answer.json()["data"]["unit_price"], shown["unit_price"], product["unit_price"]] == [price] * 3


def test_today_is_a_day_to_sell_on(client: httpx.Client, shop: Shop) -> None:
    assert sell(client, shop, date=today().isoformat()).json()["data"]["date"].startswith(today().isoformat())


def test_a_voided_sale_leaves_the_books_and_keeps_its_reason(client: httpx.Client, shop: Shop) -> None:
    first, second = sell(client, shop), sell(client, shop, product_name="Pants", amount=1200, customer_name=None)
    item = first.json()["data"]
    answer = void(client, shop, item["id"])
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data == item | {"voided": True, "reason": "Entered twice", "voided_at": data["voided_at"]}
    shown = read(client, shop, PATH, position(answer))
    assert (shown["count"], shown["results"]) == (1, [second.json()["data"]])
    assert shown["summary"]["total_revenue"] == 1200
    profile = read(client, shop, "/api/business/profile", position(answer))
    assert (profile["stats"]["total_transactions"], profile["stats"]["total_revenue"]) == (1, 1200)
    refused = void(client, shop, item["id"])
    assert (refused.status_code, refused.json()["error_code"]) == (409, "ALREADY_VOIDED")
    assert void(client, shop, 10**6).status_code == 404


def test_a_ledger_that_holds_a_sale_by_hand_finds_it_recorded(client: httpx.Client, shop: Shop) -> None:
    sell(client, shop)
    sell(client, shop)
    sell(client, shop, date="2025-10-01 10:15", payment_method="other", customer_name=None)
    held = [SHIRT_ROW, SHIRT_ROW, ["2025-10-01 10:15", "shirt", "2", "৳600", "", "Other"]]
    assert imported(client, shop, written([*held, SHIRT_ROW])).counts == (1, 3, 0)
    assert imported(client, shop, written([*held, SHIRT_ROW])).counts == (0, 4, 0)


def test_a_sale_by_hand_that_a_ledger_held_is_one_more(client: httpx.Client, shop: Shop) -> None:
    assert imported(client, shop, written([SHIRT_ROW])).counts == (1, 0, 0)
    sell(client, shop)
    ledger = imported(client, shop, written([SHIRT_ROW, SHIRT_ROW]))
    assert ledger.counts == (0, 2, 0)
    assert read(client, shop, PATH, ledger.position)["count"] == 2


def test_a_voided_sale_stays_known_to_ledgers(client: httpx.Client, shop: Shop) -> None:
    ledger = imported(client, shop, written([SHIRT_ROW, ["2025-10-02", "Pants", "1", "1200", "", "bKash"]]))
    sales = {item["product_name"]: item for item in read(client, shop, PATH, ledger.position)["results"]}
    answer = void(client, shop, sales["Shirt"]["id"])
    assert answer.json()["data"] == sales["Shirt"] | {
        "voided": True,
        "reason": "Entered twice",
        "voided_at": answer.json()["data"]["voided_at"],
    }
    assert read(client, shop, PATH, position(answer))["results"] == [sales["Pants"]]
    again = imported(client, shop, written([SHIRT_ROW]))
    assert again.counts == (0, 1, 0)
    assert read(client, shop, PATH, again.position)["results"] == [sales["Pants"]]
    entered_again = sell(client, shop)
    assert read(client, shop, PATH, position(entered_again))["count"] == 2
    assert imported(client, shop, written([SHIRT_ROW] * 2)).counts == (0, 2, 0)


def test_of_two_voids_at_once_one_counts(client: httpx.Client, running: RunningSystem, shop: Shop) -> None:
    numbers = [sell(client, shop, amount=amount).json()["data"]["id"] for amount in range(100, 105)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: void(client, shop, number), numbers * 4))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 15
    assert rows(
        running.container.url,
        "SELECT count(*) FROM log.events WHERE business_id = %s AND topic = 'sales.SaleVoided'",
        shop.business_id,
    ) == [(5,)]


def test_a_new_customer_and_product_are_added_once_by_many_sales_at_once(client: httpx.Client, shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        items = [answer.json()["data"] for answer in pool.map(lambda _: sell(client, shop), range(16))]
    assert len({item["id"] for item in items}) == 16
    assert len({(item["product_id"], item["customer_id"]) for item in items}) == 1
    assert imported(client, shop, written([SHIRT_ROW] * 16)).counts == (0, 16, 0)


def test_a_phone_number_distinguishes_two_customers_of_one_name(client: httpx.Client, shop: Shop) -> None:
    one = sell(client, shop, customer_phone="01712345678").json()["data"]
    other = sell(client, shop, customer_phone="+880 1812-345678").json()["data"]
    assert one["customer_id"] != other["customer_id"]
    ledger = written(
        [[*SHIRT_ROW, "০১৭১২৩৪৫৬৭৮"], [*SHIRT_ROW[:3], "50", "Ali", "", "01812345678"]], (*HEADER, "Phone")
    )
    done = imported(client, shop, ledger)
    assert done.counts == (1, 1, 0)
    newest = [item for item in read(client, shop, PATH, done.position)["results"] if item["amount"] == 50]
    assert newest[0]["customer_id"] == other["customer_id"]


def test_a_customer_who_was_merged_buys_as_the_one_who_goes_on(client: httpx.Client, shop: Shop) -> None:
    karim, rahim = (sell(client, shop, customer_name=name).json()["data"] for name in ("Karim", "Rahim"))
    path = f"/api/customers/{karim['customer_id']}/merge"
    merged = client.post(path, json={"customer_id": rahim["customer_id"]}, headers=shop.headers)
    assert merged.status_code == 200, merged.text
    answer = sell(client, shop, customer_name="rahim")
    item = answer.json()["data"]
    assert (item["customer_id"], item["customer_name"]) == (karim["customer_id"], "Karim")
    shown = {found["id"]: found for found in read(client, shop, PATH, position(answer))["results"]}
    assert shown[item["id"]] == item
    voided = void(client, shop, rahim["id"]).json()["data"]
    assert {name: voided[name] for name in shown[rahim["id"]]} == shown[rahim["id"]]


def test_fractions_are_sold_of_what_is_weighed(client: httpx.Client, running: RunningSystem, shop: Shop) -> None:
    rice = sell(client, shop, product_name="Rice", quantity=1).json()["data"]["product_id"]
    body = SHIRT | {"product_name": "Rice", "quantity": 2.5}
    refused = client.post(PATH, json=body, headers=shop.headers)
    assert (refused.status_code, refused.json()["details"]["fields"][0]["field"]) == (400, "quantity")
    for unit, status in (("kg", 201), ("ml", 201), ("pcs", 400)):
        record_details(running, shop, ProductDetailsChanged(rice, unit=unit))
        for said in ({"product_name": "rice"}, {"product_id": rice, "product_name": None}):
            answer = client.post(
                PATH, json={k: v for k, v in (body | said).items() if v is not None}, headers=shop.headers
            )
            assert answer.status_code == status, answer.text
    record_details(running, shop, ProductDetailsChanged(rice, unit="kg"))
    assert sell(client, shop, product_name="Rice", quantity=0.125).json()["data"]["quantity"] == 0.125
    record_details(running, shop, ProductDetailsChanged(rice, cleared=["unit"]))
    assert client.post(PATH, json=body, headers=shop.headers).status_code == 400


def record_details(running: RunningSystem, shop: Shop, event: ProductDetailsChanged) -> None:
    """Append to the product's own stream."""
    record(running, shop, event, stream=f"product-{shop.business_id}-{event.product_id}")


def test_a_command_sent_again_answers_as_before(client: httpx.Client, shop: Shop) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = client.post(PATH, json=SHIRT, headers=shop.headers | key)
    again = client.post(PATH, json=SHIRT, headers=shop.headers | key)
    assert (again.status_code, again.json()["data"]) == (201, first.json()["data"])
    number = first.json()["data"]["id"]
    assert read(client, shop, PATH, position(again))["count"] == 1
    other = client.post(PATH, json=SHIRT | {"amount": 601}, headers=shop.headers | key)
    assert (other.status_code, other.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    once, twice = void(client, shop, number, **key), void(client, shop, number, **key)
    assert (once.status_code, twice.status_code) == (200, 200)
    assert once.json()["data"] == twice.json()["data"]
    assert void(client, shop, number).status_code == 409


def test_one_sale_has_an_address_until_it_is_voided(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    made = sell(client, shop)
    address = made.headers["location"]
    fresh = shop.headers | {"X-Min-Event-Position": made.headers["x-event-position"]}
    shown = client.get(address, headers=fresh)
    assert (shown.status_code, shown.json()["data"]) == (200, made.json()["data"])
    assert client.get(address, headers=other_shop.headers).status_code == 404
    assert client.get("/api/transactions/0", headers=shop.headers).status_code == 400
    void = client.post(f"{address}/void", json={"reason": "Entered twice"}, headers=shop.headers)
    fresh = shop.headers | {"X-Min-Event-Position": void.headers["x-event-position"]}
    assert client.get(address, headers=fresh).status_code == 404
