"""Whatever is sent as a ledger gets an answer that helps, and costs the shop nothing it has."""

import random
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.hostile_files import HOSTILE, SOUND
from tests.support.ledgers import LIMIT, SAMPLE, errors_of, imported, read, written
from tests.support.pictures import PNG
from tests.support.shops import Shop, finished_upload, upload
from tests.support.uploading import (
    BANGLA,
    UPLOAD,
    form,
    kept,
    part,
    refusal,
    refused_in_both_languages,
    send_form,
    shop_for_refusals,
)
from tests.support.waiting import wait_until

PREVIEW = "/api/data/preview"
HEAD = SAMPLE.partition(b"\n")[0] + b"\n"
GOOD = b"2025-10-01,Good Tea,1,20,,\n"

NO_LEDGERS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "empty": (b"", {"reason": "empty"}),
    "blank lines": (b"\n \r\n,,,\n", {"reason": "empty"}),
    "a mark only": (b"\xef\xbb\xbf", {"reason": "empty"}),
    "header only": (HEAD, {"reason": "header_only"}),
    "header and blank lines": (HEAD + b",,,,,\n\n", {"reason": "header_only"}),
    "no header": (GOOD, {"reason": "missing_columns", "missing": ["Date", "Product", "Quantity", "Amount"]}),
    "missing columns": (
        b"Date,Item,Price\n2025-10-01,Tea,20\n",
        {"reason": "missing_columns", "missing": ["Quantity"], "found": ["Date", "Item", "Price"]},
    ),
    "a delimiter of its own": (SAMPLE.replace(b",", b"^"), {"reason": "missing_columns"}),
    "two amounts": (b"Date,Product,Quantity,Amount,Amount\n2025-10-01,Tea,1,2,3\n", {"reason": "duplicate_column"}),
    "10,000 columns": (b",".join(b"c%d" % n for n in range(10_000)) + b"\n1\n", {"reason": "too_many_columns"}),
    "10,000 nameless columns": (b"," * 9_999 + b"\n1\n", {"reason": "missing_columns"}),
    "NUL in the header": (SAMPLE.replace(b"Amount", b"Amo\0unt"), {"reason": "binary"}),
    "NUL only": (bytes(100_000), {"reason": "binary"}),
    "a picture": (PNG, {"reason": "binary", "kind": "picture"}),
    "a workbook": (b"PK\x03\x04" + bytes(500), {"reason": "binary", "kind": "spreadsheet"}),
    "a document": (b"%PDF-1.7\n%\xe2\xe3", {"reason": "binary", "kind": "pdf"}),
    "an archive": (b"\x1f\x8b\x08" + bytes(500), {"reason": "binary", "kind": "archive"}),
    "noise": (random.Random(5).randbytes(50_000), {}),  # noqa: S311 - no secret
    "JSON": (b'{"Date": "2025-10-01"}', {"reason": "missing_columns"}),
    "lone surrogates only": ("\ud800\udfff\udc00".encode("utf-16-le", "surrogatepass"), {}),
}


@pytest.fixture(scope="module")
def unlucky(running: RunningSystem) -> Shop:
    """A shop of which nothing is accepted."""
    return shop_for_refusals(running)


@pytest.mark.parametrize("case", NO_LEDGERS)
def test_a_file_that_is_no_ledger_is_refused_with_a_reason(
    client: httpx.Client, unlucky: Shop, running: RunningSystem, case: str
) -> None:
    content, expected = NO_LEDGERS[case]
    before = kept(running, unlucky)

    def send(headers: dict[str, str]) -> httpx.Response:
        return client.post(UPLOAD, files={"file": ("a.csv", content, "text/csv")}, headers=unlucky.headers | headers)

    details = refused_in_both_languages(send, 400, "INVALID_CSV_FORMAT")
    assert details | expected == details
    for missing in expected.get("missing", []):
        assert missing in send({"Accept-Language": "en"}).json()["message"]
    assert kept(running, unlucky) == before


@pytest.mark.parametrize("route", [UPLOAD, PREVIEW])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_workbook_that_cannot_be_read_is_refused_with_a_reason(
    client: httpx.Client, unlucky: Shop, running: RunningSystem, case: str, route: str
) -> None:
    reason, made = HOSTILE[case]
    content = made()
    before = kept(running, unlucky)

    def send(headers: dict[str, str]) -> httpx.Response:
        return client.post(route, files={"file": ("sales.xlsx", content)}, headers=unlucky.headers | headers)

    assert refused_in_both_languages(send, 400, "INVALID_CSV_FORMAT")["reason"] == reason
    assert kept(running, unlucky) == before


@pytest.mark.parametrize("case", SOUND)
def test_a_ledger_is_read_under_any_file_name(client: httpx.Client, shop: Shop, case: str) -> None:
    name, made = SOUND[case]
    content = made()
    seen = client.post(PREVIEW, files={"file": (name, content)}, headers=shop.headers)
    assert (seen.status_code, seen.json()["data"]["rows"]) == (200, 1), seen.text
    sent = client.post(f"{UPLOAD}?dedupe=off", files={"file": (name, content)}, headers=shop.headers)
    assert finished_upload(client, shop, sent.json()["data"]["file_id"]).json()["data"]["created"] == 1


