"""Parameters of lists that are filtered by business date."""

import datetime as dt
from typing import Annotated

from pydantic import Field

from shared.http.fields import PlainDate
from shared.http.pagination import ExportQuery, invalid


class DatedQuery(ExportQuery):
    """Filters of a list by date, both ends included."""

    date_from: (
        Annotated[PlainDate, Field(description="First business date (Asia/Dhaka)", examples=["2025-10-01"])] | None
    ) = None
    date_to: (
        Annotated[PlainDate, Field(description="Last business date, inclusive", examples=["2025-11-03"])] | None
    ) = None

    def period(self) -> dict[str, dt.date]:
        """Return the ends that are set, as `first` and `last`; raises InvalidQuery if it ends before it begins."""
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise invalid(parameter="date_from", expected="YYYY-MM-DD, date_from ≤ date_to")
        given = {"first": self.date_from, "last": self.date_to}
        return {name: value for name, value in given.items() if value is not None}
