"""Public ids of forecasts."""

from shared.domain.events.forecasting import ForecastMade
from shared.eventstore.index_rows import DomainIndex, NumberedEvent

INDEX = DomainIndex(numbered={ForecastMade: NumberedEvent("forecast", lambda event: event.forecast_id)})
