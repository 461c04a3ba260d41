"""What a refresh token is worth: the newest rotates, its predecessor is forgiven, an older one ends it all."""

import datetime as dt
from dataclasses import replace

import pytest

from write_side.identity.credentials.rotation import Generation, Verdict, judge

NOW = dt.datetime(2025, 11, 3, 10, 30, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=30)
USED = Generation(4, b"four", LATER, used_at=NOW - dt.timedelta(seconds=3), successor="sealed")
NEWEST = Generation(5, b"five", LATER)


def test_the_newest_token_rotates() -> None:
    assert judge(5, b"five", [USED, NEWEST], NOW) is Verdict.ROTATE
    assert judge(1, b"one", [Generation(1, b"one", LATER)], NOW) is Verdict.ROTATE


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [(0, Verdict.REPEAT), (10, Verdict.REPEAT), (10.001, Verdict.REUSED), (3600, Verdict.REUSED)],
)
def test_the_direct_predecessor_is_forgiven_for_ten_seconds(seconds: float, verdict: Verdict) -> None:
    used = replace(USED, used_at=NOW - dt.timedelta(seconds=seconds))
    assert judge(4, b"four", [used, NEWEST], NOW) is verdict


def test_a_grandparent_is_never_forgiven() -> None:
    assert judge(3, b"three", [USED, NEWEST], NOW) is Verdict.REUSED


def test_a_copy_that_only_claims_to_be_the_predecessor_is_reuse() -> None:
    assert judge(4, b"other", [USED, NEWEST], NOW) is Verdict.REUSED


@pytest.mark.parametrize(("number", "jti_hash"), [(5, b"other"), (6, b"six")])
def test_a_foreign_token_is_refused_and_revokes_nothing(number: int, jti_hash: bytes) -> None:
    assert judge(number, jti_hash, [USED, NEWEST], NOW) is Verdict.REFUSE


def test_a_family_that_ended_refuses_every_token_of_its() -> None:
    ended = [replace(USED, revoked_at=NOW), replace(NEWEST, revoked_at=NOW)]
    assert judge(5, b"five", ended, NOW) is Verdict.REFUSE
    assert judge(4, b"four", ended, NOW) is Verdict.REFUSE
    assert judge(5, b"five", [], NOW) is Verdict.REFUSE


def test_an_expired_token_is_refused() -> None:
    assert judge(5, b"five", [USED, replace(NEWEST, expires_at=NOW)], NOW) is Verdict.REFUSE
