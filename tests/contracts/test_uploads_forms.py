"""The form a ledger comes in: broken ones are refused, hostile names harmless."""

from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.ledgers import SAMPLE
from tests.support.shops import Shop, finished_upload
from tests.support.uploading import (
    BOUNDARY,
    FORM,
    UPLOAD,
    form,
    kept,
    part,
    refusal,
    refused_in_both_languages,
    send_form,
    shop_for_refusals,
)

FILE = part("file", SAMPLE, b"a.csv")
BROKEN_FORMS: dict[str, bytes] = {
    "nothing": b"",
    "no form": b"garbage",
    "no part": form(),
    "cut within the file": form(FILE)[: -len(BOUNDARY) - 40],
    "no boundary at the end": FILE,
    "half a boundary at the end": form(FILE)[:-6],
    "another boundary": form(FILE).replace(BOUNDARY.encode(), b"other"),
    "NUL in a header's name": form(FILE).replace(b"Content-Disposition", b"Content\0Disposition"),
    "a header without end": b"--" + BOUNDARY.encode() + b"\r\nX: " + b"y" * 100_000,
    "11 parts": form(*[part("data_source_name", b"May")] * 10, FILE),
    "100,000 parts": form(*[part("x", b"")] * 100_000, FILE),
    "1,000 headers": form(FILE).replace(b"Content-", b"X-Y: z\r\n" * 1000 + b"Content-", 1),
}
WRONG_FORMS: dict[str, tuple[bytes, str]] = {
    "another part": (form(part("data_source_name", b"May")), "file"),
    "the file as a field": (form(part("file", SAMPLE)), "file"),
    "the file under another name": (form(part("csv", SAMPLE, b"a.csv")), "csv"),
    "two files": (form(FILE, part("file", SAMPLE, b"b.csv")), "file"),
    "a field of 5,000 bytes": (form(part("data_source_name", b"x" * 5000), FILE), "data_source_name"),
    "a name of 256 letters": (form(part("data_source_name", b"x" * 256), FILE), "data_source_name"),
    "a name with NUL": (form(part("data_source_name", b"a\0b"), FILE), "data_source_name"),
    "a name of broken bytes": (form(part("data_source_name", b"\xff\xfe"), FILE), "data_source_name"),
    "a name that turns around": (form(part("data_source_name", "a\u202eb".encode()), FILE), "data_source_name"),
}


@pytest.fixture(scope="module")
def unlucky(running: RunningSystem) -> Shop:
    """A shop of which nothing is accepted."""
    return shop_for_refusals(running)


@pytest.mark.parametrize("case", BROKEN_FORMS)
def test_a_broken_form_is_refused_never_half_read(
    client: httpx.Client, unlucky: Shop, running: RunningSystem, case: str
) -> None:
    refused_form(client, unlucky, running, BROKEN_FORMS[case])


@pytest.mark.parametrize("case", WRONG_FORMS)
def test_an_incomplete_form_is_refused_with_the_missing_field(
    client: httpx.Client, unlucky: Shop, running: RunningSystem, case: str
) -> None:
    body, field = WRONG_FORMS[case]
    details = refused_form(client, unlucky, running, body)
    assert [reported["field"] for reported in details["fields"]] == [field]


def refused_form(client: httpx.Client, shop: Shop, running: RunningSystem, body: bytes) -> dict[str, Any]:
    before = kept(running, shop)
    details: dict[str, Any] = refused_in_both_languages(
        lambda headers: client.post(UPLOAD, content=body, headers=shop.headers | headers | {"Content-Type": FORM}),
        400,
        "INVALID_REQUEST",
    )
    assert kept(running, shop) == before
    return details


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/json"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/mixed; boundary=x"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {},
        {"Content-Type": FORM, "Content-Encoding": "gzip"},
    ],
    ids=["csv", "json", "no boundary", "mixed", "url encoded", "none", "compressed"],
)
def test_another_kind_of_body_is_refused(client: httpx.Client, unlucky: Shop, headers: dict[str, str]) -> None:
    body = b'{"a":1}' if "json" in headers.get("Content-Type", "") else form(FILE)
    refused_in_both_languages(
        lambda language: client.post(UPLOAD, content=body, headers=unlucky.headers | headers | language),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )


def test_a_boundary_that_is_too_long_is_refused(client: httpx.Client, unlucky: Shop) -> None:
    content_type = "multipart/form-data; boundary=" + "b" * 300
    refusal(send_form(client, unlucky, form(FILE), Content_Type=content_type), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"../../etc/passwd", "passwd"),
        (rb"C:\\shop\\may.csv", "may.csv"),
        (b"a\0b.csv", "ab.csv"),
        ("\u202egnp.csv".encode(), "gnp.csv"),
        ("বিক্রি মে.csv".encode(), "বিক্রি মে.csv"),
        (b"", "upload"),
        (rb"q\"uote.csv", 'q"uote.csv'),
        (b"a%0d%0ab.csv", "a%0d%0ab.csv"),
        (b"x" * 5000, "x" * 255),
        (b"\xff\xfe.csv", ".csv"),
        (b"/", "upload"),
        (b"<b>.csv", "<b>.csv"),
    ],
    ids=["path", "windows", "nul", "direction", "bangla", "empty", "quote", "lines", "long", "bytes", "slash", "tag"],
)
def test_a_hostile_file_name_is_shown_harmless_and_used_for_nothing(
    client: httpx.Client, shop: Shop, running: RunningSystem, name: bytes, shown: str
) -> None:
    answer = send_form(client, shop, form(part("file", SAMPLE, name)))
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"]["file_name"] == shown
    assert finished_upload(client, shop, answer.json()["data"]["file_id"]).json()["data"]["created"] == 2
    assert kept(running, shop).parts == 1


def test_a_line_end_in_a_file_name_is_a_refused_form_not_an_error(client: httpx.Client, unlucky: Shop) -> None:
    refusal(send_form(client, unlucky, form(part("file", SAMPLE, b'a"\r\nX: y\0\r\n.csv'))), 400, "INVALID_REQUEST")


def test_the_name_of_the_source_may_be_any_printable_text(client: httpx.Client, shop: Shop) -> None:
    body = form(part("data_source_name", "মে ২০২৫ 🎉".encode()), part("file", SAMPLE, b"a.csv"))
    answer = send_form(client, shop, body, content_type=FORM)
    finished = finished_upload(client, shop, answer.json()["data"]["file_id"])
    assert finished.json()["data"]["data_source_name"] == "মে ২০২৫ 🎉"
