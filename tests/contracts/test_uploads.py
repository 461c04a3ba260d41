"""POST /data/upload-csv and GET /data/uploads, as documented."""

import re
import uuid

import httpx
import pytest

from tests.support.ledgers import SAMPLE, imported, read
from tests.support.shops import Shop, finished_upload, upload
from tests.support.uploading import RECEIPT, UPLOAD

UPLOAD_KEYS = {
    "file_id",
    "file_name",
    "data_source_name",
    "state",
    "rows",
    "created",
    "duplicates",
    "rejected",
    "left_out",
    "progress",
    "created_at",
    "completed_at",
}
SECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def test_a_ledger_is_accepted_as_documented(client: httpx.Client, shop: Shop) -> None:
    answer = client.post(
        UPLOAD,
        files={"file": ("sales_may_2025.csv", SAMPLE)},
        data={"data_source_name": " May 2025  Sales "},
        headers=shop.headers,
    )
    assert answer.status_code == 202
    body = answer.json()
    assert body.keys() == {"status", "data", "timestamp", "request_id"}
    assert body["status"] == "pending"
    assert SECONDS.fullmatch(body["timestamp"])
    assert answer.headers["X-Request-ID"] == str(uuid.UUID(body["request_id"]))
    data = body["data"]
    assert data == {
        "message": "Processing file...",
        "file_id": str(uuid.UUID(data["file_id"])),
        "file_name": "sales_may_2025.csv",
        "rows_detected": 2,
        "estimated_processing_time": 1,
    }
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
        "state": "completed",
        "rows": 2,
        "created": 2,
        "duplicates": 0,
        "rejected": 0,
        "progress": 1,
    }
    transactions = read(client, shop, "/api/transactions", position)
    assert transactions["count"] == 2
    shown = ("date", "product_name", "quantity", "amount", "customer_name", "payment_method")
    assert [tuple(sale[name] for name in shown) for sale in transactions["results"]] == [
        ("2025-10-02T00:00:00+06:00", "Pants", 1, 1200, None, "bkash"),
        ("2025-10-01T00:00:00+06:00", "Shirt", 2, 600, "Ali", "cash"),
    ]
    assert transactions["summary"] | {"currency": ""} == {
        "gross_revenue": 1800,
        "returns": 0,
        "total_revenue": 1800,
        "average_value": 900,
        "transaction_count": 2,
        "currency": "",
    }
    products = read(client, shop, "/api/products", position)["results"]
    assert {(product["name"], product["unit_price"]) for product in products} == {("Shirt", 300), ("Pants", 1200)}
    customers = read(client, shop, "/api/customers", position)["results"]
    assert [(customer["name"], customer["purchase_metrics"]["total_spent"]) for customer in customers] == [("Ali", 600)]
    profile = read(client, shop, "/api/business/profile", position)
    assert profile["stats"] == {
        "products": 2,
        "customers": 1,
        "total_transactions": 2,
        "total_revenue": 1800,
        "last_transaction_date": "2025-10-02",
    }
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


@pytest.mark.parametrize(
    "content",
    [
        SAMPLE.rstrip(b"\n"),
        SAMPLE.replace(b"\n", b"\r\n"),
        SAMPLE.replace(b"\n", b"\r"),
        SAMPLE.decode().encode("utf-16"),
        b"\xfe\xff" + SAMPLE.decode().encode("utf-16-be"),
        b"\xef\xbb\xbf" + SAMPLE,
    ],
    ids=["no end", "CRLF", "CR", "UTF-16", "UTF-16 BE", "BOM"],
)
def test_as_many_rows_are_announced_as_are_read(client: httpx.Client, shop: Shop, content: bytes) -> None:
    answer = upload(client, shop, content)
    assert answer.json()["data"]["rows_detected"] == 2
    assert finished_upload(client, shop, answer.json()["data"]["file_id"]).json()["data"]["created"] == 2


def test_the_wait_is_announced_in_whole_seconds_that_grow_with_the_file(client: httpx.Client, shop: Shop) -> None:
    answer = upload(client, shop, SAMPLE + b"bad\n" * 100_000)
    assert answer.json()["data"]["estimated_processing_time"] == 7


def test_uploads_are_listed_newest_first(client: httpx.Client, shop: Shop) -> None:
    uploads = [
        imported(client, shop, b"%b2025-10-0%d,Tea,1,9,,\n" % (SAMPLE, 2 + n), name=f"{n}.csv") for n in range(1, 4)
    ]
    position = uploads[-1].position
    page = read(client, shop, "/api/data/uploads", position, limit="2")
    assert page["count"] == 3
    assert [item["file_name"] for item in page["results"]] == ["3.csv", "2.csv"]
    assert page["results"][0].keys() == UPLOAD_KEYS
    assert page["previous"] is None
    rest = client.get(page["next"], headers=shop.headers).json()["data"]
    assert [item["file_name"] for item in rest["results"]] == ["1.csv"]
    assert rest["next"] is None


def test_an_upload_shows_state_counts_and_times(client: httpx.Client, shop: Shop) -> None:
    content = SAMPLE + b"2025-10-03,Shirt,0,600,,\n2025-10-04,Shirt,1,300,,\n"
    imported(client, shop, SAMPLE)
    upload_ = imported(client, shop, content)
    assert upload_.counts == (1, 2, 1)
    assert upload_.data.keys() == UPLOAD_KEYS | {"warnings", "questions", "error", "undo"}
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


def test_the_documentation_names_what_uploads_are_refused_for(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    ledger, receipt = (paths[path]["post"] for path in (UPLOAD, RECEIPT))
    assert {"INVALID_CSV_FORMAT", "FILE_TOO_LARGE", "TOO_MANY_UPLOADS", "IDEMPOTENCY_KEY_REUSED"} <= {
        *ledger["x-error-codes"]
    }
    assert {"INVALID_IMAGE_FORMAT", "FILE_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"} <= {*receipt["x-error-codes"]}
    for operation in (ledger, receipt):
        assert operation["responses"]["202"]["content"]["application/json"]["example"]["status"] == "pending"
    report = paths["/api/data/uploads/{file_id}/errors.csv"]["get"]
    assert report["responses"]["200"]["content"]["text/csv"]["example"]
