"""Customers who may be one person are offered for a merge: one name, and only one of both has a phone."""

from typing import Any

import httpx

from tests.support.ledgers import read, written
from tests.support.shops import Shop, finished_upload, upload

HEADER = ("Date", "Customer", "Phone", "Product", "Quantity", "Amount")
PHONE = "+8801712345678"
REASON = "Same name, and only one of both has a phone number. If it is the same person, merge them."


def record(client: httpx.Client, shop: Shop, *people: tuple[str, str], day: int = 20) -> str:
    """Upload a sale to each person, of a name and a phone; returns the position."""
    lines = [[f"2025-10-{day}", name, phone, "Rice", "1", str(100 + n)] for n, (name, phone) in enumerate(people)]
    answer = upload(client, shop, written(lines, HEADER))
    position: str = finished_upload(client, shop, answer.json()["data"]["file_id"]).headers["X-Event-Position"]
    return position


def ids_of(client: httpx.Client, shop: Shop, position: str) -> dict[tuple[str, str | None], int]:
    listed = read(client, shop, "/api/customers", position)["results"]
    return {(customer["name"], customer["phone"]): customer["id"] for customer in listed}


def offered(client: httpx.Client, shop: Shop, customer: int, position: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(client, shop, f"/api/customers/{customer}", position)["merge_candidates"]
    return found


def test_a_customer_who_comes_with_a_phone_later_is_offered_for_a_merge_until_merged(
    client: httpx.Client, shop: Shop
) -> None:
    record(client, shop, ("Rahim Mia", ""), ("Salma", ""), ("Salma", "01812345678"))
    position = record(client, shop, ("RAHIM  mia", PHONE), ("Rahim", "01912345678"), day=21)
    ids = ids_of(client, shop, position)
    without, phoned = ids["Rahim Mia", None], ids["RAHIM mia", PHONE]
    assert offered(client, shop, without, position) == [
        {"id": phoned, "name": "RAHIM mia", "phone": PHONE, "reason": REASON}
    ]
    assert [found["id"] for found in offered(client, shop, phoned, position)] == [without]
    assert offered(client, shop, ids["Rahim", "+8801912345678"], position) == []
    merged = client.post(f"/api/customers/{without}/merge", json={"customer_id": phoned}, headers=shop.headers)
    assert merged.status_code == 200, merged.text
    position = merged.headers["X-Event-Position"]
    shown = read(client, shop, f"/api/customers/{without}", position)
    assert (shown["phone"], shown["merge_candidates"], shown["merged_ids"]) == (PHONE, [], [phoned])


def test_a_customer_whose_name_is_changed_to_a_known_one_is_offered_and_one_with_a_phone_of_its_own_is_not(
    client: httpx.Client, shop: Shop
) -> None:
    position = record(client, shop, ("Rahim", ""), ("Karim", PHONE), ("Rahim", "01812345678"))
    ids = ids_of(client, shop, position)
    rahim, karim, other = ids["Rahim", None], ids["Karim", PHONE], ids["Rahim", "+8801812345678"]
    assert [found["id"] for found in offered(client, shop, rahim, position)] == [other]
    changed = client.patch(f"/api/customers/{rahim}", json={"phone": "01612345678"}, headers=shop.headers)
    assert changed.status_code == 200, changed.text
    position = changed.headers["X-Event-Position"]
    assert offered(client, shop, rahim, position) == offered(client, shop, other, position) == []
    changed = client.patch(f"/api/customers/{karim}", json={"phone": None}, headers=shop.headers)
    assert changed.status_code == 200, changed.text
    assert offered(client, shop, karim, changed.headers["X-Event-Position"]) == []


def test_at_most_five_customers_are_offered_in_the_language_of_the_owner(client: httpx.Client, shop: Shop) -> None:
    people = [("রহিম", f"0171234567{digit}") for digit in range(7)]
    position = record(client, shop, ("রহিম", ""), *people)
    customer = ids_of(client, shop, position)["রহিম", None]
    assert len(offered(client, shop, customer, position)) == 5
    headers = shop.headers | {"Accept-Language": "bn"}
    shown = client.get(f"/api/customers/{customer}", headers=headers).json()["data"]["merge_candidates"]
    assert shown[0]["reason"].startswith("একই নাম")
