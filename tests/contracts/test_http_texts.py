import re
import string

import pytest

from shared.errors import Refusal, refusals
from shared.texts import LANGUAGES, Phrase, catalogue, rendered, text

PLACEHOLDERS = string.Formatter()


def named(template: str) -> set[str]:
    return {name for _, name, _, _ in PLACEHOLDERS.parse(template) if name is not None}


def every_refusal() -> list[type[Refusal]]:
    found: list[type[Refusal]] = []
    waiting = Refusal.__subclasses__()
    while waiting:
        cls = waiting.pop()
        found.append(cls)
        waiting += cls.__subclasses__()
    return found


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda cls: cls.__name__)
def test_every_refusal_suggests_a_next_step_in_both_languages(refusal: type[Refusal]) -> None:
    for language in LANGUAGES:
        message, suggestions = text(refusal.text_key, language)
        assert message
        assert suggestions
        assert all(suggestions)


def test_each_code_has_one_status() -> None:
    statuses: dict[str, set[int]] = {}
    for refusal in every_refusal():
        statuses.setdefault(refusal.error_code, set()).add(refusal.status)
        assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", refusal.error_code)
        assert 400 <= refusal.status <= 599
    assert all(len(found) == 1 for found in statuses.values())
    assert set(statuses) == set(refusals())


def test_both_languages_say_the_same_with_the_same_particulars() -> None:
    for code, texts in catalogue().items():
        bangla, english = texts["bn"], texts["en"]
        assert re.search("[\u0980-\u09ff]", bangla.message), code
        assert len(bangla.suggestions) == len(english.suggestions), code
        assert named(bangla.message) == named(english.message), code
        pairs = zip(bangla.suggestions, english.suggestions, strict=True)
        assert all(named(one) == named(other) for one, other in pairs), code


def test_a_particular_that_is_missing_does_not_break_the_answer() -> None:
    assert text("RATE_LIMITED", "en").suggestions[0] == "Wait … seconds and try again."
    assert text("RATE_LIMITED", "en", retry_after=7).suggestions[0] == "Wait 7 seconds and try again."


def test_braces_in_what_users_send_are_only_text() -> None:
    assert "{0.__class__}" in text("INVALID_QUERY", "en", parameter="{0.__class__}").message


def test_nested_phrases_are_rendered() -> None:
    value = {"fields": [{"message": Phrase("FIELD_TOO_LONG", {"max_length": 5})}], "plain": [1, None]}
    assert rendered(value, "en") == {"fields": [{"message": "at most 5 characters are allowed"}], "plain": [1, None]}


def test_waiting_time_becomes_a_header_and_a_detail() -> None:
    refusal = refusals()["RATE_LIMITED"](retry_after=12)
    assert refusal.headers["Retry-After"] == "12"
    assert refusal.details == {"retry_after": 12}


# Two refusals concern the address of a request itself, so they are about addresses.
ABOUT_ADDRESSES = {"INVALID_REQUEST", "NOT_FOUND_ROUTE"}


def test_texts_for_users_name_actions_and_not_http_addresses() -> None:
    addressed = {
        code
        for code, texts in catalogue().items()
        for message, suggestions in texts.values()
        if re.search(r"\b(GET|POST|PUT|PATCH|DELETE) /|/api\b", " ".join([message, *suggestions]))
    }
    assert addressed == ABOUT_ADDRESSES
