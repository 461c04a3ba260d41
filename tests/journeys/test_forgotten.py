"""A customer is forgotten: nothing shows the person any more, and no sum moves."""

import datetime as dt
import itertools
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from projections.engine import generation_schemas
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from smartmarket.read_models import source_of
from tests.support.application import RunningSystem
from tests.support.shops import Shop, finished_upload, upload
from tests.support.staff import staff_headers
from tests.support.time_travel_api import travel
from tests.support.traces import traces
from tests.support.waiting import wait_until
from write_side.indexes import index_differences, rebuild_indexes

HEADER = "Date,Product,Quantity,Amount,Customer,Phone,Payment Method\n"
_NUMBERS = itertools.count(1000)


@dataclass(frozen=True)
class Person:
    """A customer whom no other shop has: what is searched for is this one's."""

    number: int

    @property
    def name(self) -> str:
        return f"Fatema{self.number} Zaman{self.number}"

    @property
    def other_name(self) -> str:
        """The name in a sale entered by hand, before both were merged."""
        return f"Fatima{self.number}"

    @property
    def phone(self) -> str:
        return f"0171{self.number:07}"

    @property
    def details(self) -> dict[str, str]:
        n = self.number
        return {"email": f"f.zaman{n}@example.com", "address": f"{n} Station Road", "notes": f"Pays {n} late"}

    @property
    def traces(self) -> tuple[str, ...]:
        """What is known of the person, as any byte sequence of the database or an answer could have it."""
        words = (*self.name.split(), self.other_name, self.phone[1:], *self.details.values())
        return tuple(word.casefold() for word in words)

    @property
    def ledgers(self) -> tuple[str, str, str]:
        """A ledger that names the person, one that does not, and one whose rejected row does."""
        named = f"2025-10-01,Tea,1,10,{self.name},{self.phone},Cash\n2025-10-02,Tea,2,20,Karim,,Cash\n"
        rejected = f"2025-10-04,Rice,1,91,Karim,,Cash\n2025-10-05,Rice,x,91,{self.name},,Cash\n"
        return named, "2025-10-03,Rice,1,90,Karim,,Cash\n", rejected


DETAILS = {"name", "customer_name", "phone", "email", "address", "notes"}
LISTS = ("customers", "transactions", "products", "data/uploads", "cashflow", "cashflow/collections", "notifications")


@pytest.fixture
def person() -> Person:
    """A customer of the test's own."""
    return Person(next(_NUMBERS))


def sent(client: httpx.Client, shop: Shop, lines: str) -> str:
    """Upload a ledger and wait for its end; returns its id."""
    file_id: str = upload(client, shop, (HEADER + lines).encode()).json()["data"]["file_id"]
    finished_upload(client, shop, file_id)
    return file_id


