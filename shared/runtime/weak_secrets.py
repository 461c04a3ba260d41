"""Secrets that look long and are easily guessed: words of examples, repetitions, runs of alphabet or keyboard."""

from itertools import pairwise

SECRET_BYTES = 32
_GIVEAWAYS = (
    "changeme",
    "change-me",
    "change_me",
    "default",
    "example",
    "insecure",
    "password",
    "placeholder",
    "replace",
    "secret-key",
    "smartmarket",
    "supersecret",
    "your-secret",
    "your_secret",
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_DISTINCT_CHARACTERS = 10
_RUN_SHARE = 0.4


def weakness(secret: str | None) -> str | None:
    """Return why a secret must not be used, as the rest of a sentence about it; None if it may be random."""
    if not secret:
        return f"is not set; give it at least {SECRET_BYTES} random bytes."
    if len(secret.encode()) < SECRET_BYTES:
        return f"is shorter than {SECRET_BYTES} bytes; make a longer one."
    if any(word in secret.lower() for word in _GIVEAWAYS) or len(set(secret)) < _DISTINCT_CHARACTERS:
        return "is a default or easily guessed; make a random one."
    if _repeats(secret):
        return "repeats itself; make a random one."
    if _runs(secret.lower()) > _RUN_SHARE:
        return "is a sequence of neighbouring characters; make a random one."
    return None


def _repeats(secret: str) -> bool:
    """Tell whether a part of at most half the length, repeated, makes the whole."""
    return any(secret.startswith(secret[period:]) for period in range(1, len(secret) // 2 + 1))


def _runs(secret: str) -> float:
    """Return the share of neighbours that are also neighbours among code points or on the keyboard."""
    keys = {pair for row in _ROWS for pair in (*pairwise(row), *pairwise(row[::-1]))}
    pairs = list(pairwise(secret))
    return sum(abs(ord(a) - ord(b)) == 1 or (a, b) in keys for a, b in pairs) / len(pairs)
