"""Uploads that wait for their owner's answers, and the preview that asks the same."""

import json
from typing import Any

import httpx
import pytest

from tests.support.ledgers import read
from tests.support.shops import Shop, finished_upload
from tests.support.uploading import UPLOAD
from tests.support.waiting import wait_until

AMBIGUOUS = b"Date,Product,Quantity,Amount\n03/04/2025,Tea,2,40\n05/04/2025,Cake,1,60\n"
BAKI = (
    b"Date,Customer,Product,Qty,Total,Paid,Due\n2025-10-20,Rahim,Rice,1,3000,1000,2000\n"
    b"2025-10-22,Salma,Dal,2,260,0,260\n"
)
TILL = (
    b"Date,Receipt number,Receipt type,Item,Quantity,Net sales,Status\n"
    b"2025-10-20,1,Sale,Tea,2,40,Closed\n"
    b"2025-10-21,2,Refund,Tea,1,20,Closed\n"
    b"2025-10-21,3,Sale,Cake,1,60,Cancelled\n"
    b"2025-10-22,4,Sale,Cake,0,60,Closed\n"
)


def send(client: httpx.Client, shop: Shop, content: bytes, path: str = UPLOAD, **form: str) -> httpx.Response:
    return client.post(path, files={"file": ("a.csv", content)}, data=form, headers=shop.headers)


def preview(client: httpx.Client, shop: Shop, content: bytes, **form: str) -> dict[str, Any]:
    answer = send(client, shop, content, "/api/data/preview", **form)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def waiting(client: httpx.Client, shop: Shop, file_id: str) -> dict[str, Any]:
    """Return the upload once it waits for answers."""
    seen: list[dict[str, Any]] = []

    def waits() -> bool:
        seen.append(client.get(f"/api/data/uploads/{file_id}", headers=shop.headers).json()["data"])
        return bool(seen[-1]["state"] == "waiting")

    wait_until(waits)
    return seen[-1]


def test_an_upload_with_an_open_question_waits_for_its_answer(client: httpx.Client, shop: Shop) -> None:
    file_id = send(client, shop, AMBIGUOUS).json()["data"]["file_id"]
    shown = waiting(client, shop, file_id)
    (question,) = shown["questions"]
    assert (question["code"], question["columns"]) == ("DATE_ORDER", ["Date"])
    assert [(answer["value"], answer["proposed"]) for answer in question["answers"]] == [("dmy", True), ("mdy", False)]
    assert question["answers"][0]["sums"]["revenue"] == 100
    assert shown["created"] == 0
    path = f"/api/data/uploads/{file_id}/answers"
    wrong = client.post(path, json={"answers": {"DATE_ORDER": "never"}}, headers=shop.headers)
    assert (wrong.status_code, wrong.json()["error_code"]) == (400, "INVALID_REQUEST")
    answered = client.post(path, json={"answers": {"DATE_ORDER": "mdy"}}, headers=shop.headers)
    assert answered.status_code == 202, answered.text
    finished = finished_upload(client, shop, file_id, answered=answered)
    listed = read(client, shop, "/api/transactions", finished.headers["X-Event-Position"])
    assert [sale["date"][:10] for sale in listed["results"]] == ["2025-05-04", "2025-03-04"]
    again = client.post(path, json={"answers": {"DATE_ORDER": "dmy"}}, headers=shop.headers)
    assert (again.status_code, again.json()["error_code"]) == (409, "UPLOAD_NOT_WAITING")


def test_an_answer_is_proposed_for_the_next_ledger_of_the_layout(client: httpx.Client, shop: Shop) -> None:
    first = send(client, shop, AMBIGUOUS, answers=json.dumps({"DATE_ORDER": "mdy"})).json()["data"]["file_id"]
    assert finished_upload(client, shop, first).json()["data"]["state"] == "completed"
    again = preview(client, shop, AMBIGUOUS.replace(b"Tea", b"Milk"))
    assert [answer["value"] for answer in again["questions"][0]["answers"] if answer["proposed"]] == ["mdy"]
    assert again["remembered"] == {"answers": {"DATE_ORDER": "mdy"}, "mapping": {}}


