"""What owners may say about the columns of a ledger they upload."""

import pytest

from shared.http.error_handlers import InvalidFields
from write_side.sales.upload.mapping import column_mapping


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(InvalidFields) as refusal:
        column_mapping({"mapping": text})
    (field,) = refusal.value.details["fields"]
    return field["field"], field["code"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ("{}", {}),
        ('{"amount": "Total"}', {"amount": "Total"}),
        ('{"customer":" ক্রেতার  নাম ","amount":"৳"}', {"customer": "ক্রেতার নাম", "amount": "৳"}),
    ],
)
def test_a_mapping_names_the_column_of_each_field(text: str, expected: dict[str, str]) -> None:
    assert column_mapping({"mapping": text}) == expected


def test_no_mapping_is_an_empty_one() -> None:
    assert column_mapping({}) == {}


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ("amount=Total", "mapping", "json_invalid"),
        ('{"amount": "Tot', "mapping", "json_invalid"),
        ('{"amount": 1e999}', "mapping", "json_invalid"),
        ("[" * 4_000, "mapping", "json_invalid"),
        ("[]", "mapping", "dict_type"),
        ('"Total"', "mapping", "dict_type"),
        ("null", "mapping", "dict_type"),
        ('{"amount": 3}', "mapping.amount", "string_type"),
        ('{"amount": null}', "mapping.amount", "string_type"),
        ('{"Amount": "Total"}', "mapping.Amount", "extra_forbidden"),
        ('{"colour": "P"}', "mapping.colour", "extra_forbidden"),
        ('{"amount": " "}', "mapping.amount", "string_too_short"),
        (f'{{"amount": "{"x" * 256}"}}', "mapping.amount", "string_too_long"),
        ('{"amount": "a\\u0000b"}', "mapping.amount", "not_printable"),
        ('{"amount": "a\u202eb"}', "mapping.amount", "not_printable"),
        ('{"amount": "\\ud800"}', "mapping", "json_invalid"),
        ('{"amount": "Total", "cost": "total "}', "mapping.cost", "column_taken"),
    ],
)
def test_an_invalid_mapping_is_refused_by_field(text: str, field: str, code: str) -> None:
    assert refused(text) == (field, code)
