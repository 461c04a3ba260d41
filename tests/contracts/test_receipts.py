"""POST /data/upload-receipt: pictures are kept, what cameras write beside them is not."""

import struct
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.ledgers import SAMPLE, read
from tests.support.log_facts import rows
from tests.support.pictures import PNG, PNG_DATA, PNG_END, PNG_HEAD, chunk
from tests.support.shops import Shop, finished_upload, upload
from tests.support.uploading import (
    RECEIPT,
    UPLOAD,
    form,
    kept,
    part,
    refusal,
    refused_in_both_languages,
    send_form,
    shop_for_refusals,
    topics,
)

LIMIT = 5_242_880
GPS = b"GPSLatitude 23.8103 N"
RECORDED = "SELECT data FROM log.history WHERE topic = 'sales.ReceiptStored' AND stream = 'receipt-' || %s"


def segment(marker: int, data: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


JFIF = segment(0xE0, b"JFIF\0\1\1\1\0H\0H\0\0")
TABLE = segment(0xDB, b"\0" + bytes(range(1, 65)))
FRAME = segment(0xC0, b"\x08\0\x01\0\x01\x01\x01\x11\0")
SCAN = segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\xd2\xcf\x20\xff\0\x5f\xff\xd0\x17"
HUFFMAN = segment(0xC4, b"\x10" + b"\0" * 16)
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
JPEG = b"\xff\xd8" + JFIF + TABLE + FRAME + SCAN + b"\xff\xd9"
EXIF = segment(0xE1, b"Exif\0\0" + GPS)
XMP = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + GPS)
IPTC = segment(0xED, b"Photoshop 3.0\0" + GPS)
COMMENT = segment(0xFE, GPS)


def send(client: httpx.Client, shop: Shop, picture: bytes, date: str | None = None, **headers: str) -> httpx.Response:
    return client.post(
        RECEIPT,
        files={"image": ("IMG_2301.jpg", picture)},
        data={"receipt_date": date} if date else None,
        headers=shop.headers | {name.replace("_", "-"): value for name, value in headers.items()},
    )


@pytest.fixture(scope="module")
def unlucky(running: RunningSystem) -> Shop:
    """A shop of which nothing is accepted."""
    return shop_for_refusals(running)


Stored = Callable[[httpx.Response], bytes]


@pytest.fixture
def stored(running: RunningSystem, shop: Shop) -> Iterator[Stored]:
    """Return the picture that an answer is about, opened as the application does."""
    store = running.container.store(pool_size=1)

    def open_(answer: httpx.Response) -> bytes:
        assert answer.status_code == 202, answer.text
        image_id = uuid.UUID(answer.json()["data"]["image_id"])
        return b"".join(running.container.files(store).chunks(shop.business_id, image_id))

    yield open_
    store.close()


@pytest.mark.parametrize(("picture", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
def test_a_receipt_is_accepted_as_documented(
    client: httpx.Client, shop: Shop, running: RunningSystem, stored: Stored, picture: bytes, kind: str
) -> None:
    answer = send(client, shop, picture, "2025-11-03")
    body = answer.json()
    image_id = str(uuid.UUID(body["data"]["image_id"]))
    assert (answer.status_code, body["status"]) == (202, "pending")
    assert body["data"] == {
        "message": "Extracting receipt data...",
        "image_id": image_id,
        "estimated_processing_time": 10,
    }
    assert stored(answer) == picture
    ((event,),) = rows(running.container.url, RECORDED, image_id)
    assert (event["media_type"], event["size"], event["receipt_date"]) == (kind, len(picture), "2025-11-03")


def test_receipts_become_a_source_of_the_shops_data(client: httpx.Client, shop: Shop) -> None:
    answer = send(client, shop, PNG)
    position = answer.headers["X-Event-Position"]
    assert read(client, shop, "/api/business/profile", position)["data_sources"] == ["receipt_ocr"]
    ledger = upload(client, shop, SAMPLE)
    finished = finished_upload(client, shop, ledger.json()["data"]["file_id"])
    profile = read(client, shop, "/api/business/profile", finished.headers["X-Event-Position"])
    assert profile["data_sources"] == ["csv", "receipt_ocr"]


@pytest.mark.parametrize(
    ("picture", "bare"),
    [
        (b"\xff\xd8" + JFIF + EXIF + XMP + IPTC + COMMENT + TABLE + FRAME + SCAN + b"\xff\xd9", JPEG),
        (b"\xff\xd8" + EXIF + TABLE + FRAME + COMMENT + SCAN + b"\xff\xd9", JPEG.replace(JFIF, b"")),
        (JPEG + b"\xff\xd8" + EXIF + TABLE + FRAME + SCAN + b"\xff\xd9", JPEG),
        (JPEG + GPS, JPEG),
        (
            JPEG[:-2] + EXIF + HUFFMAN + COMMENT + SCAN + b"\xff\xd9",
            JPEG[:-2] + HUFFMAN + SCAN + b"\xff\xd9",
        ),
        (JPEG.replace(TABLE, b"\xff\xff" + TABLE), JPEG),
        (JPEG.replace(JFIF, ADOBE), JPEG.replace(JFIF, ADOBE)),
        (b"\xff\xd8" + segment(0xEE, b"Adobe" + GPS) + JPEG[2:], JPEG),
        (
            PNG_HEAD
            + chunk(b"tEXt", b"Comment\0" + GPS)
            + chunk(b"eXIf", GPS)
            + chunk(b"zTXt", b"a\0\0" + GPS)
            + chunk(b"tIME", b"\7\xe9\1\1\1\1\1")
            + PNG_DATA
            + chunk(b"iTXt", b"XML\0\0\0\0\0" + GPS)
            + PNG_END,
            PNG,
        ),
        (PNG + GPS, PNG),
    ],
    ids=[
        "exif, xmp, iptc, comment",
        "exif first",
        "second picture behind",
        "bytes behind",
        "between two scans",
        "filling",
        "adobe's colours kept",
        "not adobe's colours",
        "png text and exif",
        "bytes behind a png",
    ],
)
def test_metadata_is_stripped_and_the_picture_kept(
    client: httpx.Client, shop: Shop, stored: Stored, picture: bytes, bare: bytes
) -> None:
    kept_ = stored(send(client, shop, picture))
    assert GPS not in kept_
    assert kept_ == bare


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"GIF89a" + bytes(50),
        b"RIFF0000WEBPVP8 ",
        b"%PDF-1.7",
        b"<svg/>",
        SAMPLE,
        PNG[:-1],
        PNG[:40],
        PNG_HEAD + PNG_END,
        PNG_DATA + PNG_END,
        PNG[:8] + PNG_END,
        PNG.replace(PNG_DATA, PNG_DATA[:-5] + b"\0" + PNG_DATA[-4:]),
        JPEG[:-2],
        JPEG[:30],
        b"\xff\xd8" + JFIF + b"\xff\xd9",
        JPEG.replace(FRAME, b""),
        JPEG.replace(SCAN, b""),
        JPEG.replace(TABLE, b"junk"),
        b"\xff\xd8\xff\xe1\0\1" + JPEG[2:],
        b"\xff\xd8\xff\xe1\xff\xff" + JPEG[2:],
    ],
    ids=[
        "nothing",
        "start only",
        "empty jpeg",
        "gif",
        "webp",
        "pdf",
        "svg",
        "ledger",
        "cut png",
        "cut png head",
        "png without data",
        "png without head",
        "png of an end",
        "png with a wrong checksum",
        "cut jpeg",
        "cut jpeg head",
        "jpeg of a head",
        "jpeg without frame",
        "jpeg without scan",
        "jpeg with junk",
        "segment too short",
        "segment too long",
    ],
)
def test_an_incomplete_or_foreign_picture_is_refused(
    client: httpx.Client, unlucky: Shop, running: RunningSystem, picture: bytes
) -> None:
    before = kept(running, unlucky)
    refused_in_both_languages(lambda headers: send(client, unlucky, picture, **headers), 400, "INVALID_IMAGE_FORMAT")
    assert kept(running, unlucky) == before


