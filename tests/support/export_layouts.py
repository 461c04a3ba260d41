"""The columns that tills, web shops, accounting programs and khata apps export, and how they write a sale in them.

The column lists of Loyverse, Square, Shopify, WooCommerce, Zoho, Xero and Odoo are those of exported files in public
repositories; ERPNext's and Vyapar's are those of the field cases; the Bangla ones are those of shop apps in Bangladesh.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

BANGLA_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
DELIVERY = 6_000


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


class Order(NamedTuple):
    """What the lines of one order have in common: sums in paisa, and whether a line is its first one."""

    total: int
    paid: int
    first: bool


# What a layout writes for a sale, by column; columns that it does not name are blank.
Line = Callable[[Sold, Order], Mapping[str, object]]


class Layout(NamedTuple):
    """An export: its columns, its lines, and what is around them.

    titles: lines above the columns; end: a line below the rows; hides: fates of which it has no rows; leaves_out: fates
    whose rows are no entries; owes: whether it says what is owed.
    """

    columns: str
    line: Line
    titles: Sequence[str] = ()
    end: Mapping[str, object] | None = None
    hides: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ("cancelled",)
    owes: bool = False


def money(paisa: int) -> str:
    return f"{paisa // 100}.{paisa % 100:02}" if paisa >= 0 else f"-{money(-paisa)}"


def bangla(text: object) -> str:
    return str(text).translate(BANGLA_DIGITS)


def dollars(paisa: int) -> str:
    return f"${money(paisa)}" if paisa >= 0 else f"-${money(-paisa)}"


LOYVERSE = Layout(
    "Date,Receipt number,Receipt type,Category,SKU,Item,Variant,Modifiers applied,Quantity,Gross sales,Discounts,"
    "Net sales,Cost of goods,Gross profit,Taxes,Dining option,POS,Store,Cashier name,Customer name,Customer contacts,"
    "Comment,Status",
    lambda s, _: {
        "Date": f"{s.at:%d/%m/%Y %H:%M}",
        "Receipt number": f"2-{s.order}",
        "Receipt type": "Refund" if s.sign < 0 else "Sale",
        "Category": "FOOD",
        "SKU": "10221",
        "Item": s.product,
        "Quantity": f"{s.sign * s.quantity}.000",
        "Gross sales": money(s.sign * s.paisa),
        "Discounts": "0.00",
        "Net sales": money(s.sign * s.paisa),
        "Cost of goods": money(s.sign * s.paisa // 2),
        "Gross profit": money(s.sign * (s.paisa - s.paisa // 2)),
        "Taxes": "0.00",
        "Dining option": "Dine in",
        "POS": "POS 2",
        "Store": "Minimart",
        "Cashier name": "Owner",
        "Customer name": s.customer,
        "Status": "Cancelled" if s.fate == "cancelled" else "Closed",
    },
)
SQUARE = Layout(
    "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,Net Sales,Tax,"
    "Transaction ID,Payment ID,Device Name,Notes,Details,Event Type,Location,Dining Option,Customer ID,Customer Name,"
    "Customer Reference ID,Unit,Count,GTIN,Itemization Type,Commission,Employee,Fulfillment Note,Channel,Token,"
    "Card Brand,PAN Suffix",
    lambda s, _: {
        "Date": f"{s.at:%Y-%m-%d}",
        "Time": f"{s.at:%H:%M:%S}",
        "Time Zone": "Astana, Dhaka",
        "Category": "Drinks",
        "Item": s.product,
        "Qty": f"{s.sign * s.quantity}.0",
        "Price Point Name": "Regular",
        "Gross Sales": dollars(s.sign * s.paisa),
        "Discounts": "$0.00",
        "Net Sales": dollars(s.sign * s.paisa),
        "Tax": "$0.00",
        "Transaction ID": f"t{s.order}",
        "Payment ID": f"p{s.order}",
        "Details": "https://example.com/t",
        "Event Type": "Refund" if s.sign < 0 else "Payment",
        "Location": "Main",
        "Customer Name": s.customer,
        "Count": str(s.quantity),
        "Itemization Type": "Physical Good",
        "Commission": "$0.00",
    },
    hides=("cancelled",),
)
SHOPIFY_STATUS = {"sold": "paid", "returned": "refunded", "cancelled": "voided"}
SHOPIFY = Layout(
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing City,Billing Zip,Billing Country,Shipping Name,"
    "Shipping Street,Shipping City,Shipping Zip,Shipping Country,Cancelled at,Payment Method,Refunded Amount,Id,"
    "Lineitem discount",
    lambda s, order: (
        {
            "Name": f"#{s.order}",
            "Email": "a@example.com",
            "Created at": f"{s.at:%Y-%m-%d %H:%M:%S} +0600",
            "Lineitem quantity": str(s.quantity),
            "Lineitem name": s.product,
            "Lineitem price": s.price,
            "Lineitem requires shipping": "true",
            "Lineitem taxable": "true",
            "Lineitem fulfillment status": "fulfilled",
            "Lineitem discount": "0.00",
        }
        | (
            {
                "Financial Status": SHOPIFY_STATUS[s.fate],
                "Paid at": f"{s.at:%Y-%m-%d %H:%M:%S} +0600",
                "Fulfillment Status": "fulfilled",
                "Accepts Marketing": "no",
                "Currency": "BDT",
                "Subtotal": money(order.total),
                "Shipping": money(DELIVERY),
                "Taxes": "0.00",
                "Total": money(order.total + DELIVERY),
                "Discount Amount": "0.00",
                "Shipping Method": "Standard",
                "Billing Name": s.customer,
                "Shipping Name": s.customer,
                "Payment Method": "Cash on Delivery (COD)",
                "Refunded Amount": money(order.total + DELIVERY if s.fate == "returned" else 0),
                "Id": f"555{s.order}",
            }
            if order.first
            else {}
        )
    ),
    leaves_out=("cancelled", "returned"),
)
WOOCOMMERCE_STATUS = {"sold": "Completed", "returned": "Refunded", "cancelled": "Cancelled"}
WOOCOMMERCE = Layout(
    "Order Number,Order Status,Order Date,Customer Note,First Name (Billing),Last Name (Billing),Company (Billing),"
    "Address 1&2 (Billing),City (Billing),State Code (Billing),Postcode (Billing),Country Code (Billing),"
    "Email (Billing),Phone (Billing),First Name (Shipping),Last Name (Shipping),Address 1&2 (Shipping),City (Shipping),"
    "State Code (Shipping),Postcode (Shipping),Country Code (Shipping),Payment Method Title,Cart Discount Amount,"
    "Order Subtotal Amount,Shipping Method Title,Order Shipping Amount,Order Refund Amount,Order Total Amount,"
    "Order Total Tax Amount,SKU,Item #,Item Name,Quantity (- Refund),Item Cost,Coupon Code,Discount Amount,"
    "Discount Amount Tax",
    lambda s, order: {
        "Order Number": str(s.order),
        "Order Status": WOOCOMMERCE_STATUS[s.fate],
        "Order Date": f"{s.at:%Y-%m-%d %H:%M}",
        "First Name (Billing)": s.customer,
        "Country Code (Billing)": "BD",
        "Payment Method Title": "Cash on delivery",
        "Cart Discount Amount": "0",
        "Order Subtotal Amount": money(order.total),
        "Shipping Method Title": "Flat rate",
        "Order Shipping Amount": money(DELIVERY),
        "Order Refund Amount": "0",
        "Order Total Amount": money(order.total + DELIVERY),
        "Order Total Tax Amount": "0",
        "Item #": "1",
        "Item Name": s.product,
        "Quantity (- Refund)": str(s.quantity),
        "Item Cost": s.price,
    },
    leaves_out=("cancelled", "returned"),
)
ODOO = Layout(
    "Order Ref,Date,Customer,Order Lines/Product,Order Lines/Quantity,Order Lines/Unit Price,Order Lines/Discount (%),"
    "Order Lines/Subtotal,Total,Payments/Payment Method,Status",
    lambda s, order: (
        {
            "Order Lines/Product": s.product,
            "Order Lines/Quantity": f"{s.sign * s.quantity}.0",
            "Order Lines/Unit Price": s.price,
            "Order Lines/Discount (%)": "0.0",
            "Order Lines/Subtotal": money(s.sign * s.paisa),
        }
        | (
            {
                "Order Ref": f"Shop/{s.order}",
                "Date": f"{s.at:%Y-%m-%d %H:%M:%S}",
                "Customer": s.customer,
                "Total": money(s.sign * order.total),
                "Payments/Payment Method": "Cash",
                "Status": "Cancelled" if s.fate == "cancelled" else "Posted",
            }
            if order.first
            else {}
        )
    ),
)