def read(client: httpx.Client, shop: Shop, path: str, after: httpx.Response | None = None, **params: str) -> Any:  # noqa: ANN401 - JSON
    """Return the data of an answer that includes an accepted command."""
    fresh = {"X-Min-Event-Position": after.headers["X-Event-Position"]} if after else {}
    answer = client.get(f"/api/{path}", headers=shop.headers | fresh, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def known(client: httpx.Client, shop: Shop, person: Person) -> tuple[int, list[str]]:
    """Have a shop know a customer by every way in; returns the customer's id and the ledgers' ids."""
    files = [sent(client, shop, lines) for lines in person.ledgers]
    day = dt.datetime.now(dt.UTC).date().isoformat()
    sale = {
        "date": "2025-10-06",
        "product_name": "Tea",
        "quantity": 1,
        "amount": 15,
        "customer_name": person.other_name,
    }
    by_hand = client.post("/api/transactions", json=sale, headers=shop.headers)
    assert by_hand.status_code == 201, by_hand.text
    found = read(client, shop, "customers", by_hand)["results"]
    ids = {item["name"]: item["id"] for item in found}
    number = ids[person.name]
    for answer in (
        client.patch(f"/api/customers/{number}", json=person.details, headers=shop.headers),
        client.post(
            f"/api/customers/{number}/merge", json={"customer_id": ids[person.other_name]}, headers=shop.headers
        ),
        client.post(
            "/api/cashflow/opening-debts",
            json={"customer_name": person.name, "customer_phone": person.phone, "amount": 500, "date": day},
            headers=shop.headers | {"Idempotency-Key": str(uuid.uuid4())},
        ),
        client.post(
            "/api/cashflow/collections", json={"customer_id": number, "amount": 5, "date": day}, headers=shop.headers
        ),
    ):
        assert answer.status_code in {200, 201}, answer.text
        read(client, shop, "customers", answer)
    return number, files


def erased(client: httpx.Client, shop: Shop, number: int) -> httpx.Response:
    """Erase a customer's personal data; returns the answer."""
    return client.delete(f"/api/customers/{number}/personal-data", headers=shop.headers)


def books(client: httpx.Client, shop: Shop, after: httpx.Response | None = None) -> dict[str, Any]:
    """Return every figure that a shop sees, without what is known of people."""
    pages = ("transactions", "business/profile", "customers", "cashflow", "cashflow/collections", "sales/series")
    return {page: anonymous(read(client, shop, page, after)) for page in pages}


def anonymous(data: Any) -> Any:  # noqa: ANN401 - JSON
    """Return an answer without the details of people."""
    if isinstance(data, list):
        return [anonymous(item) for item in data]
    if isinstance(data, dict):
        return {name: anonymous(value) for name, value in data.items() if name not in DETAILS}
    return data


def test_a_forgotten_customer_is_nowhere_and_every_sum_stays(
    client: httpx.Client, running: RunningSystem, shop: Shop, person: Person
) -> None:
    number, (named, _, rejected) = known(client, shop, person)
    replay = travel(client, shop, known_at=dt.datetime.now(dt.UTC).isoformat())
    before = books(client, shop)
    answer = erased(client, shop, number)
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"] == {"id": number, "deleted_files": [named, rejected], "open_files": []}
    assert books(client, shop, answer) == before
    item = read(client, shop, f"customers/{number}", answer)
    assert {item[detail] for detail in DETAILS - {"customer_name"}} == {None}

    shown = [client.get(f"/api/{path}", headers=shop.headers) for path in (*LISTS, f"customers/{number}")]
    shown += [client.get(f"/api/{path}?format=csv", headers=shop.headers) for path in ("customers", "transactions")]
    shown += [
        client.get(f"/api/{path}?q={person.name}", headers=shop.headers) for path in ("customers", "transactions")
    ]
    shown += [client.get(f"/api/explain?what=customer&id={number}", headers=shop.headers)]
    shown += [client.get(f"/api/data/uploads/{file_id}/errors.csv", headers=shop.headers) for file_id in (rejected,)]
    staff = staff_headers(running.container.settings)
    pages = ("events", "audit")
    shown += [client.get(f"/api/admin/{page}?business_id={shop.business_id}", headers=staff) for page in pages]
    texts = {str(each.url): each.text.casefold() for each in shown if each.status_code != 404}
    assert len(texts) >= 14
    assert {url: trace for url, text in texts.items() for trace in person.traces if trace in text} == {}
    assert read(client, shop, "customers", q=person.name)["count"] == 0

    gone = client.get("/api/customers", headers=shop.headers | {"X-Replay": replay})
    assert gone.status_code in {404, 410}, gone.text
    again = travel(client, shop, known_at=dt.datetime.now(dt.UTC).isoformat())
    past = client.get("/api/customers", headers=shop.headers | {"X-Replay": again})
    assert [trace for trace in person.traces if trace in past.text.casefold()] == []


def test_the_database_keeps_no_word_of_a_forgotten_customer(
    client: httpx.Client, running: RunningSystem, shop: Shop, person: Person
) -> None:
    number, _ = known(client, shop, person)
    travel(client, shop, known_at=dt.datetime.now(dt.UTC).isoformat())
    with running.container.connect_owner() as conn:
        rebuild_indexes(conn)  # other tests append events to the log that no command has decided
    answer = erased(client, shop, number)
    live = books(client, shop, answer)
    with running.container.connect_owner() as conn:
        of_the_ended_replay = {table for schema, table, _ in traces(conn, person.traces)}
        assert of_the_ended_replay <= {"people", "buyers"}
        generation_schemas.drop_unused(conn, after_seconds=0)
        assert traces(conn, person.traces) == []
        subjects = "SELECT count(*) FROM vault.keys WHERE subject ~ %s"
        assert conn.execute(subjects, (f"^customer-{shop.business_id}-{number}$",)).fetchone() == (0,)
        assert not any(index_differences(conn).values())
    for name in ("customers", "sales"):
        rebuild(source_of(running.container), REGISTRY[name], workers=0)
    assert books(client, shop, answer) == live


def test_a_forgotten_customer_keeps_debts_and_comes_back_as_somebody_new(
    client: httpx.Client, shop: Shop, person: Person
) -> None:
    number, _ = known(client, shop, person)
    erased(client, shop, number)
    day = dt.datetime.now(dt.UTC).date().isoformat()
    paid = {"customer_id": number, "amount": 7, "date": day}
    assert client.post("/api/cashflow/collections", json=paid, headers=shop.headers).status_code == 201
    for answer in (
        client.patch(f"/api/customers/{number}", json={"notes": "x"}, headers=shop.headers),
        client.post(f"/api/customers/{number}/merge", json={"customer_id": number + 1}, headers=shop.headers),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (409, "CUSTOMER_ERASED")
    file_id = sent(client, shop, f"2025-10-09,Tea,1,10,{person.name},{person.phone},Cash\n")
    upload_ = finished_upload(client, shop, file_id)
    found = read(client, shop, "customers", upload_)["results"]
    assert [item["id"] for item in found if item["name"] == person.name] not in ([], [number])


def test_forgetting_again_changes_nothing_and_strangers_and_merged_ones_are_refused(
    client: httpx.Client, shop: Shop, other_shop: Shop, person: Person
) -> None:
    number, _ = known(client, shop, person)
    assert erased(client, other_shop, number).status_code == 404
    assert erased(client, shop, 10**6).status_code == 404
    first, second = erased(client, shop, number), erased(client, shop, number)
    assert second.status_code == 202
    assert second.json()["data"] == {"id": number, "deleted_files": [], "open_files": []}
    assert second.headers["X-Event-Position"]
    assert first.json()["data"]["deleted_files"]


def test_a_merged_customer_is_forgotten_with_the_survivor(client: httpx.Client, shop: Shop, person: Person) -> None:
    number, _ = known(client, shop, person)
    (merged_id,) = read(client, shop, f"customers/{number}")["merged_ids"]
    refused = erased(client, shop, merged_id)
    assert (refused.status_code, refused.json()["error_code"]) == (409, "CUSTOMER_MERGED")
    answer = erased(client, shop, number)
    shown = read(client, shop, "transactions", answer)["results"]
    assert {item["customer_name"] for item in shown} == {None, "Karim"}


def test_an_upload_undone_after_its_customer_was_forgotten_brings_nobody_back(
    client: httpx.Client, running: RunningSystem, shop: Shop, person: Person
) -> None:
    number, (named, _, _) = known(client, shop, person)
    answer = erased(client, shop, number)
    before = read(client, shop, "transactions", answer)["results"]
    undone = client.post(f"/api/data/uploads/{named}/undo", json={}, headers=shop.headers)
    assert undone.status_code == 202, undone.text
    wait_until(lambda: read(client, shop, f"data/uploads/{named}", undone)["state"] == "undone")
    shown = client.get(f"/api/data/uploads/{named}", headers=shop.headers)
    assert number in shown.json()["data"]["undo"]["stays"]["customers"]
    after = read(client, shop, "transactions", shown)["results"]
    gone = [sale["amount"] for sale in before if sale not in after]
    assert sorted(gone) == [10, 20]
    item = read(client, shop, f"customers/{number}", shown)
    assert (item["name"], item["phone"]) == (None, None)
    with running.container.connect_owner() as conn:
        generation_schemas.drop_unused(conn, after_seconds=0)
        assert traces(conn, person.traces) == []
