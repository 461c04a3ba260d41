"""Access and refresh tokens: signed JWTs with one key per purpose and strict validation (RFC 8725)."""

import base64
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Annotated, Any, Final, Literal, TypeVar

import jwt
import msgspec
from jwt.types import Options

from shared.domain.refusals.identity import InvalidRefreshToken
from shared.errors import NotAuthenticated, Refusal, TokenExpired
from shared.eventstore.vault import derive
from shared.runtime.settings import Settings

ALGORITHMS: Final = ("HS256",)
ISSUER: Final = "smartmarket"
_REQUIRED: Final = ["iss", "aud", "sub", "jti", "iat", "exp"]
_LONGEST = 4096
_REMEMBERED = 4096
_SKEW = dt.timedelta(seconds=60)
_OPTIONS: Final[Options] = {
    "require": _REQUIRED,
    "strict_aud": True,
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,  # checked against the caller's clock instead
}

_Id = Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,17}\Z")]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Family = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**40)]


@dataclass(frozen=True, slots=True)
class Principal:
    """The account of an access token, until when it is valid; `family` is the session that began with one login."""

    user_id: int
    business_id: int | None
    is_staff: bool
    language: Literal["bn", "en"]
    family: str
    expires_at: dt.datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """The claims of a valid refresh token; only the sessions table knows whether it was used or revoked."""

    user_id: int
    family: str
    generation: int
    jti: str
    expires_at: dt.datetime


class _Claims(msgspec.Struct):
    sub: _Id
    jti: _Text
    iat: _Seconds
    exp: _Seconds
    fam: _Family
    nbf: _Seconds = 0


class _AccessClaims(_Claims, kw_only=True):
    stf: bool
    lng: Literal["bn", "en"]
    bid: Annotated[int, msgspec.Meta(ge=1)] | None


class _RefreshClaims(_Claims, kw_only=True):
    gen: Annotated[int, msgspec.Meta(ge=0)]


_C = TypeVar("_C", bound=_Claims)


class _Purpose:
    """One kind of token: its type, audience and keys by key id; the first key signs, all verify."""

    def __init__(self, name: str, typ: str, audience: str, secrets: list[str]) -> None:
        self.typ = typ
        self.audience = audience
        keys = [derive(secret, f"jwt/{name}") for secret in secrets]
        self.keys = {hashlib.sha256(b"kid" + key).hexdigest()[:12]: key for key in keys}
        self.kid = next(iter(self.keys))

    def sign(self, claims: dict[str, Any]) -> str:
        payload = {"iss": ISSUER, "aud": self.audience, **claims}
        header = {"typ": self.typ, "kid": self.kid}
        return jwt.encode(payload, self.keys[self.kid], algorithm=ALGORITHMS[0], headers=header)

    def verify(self, token: str, claims: type[_C]) -> _C:
        """Return the claims of a token of this kind; raises jwt.InvalidTokenError unless one of the keys signed it."""
        if len(token) > _LONGEST or not _is_unambiguous(token):
            raise jwt.InvalidTokenError
        header = jwt.get_unverified_header(token)
        key = self.keys.get(header.get("kid", ""))
        if key is None or header.get("typ") != self.typ or header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidTokenError
        algorithms = list(ALGORITHMS)
        payload = jwt.decode(token, key, algorithms=algorithms, audience=self.audience, issuer=ISSUER, options=_OPTIONS)
        return msgspec.convert(payload, claims)