def test_a_preview_reads_everything_and_writes_nothing(client: httpx.Client, shop: Shop) -> None:
    shown = preview(client, shop, BAKI)
    assert (shown["format"], shown["encoding"], shown["delimiter"], shown["header_row"]) == ("csv", "utf-8", ",", 1)
    assert shown["mapping"]["paid"]["column"] == "Paid"
    assert "Paid" in shown["mapping"]["paid"]["evidence"]
    assert shown["counts"] == {"created": 2, "duplicates": 0, "rejected": 0, "left_out": 0}
    assert shown["sums"] == {
        "revenue": 3260,
        "returns": 0,
        "net": 3260,
        "received": 1000,
        "owed": 2260,
        "expenses": 0,
    }
    assert [row["row"] for row in shown["sample"]] == [2, 3]
    assert (shown["sample"][0]["raw"][2], shown["sample"][0]["read"]["received"]) == ("Rice", 1000)
    assert client.get("/api/data/uploads", headers=shop.headers).json()["data"]["count"] == 0


def test_a_preview_says_what_an_upload_does(client: httpx.Client, shop: Shop) -> None:
    shown = preview(client, shop, TILL)
    assert shown["counts"] == {"created": 2, "duplicates": 0, "rejected": 1, "left_out": 1}
    assert [(reason["code"], reason["rows"]) for reason in shown["not_taken"]] == [
        ("CANCELLED_ROW", [4]),
        ("QUANTITY_OUT_OF_RANGE", [5]),
    ]
    finished = finished_upload(client, shop, send(client, shop, TILL).json()["data"]["file_id"])
    done = finished.json()["data"]
    assert {name: done[name] for name in shown["counts"]} == shown["counts"]
    assert done["rows"] == 4
    report = client.get(f"/api/data/uploads/{done['file_id']}/errors.csv", headers=shop.headers).text
    assert [line.split(",")[3] for line in report.splitlines()[1:]] == ["CANCELLED_ROW", "QUANTITY_OUT_OF_RANGE"]
    summary = read(client, shop, "/api/transactions", finished.headers["X-Event-Position"])["summary"]
    assert (summary["gross_revenue"], summary["returns"], summary["total_revenue"]) == (40, 20, 20)
    assert preview(client, shop, TILL)["counts"]["duplicates"] == 2


def test_a_part_payment_is_cash_and_baki(client: httpx.Client, shop: Shop) -> None:
    finished = finished_upload(client, shop, send(client, shop, BAKI).json()["data"]["file_id"])
    cash = read(client, shop, "/api/cashflow", finished.headers["X-Event-Position"])
    assert cash["receivables"]["total"] == 2260


def test_a_ledger_with_corrected_rows_is_asked_about(client: httpx.Client, shop: Shop) -> None:
    rows = [f"2025-10-{day:02},Rice,1,{400 + day},Rahim,Cash" for day in range(1, 11)]
    header = "Date,Product,Qty,Amount,Customer,Payment\n"
    finished_upload(client, shop, send(client, shop, (header + "\n".join(rows)).encode()).json()["data"]["file_id"])
    rows[3] = rows[3].replace("404", "440")
    shown = preview(client, shop, (header + "\n".join(rows)).encode())
    assert [question["code"] for question in shown["questions"]] == ["CORRECTED_ROWS"]
    assert (shown["counts"]["duplicates"], shown["counts"]["left_out"], shown["sums"]["net"]) == (9, 1, 3651)
    file_id = send(client, shop, (header + "\n".join(rows)).encode()).json()["data"]["file_id"]
    (question,) = waiting(client, shop, file_id)["questions"]
    assert (question["code"], question["rows"]) == ("CORRECTED_ROWS", [5])
    assert question == shown["questions"][0]
    assert [(answer["value"], answer["sums"]["net"]) for answer in question["answers"]] == [
        ("leave_out", 3651),
        ("add", 4091),
    ]
    added = preview(client, shop, (header + "\n".join(rows)).encode(), answers='{"CORRECTED_ROWS": "add"}')
    assert (added["questions"], added["counts"]["created"], added["sums"]["net"]) == ([], 1, 4091)
    path = f"/api/data/uploads/{file_id}/answers"
    answered = client.post(path, json={"answers": {"CORRECTED_ROWS": "leave_out"}}, headers=shop.headers)
    done = finished_upload(client, shop, file_id, answered=answered).json()["data"]
    assert (done["created"], done["duplicates"], done["left_out"]) == (0, 9, 1)


