"""Times in the answers to operators."""

import datetime as dt


def utc(at: dt.datetime | None) -> str | None:
    """Return a time in UTC to the second, as in 2025-11-03T10:30:00Z; None if there is none."""
    return None if at is None else at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
