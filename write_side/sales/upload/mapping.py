"""The owner's choice of columns and answers to questions about a ledger, sent with it."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Query

from shared.http.error_handlers import invalid_field
from shared.texts import Phrase
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.columns import NAMES
from write_side.sales.csv.layout import SHEET
from write_side.sales.upload.stream import is_safe

MAPPING = "mapping"
ANSWERS = "answers"
_LONGEST = 255
_LONGEST_NUMBER = 3
# What the form has as JSON, for the OpenAPI document.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {field: {"type": "string", "minLength": 1, "maxLength": _LONGEST} for field in NAMES},
    "additionalProperties": False,
    "examples": [{"amount": "Total"}],
    "description": "JSON: the name of the column that holds a field, where it would not be found by its name, or "
    "another one would be read",
}
ANSWERS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "examples": [{"DATE_ORDER": "dmy"}],
    "description": "JSON: answers to the questions of POST /data/preview, by their codes",
}
_CODE = re.compile(r"[A-Z_]{2,40}(?::[\w +.-]{1,30})?")
_ANSWER = re.compile(r"[a-z_]{2,30}(?:[0-9]{1,2})?")
_ANSWERS_AT_MOST = 50


Sheet = Annotated[
    str | None,
    Query(max_length=_LONGEST, description="sheet of a workbook to read, by its name or number", examples=["Sales"]),
]


def chosen_sheet(sheet: str | None) -> dict[str, str]:
    """Return the answer that names the sheet to read, by its name or its number among those that hold a ledger."""
    if not sheet:
        return {}
    return {SHEET: f"sheet_{int(sheet)}" if sheet.isdecimal() and len(sheet) <= _LONGEST_NUMBER else sheet}


def column_mapping(form: Mapping[str, str]) -> dict[str, str]:
    """Return the column's name by field, e.g. `{"amount": "Total"}`, `{}` if nothing was said; raises InvalidFields."""
    text = form.get(MAPPING, "")
    return checked_mapping(_decoded(MAPPING, text) if text.strip() else {})


def given_answers(form: Mapping[str, str]) -> dict[str, str]:
    """Return the answer by question, e.g. `{"DATE_ORDER": "dmy"}`, `{}` if none was given; raises InvalidFields."""
    text = form.get(ANSWERS, "")
    return checked_answers(_decoded(ANSWERS, text) if text.strip() else {})


def checked_answers(given: Mapping[str, object]) -> dict[str, str]:
    """Return answers of the right form; raises InvalidFields."""
    if len(given) > _ANSWERS_AT_MOST:
        raise invalid_field(ANSWERS, "too_long", Phrase("FIELD_TOO_MANY", {"max_length": _ANSWERS_AT_MOST}))
    for code, value in given.items():
        place = f"{ANSWERS}.{code}"
        if not _CODE.fullmatch(code):
            raise invalid_field(place, "extra_forbidden", Phrase("FIELD_UNKNOWN"))
        if not isinstance(value, str) or not _ANSWER.fullmatch(value):
            raise invalid_field(place, "string_pattern_mismatch", Phrase("FIELD_INVALID"))
    return {code: str(value) for code, value in given.items()}


def checked_mapping(given: Mapping[str, object]) -> dict[str, str]:
    """Return a choice of columns of the right form; raises InvalidFields."""
    chosen: dict[str, str] = {}
    for field, name in given.items():
        place = f"{MAPPING}.{field}"
        if field not in NAMES:
            raise invalid_field(place, "extra_forbidden", Phrase("FIELD_UNKNOWN"))
        column = _column(place, name)
        if any(_same(column, other) for other in chosen.values()):
            raise invalid_field(place, "column_taken", Phrase("FIELD_COLUMN_TAKEN"))
        chosen[field] = column
    return chosen


def _decoded(place: str, text: str) -> dict[str, object]:
    try:
        given = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise invalid_field(place, "json_invalid", Phrase("FIELD_NOT_OBJECT")) from error
    if not isinstance(given, dict):
        raise invalid_field(place, "dict_type", Phrase("FIELD_NOT_OBJECT"))
    return given


def _column(place: str, name: object) -> str:
    if not isinstance(name, str):
        raise invalid_field(place, "string_type", Phrase("FIELD_NOT_TEXT"))
    column = " ".join(unicodedata.normalize("NFC", name).split())
    if not column:
        raise invalid_field(place, "string_too_short", Phrase("FIELD_TOO_SHORT", {"min_length": 1}))
    if len(column) > _LONGEST:
        raise invalid_field(place, "string_too_long", Phrase("FIELD_TOO_LONG", {"max_length": _LONGEST}))
    if not is_safe(column):
        raise invalid_field(place, "not_printable", Phrase("FIELD_NOT_PRINTABLE"))
    return column


def _same(one: str, other: str) -> bool:
    return (loosely(one) or one) == (loosely(other) or other)
