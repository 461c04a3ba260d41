"""Instants as operators read them."""

import datetime as dt


def utc(at: dt.datetime | None) -> str | None:
    """Return an instant in UTC to the second, None of none."""
    return None if at is None else at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
