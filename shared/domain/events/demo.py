"""What happens to shops that only show what the program does."""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import AuditAction, Event


class DemoShopOpened(Event, frozen=True):
    """A demo shop of this seed was registered and its ledger `file_id` handed in; the rest is to follow.

    `today` is the last of its days: seed and day say all that is to be done for it.
    """

    topic: ClassVar[str] = "demo.DemoShopOpened"
    audit: ClassVar[AuditAction | None] = AuditAction("demo_seed", "business", "business_id")
    business_id: int
    user_id: int
    seed: int
    today: dt.date
    file_id: str


class DemoShopFurnished(Event, frozen=True):
    """Everything was done for a demo shop: its ledger is read, its stock counted, its expenses entered."""

    topic: ClassVar[str] = "demo.DemoShopFurnished"
    business_id: int
