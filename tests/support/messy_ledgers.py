"""Real sales written as the exports of tills, web shops, accounting programs and khata apps, each with its truth.

The column lists are those that the programs export. A layout turns sales into rows; a seed decides which sales, which
of them are returned, cancelled or on credit, and how the file is written.
"""

import csv
import datetime as dt
import io
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

BANGLA_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


class Sold(NamedTuple):
    """One real sale: `paisa` for the whole line; `fate` is sold, returned or cancelled."""

    at: dt.datetime
    product: str
    quantity: int
    paisa: int
    customer: str
    paid: int
    order: int
    fate: str = "sold"

    @property
    def price(self) -> str:
        return money(self.paisa // self.quantity)

    @property
    def sign(self) -> int:
        return -1 if self.fate == "returned" else 1


class Messy(NamedTuple):
    """A file, and what the books must say: net paisa, paisa owed, rows that count and rows that are left out."""

    name: str
    data: bytes
    net: int
    owed: int
    entries: int
    left_out: int


ALL_QUOTED = 0.5
Table = list[list[str]]
Layout = Callable[[Sequence[Sold]], Table]


def money(paisa: int) -> str:
    return f"{paisa // 100}.{paisa % 100:02}" if paisa >= 0 else f"-{money(-paisa)}"


def _loyverse(sold: Sequence[Sold]) -> Table:
    head = (
        "Date,Receipt number,Receipt type,Category,SKU,Item,Variant,Modifiers applied,Quantity,Gross sales,Discounts,"
        "Net sales,Cost of goods,Gross profit,Taxes,POS,Store,Cashier name,Customer name,Status"
    )
    return [head.split(",")] + [
        [
            f"{s.at:%d/%m/%Y %H:%M}",
            f"1-{s.order}",
            "Refund" if s.sign < 0 else "Sale",
            "Drinks",
            "",
            s.product,
            "",
            "",
            f"{s.sign * s.quantity}.000",
            money(s.sign * s.paisa),
            "0.00",
            money(s.sign * s.paisa),
            "0.00",
            "0.00",
            "0.00",
            "POS 1",
            "Main",
            "Owner",
            s.customer,
            "Cancelled" if s.fate == "cancelled" else "Closed",
        ]
        for s in sold
    ]


def _square(sold: Sequence[Sold]) -> Table:
    head = (
        "Date,Time,Category,Item,Qty,Price Point Name,SKU,Gross Sales,Discounts,Net Sales,Tax,"
        "Transaction ID,Event Type,Customer Name"
    )
    return [head.split(",")] + [
        [
            f"{s.at:%Y-%m-%d}",
            f"{s.at:%H:%M:%S}",
            "Drinks",
            s.product,
            f"{s.sign * s.quantity}.0",
            "Regular",
            "",
            f"${money(s.paisa)}" if s.sign > 0 else f"-${money(s.paisa)}",
            "$0.00",
            f"${money(s.paisa)}" if s.sign > 0 else f"-${money(s.paisa)}",
            "$0.00",
            f"t{s.order}",
            "Refund" if s.sign < 0 else "Payment",
            s.customer,
        ]
        for s in sold
        if s.fate != "cancelled"
    ]


def _shopify(sold: Sequence[Sold]) -> Table:
    head = (
        "Name,Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,"
        "Discount Amount,Created at,"
        "Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,Billing Name,Cancelled at,"
        "Payment Method,Refunded Amount"
    )
    rows, seen = [head.split(",")], set[int]()
    for s in sold:
        total = sum(other.paisa for other in sold if other.order == s.order)
        first = s.order not in seen
        seen.add(s.order)
        status = {"sold": "paid", "returned": "refunded", "cancelled": "voided"}[s.fate]
        order = [status, "fulfilled", "BDT", money(total), "60.00", "0.00", money(total + 6000), "0.00"]
        rows.append(
            [
                f"#{s.order}",
                "a@example.com",
                *(order if first else [""] * 8),
                f"{s.at:%Y-%m-%d %H:%M:%S} +0600",
                str(s.quantity),
                s.product,
                s.price,
                "",
                "0.00",
                s.customer if first else "",
                "",
                "Cash" if first else "",
                ("0.00" if s.fate != "returned" else money(total)) if first else "",
            ]
        )
    return rows


def _woocommerce(sold: Sequence[Sold]) -> Table:
    head = (
        "Order Number,Order Status,Order Date,First Name (Billing),Last Name (Billing),Payment Method Title,"
        "Cart Discount Amount,Order Subtotal Amount,Order Shipping Amount,Order Refund Amount,"
        "Order Total Amount,SKU,Item #,"
        "Item Name,Quantity (- Refund),Item Cost"
    )
    status = {"sold": "completed", "returned": "refunded", "cancelled": "cancelled"}
    return [head.split(",")] + [
        [
            str(s.order),
            status[s.fate],
            f"{s.at:%Y-%m-%d %H:%M}",
            s.customer,
            "",
            "Cash on delivery",
            "0",
            money(total := sum(o.paisa for o in sold if o.order == s.order)),
            "60",
            "0",
            money(total + 6000),
            "",
            "1",
            s.product,
            str(s.quantity),
            s.price,
        ]
        for s in sold
    ]


def _odoo(sold: Sequence[Sold]) -> Table:
    head = (
        "Order Ref,Date,Customer,Order Lines/Product,Order Lines/Quantity,"
        "Order Lines/Unit Price,Order Lines/Subtotal,Total,"
        "Payments/Payment Method,Status"
    )
    rows, seen = [head.split(",")], set[int]()
    for s in sold:
        first = s.order not in seen
        seen.add(s.order)
        total = sum(o.sign * o.paisa for o in sold if o.order == s.order)
        order = [f"Shop/{s.order}", f"{s.at:%Y-%m-%d %H:%M:%S}", s.customer] if first else ["", "", ""]
        end = [money(total), "Cash", "Cancelled" if s.fate == "cancelled" else "Posted"] if first else ["", "", ""]
        rows.append([*order, s.product, f"{s.sign * s.quantity}.0", s.price, money(s.sign * s.paisa), *end])
    return rows


def _erpnext(sold: Sequence[Sold]) -> Table:
    head = (
        "Item Code,Item Name,Item Group,Invoice,Posting Date,Customer Group,Customer,"
        "Customer Name,Mode Of Payment,Territory,"
        "Company,Stock Qty,Stock UOM,Rate,Amount,Total Tax,Total,Currency"
    )
    rows = [
        [
            f"C{len(s.product)}",
            s.product,
            "Drinks",
            f"SINV-{s.order}",
            f"{s.at:%d-%m-%Y}",
            "Retail",
            "CUST-1",
            s.customer or "Walk-in Customer",
            "Cash",
            "BD",
            "Shop",
            f"{s.sign * s.quantity}.000",
            "Nos",
            f"{s.price}0",
            f"{money(s.sign * s.paisa)}0",
            "0.000",
            f"{money(s.sign * s.paisa)}0",
            "BDT",
        ]
        for s in sold
        if s.fate != "cancelled"
    ]
    return [head.split(","), *rows, ["Total", *[""] * 13, "1.000", "", "", ""]]


def _vyapar(sold: Sequence[Sold]) -> Table:
    head = (
        "Date,Invoice No./Txn No.,Party Name,Item Name,Item Code,HSN/SAC,Category,Unit,"
        "Quantity,UnitPrice,Discount Percent,"
        "Discount,Tax Percent,Tax,Transaction Type,Amount"
    )
    kinds = {"sold": "Sale", "returned": "Credit Note", "cancelled": "Estimate"}
    rows = [
        [
            f"{s.at:%d/%m/%Y}",
            str(s.order),
            s.customer or "Cash Sale",
            s.product,
            "",
            "",
            "",
            "Pcs",
            str(s.quantity),
            s.price,
            "0",
            "0",
            "0",
            "0",
            kinds[s.fate],
            money(s.paisa),
        ]
        for s in sold
    ]
    return [["Sale Items Report"], ["From 01/01/2024 To 31/12/2025"], head.split(","), *rows]


def _quickbooks(sold: Sequence[Sold]) -> Table:
    head = "Date,Transaction Type,Num,Customer,Memo/Description,Product/Service,Qty,Sales Price,Amount"
    kinds = {"sold": "Invoice", "returned": "Credit Memo", "cancelled": "Estimate"}
    return [["Sales by Product/Service Detail"], head.split(",")] + [
        [
            f"{s.at:%m/%d/%Y}",
            kinds[s.fate],
            str(s.order),
            s.customer,
            "",
            s.product,
            str(s.sign * s.quantity),
            s.price,
            f"({money(s.paisa)})" if s.sign < 0 else money(s.paisa),
        ]
        for s in sold
    ]


def _zoho(sold: Sequence[Sold]) -> Table:
    head = (
        "Invoice Date,Invoice ID,Invoice Number,Invoice Status,Customer Name,Item Name,Quantity,Item Price,Item Total"
    )
    status = {"sold": "Closed", "returned": "Closed", "cancelled": "Void"}
    return [head.split(",")] + [
        [
            f"{s.at:%Y-%m-%d}",
            f"9{s.order}",
            f"INV-{s.order}",
            status[s.fate],
            s.customer,
            s.product,
            str(s.sign * s.quantity),
            s.price,
            money(s.sign * s.paisa),
        ]
        for s in sold
    ]


def _xero(sold: Sequence[Sold]) -> Table:
    head = "ContactName,InvoiceNumber,InvoiceDate,Description,Quantity,UnitAmount,LineAmount,TaxType,Status"
    status = {"sold": "Paid", "returned": "Paid", "cancelled": "Voided"}
    return [head.split(",")] + [
        [
            s.customer,
            f"INV-{s.order}",
            f"{s.at:%d %b %Y}",
            s.product,
            str(s.sign * s.quantity),
            s.price,
            money(s.sign * s.paisa),
            "None",
            status[s.fate],
        ]
        for s in sold
    ]


def _lightspeed(sold: Sequence[Sold]) -> Table:
    head = (
        "Date,Receipt Number,Line Type,Customer Name,Quantity,Subtotal,Sales Tax,Discount,Details,Register,Status,Sku"
    )
    return [head.split(",")] + [
        [
            f"{s.at:%Y-%m-%d %H:%M:%S}",
            str(s.order),
            "Sale",
            s.customer,
            str(s.sign * s.quantity),
            money(s.sign * s.paisa),
            "0.00",
            "0.00",
            s.product,
            "Main",
            "Cancelled" if s.fate == "cancelled" else "Closed",
            "",
        ]
        for s in sold
    ]


def _baki(sold: Sequence[Sold]) -> Table:
    return [["Date", "Customer", "Product", "Qty", "Total", "Paid", "Due"]] + [
        [
            f"{s.at:%Y-%m-%d}",
            s.customer,
            s.product,
            str(s.quantity),
            money(s.paisa),
            money(s.paid),
            money(s.paisa - s.paid),
        ]
        for s in sold
        if s.fate == "sold"
    ]


def _khata(sold: Sequence[Sold]) -> Table:
    kinds = {"sold": "বিক্রি", "returned": "ফেরত", "cancelled": "কোটেশন"}
    return [["তারিখ", "ধরন", "পণ্যের নাম", "পরিমাণ", "মোট টাকা", "ক্রেতা", "পেমেন্ট"]] + [
        [
            f"{s.at:%Y-%m-%d}".translate(BANGLA_DIGITS),
            kinds[s.fate],
            s.product,
            str(s.quantity).translate(BANGLA_DIGITS),
            f"৳ {money(s.paisa)}".translate(BANGLA_DIGITS),
            s.customer,
            "ক্যাশ",
        ]
        for s in sold
    ]


LAYOUTS: dict[str, Layout] = {
    "loyverse": _loyverse,
    "square": _square,
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "odoo": _odoo,
    "erpnext": _erpnext,
    "vyapar": _vyapar,
    "quickbooks": _quickbooks,
    "zoho": _zoho,
    "xero": _xero,
    "lightspeed": _lightspeed,
    "baki": _baki,
    "khata": _khata,
}
# In these a refunded order is one row, which is left out, or the layout has no such rows at all.
_REFUNDS_LEFT_OUT = {"shopify", "woocommerce"}
_WITHOUT_CANCELLED = {"square", "erpnext"}
_TOTAL_ROWS = {"erpnext": 1}


def messy(name: str, sales: Sequence[Sold], seed: int) -> Messy:
    """Return the sales in a layout, and its truth."""
    chosen = random.Random(f"{name}/{seed}")  # noqa: S311 - reproducible
    rows = LAYOUTS[name](sales)
    back = [s for s in sales if s.fate == "returned"]
    sold = [s for s in sales if s.fate == "sold"]
    cancelled = [s for s in sales if s.fate == "cancelled"]
    owed = 0
    if name in _REFUNDS_LEFT_OUT:
        cancelled, back = [*cancelled, *back], []
    if name in _WITHOUT_CANCELLED:
        cancelled = []
    if name == "baki":
        cancelled, back, owed = [], [], sum(s.paisa - s.paid for s in sold)
    text = io.StringIO(newline="")
    delimiter = chosen.choice(",;\t")
    ending = chosen.choice(["\n", "\r\n"])
    if chosen.random() < ALL_QUOTED:
        csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(text, delimiter=delimiter, lineterminator=ending).writerows(rows)
    data = text.getvalue().encode(chosen.choice(["utf-8", "utf-8-sig", "utf-16"]))
    net = sum(s.paisa for s in sold) - sum(s.paisa for s in back)
    return Messy(f"{name}-{seed}", data, net, owed, len(sold) + len(back), len(cancelled) + _TOTAL_ROWS.get(name, 0))
