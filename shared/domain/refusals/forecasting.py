"""Refusals of forecasting."""

from shared.errors import NotFound, Refusal


class TooManyForecasts(Refusal):
    """The business has asked for as many forecasts as a day allows; params `limit`, `retry_after`."""

    error_code = "TOO_MANY_FORECASTS"
    status = 429


class InsufficientData(Refusal):
    """Every product that was named has too few transactions for a forecast; params `need`."""

    error_code = "INSUFFICIENT_DATA"
    status = 400


class ForecastRunNotFound(NotFound):
    """The business has no run of forecasts with this id."""

    text_key = "NOT_FOUND_FORECAST_RUN"
