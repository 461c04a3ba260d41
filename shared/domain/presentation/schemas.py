"""Types that the models of answers have in common."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypeAliasType

Language = TypeAliasType("Language", Literal["bn", "en"])
Currency = TypeAliasType("Currency", Literal["BDT"])
RiskLevel = TypeAliasType("RiskLevel", Literal["low", "medium", "high"])
PaymentMethod = TypeAliasType("PaymentMethod", Literal["cash", "bkash", "nagad", "rocket", "card", "credit", "other"])
Interval = TypeAliasType("Interval", Literal["daily", "weekly", "monthly", "yearly"])
Taka = Annotated[float, Field(description="Taka, at most two decimal places")]
Quantity = Annotated[float, Field(description="Units of the product, at most three decimal places")]
Share = Annotated[float, Field(ge=0, le=1)]
UtcTime = Annotated[dt.datetime, Field(description="UTC, ending in Z")]
LocalTime = Annotated[dt.datetime, Field(description="Local time with offset (Asia/Dhaka)")]
BusinessDate = Annotated[dt.date, Field(description="Date in Asia/Dhaka")]
