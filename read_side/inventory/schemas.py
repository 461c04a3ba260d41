"""Answers about products."""

from typing import Annotated

from pydantic import BaseModel, Field

from shared.domain.presentation.schemas import BusinessDate, LocalTime, Quantity, StockEntryKind, Taka
from shared.http.answers import ListOf, answers, listed


class ProductSales(BaseModel):
    """What was sold of a product lately; the periods include today."""

    sales_7d: Quantity
    sales_30d: Quantity
    avg_daily: Annotated[float, Field(description="A thirtieth of `sales_30d`")]
    last_sale: LocalTime | None


class ProductForecast(BaseModel):
    """The newest forecast of a product."""

    id: int
    forecast_date: BusinessDate
    forecast_days: int
    next_7d_demand: Quantity
    stockout_predicted: bool
    days_until_stockout: int | None


class Product(BaseModel):
    """A product with its stock and sales; settings that the owner has not made are null."""

    id: int
    name: str | None
    sku: str | None
    unit: str | None
    unit_price: Taka | None
    cost: Taka | None
    current_stock: Quantity
    stock_known: Annotated[bool, Field(description="False until the stock was counted; it is 0 until then")]
    counted_at: LocalTime | None
    reorder_point: Quantity | None
    reorder_point_auto: Annotated[bool, Field(description="Computed from sales, not set by the owner")]
    lead_time_days: int | None
    pack_size: Quantity | None
    min_order: Quantity | None
    is_low_stock: bool
    sales_metrics: ProductSales
    forecast: ProductForecast | None


class ProductList(ListOf[Product]):
    """One page of products."""


class StockEntry(BaseModel):
    """A count or movement of a product's stock; its `id` is unique within the product."""

    id: int
    kind: StockEntryKind
    quantity: Quantity
    at: LocalTime
    stock_after: Annotated[float | None, Field(description="Units in stock after it; null before the first count")]


class StockList(ListOf[StockEntry]):
    """One page of stock entries, latest first."""


_PRODUCT = {
    "id": 1,
    "name": "Basmati Rice",
    "sku": "RICE-5KG",
    "unit": "kg",
    "unit_price": 120,
    "cost": 98.5,
    "current_stock": 5,
    "stock_known": True,
    "counted_at": "2025-11-01T21:00:00+06:00",
    "reorder_point": 20,
    "reorder_point_auto": True,
    "lead_time_days": 3,
    "pack_size": 25,
    "min_order": None,
    "is_low_stock": True,
    "sales_metrics": {"sales_7d": 25, "sales_30d": 89, "avg_daily": 3.0, "last_sale": "2025-11-03T14:30:00+06:00"},
    "forecast": {
        "id": 42,
        "forecast_date": "2025-11-03",
        "forecast_days": 7,
        "next_7d_demand": 28,
        "stockout_predicted": True,
        "days_until_stockout": 2,
    },
}
ONE = answers(Product, _PRODUCT, "As an item of the list")
LIST = listed(
    ProductList,
    {"count": 12, "next": None, "previous": None, "results": [_PRODUCT], "next_cursor": None},
    "One page; `stock_known` is false until the stock was counted, and `current_stock` is then 0",
)
STOCK_LIST = listed(
    StockList,
    {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [
            {"id": 3, "kind": "waste", "quantity": 2, "at": "2025-11-03T18:00:00+06:00", "stock_after": 38},
        ],
        "next_cursor": None,
    },
    "One page, latest first",
)