class TokenProvider:
    """Issues and verifies tokens with keys derived from JWT_SECRET (HKDF); JWT_SECRET_PREVIOUS only verifies."""

    def __init__(self, settings: Settings) -> None:
        """Derive the keys; raises ValueError without a secret or with a disallowed algorithm."""
        if not settings.jwt_secret:
            msg = "JWT_SECRET is not set"
            raise ValueError(msg)
        if settings.jwt_algorithm not in ALGORITHMS:
            msg = f"JWT_ALGORITHM must be one of {', '.join(ALGORITHMS)}"
            raise ValueError(msg)
        secrets = [settings.jwt_secret, *filter(None, [settings.jwt_secret_previous])]
        self._access = _Purpose("access", "at+jwt", "smartmarket-api", secrets)
        self._refresh = _Purpose("refresh", "rt+jwt", "smartmarket-refresh", secrets)
        # The signature of a token is verified once and cached, its expiry on every request.
        self._verified_access = lru_cache(maxsize=_REMEMBERED)(partial(self._access.verify, claims=_AccessClaims))
        self.access_lifetime = dt.timedelta(seconds=settings.jwt_access_token_lifetime)
        self.refresh_lifetime = dt.timedelta(seconds=settings.jwt_refresh_token_lifetime)

    def access(self, principal: Principal, now: dt.datetime) -> str:
        """Return an access token for `principal`, valid from `now` for the access lifetime."""
        return self._access.sign(
            {
                **_common(principal.user_id, principal.family, now, self.access_lifetime),
                "bid": principal.business_id,
                "stf": principal.is_staff,
                "lng": principal.language,
            }
        )

    def refresh(self, user_id: int, family: str, generation: int, now: dt.datetime) -> tuple[str, str]:
        """Return (refresh token, its jti), valid from `now` for the refresh lifetime."""
        claims = {**_common(user_id, family, now, self.refresh_lifetime), "gen": generation}
        return self._refresh.sign(claims), claims["jti"]

    def read_access(self, token: str, now: dt.datetime) -> Principal:
        """Return the account of an access token; raises TokenExpired, or NotAuthenticated if it is invalid."""
        claims = _read(self._verified_access, token, now, (NotAuthenticated, TokenExpired))
        expires_at = dt.datetime.fromtimestamp(claims.exp, dt.UTC)
        return Principal(int(claims.sub), claims.bid, claims.stf, claims.lng, claims.fam, expires_at)

    def read_refresh(self, token: str, now: dt.datetime) -> RefreshClaims:
        """Return the claims of a refresh token; raises InvalidRefreshToken unless it is valid at `now`."""
        verify = partial(self._refresh.verify, claims=_RefreshClaims)
        claims = _read(verify, token, now, (InvalidRefreshToken, InvalidRefreshToken))
        expires_at = dt.datetime.fromtimestamp(claims.exp, dt.UTC)
        return RefreshClaims(int(claims.sub), claims.fam, claims.gen, claims.jti, expires_at)


def _is_unambiguous(token: str) -> bool:
    """Tell whether every reader finds the same in a token: unpadded canonical base64url, and no name said twice."""
    parts = token.split(".")
    try:
        for part in parts:
            raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
            if base64.urlsafe_b64encode(raw).decode().rstrip("=") != part:
                return False
        for part in parts[:2]:
            json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_said_once)
    except ValueError:  # also of base64 and of texts that are not UTF-8
        return False
    return True


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = "a name is said twice"
        raise ValueError(msg)
    return found


def _common(user_id: int, family: str, now: dt.datetime, lifetime: dt.timedelta) -> dict[str, Any]:
    issued = int(now.timestamp())
    return {
        "sub": str(user_id),
        "jti": str(uuid.uuid4()),
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
        "fam": family,
    }


def _read(verify: Callable[[str], _C], token: str, now: dt.datetime, refuse: tuple[type[Refusal], type[Refusal]]) -> _C:
    invalid, expired = refuse
    try:
        return _in_time(verify(token), now)
    except jwt.ExpiredSignatureError:
        raise expired from None
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError):
        raise invalid from None


def _in_time(claims: _C, now: dt.datetime) -> _C:
    if max(claims.iat, claims.nbf) > (now + _SKEW).timestamp():
        raise jwt.ImmatureSignatureError
    if claims.exp <= now.timestamp():
        raise jwt.ExpiredSignatureError
    return claims
