"""Customers as their owner knows them: corrected, distinguished, made one; ledgers go on finding them."""

import uuid
from typing import Any

import httpx
import pytest

from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from tests.support.application import RunningSystem
from tests.support.log_facts import rows
from tests.support.shops import Shop, finished_upload, upload

HEADER = "Date,Product,Quantity,Amount,Customer,Phone\n"
FATEMA = {
    "name": "Fatema Begum",
    "phone": "+8801712345678",
    "email": "fatema@example.com",
    "address": "12 Station Road\nKhulna",
    "notes": "Pays at the end of the month",
}


def imported(client: httpx.Client, shop: Shop, *lines: str, same: int | None = None) -> dict[str, str]:
    """Import a ledger, whose phone is known as that of `same`; returns the header that makes a query wait for it."""
    answer = upload(client, shop, (HEADER + "\n".join(lines)).encode())
    assert answer.status_code == 202, answer.text
    file_id, answered = answer.json()["data"]["file_id"], None
    if same:
        with pytest.raises(AssertionError, match=f"KNOWN_PHONE:{same}.*another customer', 'proposed': True"):
            finished_upload(client, shop, file_id)
        answered = client.post(
            f"/api/data/uploads/{file_id}/answers",
            json={"answers": {f"KNOWN_PHONE:{same}": "one"}},
            headers=shop.headers,
        )
    finished = finished_upload(client, shop, file_id, answered=answered)
    assert finished.json()["data"]["rejected"] == 0
    return {"X-Min-Event-Position": finished.headers["X-Event-Position"]}


def listed(client: httpx.Client, shop: Shop, fresh: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the customers by name."""
    answer = client.get("/api/customers", params={"limit": 100}, headers=shop.headers | fresh)
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json()["data"]["results"]}


def changed(client: httpx.Client, shop: Shop, number: int, **said: str | None) -> httpx.Response:
    """Change a customer; returns the answer."""
    return client.patch(f"/api/customers/{number}", json=said, headers=shop.headers)


def merged(client: httpx.Client, shop: Shop, number: int, other: object) -> httpx.Response:
    """Merge `other` into a customer; returns the answer."""
    return client.post(f"/api/customers/{number}/merge", json={"customer_id": other}, headers=shop.headers)


def fresh(answer: httpx.Response) -> dict[str, str]:
    """Return the header that makes a query wait for an accepted command."""
    assert answer.status_code == 200, answer.text
    return {"X-Min-Event-Position": answer.headers["X-Event-Position"]}


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal that says what to do next."""
    body = answer.json()
    assert body["suggestions"]
    return answer.status_code, body["error_code"]


def spent(item: dict[str, Any]) -> tuple[float, int]:
    """Return what a customer spent on how many days."""
    return item["purchase_metrics"]["total_spent"], item["purchase_metrics"]["purchase_count"]


def test_a_customer_is_corrected_and_cleared(client: httpx.Client, shop: Shop) -> None:
    number = listed(client, shop, imported(client, shop, "2025-10-01,Tea,1,10,fatema,"))["fatema"]["id"]
    answer = changed(client, shop, number, **FATEMA | {"phone": "০১৭১২-৩৪৫৬৭৮"})
    assert answer.json()["data"] == {"id": number, **FATEMA, "merged_ids": []}
    item = listed(client, shop, fresh(answer))["Fatema Begum"]
    assert {name: item[name] for name in FATEMA} == FATEMA
    assert spent(item) == (10, 1)
    answer = changed(client, shop, number, phone=None, notes=None)
    assert answer.json()["data"] == {"id": number, **FATEMA, "phone": None, "notes": None, "merged_ids": []}
    assert listed(client, shop, fresh(answer))["Fatema Begum"]["phone"] is None
    same = changed(client, shop, number, name="Fatema Begum")
    assert same.headers["X-Event-Position"]
    assert same.json()["data"] == answer.json()["data"]


def test_ledgers_find_a_customer_by_old_and_new_name_and_phone(client: httpx.Client, shop: Shop) -> None:
    number = listed(client, shop, imported(client, shop, "2025-10-01,Tea,1,10,Fatima,"))["Fatima"]["id"]
    changed(client, shop, number, name="Fatema Begum", phone="01712345678")
    lines = (
        "2025-10-02,Tea,1,10,fatima,",
        "2025-10-03,Tea,1,10,FATEMA  BEGUM,",
        "2025-10-04,Tea,1,10,Bhabi,+8801712345678",
    )
    people = listed(client, shop, imported(client, shop, *lines, same=number))
    assert list(people) == ["Fatema Begum"]
    assert spent(people["Fatema Begum"]) == (40, 4)


def test_two_spellings_become_one_customer(client: httpx.Client, shop: Shop) -> None:
    lines = (
        "2025-10-01,Tea,1,10,Ali,",
        "2025-10-01,Tea,1,20,Aly,01811223344",
        "2025-10-05,Tea,1,30,Ali Khan,",
        "2025-10-06,Tea,1,5,Zara,",
    )
    people = listed(client, shop, imported(client, shop, *lines))
    ali, aly, khan = (people[name]["id"] for name in ("Ali", "Aly", "Ali Khan"))
    first = merged(client, shop, aly, khan)
    assert first.json()["data"]["merged_ids"] == [khan]
    answer = merged(client, shop, ali, aly)
    assert answer.json()["data"] == {
        "id": ali,
        "name": "Ali",
        "phone": "+8801811223344",
        "email": None,
        "address": None,
        "notes": None,
        "merged_ids": [aly, khan],
    }
    people = listed(client, shop, fresh(answer))
    assert sorted(people) == ["Ali", "Zara"]
    profile = client.get("/api/business/profile", headers=shop.headers | fresh(answer)).json()["data"]
    assert profile["stats"]["customers"] == 2
    assert (spent(people["Ali"]), people["Ali"]["phone"]) == ((60, 2), "+8801811223344")
    later = ("2025-10-07,Tea,1,1,ali khan,", "2025-10-08,Tea,1,1,Someone,01811223344")
    assert spent(listed(client, shop, imported(client, shop, *later, same=ali))["Ali"]) == (62, 4)


def test_no_circles_and_no_strangers_are_merged(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    stranger = listed(
        client, other_shop, imported(client, other_shop, *(f"2025-10-01,Tea,1,1,N{i}," for i in range(9)))
    )
    people = listed(client, shop, imported(client, shop, "2025-10-01,Tea,1,1,Ali,", "2025-10-01,Tea,1,1,Aly,"))
    ali, aly = people["Ali"]["id"], people["Aly"]["id"]
    foreign = max(item["id"] for item in stranger.values())
    assert refused(merged(client, shop, ali, ali)) == (400, "INVALID_REQUEST")
    for one, other in ((ali, 10**6), (10**6, ali), (ali, foreign), (10**6, 10**6)):
        assert refused(merged(client, shop, one, other)) == (404, "NOT_FOUND")
    assert merged(client, shop, ali, aly).status_code == 200
    for one, other in ((aly, ali), (ali, aly), (aly, aly)):
        answer = merged(client, shop, one, other)
        assert refused(answer) == (409, "CUSTOMER_MERGED")
        assert answer.json()["details"] == {"id": aly, "customer_id": ali}
    assert refused(changed(client, shop, aly, notes="x")) == (409, "CUSTOMER_MERGED")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"age": 3},
        {"name": None},
        {"name": "  "},
        {"name": "x" * 256},
        {"name": "Ali\u202e"},
        {"phone": "12"},
        {"email": "nobody"},
        {"notes": "x" * 2001},
        {"name": "Ali", "id": 7},
        [],
    ],
    ids=str,
)
def test_an_invalid_customer_change_is_refused(client: httpx.Client, shop: Shop, body: object) -> None:
    number = listed(client, shop, imported(client, shop, "2025-10-01,Tea,1,1,Ali,"))["Ali"]["id"]
    answer = client.patch(f"/api/customers/{number}", json=body, headers=shop.headers)
    assert refused(answer) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("body", [{}, {"customer_id": "2"}, {"customer_id": 0}, {"customer_id": 2, "keep": "name"}])
