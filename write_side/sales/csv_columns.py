"""The names that shops give to the columns of a ledger, in English and Bangla."""

from write_side.sales.csv_cells import loosely

REQUIRED = ("date", "product", "quantity", "amount")

# Written as `loosely` leaves them: lower case, no spaces, underscores or punctuation.
NAMES: dict[str, tuple[str, ...]] = {
    "date": (
        "date", "saledate", "salesdate", "dateofsale", "transactiondate", "orderdate", "invoicedate", "billdate",
        "datetime", "timestamp", "তারিখ", "বিক্রিরতারিখ", "বিক্রয়েরতারিখ",
    ),
    "product": (
        "product", "productname", "item", "itemname", "description", "productdescription", "itemdescription", "goods",
        "পণ্য", "পণ্যেরনাম", "পন্য", "পন্যেরনাম", "আইটেম", "মালেরনাম",
    ),
    "quantity": ("quantity", "qty", "quantitysold", "qtysold", "pcs", "পরিমাণ", "পরিমান", "সংখ্যা"),
    "amount": (
        "amount", "total", "linetotal", "totalamount", "amountbdt", "amounttk", "amounttaka", "amountintaka",
        "totalbdt", "totaltk", "totaltaka", "totalprice", "saleamount", "salesamount", "taka", "tk", "bdt",
        "টাকা", "মোট", "মূল্য", "মোটটাকা", "মোটমূল্য", "টাকারপরিমাণ",
    ),
    "customer": (
        "customer", "customername", "customerid", "buyer", "buyername", "client", "clientname",
        "ক্রেতা", "গ্রাহক", "ক্রেতারনাম", "গ্রাহকেরনাম", "কাস্টমার", "কাস্টমারেরনাম",
    ),
    "payment": (
        "payment", "paymentmethod", "paymenttype", "paymentmode", "modeofpayment", "paidby", "paidwith",
        "পেমেন্ট", "পেমেন্টপদ্ধতি", "পেমেন্টেরধরন", "পরিশোধেরমাধ্যম", "পরিশোধপদ্ধতি",
    ),
    "type": ("type", "saletype", "transactiontype", "kind", "entrytype", "ধরন", "ধরণ", "লেনদেনেরধরন", "লেনদেন"),
    "unit": ("unit", "unitofmeasure", "uom", "একক"),
    "phone": (
        "phone", "phoneno", "phonenumber", "mobile", "mobileno", "mobilenumber", "customerphone", "customermobile",
        "ফোন", "ফোননম্বর", "মোবাইল", "মোবাইলনম্বর",
    ),
    "sku": ("sku", "productcode", "itemcode", "barcode", "stockcode", "পণ্যকোড", "পণ্যেরকোড", "কোড", "এসকেইউ"),
    "stock": (
        "stock", "stockquantity", "stockqty", "instock", "currentstock", "stockonhand", "স্টক", "মজুদ", "মজুত",
        "বর্তমানস্টক", "বর্তমানমজুদ",
    ),
    "cost": ("cost", "costprice", "purchaseprice", "unitcost", "buyingprice", "ক্রয়মূল্য", "কেনাদাম", "কেনারদাম"),
}  # fmt: skip

_FIELDS = {loosely(name): field for field, names in NAMES.items() for name in names}


def field_of(name: str) -> str | None:
    """Return what a column of this name holds ("date", "product", …), or None for a name unknown to us."""
    return _FIELDS.get(loosely(name))


def is_plain(name: str, field: str) -> bool:
    """Return whether the column carries the very name that the documented format gives to this field."""
    return loosely(name) == NAMES[field][0]
