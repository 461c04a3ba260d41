"""The names that shops and their programs give to the columns of a ledger, in English and Bangla."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from write_side.sales.csv.cells import legible, loosely, split

REQUIRED = ("date", "product", "quantity", "amount")
# So much of a column's name is kept.
SHOWN = 60

# Written as `loosely` leaves them: lower case, no spaces, underscores or punctuation. Of several columns with names of
# one field the one whose name comes first is read: the documented name, then the surer ones, e.g. the line's total
# before one that may be the order's, a name before an id or a description, the sale's date before the till's.
NAMES: dict[str, tuple[str, ...]] = {
    "date": split(
        """date saledate salesdate dateofsale transactiondate orderdate invoicedate billdate postingdate voucherdate
        createdat datetime timestamp datecreated salesdatetime তারিখ বিক্রিরতারিখ বিক্রয়েরতারিখ"""
    ),
    "time": split("time saletime timeofsale ordertime সময়"),
    "product": split(
        """product productname itemname lineitemname orderlinesproduct productservice item goods পণ্য পণ্যেরনাম পন্য
        পন্যেরনাম মালেরনাম আইটেম itemdetails productdescription itemdescription itemdesc details description বিবরণ মাল"""
    ),
    "variant": split("variant variation pricepointname variationname variantname size ভ্যারিয়েন্ট সাইজ"),
    "quantity": split(
        """quantity qty quantitysold qtysold pcs itemssold lineitemquantity orderlinesquantity quantityrefund পরিমাণ
        পরিমান সংখ্যা"""
    ),
    # How much was sold in the unit of the stock, as accounting programs list it beside a quantity in packs.
    "stock_quantity": split("stockquantity stockqty"),
    "net": split("netsales netamount nettotal orderlinessubtotal linetotalnet itemtotal lineamount নিট"),
    "amount": split(
        """amount amountbdt amounttk amounttaka amountintaka linetotal saleamount salesamount total totalamount
        totalprice totalbdt totaltk totaltaka taka tk bdt subtotal value টাকা মোটটাকা মোটমূল্য মোট টাকারপরিমাণ মূল্য"""
    ),
    "gross": split("grosssales grossamount grosstotal"),
    "price": split(
        """unitprice rate lineitemprice itemcost itemprice orderlinesunitprice salesprice sellingprice unitamount
        priceperunit price এককমূল্য দর প্রতিএককমূল্য বিক্রয়দর দাম"""
    ),
    "discount": split("lineitemdiscount discounts discount itemdiscount ছাড় ডিসকাউন্ট"),
    "order_discount": split("discountamount cartdiscountamount orderdiscount orderdiscountamount invoicediscount"),
    "tax": split("tax taxes totaltax vat taxamount salestax ভ্যাট"),
    "order_total": split("ordertotalamount ordertotal invoicetotal billtotal orderamount"),
    "receipt": split(
        """receiptnumber receiptno receipt invoicenumber invoiceno invoicenotxnno invoice billno billnumber ordernumber
        orderno orderref orderid transactionid voucherno vchno vchbillno memono num রসিদনম্বর রসিদনং
        ইনভয়েসনম্বর ইনভয়েসনং মেমোনং চালাননং বিলনং অর্ডারনং চালাননম্বর মেমোনম্বর অর্ডারনম্বর"""
    ),
    "customer": split(
        """customername partyname billingname customer buyername buyer clientname client firstnamebilling
        billingfirstname customerfirstname firstname প্রথমনাম contactname
        ক্রেতা গ্রাহক ক্রেতারনাম গ্রাহকেরনাম কাস্টমার কাস্টমারেরনাম খরিদ্দার খরিদ্দারেরনাম customerid"""
    ),
    "last_name": split("lastnamebilling billinglastname customerlastname lastname শেষনাম"),
    "payment": split(
        """paymentmethod payment paymenttype paymentmode modeofpayment paymentmethodtitle paymentspaymentmethod paidby
        paidwith পেমেন্ট পেমেন্টপদ্ধতি পেমেন্টেরধরন পরিশোধেরমাধ্যম পরিশোধপদ্ধতি"""
    ),
    "paid": split(
        "paid amountpaid paidamount received receivedamount receivedpaidamount cashreceived invoiceamountpaid জমা পরিশোধ"
    ),
    "due": split("due amountdue dueamount balancedue balance outstanding invoiceamountdue baki বাকি বাকী বকেয়া"),
    "due_date": split("duedate paymentduedate"),
    "status": split("status orderstatus invoicestatus financialstatus paymentstatus অবস্থা স্ট্যাটাস পেমেন্টস্ট্যাটাস"),
    "cancelled_at": split("cancelledat canceledat voidedat"),
    "refunded": split("refundedamount orderrefundamount amountrefunded refundamount"),
    "type": split(
        """type saletype transactiontype receipttype eventtype vouchertype linetype kind entrytype ধরন ধরণ লেনদেনেরধরন
        লেনদেন"""
    ),
    "unit": split("unit unitofmeasure uom stockuom units একক"),
    "phone": split(
        """phone phoneno phonenumber mobile mobileno mobilenumber customerphone customermobile customercontacts
        partyphoneno phonebilling billingphone ফোন ফোননম্বর মোবাইল মোবাইলনম্বর"""
    ),
    "sku": split("sku productcode itemcode barcode stockcode lineitemsku পণ্যকোড পণ্যেরকোড কোড এসকেইউ"),
    "stock": split("stock instock currentstock stockonhand স্টক মজুদ মজুত বর্তমানস্টক বর্তমানমজুদ"),
    "cost": split("cost costprice purchaseprice unitcost buyingprice ক্রয়মূল্য কেনাদাম কেনারদাম"),
}
# Columns that exports have and a ledger of sales does not need: not read, and not worth a warning.
IGNORED = frozenset(
    loosely(name)
    for name in [
        "category",
        "item group",
        "modifiers applied",
        "cost of goods",
        "gross profit",
        "dining option",
        "pos",
        "store\n    ",
        "cashier name",
        "comment",
        "time zone",
        "device name",
        "notes",
        "details",
        "location",
        "customer reference id",
        "paid at",
        "count\n    ",
        "itemization type",
        "fulfillment note",
        "token",
        "payment id",
        "email",
        "fulfillment status",
        "currency",
        "shipping",
        "discount code\n    ",
        "shipping method",
        "cancelled at",
        "vendor",
        "id",
        "customer note",
        "order subtotal amount\n    ",
        "order shipping amount",
        "coupon code",
        "hsn/sac",
        "discount percent",
        "tax percent",
        "territory",
        "project",
        "company",
        "sales order\n    ",
        "delivery note",
        "income account",
        "cost center",
        "receivable account",
        "customer group",
        "due date",
    ]
)

_FIELDS = {loosely(name): field for field, names in NAMES.items() for name in names}
_RANKS = {loosely(name): rank for names in NAMES.values() for rank, name in enumerate(names)}


@lru_cache(4_096)
def field_of(name: str) -> str | None:
    """Return what a column of this name holds ("date", "product", …), or None for an unknown name."""
    return _FIELDS.get(loosely(name))


def rank(name: str) -> int:
    """Return how surely a column of this name holds its field: 0 for the documented name, more for others."""
    return _RANKS.get(loosely(name), len(_RANKS))


def claims(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, list[int]]:
    """Return the columns that may hold each field, by their names; `mapping` is the owner's choice by field."""
    chosen = {index: field for field, name in mapping.items() for index in named(name, header)}
    found: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        field = chosen.get(index) or (_name_of_orders(header) if loosely(name) == "name" else field_of(name))
        if field and (index in chosen or field not in mapping):
            found.setdefault(field, []).append(index)
    return found


def _name_of_orders(header: Sequence[str]) -> str | None:
    """Return what a column called just Name holds: the order's number where other columns are of its lines."""
    return "receipt" if any(loosely(name).startswith("lineitem") for name in header) else None


def named(name: str, header: Sequence[str]) -> list[int]:
    """Return the columns of this name: those where it is written just so, else those where it is like it."""
    shown = legible(name.strip(), SHOWN)
    exact = [index for index, column in enumerate(header) if column == shown]
    like = loosely(shown)
    return exact or [index for index, column in enumerate(header) if like and loosely(column) == like]