PEOPLE = "Date,Customer,Phone,Product,Qty,Total\n"


def upload_people(client: httpx.Client, shop: Shop, *rows: str) -> str:
    file_id: str = send(client, shop, (PEOPLE + "\n".join(rows)).encode()).json()["data"]["file_id"]
    return file_id


def people_of(client: httpx.Client, shop: Shop, position: str) -> dict[str, tuple[str | None, int]]:
    """Return phone and number of sales of each customer by name."""
    listed = read(client, shop, "/api/customers", position)["results"]
    return {c["name"]: (c["phone"], c["purchase_metrics"]["transaction_count"]) for c in listed}


@pytest.mark.parametrize(
    ("name", "proposed", "answer", "people"),
    [
        ("Salma", "several", "several", {"Rahim Mia": ("+8801712345678", 2), "Salma": (None, 1)}),
        ("Md. Rahim", "one", "one", {"Rahim Mia": ("+8801712345678", 3)}),
        ("Rahim Miah", "one", "several", {"Rahim Mia": ("+8801712345678", 2), "Rahim Miah": (None, 1)}),
    ],
)
def test_a_phone_of_a_known_customer_with_another_name_is_asked_about(
    client: httpx.Client, shop: Shop, name: str, proposed: str, answer: str, people: dict[str, tuple[str | None, int]]
) -> None:
    first = upload_people(client, shop, "2025-10-20,Rahim Mia,01712345678,Rice,1,300")
    finished = finished_upload(client, shop, first)
    known = read(client, shop, "/api/customers", finished.headers["X-Event-Position"])["results"][0]["id"]
    second = f"2025-10-21,{name},01712345678,Dal,1,200"
    (previewed,) = preview(client, shop, (PEOPLE + second).encode())["questions"]
    file_id = upload_people(client, shop, second, "2025-10-22,Sumi,,Dal,1,200")
    (question,) = waiting(client, shop, file_id)["questions"]
    assert question["code"] == previewed["code"] == f"KNOWN_PHONE:{known}"
    assert question["rows"] == [2]
    assert [a["value"] for a in question["answers"] if a["proposed"]] == [proposed]
    assert name not in question["message"]
    answered = client.post(
        f"/api/data/uploads/{file_id}/answers", json={"answers": {question["code"]: answer}}, headers=shop.headers
    )
    finished_upload(client, shop, file_id, answered=answered)
    third = upload_people(client, shop, "2025-10-23,RAHIM  mia,+8801712345678,Dal,1,200")
    done = finished_upload(client, shop, third)
    assert people_of(client, shop, done.headers["X-Event-Position"]) == people | {"Sumi": (None, 1)}


def test_the_known_customer_keeps_the_phone_in_a_ledger_where_another_name_has_it_too(
    client: httpx.Client, shop: Shop
) -> None:
    finished_upload(client, shop, upload_people(client, shop, "2025-10-20,Rahim,01712345678,Rice,1,300"))
    rows = ["2025-10-21,Salma,01712345678,Dal,1,200", "2025-10-22,Rahim,01712345678,Dal,1,200"]
    file_id = upload_people(client, shop, *rows)
    (question,) = waiting(client, shop, file_id)["questions"]
    assert question["code"] == "SHARED_PHONE:5678"
    answered = client.post(
        f"/api/data/uploads/{file_id}/answers", json={"answers": {question["code"]: "several"}}, headers=shop.headers
    )
    done = finished_upload(client, shop, file_id, answered=answered)
    assert people_of(client, shop, done.headers["X-Event-Position"]) == {
        "Rahim": ("+8801712345678", 2),
        "Salma": (None, 1),
    }


