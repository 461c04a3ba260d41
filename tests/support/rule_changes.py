"""Changes of rules that each projection shows."""

from shared.eventstore.event import Event
from shared.eventstore.system_events import RuleActivated

FRESH = {"recency_days": [0, 3, 12, 300]}
EAGER: dict[str, int | float | list[int]] = {
    "service_level": 0.5,
    "lead_time_days": 9,
    "window_days": 20,
    "enough_days": 2,
}
CHANGES: list[Event] = [
    RuleActivated("rfm", "rfm.v1.1", {**FRESH, "segment_tenths": [17, 27, 37, 47]}),
    RuleActivated("stock", "stock.v1.1", EAGER),
]
