"""What clients may send: every script and every name, but nothing that cannot be printed."""

import pytest
from pydantic import ValidationError

from shared.http import emails
from write_side.identity.schemas import BusinessChange, Registration, UserChange

VALID = {
    "email": "owner@shop.bd",
    "password": "SecurePass123",
    "first_name": "Ali",
    "business_name": "Ali's Tea Shop",
    "business_type": "restaurant",
}


def refused(form: type[Registration | BusinessChange | UserChange], **fields: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as error:
        form.model_validate(fields)
    return [(str(one["loc"][0]), one["type"]) for one in error.value.errors()]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("owner@shop.bd", "owner@shop.bd"),
        ("  Owner@Shop.BD ", "owner@shop.bd"),
        ("first.last+tag@mail.example.com", "first.last+tag@mail.example.com"),
        ("o'brien@shop.test", "o'brien@shop.test"),
        ("e\u0301milie@shop.bd", "\u00e9milie@shop.bd"),
        ("\u00c9MILIE@shop.bd", "\u00e9milie@shop.bd"),
        ("মালিক@দোকান.বাংলা", "মালিক@দোকান.বাংলা"),
    ],
)
def test_an_e_mail_has_one_form(typed: str, kept: str) -> None:
    assert emails.address(typed) == kept
    assert emails.looked_up(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "owner",
        "owner@",
        "@shop.bd",
        "owner@shop",
        "own er@shop.bd",
        "a@b@shop.bd",
        "owner@shop..bd",
        ".owner@shop.bd",
        "owner@-shop.bd",
        "owner\n@shop.bd",
        "o" * 65 + "@shop.bd",
        "o@" + "a." * 126 + "bd",
    ],
)
def test_an_invalid_e_mail_is_refused_and_matches_no_account(typed: str) -> None:
    assert refused(Registration, **VALID | {"email": typed}) == [("email", "not_email")]
    assert isinstance(emails.looked_up(typed), str)


@pytest.mark.parametrize(
    "name", ["Ali's Tea Shop", "O'Brien; DROP TABLE users;--", "আলীর চা ☕", "<b>Tea</b>", "র\u200dয"]
)
def test_every_printable_name_is_accepted(name: str) -> None:
    assert Registration.model_validate(VALID | {"business_name": name}).business_name == name


def test_names_are_trimmed_and_composed() -> None:
    form = Registration.model_validate(VALID | {"first_name": "  Ame\u0301lie "})
    assert form.first_name == "Am\u00e9lie"


@pytest.mark.parametrize("name", ["A\x00li", "A\x1bli", "A\nli", "A\u202eli", "A\u2066li", "A\u0085li", "A\u2028li"])
def test_unprintable_characters_are_refused(name: str) -> None:
    assert refused(Registration, **VALID | {"first_name": name}) == [("first_name", "not_printable")]
    assert refused(UserChange, first_name=name) == [("first_name", "not_printable")]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("first_name", "   ", "string_too_short"),
        ("first_name", "x" * 101, "string_too_long"),
        ("first_name", 7, "string_type"),
        ("business_name", "x" * 256, "string_too_long"),
        ("business_type", "x" * 51, "string_too_long"),
        ("business_type", "", "string_too_short"),
        ("language", "hi", "literal_error"),
        ("password", None, "string_type"),
    ],
)
def test_lengths_and_kinds_are_checked(field: str, value: object, problem: str) -> None:
    assert refused(Registration, **VALID | {field: value}) == [(field, problem)]


def test_unknown_keys_are_refused_and_bangla_is_the_default() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Registration.model_validate(VALID | {"is_staff": True})
    assert Registration.model_validate(VALID).model_dump() == VALID | {"language": "bn"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+880123456789", "+880123456789"),
        ("০১৭১১-১২৩৪৫৬", "01711-123456"),
        (" (02) 955 1234", None),
        ("", ""),
        (None, None),
    ],
)
def test_a_phone_number_may_be_typed_in_bangla(typed: str | None, kept: str | None) -> None:
    if typed and kept is None:
        assert refused(BusinessChange, phone_number=typed) == [("phone_number", "not_phone")]
    else:
        assert BusinessChange.model_validate({"phone_number": typed}).phone_number == kept


@pytest.mark.parametrize("number", ["call me", "12", "+8801234567890123456789", "0171\x00123456"])
def test_an_invalid_phone_number_is_refused(number: str) -> None:
    assert refused(BusinessChange, phone_number=number)[0][0] == "phone_number"


def test_a_description_may_have_lines_and_a_name_may_not_be_null() -> None:
    form = BusinessChange.model_validate({"description": "Tea\r\nand more\n", "city": None})
    assert form.model_dump(exclude_unset=True) == {"description": "Tea\nand more", "city": None}
    assert refused(BusinessChange, name=None, type=None) == [("name", "string_type"), ("type", "string_type")]
