"""Which passwords are good enough, and how they are kept."""

import argon2
import pytest

from shared.domain.refusals.identity import WeakPassword
from write_side.identity.credentials import passwords
from write_side.identity.credentials.passwords import Person


def check(password: str) -> str | None:
    try:
        passwords.check(password, Person("karim.uddin@shop.bd", "Karim Uddin", "Padma Tea Corner"))
    except WeakPassword as refusal:
        return str(refusal.details["reason"])
    return None


@pytest.mark.parametrize(
    "password",
    [
        "SecurePass123",
        "xk7 mango",
        "আমার দোকান ভালো",
        "correct horse battery staple",
        "চা-বিস্কুট-বেচি",
        "চাবিস্কুট" * 14,
    ],
)
def test_a_password_of_any_composition_is_accepted(password: str) -> None:
    assert check(password) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too_short"),
        ("1234567", "too_short"),
        ("চাচাচা", "too_short"),
        ("x1" * 64 + "y", "too_long"),
        ("12345678", "too_common"),
        ("password", "too_common"),
        ("PassWord1", "too_common"),
        ("qwertyuiop", "too_common"),
        ("bangladesh", "too_common"),
        ("AmarSonarBangla", "too_common"),
        ("bismillah", "too_common"),
        ("karim.uddin@shop.bd", "same_as_email"),
        ("KARIM.UDDIN", "same_as_email"),
        ("karim uddin", "same_as_name"),
        ("karimuddin", "too_guessable"),
        ("uddin-karim", "too_guessable"),
        ("padmatea", "too_guessable"),
        ("Padma2024", "too_guessable"),
        ("padma corner", "too_guessable"),
        ("smartmarket1", "too_guessable"),
        ("bismillah7", "too_guessable"),
        ("P@ssw0rd!", "too_guessable"),
        ("1qaz2wsx3edc", "too_common"),
        ("abcdefghij", "too_guessable"),
        ("aaaaaaaaaa", "too_guessable"),
        ("        ~~~~~~~~", "too_guessable"),
        ("চা" * 64, "too_guessable"),
        ("19711216", "too_guessable"),
    ],
)
def test_a_password_others_would_try_is_refused_with_the_reason(password: str, reason: str) -> None:
    assert check(password) == reason


def test_at_least_ten_thousand_common_passwords_are_known() -> None:
    assert len(passwords.common()) >= 10_000


def test_a_password_is_counted_and_kept_to_its_last_character() -> None:
    kept = passwords.hashed("চা" * 64)
    assert passwords.matches("চা" * 64, kept)
    assert not passwords.matches("চা" * 63 + "চি", kept)
    assert passwords.matches("  spaces  stay  ", passwords.hashed("  spaces  stay  "))


def test_two_hashes_of_one_password_differ() -> None:
    assert passwords.hashed("SecurePass123") != passwords.hashed("SecurePass123")


def test_an_account_that_does_not_exist_costs_the_same_and_matches_nothing() -> None:
    expected = argon2.Parameters(
        type=argon2.Type.ID, version=19, salt_len=16, hash_len=32, time_cost=2, memory_cost=19_456, parallelism=1
    )
    assert argon2.extract_parameters(passwords.NOBODY) == expected
    assert argon2.extract_parameters(passwords.hashed("SecurePass123")) == expected
    assert not passwords.matches("SecurePass123", None)


def test_a_hash_with_other_parameters_is_made_again() -> None:
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("SecurePass123")
    renewed = passwords.renewed(weaker, "SecurePass123")
    assert renewed is not None
    assert passwords.matches("SecurePass123", renewed)
    assert passwords.renewed(renewed, "SecurePass123") is None


def test_a_broken_hash_matches_nothing() -> None:
    assert not passwords.matches("SecurePass123", "$argon2id$broken")
