"""Types that the models of answers have in common."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

Language = TypeAliasType("Language", Literal["bn", "en"])
Currency = TypeAliasType("Currency", Literal["BDT"])
RiskLevel = TypeAliasType("RiskLevel", Literal["low", "medium", "high"])
PaymentMethod = TypeAliasType("PaymentMethod", Literal["cash", "bkash", "nagad", "rocket", "card", "credit", "other"])
TransactionKind = TypeAliasType("TransactionKind", Literal["sale", "return", "purchase", "expense"])
Interval = TypeAliasType("Interval", Literal["daily", "weekly", "monthly", "yearly"])
StockEntryKind = TypeAliasType("StockEntryKind", Literal["count", "receive", "adjust", "waste", "return"])
OpeningDebtKind = TypeAliasType("OpeningDebtKind", Literal["debt", "advance"])
Taka = Annotated[float, Field(description="Taka, at most two decimal places")]
Quantity = Annotated[float, Field(description="Units of the product, at most three decimal places")]
Share = Annotated[float, Field(ge=0, le=1)]
UtcTime = Annotated[dt.datetime, Field(description="UTC, ending in Z")]
LocalTime = Annotated[dt.datetime, Field(description="Local time with offset (Asia/Dhaka)")]
BusinessDate = Annotated[dt.date, Field(description="Date in Asia/Dhaka")]


class Transaction(BaseModel):
    """A sale, or with `kind` and `description` another transaction of an upload."""

    id: int
    date: LocalTime
    product_id: int | None
    product_name: str | None
    quantity: Quantity
    amount: Taka
    unit_price: Annotated[float | None, Field(description="Taka per unit; null for a quantity of 0")]
    customer_id: int | None
    customer_name: str | None
    payment_method: PaymentMethod | None
    data_source: str
    kind: TransactionKind = "sale"
    description: Annotated[str | None, Field(description="The purpose of an expense")] = None


class CashSettings(BaseModel):
    """The owner's cash settings."""

    opening_balance: Taka | None
    opening_date: BusinessDate | None
    critical_threshold: Taka


class Expense(BaseModel):
    """An expense entered by hand."""

    id: int
    date: BusinessDate
    amount: Taka
    category: str
    recurring: Interval | None
    ended_on: Annotated[BusinessDate | None, Field(description="First day on which it is no longer paid")]