# What a row holds, and the code it is rejected with; the next row is read all the same.
BAD_ROWS: dict[str, tuple[bytes, str]] = {
    "a cell of 10 KB": (b"2025-10-01," + b"x" * 10_240 + b",1,20,,\n", "NAME_TOO_LONG"),
    "a number of 10 KB": (b"2025-10-01,Tea," + b"1" * 10_240 + b",20,,\n", "INVALID_NUMBER"),
    "a date of 10 KB": (b"2" * 10_240 + b",Tea,1,20,,\n", "INVALID_DATE"),
    "10,000 cells": (b"2025-10-01,Tea,1,20,," + b",x" * 10_000 + b"\n", "TOO_MANY_CELLS"),
    "three cells": (b"2025-10-01,Tea,1\n", "TOO_FEW_CELLS"),
    "NUL": (b"2025-10-01,T\0ea,1,20,,\n", "INVALID_CHARACTER"),
    "NUL in a number": (b"2025-10-01,Tea,1\0,20,,\n", "INVALID_NUMBER"),
    "escape codes": (b"2025-10-01,\x1b[31mTea,1,20,,\n", "INVALID_CHARACTER"),
    "turned text": ("2025-10-01,\u202eaeT,1,20,,\n".encode(), "INVALID_CHARACTER"),
    "broken UTF-8": ("2025-10-01,চা পাতা".encode() + b"\xe0\xa6" + b",1,20,,\n", "INVALID_CHARACTER"),
    "a lone surrogate": ("2025-10-01,চা পাতা".encode() + b"\xed\xa0\x80,1,20,,\n", "INVALID_CHARACTER"),
    "an open quote": (b'2025-10-01,"Tea,1,20,,\n', "UNCLOSED_QUOTE"),
    "a line of 1 MB": (b"2025-10-01," + b"x" * 1_000_000 + b",1,20,,\n", "ROW_TOO_LONG"),
    "1e3": (b"2025-10-01,Tea,1e3,20,,\n", "INVALID_NUMBER"),
    "NaN": (b"2025-10-01,Tea,NaN,20,,\n", "INVALID_NUMBER"),
    "infinity": (b"2025-10-01,Tea,1,Infinity,,\n", "INVALID_NUMBER"),
    "Python's digits": (b"2025-10-01,Tea,1_0,20,,\n", "INVALID_NUMBER"),
    "month 13": (b"2025-13-01,Tea,1,20,,\n", "INVALID_DATE"),
    "year 0": (b"0000-01-01,Tea,1,20,,\n", "INVALID_DATE"),
}


def test_bad_rows_are_rejected_one_by_one_and_good_ones_between_them_kept(client: httpx.Client, shop: Shop) -> None:
    content = HEAD + GOOD + b"".join(row + GOOD for row, _ in BAD_ROWS.values())
    upload_ = imported(client, shop, content)
    assert upload_.counts == (len(BAD_ROWS) + 1, 0, len(BAD_ROWS))
    reported = errors_of(client, shop, upload_.data["file_id"])
    assert {case: row["code"] for case, row in zip(BAD_ROWS, reported, strict=True)} == {
        case: code for case, (_, code) in BAD_ROWS.items()
    }
    assert [int(row["row"]) for row in reported] == list(range(3, 3 + 2 * len(BAD_ROWS), 2))
    assert max(len(row["value"]) for row in reported) <= 201
    assert not any("\0" in cell for row in reported for cell in (row["value"], row["Product"]))
    products = read(client, shop, "/api/products", upload_.position)
    assert [product["name"] for product in products["results"]] == ["Good Tea"]


def test_an_open_quote_in_the_header_loses_no_row(client: httpx.Client, shop: Shop) -> None:
    answer = upload(client, shop, b'Date,"Product,Quantity,Amount\n' + b"2025-10-01,Tea,1,20\n" * 30)
    if answer.status_code == 202:
        assert finished_upload(client, shop, answer.json()["data"]["file_id"]).json()["data"]["rows"] == 30
    else:
        refusal(answer, 400, "INVALID_CSV_FORMAT")


def test_lone_surrogates_in_utf_16_cost_their_rows_only(client: httpx.Client, shop: Shop) -> None:
    text = HEAD.decode() + "2025-10-01,Tea\ud800,1,20,,\n" + GOOD.decode() + "2025-10-01,\udc00,1,20,,\n"
    upload_ = imported(client, shop, b"\xff\xfe" + text.encode("utf-16-le", "surrogatepass"))
    assert upload_.counts == (1, 0, 2)
    codes = {row["code"] for row in errors_of(client, shop, upload_.data["file_id"])}
    assert codes == {"INVALID_CHARACTER"}


