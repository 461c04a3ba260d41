import base64
import datetime as dt
import hmac
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.refusals.identity import InvalidRefreshToken
from shared.errors import NotAuthenticated, TokenExpired
from shared.eventstore.vault import derive
from shared.http.tokens import Principal, TokenProvider
from shared.runtime.settings import Settings

SECRET = "a-secret-of-the-tests-4c1f0d7be2a94f6b8d35"
NOW = dt.datetime(2025, 11, 3, 10, 30, tzinfo=dt.UTC)
FAMILY = "4f9f6d0e-6f0e-4a53-9a53-0f1d6a0f2a11"
OWNER = Principal(user_id=12, business_id=7, is_staff=False, language="bn", family=FAMILY)


def provider(secret: str = SECRET, **changes: Any) -> TokenProvider:  # noqa: ANN401 - the value of a setting
    return TokenProvider(Settings.model_validate({"jwt_secret": secret, **changes}))


def signed(header: dict[str, Any], claims: dict[str, Any], *, purpose: str = "access", secret: str = SECRET) -> str:
    algorithm = str(header.get("alg", "HS256"))
    return jwt.encode(claims, derive(secret, f"jwt/{purpose}"), algorithm=algorithm, headers=header)


def sealed(header: str, claims: str) -> str:
    """Return a token of these very texts, signed with the right key."""
    parts = [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in (header, claims)]
    key = derive(SECRET, "jwt/access")
    signature = hmac.digest(key, ".".join(parts).encode(), "sha256")
    return ".".join([*parts, base64.urlsafe_b64encode(signature).decode().rstrip("=")])


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


principals = st.builds(
    Principal,
    user_id=st.integers(1, 10**17),
    business_id=st.none() | st.integers(1, 2**62),
    is_staff=st.booleans(),
    language=st.sampled_from(["bn", "en"]),
    family=st.uuids().map(str),
)


@given(principals)
def test_an_access_token_names_its_user(principal: Principal) -> None:
    tokens = provider()
    assert tokens.read_access(tokens.access(principal, NOW), NOW) == principal


def test_a_token_names_its_kind_its_key_and_its_claims() -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    assert (header["alg"], header["typ"]) == ("HS256", "at+jwt")
    assert len(header["kid"]) == 12
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("smartmarket", "smartmarket-api", "12")
    assert claims["exp"] - claims["iat"] == 3600
    assert {"jti", "bid", "stf", "lng", "fam"} <= set(claims)


def test_no_two_tokens_are_the_same() -> None:
    tokens = provider()
    assert tokens.access(OWNER, NOW) != tokens.access(OWNER, NOW)
    assert tokens.refresh(12, FAMILY, 1, NOW)[1] != tokens.refresh(12, FAMILY, 1, NOW)[1]


def test_a_refresh_token_names_family_and_generation() -> None:
    tokens = provider()
    token, jti = tokens.refresh(12, FAMILY, 3, NOW)
    claims = tokens.read_refresh(token, NOW)
    assert (claims.user_id, claims.family, claims.generation, claims.jti) == (12, FAMILY, 3, jti)
    assert claims.expires_at == NOW + dt.timedelta(days=30)


def test_a_token_ends_to_the_second_even_after_it_was_read_before() -> None:
    tokens = provider()
    token = tokens.access(OWNER, NOW)
    assert tokens.read_access(token, NOW + dt.timedelta(seconds=3599)) == OWNER
    with pytest.raises(TokenExpired):
        tokens.read_access(token, NOW + dt.timedelta(seconds=3600))
    with pytest.raises(InvalidRefreshToken):
        tokens.read_refresh(tokens.refresh(12, FAMILY, 1, NOW)[0], NOW + dt.timedelta(days=30))


def test_a_token_from_the_future_is_refused() -> None:
    tokens = provider()
    with pytest.raises(NotAuthenticated):
        tokens.read_access(tokens.access(OWNER, NOW + dt.timedelta(minutes=2)), NOW)
    assert tokens.read_access(tokens.access(OWNER, NOW + dt.timedelta(seconds=30)), NOW) == OWNER


def test_access_and_refresh_tokens_cannot_be_swapped() -> None:
    tokens = provider()
    with pytest.raises(NotAuthenticated):
        tokens.read_access(tokens.refresh(12, FAMILY, 1, NOW)[0], NOW)
    with pytest.raises(InvalidRefreshToken):
        tokens.read_refresh(tokens.access(OWNER, NOW), NOW)


def test_a_refresh_token_dressed_as_an_access_token_is_refused() -> None:
    tokens = provider()
    header, claims = opened(tokens.access(OWNER, NOW))
    with pytest.raises(NotAuthenticated):
        tokens.read_access(signed(header, claims, purpose="refresh"), NOW)
    assert tokens.read_access(signed(header, claims), NOW) == OWNER


@given(principals, st.text(min_size=32, max_size=60).filter(lambda text: text != SECRET))
def test_a_foreign_key_opens_nothing(principal: Principal, secret: str) -> None:
    try:
        foreign = provider(secret)
    except UnicodeEncodeError:
        return
    token = foreign.access(principal, NOW)
    with pytest.raises(NotAuthenticated):
        provider().read_access(token, NOW)
    header, _ = opened(provider().access(principal, NOW))
    with pytest.raises(NotAuthenticated):
        provider().read_access(signed(header, opened(token)[1], secret=secret), NOW)


