"""Forecasts of a shop as the log has them, once they are made."""

from shared.domain.events.forecasting import ForecastMade
from shared.eventstore.codec import decode
from tests.support.application import RunningSystem
from tests.support.log_facts import rows
from tests.support.shops import Shop
from tests.support.waiting import wait_until

COMPLETED = """SELECT count(*) FROM log.events
    WHERE business_id = %s AND topic = 'forecasting.ForecastRunCompleted'"""
MADE = "SELECT topic, state FROM log.events WHERE business_id = %s AND topic = %s ORDER BY notification_id"


def made_forecasts(running: RunningSystem, shop: Shop, runs: int) -> list[ForecastMade]:
    """Return the forecasts of a shop once a number of runs are done."""
    wait_until(lambda: rows(running.container.url, COMPLETED, shop.business_id) == [(runs,)], patience=240)
    found = rows(running.container.url, MADE, shop.business_id, ForecastMade.topic)
    return [event for topic, state in found if isinstance(event := decode(topic, bytes(state)), ForecastMade)]