def test_a_quote_that_never_ends_costs_one_row_of_ten_megabytes(client: httpx.Client, shop: Shop) -> None:
    row = b"2025-10-01,Tea %05d" + b"x" * 240 + b",1,20,,\n"
    opened = b'2025-10-01,"Tea,1,20,,\n'
    count = (LIMIT - len(HEAD) - len(opened)) // len(row % 0)
    content = HEAD + opened + b"".join(row % (number % 50) for number in range(count))
    assert LIMIT - 300 < len(content) <= LIMIT
    upload_ = imported(client, shop, content)
    assert upload_.counts == (count, 0, 1)
    (reported,) = errors_of(client, shop, upload_.data["file_id"])
    assert (reported["row"], reported["code"]) == ("2", "UNCLOSED_QUOTE")


def test_ten_megabytes_within_one_quote_are_one_bad_row(client: httpx.Client, shop: Shop) -> None:
    upload_ = imported(client, shop, SAMPLE + b'2025-10-01,"' + b"x" * 10_000_000)
    assert upload_.counts == (2, 0, 1)


def test_a_quarter_of_a_million_rows_is_the_most_a_ledger_may_have(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    content = HEAD + b"2025-10-01,T,0,5\n" * 250_001
    answer = upload(client, shop, content)
    assert answer.json()["data"]["rows_detected"] == 250_001
    before = kept(running, shop)
    failed = failure(client, shop, answer, "TOO_MANY_ROWS")
    assert "250,000" in failed["message"]
    after = kept(running, shop)
    assert (after.events, after.rejections) == (before.events + 1, 0)


def failure(client: httpx.Client, shop: Shop, answer: httpx.Response, code: str) -> dict[str, Any]:
    """Return why an accepted upload failed; it is explained in both languages, and no row was read."""
    file_id = answer.json()["data"]["file_id"]
    data = finished_upload(client, shop, file_id).json()["data"]
    assert (data["state"], data["rows"], data["created"]) == ("failed", 0, 0)
    bangla = client.get(f"/api/data/uploads/{file_id}", headers=shop.headers | {"Accept-Language": "bn"})
    assert BANGLA.search(bangla.json()["data"]["error"]["message"])
    error: dict[str, Any] = data["error"]
    assert error["code"] == code
    assert error["suggestions"]
    return error


def question(client: httpx.Client, shop: Shop, answer: httpx.Response) -> dict[str, Any]:
    """Return the only question of an upload, which waits for the order of its dates."""
    assert answer.status_code == 202
    path = f"/api/data/uploads/{answer.json()['data']['file_id']}"
    wait_until(lambda: client.get(path, headers=shop.headers).json()["data"]["state"] == "waiting")
    (asked,) = client.get(path, headers=shop.headers).json()["data"]["questions"]
    assert asked["code"] == "DATE_ORDER"
    found: dict[str, Any] = asked
    return found


AMBIGUOUS = b"Date,Product,Quantity,Amount\n03/04/2025,Tea,1,20\n05/06/2025,Tea,2,40\n"


@pytest.mark.parametrize(
    ("order", "dates"), [("dmy", ["2025-06-05", "2025-04-03"]), ("mdy", ["2025-05-06", "2025-03-04"])]
)
def test_ambiguous_dates_are_asked_about_and_read_as_chosen(
    client: httpx.Client, shop: Shop, order: str, dates: list[str]
) -> None:
    asked = question(client, shop, upload(client, shop, AMBIGUOUS))
    assert [answer["value"] for answer in asked["answers"]] == ["dmy", "mdy"]
    assert "03/04/2025" in asked["message"]
    chosen = imported(client, shop, AMBIGUOUS, params={"date_order": order})
    assert chosen.counts == (2, 0, 0)
    sales = read(client, shop, "/api/transactions", chosen.position)["results"]
    assert [sale["date"][:10] for sale in sales] == dates
    assert imported(client, shop, AMBIGUOUS, params={"date_order": order}).counts == (0, 2, 0)


def test_dates_that_contradict_each_other_are_asked_about(client: httpx.Client, shop: Shop) -> None:
    content = b"Date,Product,Quantity,Amount\n13/04/2025,Tea,1,20\n04/13/2025,Tea,2,40\n"
    question(client, shop, upload(client, shop, content))
    assert imported(client, shop, content, params={"date_order": "mdy"}).counts == (1, 0, 1)


def test_after_all_that_the_shop_has_what_it_had(client: httpx.Client, shop: Shop) -> None:
    first = imported(client, shop, SAMPLE)
    assert first.counts == (2, 0, 0)
    answers = [upload(client, shop, content) for content, _ in NO_LEDGERS.values()]
    answers += [send_form(client, shop, form(part("file", content, b"a.csv"))[:-9]) for content in (HEAD, SAMPLE)]
    assert {answer.status_code for answer in answers} == {400}
    last = imported(client, shop, SAMPLE + written([["2025-10-05", "Tea", "1", "20", "", ""]]).partition(b"\n")[2])
    assert last.counts == (1, 2, 0)
    assert read(client, shop, "/api/transactions", last.position)["summary"]["total_revenue"] == 1820
    assert read(client, shop, "/api/data/uploads", last.position)["count"] == 2
