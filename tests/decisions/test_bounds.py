"""What clients send is bounded before much work is spent on it."""

import struct

import pytest

from shared.domain.refusals.sales import InvalidImageFormat
from shared.http.json_validation import MAX_DEPTH, MAX_VALUES, InvalidJson, check
from tests.support.pictures import JPEG_HEAD, JPEG_SEGMENT, JPEG_TAIL, PNG_DATA, PNG_END, PNG_HEAD, chunk
from write_side.sales.upload.pictures import MAX_SEGMENTS, read_picture


def values(count: int) -> bytes:
    """Return a list that makes `count` values with itself."""
    return b"[" + b",".join([b"0"] * (count - 1)) + b"]"


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("body", [values(MAX_VALUES), nested(MAX_DEPTH), b'{"a":"' + b"," * 100_000 + b'"}'])
def test_a_body_within_the_bounds_passes(body: bytes) -> None:
    check(body)


@pytest.mark.parametrize(
    "body",
    [
        values(MAX_VALUES + 1),
        b"[" + b",".join([b'{"a":1}'] * (MAX_VALUES // 3 + 1)) + b"]",
        nested(MAX_DEPTH + 2),
        b"[" + b"[]," * 300_000 + b"[]]",
        b"[" * 1_000_000,
    ],
    ids=["too many", "too many fields", "too deep", "300,000 lists", "a million brackets"],
)
def test_a_body_of_too_many_or_too_deep_values_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        check(body)


def test_a_picture_has_as_many_segments_as_a_camera_writes() -> None:
    few, many = MAX_SEGMENTS - 10, MAX_SEGMENTS + 10
    assert read_picture(JPEG_HEAD + JPEG_SEGMENT * few + JPEG_TAIL, None).media_type == "image/jpeg"
    with pytest.raises(InvalidImageFormat):
        read_picture(JPEG_HEAD + JPEG_SEGMENT * many + JPEG_TAIL, None)
    with pytest.raises(InvalidImageFormat):
        read_picture(PNG_HEAD + chunk(b"tEXt", struct.pack("B", 7)) * many + PNG_DATA + PNG_END, None)
