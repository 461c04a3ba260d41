"""POST /data/upload-csv and GET /data/uploads, as documented."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conftest import RunningHouse, Shop, finished_upload, upload
from tests.journeys.ledgers import SAMPLE, books_of, imported, read
from tests.journeys.uploading import (
    FORM,
    RECEIPT,
    UPLOAD,
    form,
    kept,
    part,
    refusal,
    refused_in_both_languages,
    send_form,
    topics,
)
from write_side.identity.staff import create_staff

OTHER = SAMPLE.replace(b"Shirt", b"Sari")
UPLOAD_KEYS = {
    "file_id", "file_name", "data_source_name", "state", "rows", "created", "duplicates", "rejected", "progress",
    "created_at", "completed_at",
}  # fmt: skip
NOBODY = str(uuid.UUID(int=0))
DOORS = [
    ("POST", UPLOAD), ("POST", RECEIPT), ("GET", "/api/data/uploads"), ("GET", f"/api/data/uploads/{NOBODY}"),
    ("GET", f"/api/data/uploads/{NOBODY}/errors.csv"),
]  # fmt: skip
SECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def test_a_ledger_is_accepted_as_documented(client: httpx.Client, shop: Shop) -> None:
    answer = client.post(
        UPLOAD, files={"file": ("sales_may_2025.csv", SAMPLE)}, data={"data_source_name": " May 2025  Sales "},
        headers=shop.headers,
    )  # fmt: skip
    assert answer.status_code == 202
    body = answer.json()
    assert body.keys() == {"status", "data", "timestamp", "request_id"}
    assert body["status"] == "pending"
    assert SECONDS.fullmatch(body["timestamp"])
    assert answer.headers["X-Request-ID"] == str(uuid.UUID(body["request_id"]))
    data = body["data"]
    assert data == {
        "message": "Processing file...", "file_id": str(uuid.UUID(data["file_id"])),
        "file_name": "sales_may_2025.csv", "rows_detected": 2, "estimated_processing_time": 1,
    }  # fmt: skip
    assert type(data["estimated_processing_time"]) is int
    assert answer.headers["Location"] == f"/api/data/uploads/{data['file_id']}"
    finished = finished_upload(client, shop, data["file_id"]).json()["data"]
    assert finished["data_source_name"] == "May 2025 Sales"


def test_the_wait_is_announced_in_bangla_too(client: httpx.Client, shop: Shop) -> None:
    answer = client.post(UPLOAD, files={"file": ("a.csv", SAMPLE)}, headers=shop.headers | {"Accept-Language": "bn"})
    assert answer.json()["data"]["message"] == "ফাইল পড়া হচ্ছে..."


def test_the_documented_rows_become_transactions_products_and_customers(client: httpx.Client, shop: Shop) -> None:
    upload_, position = imported(client, shop, SAMPLE)
    assert {name: upload_[name] for name in ("state", "rows", "created", "duplicates", "rejected", "progress")} == {
        "state": "completed", "rows": 2, "created": 2, "duplicates": 0, "rejected": 0, "progress": 1,
    }  # fmt: skip
    transactions = read(client, shop, "/api/transactions", position)
    assert transactions["count"] == 2
    shown = ("date", "product_name", "quantity", "amount", "customer_name", "payment_method")
    assert [tuple(sale[name] for name in shown) for sale in transactions["results"]] == [
        ("2025-10-02T00:00:00+06:00", "Pants", 1, 1200, None, "bkash"),
        ("2025-10-01T00:00:00+06:00", "Shirt", 2, 600, "Ali", "cash"),
    ]
    assert transactions["summary"] | {"currency": ""} == {
        "total_revenue": 1800, "average_value": 900, "transaction_count": 2, "currency": "",
    }  # fmt: skip
    products = read(client, shop, "/api/products", position)["results"]
    assert {(product["name"], product["unit_price"]) for product in products} == {("Shirt", 300), ("Pants", 1200)}
    customers = read(client, shop, "/api/customers", position)["results"]
    assert [(customer["name"], customer["purchase_metrics"]["total_spent"]) for customer in customers] == [("Ali", 600)]
    profile = read(client, shop, "/api/business/profile", position)
    assert profile["stats"] == {
        "products": 2, "customers": 1, "total_transactions": 2, "total_revenue": 1800,
        "last_transaction_date": "2025-10-02",
    }  # fmt: skip
    assert profile["data_sources"] == ["csv"]


def test_the_ledger_of_the_documented_test_creates_two_of_everything(client: httpx.Client, shop: Shop) -> None:
    content = b"Date,Product,Quantity,Amount,Customer\n2025-10-01,Shirt,2,600,Ali\n2025-10-02,Pants,1,1200,Fatema\n"
    _, position = imported(client, shop, content)
    counts = [
        read(client, shop, f"/api/{name}", position)["count"] for name in ("transactions", "products", "customers")
    ]
    assert counts == [2, 2, 2]


def test_four_columns_are_enough(client: httpx.Client, shop: Shop) -> None:
    upload_ = imported(client, shop, b"Date,Product,Quantity,Amount\n2025-10-01,Shirt,2,600\n")
    assert upload_.counts == (1, 0, 0)
    (sale,) = read(client, shop, "/api/transactions", upload_.position)["results"]
    assert (sale["customer_name"], sale["payment_method"]) == (None, None)


def test_uploads_are_listed_newest_first(client: httpx.Client, shop: Shop) -> None:
    for number in range(3):
        _, position = imported(client, shop, SAMPLE.replace(b"Shirt", b"Shirt %d" % number), name=f"{number}.csv")
    page = read(client, shop, "/api/data/uploads", position, limit="2")
    assert page["count"] == 3
    assert [item["file_name"] for item in page["results"]] == ["2.csv", "1.csv"]
    assert page["results"][0].keys() == UPLOAD_KEYS
    assert page["previous"] is None
    rest = client.get(page["next"], headers=shop.headers).json()["data"]
    assert [item["file_name"] for item in rest["results"]] == ["0.csv"]
    assert rest["next"] is None


def test_an_upload_shows_state_counts_and_times(client: httpx.Client, shop: Shop) -> None:
    content = SAMPLE + b"2025-10-03,Shirt,0,600,,\n2025-10-04,Shirt,1,300,,\n"
    imported(client, shop, SAMPLE)
    upload_ = imported(client, shop, content)
    assert upload_.counts == (1, 2, 1)
    assert upload_.data.keys() == UPLOAD_KEYS | {"warnings", "error"}
    assert (upload_.data["state"], upload_.data["error"], upload_.data["warnings"]) == ("completed", None, [])
    assert SECONDS.fullmatch(upload_.data["created_at"])
    assert SECONDS.fullmatch(upload_.data["completed_at"])


def test_the_position_of_the_answer_shows_the_upload_at_once(client: httpx.Client, shop: Shop) -> None:
    for number in range(10):
        answer = upload(client, shop, SAMPLE.replace(b"Shirt", b"Shirt %d" % number))
        file_id, position = answer.json()["data"]["file_id"], answer.headers["X-Event-Position"]
        page = read(client, shop, "/api/data/uploads", position)
        assert (page["count"], page["results"][0]["file_id"]) == (number + 1, file_id)
        assert read(client, shop, f"/api/data/uploads/{file_id}", position)["file_id"] == file_id


def test_the_position_of_the_end_shows_every_row(client: httpx.Client, shop: Shop) -> None:
    for number in range(3):
        rows = b"".join(b"2025-10-01,Tea %d,1,%d,,\n" % (number, amount) for amount in range(1, 1201))
        content = SAMPLE.partition(b"\n")[0] + b"\n" + rows
        answer = upload(client, shop, content)
        finished = finished_upload(client, shop, answer.json()["data"]["file_id"])
        position = finished.headers["X-Event-Position"]
        assert read(client, shop, "/api/transactions", position)["count"] == 1200 * (number + 1)
        assert read(client, shop, "/api/products", position)["count"] == number + 1


def test_the_same_key_and_file_answer_the_same_and_import_once(
    client: httpx.Client, shop: Shop, running: RunningHouse
) -> None:
    def send(_: int) -> httpx.Response:
        headers = shop.headers | {"Idempotency-Key": "may-2025"}
        return client.post(UPLOAD, files={"file": ("may.csv", SAMPLE)}, headers=headers)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    answers.append(send(4))
    assert {answer.status_code for answer in answers} == {202}
    assert len({str(answer.json()["data"]) for answer in answers}) == 1
    finished_upload(client, shop, answers[0].json()["data"]["file_id"])
    assert topics(running, shop).count("sales.UploadAccepted") == 1
    assert kept(running, shop).parts == 1
    assert read(client, shop, "/api/data/uploads", answers[0].headers["X-Event-Position"])["count"] == 1


@pytest.mark.parametrize(
    ("content", "query"), [(OTHER, ""), (SAMPLE, "?dedupe=off"), (SAMPLE, "?date_order=dmy")],
    ids=["another file", "twins", "another date order"],
)  # fmt: skip
def test_a_key_that_stood_for_another_upload_is_refused(
    client: httpx.Client, shop: Shop, running: RunningHouse, content: bytes, query: str
) -> None:
    headers = shop.headers | {"Idempotency-Key": "may-2025"}
    first = client.post(UPLOAD, files={"file": ("may.csv", SAMPLE)}, headers=headers)
    finished_upload(client, shop, first.json()["data"]["file_id"])
    before = kept(running, shop)

    def send(more: dict[str, str]) -> httpx.Response:
        return client.post(UPLOAD + query, files={"file": ("may.csv", content)}, headers=headers | more)

    refused_in_both_languages(send, 422, "IDEMPOTENCY_KEY_REUSED")
    assert kept(running, shop) == before


def test_keys_of_two_shops_have_nothing_to_do_with_each_other(
    client: httpx.Client, shop: Shop, other_shop: Shop
) -> None:
    key = {"Idempotency-Key": "1"}
    answers = [
        client.post(UPLOAD, files={"file": ("a", SAMPLE)}, headers=who.headers | key) for who in (shop, other_shop)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["data"]["file_id"] for answer in answers}) == 2


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("dedupe=maybe", "dedupe"), ("dedupe=", "dedupe"), ("dedupe=on&dedupe=off", "dedupe"), ("dedup=off", "dedup"),
        ("date_order=1", "date_order"), ("date_order=dym", "date_order"), ("limit=5", "limit"),
    ],
)  # fmt: skip
def test_wrong_query_parameters_are_refused_not_ignored(
    client: httpx.Client, shop: Shop, running: RunningHouse, query: str, names: str
) -> None:
    before = kept(running, shop)
    answer = client.post(f"{UPLOAD}?{query}", files={"file": ("a.csv", SAMPLE)}, headers=shop.headers)
    assert names in refusal(answer, 400, "INVALID_QUERY")["message"]
    assert kept(running, shop) == before


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_who_is_not_logged_in_gets_401(client: httpx.Client, method: str, path: str) -> None:
    body: dict[str, Any] = {"files": {"file": ("a.csv", SAMPLE)}} if method == "POST" else {}

    def send(headers: dict[str, str]) -> httpx.Response:
        return client.request(method, path, headers=headers, **body)

    refused_in_both_languages(send, 401, "NOT_AUTHENTICATED")
    assert send({}).headers["WWW-Authenticate"] == "Bearer"
    assert send({"Authorization": "Bearer nonsense"}).status_code == 401


def test_staff_without_a_shop_may_not_upload(client: httpx.Client, running: RunningHouse) -> None:
    store = running.house.store(pool_size=1)
    email = f"staff-{uuid.uuid4().hex}@shop.bd"
    create_staff(store, email, "Operator", "SecurePass123")
    store.close()
    login = client.post("/api/auth/login", json={"email": email, "password": "SecurePass123"}).json()["data"]
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    for method, path in DOORS:
        refusal(client.request(method, path, headers=headers), 403, "FORBIDDEN")


def test_two_shops_never_see_each_others_uploads(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    mine = imported(client, shop, SAMPLE + b"2025-10-03,Secret,0,1,,\n")
    theirs = imported(client, other_shop, SAMPLE)
    assert theirs.counts == (2, 0, 0)  # what one shop uploaded is no duplicate in another
    (listed,) = read(client, other_shop, "/api/data/uploads", theirs.position)["results"]
    assert listed["file_id"] == theirs.data["file_id"]
    for path in ("", "/errors.csv"):
        path = f"/api/data/uploads/{mine.data['file_id']}{path}"  # noqa: PLW2901
        assert client.get(path, headers=shop.headers).status_code == 200
        refusal(client.get(path, headers=other_shop.headers), 404, "NOT_FOUND")
    assert books_of(client, other_shop, theirs.position).count == 2
    foreign = other_shop.headers | {"X-Min-Event-Position": mine.position}
    refusal(client.get("/api/data/uploads", headers=foreign), 400, "INVALID_POSITION")


@pytest.mark.parametrize("file_id", [NOBODY, "1", "..%2f..%2fetc", "%F0%9F%92%A5", "a" * 5000])
@pytest.mark.parametrize("path", ["", "/errors.csv"])
def test_an_unknown_upload_is_not_found(client: httpx.Client, shop: Shop, file_id: str, path: str) -> None:
    def send(headers: dict[str, str]) -> httpx.Response:
        return client.get(f"/api/data/uploads/{file_id}{path}", headers=shop.headers | headers)

    refused_in_both_languages(send, 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"../../etc/passwd", "passwd"), (rb"C:\\shop\\may.csv", "may.csv"), (b"a\0b.csv", "ab.csv"),
        ("\u202egnp.csv".encode(), "gnp.csv"), ("বিক্রি মে.csv".encode(), "বিক্রি মে.csv"), (b"", "upload"),
        (rb"q\"uote.csv", 'q"uote.csv'), (b"a%0d%0ab.csv", "a%0d%0ab.csv"), (b"x" * 5000, "x" * 255),
        (b"\xff\xfe.csv", ".csv"), (b"/", "upload"), (b"<b>.csv", "<b>.csv"),
    ],
    ids=["path", "windows", "nul", "direction", "bangla", "empty", "quote", "lines", "long", "bytes", "slash", "tag"],
)  # fmt: skip
def test_a_hostile_file_name_is_shown_harmless_and_used_for_nothing(
    client: httpx.Client, shop: Shop, running: RunningHouse, name: bytes, shown: str
) -> None:
    answer = send_form(client, shop, form(part("file", SAMPLE, name)))
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"]["file_name"] == shown
    assert finished_upload(client, shop, answer.json()["data"]["file_id"]).json()["data"]["created"] == 2
    assert kept(running, shop).parts == 1


def test_a_line_end_in_a_file_name_breaks_the_form_not_the_house(client: httpx.Client, shop: Shop) -> None:
    refusal(send_form(client, shop, form(part("file", SAMPLE, b'a"\r\nX: y\0\r\n.csv'))), 400, "INVALID_REQUEST")


def test_the_name_of_the_source_may_be_any_printable_text(client: httpx.Client, shop: Shop) -> None:
    body = form(part("data_source_name", "মে ২০২৫ 🎉".encode()), part("file", SAMPLE, b"a.csv"))
    answer = send_form(client, shop, body, content_type=FORM)
    finished = finished_upload(client, shop, answer.json()["data"]["file_id"])
    assert finished.json()["data"]["data_source_name"] == "মে ২০২৫ 🎉"
