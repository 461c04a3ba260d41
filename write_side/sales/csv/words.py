"""Words that cells use for a closed set of meanings, in English and Bangla; written as `loosely` leaves them."""

import re
from functools import lru_cache

from write_side.sales.csv.cells import loosely, split

SALE, RETURN, PURCHASE, EXPENSE = "sale", "return", "purchase", "expense"
CANCELLED, NOT_FINAL, REFUNDED, MONEY_ONLY = "cancelled", "not_final", "refunded", "money_only"
ON_CREDIT, PARTIAL = "credit", "partial"

# The meanings of a column Type. The last two are no sales: offers and orders, and money without goods.
KINDS: dict[str, tuple[str, ...]] = {
    SALE: split("sale sales sell sold payment invoice salesinvoice taxinvoice cashsale creditsale pos বিক্রি বিক্রয়"),
    RETURN: split(
        """return returns returned salesreturn salereturn refund refunds creditnote creditmemo salescreditnote
        ফেরত ফেরৎ বিক্রয়ফেরত"""
    ),
    PURCHASE: split("purchase purchases purchased buy bought purchasebill ক্রয় কেনা কেনাকাটা খরিদ"),
    EXPENSE: split("expense expenses cost spending খরচ ব্যয়"),
    NOT_FINAL: split(
        """estimate quotation quote proforma proformainvoice order saleorder salesorder purchaseorder draft
        deliverychallan deliverynote অর্ডার কোটেশন"""
    ),
    MONEY_ONLY: split("paymentin paymentout receipt collection openingbalance debitnote purchasereturn"),
}
# The meanings of a column Status.
STATUSES: dict[str, tuple[str, ...]] = {
    SALE: split(
        """sale completed complete closed posted paid fulfilled delivered processing done invoiced final finalized
        success successful active open shipped confirmed settled বিক্রি সম্পন্ন পরিশোধিত"""
    ),
    ON_CREDIT: split("unpaid notpaid due overdue credit awaitingpayment বাকি বাকী অপরিশোধিত"),
    PARTIAL: split("partial partiallypaid partlypaid আংশিক"),
    CANCELLED: split("cancelled canceled cancel void voided failed declined expired deleted reversed বাতিল বাতিলকৃত"),
    NOT_FINAL: split("draft estimate quotation quote proforma order খসড়া অর্ডার কোটেশন"),
    REFUNDED: split("refunded refund returned ফেরত"),
}
# What a status of these words means depends on the program; `pending` is unpaid in a column about payment.
PENDING = frozenset({"pending", "authorized", "onhold", "pendingpayment", "অপেক্ষমাণ"})

# Credit is a sale on credit (baki), not a credit card.
METHODS: dict[str, tuple[str, ...]] = {
    "cash": split("cash cashpayment cashondelivery cashondeliverycod cod ক্যাশ নগদ নগদটাকা"),
    "bkash": ("bkash", "বিকাশ"),
    "nagad": ("nagad", "নগদমোবাইল", "নগদঅ্যাপ"),
    "rocket": ("rocket", "dbblrocket", "রকেট"),
    "card": split("card creditcard debitcard visa mastercard amex কার্ড ক্রেডিটকার্ড ডেবিটকার্ড"),
    "credit": split("credit creditsale oncredit baki due unpaid notpaid বাকি বাকী ক্রেডিট ধার"),
}

# Customers who are nobody in particular.
WALK_IN = frozenset(
    split(
        """walkin walkincustomer walkinguest cash cashsale cashsales cashcustomer guest guestcustomer na none nan null
        nil anonymous unknown counter countersale countersales generalcustomer retailcustomer randomcustomer
        সাধারণক্রেতা নগদ নগদবিক্রি নগদক্রেতা খুচরাক্রেতা অজানা"""
    )
)
# What rows that add other rows up are called.
TOTALS = frozenset(
    split(
        """total totals subtotal grandtotal nettotal daytotal dailytotal monthtotal monthlytotal totalsales totalsale
        totalamount sum summary মোট সর্বমোট উপমোট সাবটোটাল মোটবিক্রি সর্বমোটবিক্রি"""
    )
)
_TOTAL_OF = re.compile(r"(?:sub[ -]?|grand |net )?total (?:of|for|on)\b", re.IGNORECASE)
# Variants that say nothing.
NO_VARIANT = frozenset({"", "regular", "default", "defaulttitle", "standard", "normal", "na", "none"})
# What spreadsheets write for a formula that failed.
SPREADSHEET_ERRORS = frozenset({"#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!", "#####"})
# Cells that say that there is nothing to say.
NOTHING = frozenset({"", "na", "none", "nan", "null", "nil"})

WEIGHED = frozenset(
    split(
        """kg kgs kilo kilogram kilograms g gm gms gram grams l ltr litre litres liter liters ml millilitre milliliter
        m mtr metre metres meter meters কেজি কিলোগ্রাম কিলো গ্রাম লিটার মিলিলিটার মিটার"""
    )
)
# Units that are a fixed number of pieces.
PIECES_IN: dict[str, int] = {
    **dict.fromkeys(split("dozen dozens dzn doz dz ডজন"), 12),
    **dict.fromkeys(split("hali হালি"), 4),
    **dict.fromkeys(split("pair pairs prs জোড়া"), 2),
    **dict.fromkeys(split("gross grs"), 144),
}


def meanings(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return the meaning of each word of a table, as `loosely` compares words."""
    return {loosely(word): meaning for meaning, words in table.items() for word in words}


@lru_cache(8_192)
def is_total(text: str) -> bool:
    """Return whether a cell names a row that adds others up, e.g. "Sub Total", "Total for 3 May", "সর্বমোট"."""
    return loosely(text) in _TOTALS or _TOTAL_OF.match(text.strip()) is not None


def is_blank(text: str) -> bool:
    """Return whether a cell says nothing: it is empty, a dash, or a word such as "none"."""
    return text.strip() in _DASHES or loosely(text) in NOTHING


def is_nobody(text: str) -> bool:
    """Return whether a customer's name stands for nobody in particular: "Walk-in", "Cash Sale", "-", "সাধারণ ক্রেতা"."""
    return loosely(text) in _WALK_IN or text.strip() in _DASHES


_TOTALS = frozenset(map(loosely, TOTALS))
_WALK_IN = frozenset(map(loosely, WALK_IN))
_DASHES = frozenset({"", "-", "--", "\N{EN DASH}", "\N{EM DASH}", ".", "*"})