def test_a_picture_of_five_megabytes_is_kept_and_one_byte_more_refused(
    client: httpx.Client, shop: Shop, running: RunningSystem, stored: Stored
) -> None:
    filling = b"\x01" * (LIMIT - len(JPEG))
    largest = JPEG[:-2] + filling + b"\xff\xd9"
    assert stored(send(client, shop, largest)) == largest
    before = kept(running, shop)
    details = refused_in_both_languages(
        lambda headers: send(client, shop, largest + b"\0", **headers), 413, "FILE_TOO_LARGE"
    )
    assert details == {"limit_bytes": LIMIT}
    assert kept(running, shop) == before


@pytest.mark.parametrize("date", ["tomorrow", "2025-13-01", "2025-02-29", "20251103", "2025-W45-1", "03/11/2025", "০১"])
def test_a_date_that_is_none_is_refused(client: httpx.Client, unlucky: Shop, running: RunningSystem, date: str) -> None:
    before = kept(running, unlucky)
    details = refused_in_both_languages(
        lambda headers: send(client, unlucky, PNG, date, **headers), 400, "INVALID_REQUEST"
    )
    assert details["fields"][0]["field"] == "receipt_date"
    assert kept(running, unlucky) == before


def test_a_form_without_a_picture_is_refused(client: httpx.Client, unlucky: Shop) -> None:
    for parts in ([], [part("receipt_date", b"2025-11-03")], [part("image", PNG)]):
        answer = send_form(client, unlucky, form(*parts, part("x", b"y")), RECEIPT)
        assert refusal(answer, 400, "INVALID_REQUEST")["details"]["fields"][0]["field"] == "image"
    refusal(send_form(client, unlucky, form(part("image", PNG, b"a"))[:-6], RECEIPT), 400, "INVALID_REQUEST")


def test_a_repeated_key_keeps_one_picture_and_a_reused_one_none(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    key = {"Idempotency_Key": "receipt 1"}
    first, again = (send(client, shop, PNG, "2025-11-03", **key) for _ in range(2))
    assert first.json()["data"] == again.json()["data"]
    for answer in (send(client, shop, JPEG, "2025-11-03", **key), send(client, shop, PNG, "2025-11-04", **key)):
        refusal(answer, 422, "IDEMPOTENCY_KEY_REUSED")
    reused = client.post(
        UPLOAD, files={"file": ("a.csv", SAMPLE)}, headers=shop.headers | {"Idempotency-Key": "receipt 1"}
    )
    refusal(reused, 422, "IDEMPOTENCY_KEY_REUSED")
    assert topics(running, shop) == ["sales.ReceiptStored"]
    assert kept(running, shop).parts == 1


def test_a_picture_lies_sealed_under_an_id(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    image_id = send(client, shop, PNG).json()["data"]["image_id"]
    found = rows(
        running.container.url, "SELECT file_id, sealed FROM files.parts WHERE business_id = %s", shop.business_id
    )
    ((file_id, sealed),) = found
    assert str(file_id) == image_id
    assert PNG_DATA not in bytes(sealed)
    assert b"IHDR" not in bytes(sealed)
