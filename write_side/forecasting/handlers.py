"""Command handlers of forecasts: requests of owners."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.domain.events.forecasting import ForecastRunCompleted, ForecastsRequested
from shared.eventstore.codec import decode
from shared.eventstore.command import CommandContext, Loaded, Result, Stream
from shared.eventstore.event import Event
from shared.eventstore.store import UnitOfWork
from shared.eventstore.system_events import JobFailed
from shared.runtime.business_day import date_of, start_of
from write_side.forecasting.aggregate import RequestForecasts, Requests, Shop, decide, evolve
from write_side.forecasting.planning import SALES, SELECT_DATA_VERSION, data_version

_TOPICS = [ForecastsRequested.topic, ForecastRunCompleted.topic, JobFailed.topic]
# Estimated seconds of one worker: to start, and per product with its backtest.
_START_SECONDS, _PRODUCT_SECONDS = 2.0, 1.0

# Select the requests since an instant, and the parts completed or given up since, in order.
SELECT_TODAY = """SELECT notification_id, topic, state FROM log.events
    WHERE business_id = %s AND topic = ANY(%s) AND notification_id > log.position_at(%s) ORDER BY notification_id"""


class RunStream(Stream[Requests]):
    """The stream of a new run; its state are all requests of the shop's day."""

    def load(self, unit: UnitOfWork) -> Loaded[Requests]:
        """Return the requests of today."""
        today = date_of(unit.now)
        requests, position = Requests(today), 0
        for row in unit.sql(SELECT_TODAY, (unit.business_id, _TOPICS, start_of(today))):
            requests = evolve(requests, decode(row["topic"], bytes(row["state"])))
            position = row["notification_id"]
        return Loaded(self.name(unit.business_id), requests, 0, position)


RUN = RunStream("forecasts", Requests(dt.date.min), evolve, per_business=False)


def current_data_version(ctx: CommandContext) -> int:
    """Return the position of the last event that changed the shop's sales, 0 if there is none."""
    with ctx.store.cursor() as cursor:
        row = cursor.execute(SELECT_DATA_VERSION, (ctx.business_id, SALES)).fetchone()
    return int(row["position"]) if row else 0


def request_forecasts(
    ctx: CommandContext, command: RequestForecasts, transactions: Mapping[int, int], *, limited: bool
) -> Result[dict[str, Any]]:
    """Record a request for forecasts; `transactions` per product are those of the shop's read models.

    Shops that are `limited` have a daily quota. Raises TooManyForecasts, ProductNotFound, InsufficientData.
    """

    def request(requests: Requests, unit: UnitOfWork) -> Sequence[Event]:
        timed = replace(command, seconds_left=_seconds_left(unit.now)) if limited else command
        return decide(timed, requests, Shop(transactions, data_version(unit)))

    return ctx.transact(RUN.of(command.run_id), request, lambda requests: answer(requests.runs[-1]))


def _seconds_left(now: dt.datetime) -> int:
    """Return the seconds until midnight in Dhaka, rounded up."""
    tomorrow = start_of(date_of(now) + dt.timedelta(days=1))
    return math.ceil((tomorrow - now).total_seconds())


def answer(event: ForecastsRequested) -> dict[str, Any]:
    """Return the stored answer of a request; the router adds texts."""
    return {
        "forecast_run_id": event.run_id,
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
    """Return the estimated whole seconds for this number of forecasts, 0 for none."""
    return math.ceil(_START_SECONDS + products * _PRODUCT_SECONDS) if products else 0
