"""What an owner asks of the models: read, decided on and added to the log under the shop's lock."""

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.events.forecasting import ForecastRunCompleted, ForecastsRequested
from shared.eventstore.codec import decode
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import JobFailed
from write_side.forecasting import aggregate
from write_side.forecasting.aggregate import Asked, Shop, run_stream
from write_side.forecasting.planning import SALES, SELECT_DATA_VERSION, data_version

_DHAKA = ZoneInfo("Asia/Dhaka")
_TOPICS = [ForecastsRequested.topic, ForecastRunCompleted.topic, JobFailed.topic]
# What one worker needs: seconds to begin, and per product with its backtest.
_BEGIN_SECONDS, _PRODUCT_SECONDS = 2.0, 1.0

# Returns what was asked for since an instant, and which parts of it are done or given up, in order.
SELECT_TODAY = """SELECT topic, state FROM log.events
    WHERE business_id = %s AND topic = ANY(%s) AND notification_id > log.position_at(%s) ORDER BY notification_id"""


class Granted(NamedTuple):
    """What a request was answered, as JSON, and where the log tells of it."""

    data: dict[str, Any]
    position: int | None


@dataclass(frozen=True)
class Almanac:
    """The forecasts of one shop, for one command; `request_hash` tells a repeated command from a reused key."""

    store: EventStore
    business_id: int
    meta: Metadata
    request_hash: bytes | None

    def data_version(self) -> int:
        """Return the position of the last event that changed the shop's sales, 0 if there was none."""
        with self.store.cursor() as cursor:
            row = cursor.execute(SELECT_DATA_VERSION, (self.business_id, SALES)).fetchone()
        return int(row["position"]) if row else 0

    def request(self, asked: Asked, transactions: Mapping[int, int], *, limited: bool) -> Granted:
        """Record what is to be forecast; returns the answer.

        `transactions` per product are those of the shop's tables. Raises what `aggregate.request` raises, and
        IdempotencyKeyReused.
        """
        run_id = str(uuid.uuid4())

        def decide(unit: UnitOfWork) -> dict[str, Any]:
            midnight = unit.now.astimezone(_DHAKA).replace(hour=0, minute=0, second=0, microsecond=0)
            rows = unit.sql(SELECT_TODAY, (self.business_id, _TOPICS, midnight))
            today = aggregate.load(midnight.date(), (decode(row["topic"], bytes(row["state"])) for row in rows))
            left = midnight + dt.timedelta(days=1) - unit.now
            event = aggregate.request(
                asked,
                Shop(transactions, data_version(unit)),
                today,
                run_id,
                seconds_left=math.ceil(left.total_seconds()) if limited else None,
            )
            unit.append(run_stream(run_id), 0, event)
            return answer(event)

        outcome = self.store.execute(self.business_id, self.meta, decide, request_hash=self.request_hash)
        return Granted(outcome.result, outcome.position)


def answer(event: ForecastsRequested) -> dict[str, Any]:
    """Return what an owner is told of a request; texts are added at the edge."""
    return {
        "product_count": len(event.product_ids) + len(event.reused),
        "forecast_days": event.horizon,
        "estimated_processing_time": estimated_seconds(len(event.product_ids)),
        "reused": len(event.reused),
        "skipped": [
            {"product_id": s.product_id, "reason": "insufficient_data", "have": s.have, "need": s.need}
            for s in event.skipped
        ],
    }


def estimated_seconds(products: int) -> int:
    """Return the whole seconds that so many forecasts take, 0 for none."""
    return math.ceil(_BEGIN_SECONDS + products * _PRODUCT_SECONDS) if products else 0