def test_a_merge_without_a_valid_customer_is_refused(client: httpx.Client, shop: Shop, body: object) -> None:
    answer = client.post("/api/customers/1/merge", json=body, headers=shop.headers)
    assert refused(answer) == (400, "INVALID_REQUEST")


def test_a_name_or_phone_of_another_customer_is_not_taken_over(client: httpx.Client, shop: Shop) -> None:
    people = listed(client, shop, imported(client, shop, "2025-10-01,Tea,1,1,Ali,", "2025-10-01,Tea,1,1,Z,01811223344"))
    ali, zara = people["Ali"]["id"], people["Z"]["id"]
    for number, said, owner in ((zara, {"name": "ALI"}, ali), (ali, {"phone": "1811223344"}, zara)):
        answer = changed(client, shop, number, **said)
        assert refused(answer) == (409, "CUSTOMER_TAKEN")
        assert answer.json()["details"]["customer_id"] == owner
    assert changed(client, shop, 10**6, name="Nobody").status_code == 404
    assert client.patch(f"/api/customers/{ali}", json={"name": "x"}).status_code == 401


def test_a_change_repeated_under_its_key_answers_as_the_first_did(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    people = listed(client, shop, imported(client, shop, "2025-10-01,Tea,1,1,Ali,", "2025-10-01,Tea,1,1,Aly,"))
    ali, aly = people["Ali"]["id"], people["Aly"]["id"]
    headers = shop.headers | {"Idempotency-Key": str(uuid.uuid4())}
    first = client.patch(f"/api/customers/{ali}", json={"notes": "Owes 20"}, headers=headers)
    changed(client, shop, ali, notes="Paid")
    again = client.patch(f"/api/customers/{ali}", json={"notes": "Owes 20"}, headers=headers)
    assert again.json()["data"] == first.json()["data"]
    other = client.patch(f"/api/customers/{ali}", json={"notes": "Owes 30"}, headers=headers)
    assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    headers["Idempotency-Key"] = str(uuid.uuid4())
    for _ in range(2):
        answer = client.post(f"/api/customers/{ali}/merge", json={"customer_id": aly}, headers=headers)
        assert (answer.status_code, answer.json()["data"]["merged_ids"]) == (200, [aly])
    topics = [CustomerDetailsChanged.topic, CustomerDetailsChanged.topic, CustomersMerged.topic]
    reported = (
        "SELECT topic FROM log.events WHERE business_id = %s AND topic LIKE 'customers.%%' ORDER BY notification_id"
    )
    assert [topic for (topic,) in rows(running.container.url, reported, shop.business_id)] == topics
    stored = "SELECT result::text FROM log.commands WHERE scope = %s"
    assert "Owes" not in str(rows(running.container.url, stored, shop.business_id))