@given(principals, st.sampled_from(["none", "None", "NONE", ""]))
def test_an_unsigned_token_is_refused(principal: Principal, algorithm: str) -> None:
    header, claims = opened(provider().access(principal, NOW))
    parts = [json.dumps({**header, "alg": algorithm}), json.dumps(claims)]
    token = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."
    with pytest.raises(NotAuthenticated):
        provider().read_access(token, NOW)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_another_algorithm_is_refused_even_with_the_right_key(algorithm: str) -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    with pytest.raises(NotAuthenticated):
        provider().read_access(signed({**header, "alg": algorithm}, claims), NOW)


@pytest.mark.parametrize("change", [{"typ": "JWT"}, {"typ": "rt+jwt"}, {"kid": "000000000000"}, {"kid": ""}])
def test_a_header_of_another_kind_is_refused(change: dict[str, str]) -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    with pytest.raises(NotAuthenticated):
        provider().read_access(signed({**header, **change}, claims), NOW)


def test_a_header_without_a_key_id_is_refused() -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    with pytest.raises(NotAuthenticated):
        provider().read_access(signed({"typ": header["typ"]}, claims), NOW)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "jti", "iat", "exp", "bid", "stf", "lng", "fam"])
def test_every_claim_is_needed(claim: str) -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    del claims[claim]
    with pytest.raises(NotAuthenticated):
        provider().read_access(signed(header, claims), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "someone"},
        {"aud": "smartmarket-refresh"},
        {"aud": ["smartmarket-api"]},
        {"sub": "0"},
        {"sub": "12 "},
        {"sub": "১২"},
        {"sub": "9" * 30},
        {"bid": "7"},
        {"bid": 0},
        {"stf": 1},
        {"lng": "fr"},
        {"exp": "soon"},
        {"exp": 2**70},
        {"iat": -1},
        {"fam": ""},
        {"fam": "family-1"},
        {"nbf": "now"},
        {"nbf": NOW.timestamp() + 3600},
        {"nbf": int(NOW.timestamp()) + 61},
        {"fam": "f" * 65},
    ],
)
def test_claims_have_their_types_and_bounds(change: dict[str, Any]) -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    with pytest.raises(NotAuthenticated):
        provider().read_access(signed(header, {**claims, **change}), NOW)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_garbage_is_refused_and_nothing_worse(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        provider().read_access(token, NOW)
    with pytest.raises(InvalidRefreshToken):
        provider().read_refresh(token, NOW)


@given(st.data())
def test_a_changed_character_breaks_the_signature(data: st.DataObject) -> None:
    token = provider().access(OWNER, NOW)
    # The last character of a part has bits that decoders ignore.
    inner = [i for i in range(len(token) - 1) if token[i] != "." and token[i + 1] != "."]
    place = data.draw(st.sampled_from(inner))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        with pytest.raises(NotAuthenticated):
            provider().read_access(changed, NOW)


def test_a_token_counts_from_its_nbf_with_a_minute_of_skew() -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    soon = {**claims, "nbf": int(NOW.timestamp()) + 60}
    assert provider().read_access(signed(header, soon), NOW) == OWNER


def test_a_claim_that_is_said_twice_is_refused() -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    for part, twice in ((0, {"typ": "JWT"}), (1, {"sub": "13"})):
        texts = [json.dumps(header), json.dumps(claims)]
        (name, value), *_ = twice.items()
        texts[part] = json.dumps({name: value})[:-1] + "," + texts[part][1:]
        with pytest.raises(NotAuthenticated):
            provider().read_access(sealed(*texts), NOW)
    assert provider().read_access(sealed(json.dumps(header), json.dumps(claims)), NOW) == OWNER


@pytest.mark.parametrize("place", [0, 1, 2])
def test_padding_and_unused_bits_are_refused(place: int) -> None:
    parts = provider().access(OWNER, NOW).split(".")
    padded, loose = parts.copy(), parts.copy()
    padded[place] += "=" * (-len(parts[place]) % 4 or 4)
    loose[place] += "A" if len(parts[place]) % 4 == 0 else "\n"
    for changed in (padded, loose):
        with pytest.raises(NotAuthenticated):
            provider().read_access(".".join(changed), NOW)


def test_the_last_character_of_a_signature_has_one_form() -> None:
    token = provider().access(OWNER, NOW)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(token[-1]) ^ 1]  # a bit that decoders ignore
    with pytest.raises(NotAuthenticated):
        provider().read_access(token[:-1] + other, NOW)


def test_a_token_too_long_to_be_ours_is_refused() -> None:
    header, claims = opened(provider().access(OWNER, NOW))
    with pytest.raises(NotAuthenticated):
        provider().read_access(signed(header, {**claims, "pad": "x" * 5000}), NOW)


def test_while_keys_rotate_the_previous_one_reads_but_does_not_sign() -> None:
    old, new = provider("old-" + SECRET), provider(jwt_secret_previous="old-" + SECRET)
    assert new.read_access(old.access(OWNER, NOW), NOW) == OWNER
    assert new.read_refresh(old.refresh(12, FAMILY, 1, NOW)[0], NOW).user_id == 12
    with pytest.raises(NotAuthenticated):
        old.read_access(new.access(OWNER, NOW), NOW)
    with pytest.raises(NotAuthenticated):
        provider().read_access(old.access(OWNER, NOW), NOW)


def test_without_a_secret_there_are_no_tokens() -> None:
    with pytest.raises(ValueError, match="JWT_SECRET"):
        TokenProvider(Settings.model_validate({"jwt_secret": None}))
