"""How much a shop may store."""

BYTES_PER_MONTH = 2 << 30
"""Bytes of ledgers and receipts that a shop may send in 30 days."""
