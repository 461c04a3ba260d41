import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidPosition
from shared.http.position_tokens import PositionTokens
from tests.support.application import SECRET

TOKENS = PositionTokens(SECRET)
positions = st.integers(0, 2**63 - 1)
businesses = st.none() | st.integers(1, 2**63 - 1)


@given(positions, businesses)
def test_a_token_opens_to_its_position_for_its_business(position: int, business: int | None) -> None:
    token = TOKENS.seal(business, position)
    assert PositionTokens(SECRET).open(token, business) == position
    assert token.replace("-", "").replace("_", "").isalnum()
    assert token.isascii()


@given(positions, businesses, businesses)
def test_a_token_is_worthless_to_another_business(position: int, business: int | None, other: int | None) -> None:
    token = TOKENS.seal(business, position)
    if other != business:
        with pytest.raises(InvalidPosition):
            TOKENS.open(token, other)
    with pytest.raises(InvalidPosition):
        PositionTokens(SECRET + "!").open(token, business)


@given(positions, st.integers(0, 8 * 36 - 1))
def test_no_bit_of_a_token_may_change(position: int, bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(TOKENS.seal(7, position)))
    assert len(raw) == 36
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidPosition):
        TOKENS.open(base64.urlsafe_b64encode(raw).decode(), 7)


@given(positions, st.integers(0, 47))
def test_no_part_of_a_token_is_enough(position: int, length: int) -> None:
    token = TOKENS.seal(7, position)
    for part in (token[:length], token[len(token) - length :], token + token[:length] + "A"):
        with pytest.raises(InvalidPosition):
            TOKENS.open(part, 7)


@given(st.text() | st.text("-_=ABab01+/", max_size=60) | st.sampled_from(["", "=", "42", "\ud800", "\x00" * 48, "-1"]))
def test_an_invalid_position_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidPosition):
        TOKENS.open(text, 7)


def test_equal_positions_have_unequal_tokens() -> None:
    assert len({TOKENS.seal(7, 42) for _ in range(50)}) == 50
