"""What a presented refresh token is worth: each is used once, and its direct predecessor is forgiven for 10 seconds."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

GRACE = dt.timedelta(seconds=10)


class Verdict(Enum):
    """What to do with the token."""

    ROTATE = auto()
    REPEAT = auto()
    REUSED = auto()
    REFUSE = auto()


@dataclass(frozen=True)
class Generation:
    """One token of a family; `successor` is the sealed next token, once this one was used."""

    number: int
    jti_hash: bytes
    expires_at: dt.datetime
    used_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None
    successor: str | None = None


def judge(number: int, jti_hash: bytes, family: Sequence[Generation], now: dt.datetime) -> Verdict:
    """Tell what the token of generation `number` is worth to its family, of which the newest two are kept.

    ROTATE for the newest; REPEAT, the same successor again, for the one before while its use is at most 10 s old (two
    tabs, or an answer that got lost); REUSED for anything older, which someone must have copied; REFUSE for families
    that have ended and tokens that were never theirs.
    """
    if not family or any(each.revoked_at for each in family):
        return Verdict.REFUSE
    newest = max(each.number for each in family)
    known = next((each for each in family if (each.number, each.jti_hash) == (number, jti_hash)), None)
    if known is None:
        return Verdict.REUSED if number < newest else Verdict.REFUSE
    if known.number == newest:
        return Verdict.ROTATE if now < known.expires_at else Verdict.REFUSE
    in_time = known.number == newest - 1 and known.used_at is not None and now - known.used_at <= GRACE
    return Verdict.REPEAT if in_time else Verdict.REUSED