STRAY = [
    b"Date,Product,Qty,Amount\n2026-11-20,Caf\xe9,2,40\n2026-11-20,\xe0\xa6\x9a\xe0\xa6\xbe,1,20\n",
    b"Date,Product,Qty,Amount,Caf\xe9\n2026-11-20,Tea,2,40,\xe0\xa6\x9a\n",
    b"Date,Product,Qty,Amount,Type\n2026-11-20,Tea,2,40,Caf\xe9\n2026-11-20,Tea,2,40,\xe0\xa6\x9a\n",
    b"Date,Product,Qty,Amount,Status\n2026-11-20,Tea,2,40,Caf\xe9\n2026-11-20,Tea,2,40,\xe0\xa6\x9a\n",
    b"Date,Product,Qty,Amount,Payment\n2026-11-20,Tea,2,40,Caf\xe9\n2026-11-20,Tea,2,40,\xe0\xa6\x9a\n",
    b"Date,Product,Qty,Caf\xe9 amount\n03/04/2025,Tea,2,40\n05/04/2025,\xe0\xa6\x9a,1,20\n",
    (
        b"Date,Customer,Phone,Product,Qty,Amount\n2026-11-20,Caf\xe9,01712345678,Tea,2,40\n"
        b"2026-11-20,\xe0\xa6\x9a,01712345678,Tea,1,20\n"
    ),
    (
        b"Date,Customer Caf\xe9,Product,Qty,Total,Paid,Due\n2025-10-20,R\xe9,Rice,1,3000,1000,2000\n"
        b"2025-10-22,\xe0\xa6\x9a,Dal,2,260,0,270\n"
    ),
    b"D\xe9te,Prod\xe9ct,\xe0\xa6\x9a\n1,2,3\n",
]


@pytest.mark.parametrize("ledger", STRAY, ids=range(len(STRAY)))
def test_a_byte_of_another_encoding_is_shown_as_unreadable_by_preview_and_upload(
    client: httpx.Client, shop: Shop, ledger: bytes
) -> None:
    previewed = send(client, shop, ledger, "/api/data/preview")
    uploaded = send(client, shop, ledger)
    assert previewed.status_code in {200, 400}, previewed.text
    assert (uploaded.status_code == 400) == (previewed.status_code == 400)
    if uploaded.status_code == 400:
        assert uploaded.json()["error_code"] == previewed.json()["error_code"] == "INVALID_CSV_FORMAT"
        return
    file_id = uploaded.json()["data"]["file_id"]
    wait_until(lambda: shown_upload(client, shop, file_id)["state"] in {"completed", "waiting", "failed"})
    shown = shown_upload(client, shop, file_id)
    assert shown["state"] in {"completed", "waiting"}, shown
    assert [question["code"] for question in shown["questions"]] == [
        question["code"] for question in previewed.json()["data"]["questions"]
    ]


def shown_upload(client: httpx.Client, shop: Shop, file_id: str) -> dict[str, Any]:
    data: dict[str, Any] = client.get(f"/api/data/uploads/{file_id}", headers=shop.headers).json()["data"]
    return data


LOST = b"Date,Product,Qty,Amount\n2026-11-20,??? ????,2,40\n2026-11-20,????,1,20\n"


def test_a_ledger_whose_letters_were_lost_is_refused_by_preview_and_upload(client: httpx.Client, shop: Shop) -> None:
    answers = [send(client, shop, LOST, path) for path in (UPLOAD, "/api/data/preview")]
    assert [answer.status_code for answer in answers] == [400, 400]
    uploaded, previewed = (answer.json() for answer in answers)
    assert "UTF-8" in uploaded["suggestions"][0]
    assert [uploaded[name] for name in ("error_code", "message", "details")] == [
        previewed[name] for name in ("error_code", "message", "details")
    ]
    assert client.get("/api/data/uploads", headers=shop.headers).json()["data"]["count"] == 0
