"""The names that shops give to the columns of a ledger, in English and Bangla."""

from write_side.sales.csv.cells import loosely

REQUIRED = ("date", "product", "quantity", "amount")

# Written as `loosely` leaves them: lower case, no spaces, underscores or punctuation. Of two columns with names of one
# field the one is read whose name stands first: the documented name, then the surer ones, e.g. the line's total before
# one that may be the order's, a name before an id or a description, the sale's date before when a till wrote the row.
NAMES: dict[str, tuple[str, ...]] = {
    "date": (
        "date",
        "saledate",
        "salesdate",
        "dateofsale",
        "transactiondate",
        "orderdate",
        "invoicedate",
        "billdate",
        "datetime",
        "timestamp",
        "তারিখ",
        "বিক্রিরতারিখ",
        "বিক্রয়েরতারিখ",
    ),
    "product": (
        "product",
        "productname",
        "itemname",
        "item",
        "goods",
        "পণ্য",
        "পণ্যেরনাম",
        "পন্য",
        "পন্যেরনাম",
        "মালেরনাম",
        "আইটেম",
        "productdescription",
        "itemdescription",
        "description",
    ),
    "quantity": ("quantity", "qty", "quantitysold", "qtysold", "pcs", "পরিমাণ", "পরিমান", "সংখ্যা"),
    "amount": (
        "amount",
        "amountbdt",
        "amounttk",
        "amounttaka",
        "amountintaka",
        "linetotal",
        "saleamount",
        "salesamount",
        "total",
        "totalamount",
        "totalprice",
        "totalbdt",
        "totaltk",
        "totaltaka",
        "taka",
        "tk",
        "bdt",
        "টাকা",
        "মোটটাকা",
        "মোটমূল্য",
        "মোট",
        "টাকারপরিমাণ",
        "মূল্য",
    ),
    "customer": (
        "customer",
        "customername",
        "buyername",
        "buyer",
        "clientname",
        "client",
        "ক্রেতা",
        "গ্রাহক",
        "ক্রেতারনাম",
        "গ্রাহকেরনাম",
        "কাস্টমার",
        "কাস্টমারেরনাম",
        "customerid",
    ),
    "payment": (
        "paymentmethod",
        "payment",
        "paymenttype",
        "paymentmode",
        "modeofpayment",
        "paidby",
        "paidwith",
        "পেমেন্ট",
        "পেমেন্টপদ্ধতি",
        "পেমেন্টেরধরন",
        "পরিশোধেরমাধ্যম",
        "পরিশোধপদ্ধতি",
    ),
    "type": ("type", "saletype", "transactiontype", "kind", "entrytype", "ধরন", "ধরণ", "লেনদেনেরধরন", "লেনদেন"),
    "unit": ("unit", "unitofmeasure", "uom", "একক"),
    "phone": (
        "phone",
        "phoneno",
        "phonenumber",
        "mobile",
        "mobileno",
        "mobilenumber",
        "customerphone",
        "customermobile",
        "ফোন",
        "ফোননম্বর",
        "মোবাইল",
        "মোবাইলনম্বর",
    ),
    "sku": ("sku", "productcode", "itemcode", "barcode", "stockcode", "পণ্যকোড", "পণ্যেরকোড", "কোড", "এসকেইউ"),
    "stock": (
        "stock",
        "stockquantity",
        "stockqty",
        "instock",
        "currentstock",
        "stockonhand",
        "স্টক",
        "মজুদ",
        "মজুত",
        "বর্তমানস্টক",
        "বর্তমানমজুদ",
    ),
    "cost": ("cost", "costprice", "purchaseprice", "unitcost", "buyingprice", "ক্রয়মূল্য", "কেনাদাম", "কেনারদাম"),
}

_FIELDS = {loosely(name): field for field, names in NAMES.items() for name in names}
_RANKS = {loosely(name): rank for names in NAMES.values() for rank, name in enumerate(names)}


def field_of(name: str) -> str | None:
    """Return what a column of this name holds ("date", "product", …), or None for a name unknown to us."""
    return _FIELDS.get(loosely(name))


def rank(name: str) -> int:
    """Return how surely a column of this name holds its field: 0 for the documented name, more for others."""
    return _RANKS.get(loosely(name), len(_RANKS))
