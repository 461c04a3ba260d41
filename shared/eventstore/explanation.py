"""Why a row cannot be explained by its events: raised by the explainer, answered as refusals by its routes."""

from collections.abc import Sequence


class CannotExplain(Exception):
    """Base of the reasons."""


class UnknownTable(CannotExplain):
    """There is no such table; `known` are the tables there are."""

    def __init__(self, table: str, known: Sequence[str]) -> None:
        """Keep what a refusal needs."""
        super().__init__(table)
        self.table = table
        self.known = known


class UnknownRow(CannotExplain):
    """No event of the business, or of any business, has created such a row."""

    def __init__(self, table: str, business_id: int | None, key: str) -> None:
        """Keep what a refusal needs."""
        super().__init__(table, business_id, key)
        self.table = table
        self.business_id = business_id
        self.key = key


class SeveralBusinesses(CannotExplain):
    """Several businesses have such a row; `found` may be cut off (`more`)."""

    def __init__(self, found: Sequence[int], *, more: bool) -> None:
        """Keep what a refusal needs."""
        super().__init__(found)
        self.found = found
        self.more = more


class SearchTooSlow(CannotExplain):
    """The row was not found among all businesses in time."""


class HistoryTooLong(CannotExplain):
    """Folding the history of the business took longer than `seconds`."""

    def __init__(self, seconds: int) -> None:
        """Keep what a refusal needs."""
        super().__init__(seconds)
        self.seconds = seconds


class OtherRelease(CannotExplain):
    """The serving rows were built by another release."""


class Busy(CannotExplain):
    """Another row is being explained for too long."""
