"""One example of every event that takes an upload back."""

import base64
import datetime as dt

from shared.domain.events.inventory import ProductDetails, ProductLine, ProductSheetUndone
from shared.domain.events.sales import Movement, Sale
from shared.domain.events.uploads import (
    CustomersRemoved,
    MovementsUndone,
    ProductsRemoved,
    Removed,
    SalesBatchUndone,
    UploadUndone,
    UploadUndoRequested,
)
from shared.eventstore.event import Event

FILE, OTHER_FILE = "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11", "1e4ab003-7cef-4c97-a99b-55e9903ae4d1"
KEY = base64.b64encode(bytes(range(16))).decode()
DAY = dt.date(2025, 11, 3)
AT = dt.datetime(2025, 11, 3, 4, 30, 0, 123_456, tzinfo=dt.UTC)


def undo_samples() -> list[Event]:
    """Return the examples."""
    return [
        UploadUndoRequested(FILE, OTHER_FILE),
        SalesBatchUndone(
            FILE,
            17,
            AT,
            [Sale(2, 11, dt.date(2025, 10, 1), 36_000, 1, 1, 2_000, 60_000, 0)],
            [("bkash", None), ("other", "চেক")],
            base64.b64encode(bytes(range(12))).decode(),
            [(11, 20_000)],
        ),
        MovementsUndone(
            FILE,
            16,
            AT,
            [Movement(3, 4, "return", DAY, 36_000, 1, 1, None, 1_000, 30_000, 0)],
            [("bkash", None)],
            base64.b64encode(bytes(range(12))).decode(),
        ),
        ProductSheetUndone(
            FILE,
            18,
            AT,
            [ProductLine(1, "T-1", 9_000, 12_000, DAY)],
            [ProductDetails(1, "A", "kg", 12_000, None, 5_000, 3, 12_000, 24_000, ["cost"])],
        ),
        ProductsRemoved([Removed(77, "tea")]),
        CustomersRemoved([Removed(1, KEY)]),
        UploadUndone(FILE, 150, 4, 1, [1], [2], [42], [3, 5], [5], [OTHER_FILE], OTHER_FILE),
    ]
