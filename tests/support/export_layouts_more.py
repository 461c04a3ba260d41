"""Exports of accounting programs, baki books and Bangla shop apps; see `export_layouts`."""

from tests.support.export_layouts import (
    LOYVERSE,
    ODOO,
    SHOPIFY,
    SQUARE,
    WOOCOMMERCE,
    Layout,
    bangla,
    money,
)

ERPNEXT = Layout(
    "Item Code,Item Name,Item Group,Description,Invoice,Posting Date,Customer Group,Customer,Customer Name,"
    "Receivable Account,Mode Of Payment,Territory,Project,Company,Sales Order,Delivery Note,Income Account,Cost Center,"
    "Stock Qty,Stock UOM,Rate,Amount,Total Tax,Total,Currency",
    lambda s, _: {
        "Item Code": f"C{len(s.product)}",
        "Item Name": s.product,
        "Item Group": "Drinks",
        "Invoice": f"SINV-{s.order}",
        "Posting Date": f"{s.at:%d-%m-%Y}",
        "Customer": "CUST-1",
        "Customer Name": s.customer or "Walk-in Customer",
        "Mode Of Payment": "Cash",
        "Stock Qty": f"{s.sign * s.quantity}.000",
        "Stock UOM": "Nos",
        "Rate": f"{s.price}0",
        "Amount": f"{money(s.sign * s.paisa)}0",
        "Total Tax": "0.000",
        "Total": f"{money(s.sign * s.paisa)}0",
        "Currency": "BDT",
    },
    end={"Item Code": "Total", "Stock Qty": "1.000", "Amount": "1.000"},
    hides=("cancelled",),
)
VYAPAR_KINDS = {"sold": "Sale", "returned": "Credit Note", "cancelled": "Estimate"}
VYAPAR = Layout(
    "Date,Invoice No./Txn No.,Party Name,Item Name,Item Code,HSN/SAC,Category,Unit,Quantity,UnitPrice,Discount Percent,"
    "Discount,Tax Percent,Tax,Transaction Type,Amount",
    lambda s, _: {
        "Date": f"{s.at:%d/%m/%Y}",
        "Invoice No./Txn No.": str(s.order),
        "Party Name": s.customer or "Cash Sale",
        "Item Name": s.product,
        "Unit": "Pcs",
        "Quantity": str(s.quantity),
        "UnitPrice": s.price,
        "Discount Percent": "0",
        "Discount": "0",
        "Tax Percent": "0",
        "Tax": "0",
        "Transaction Type": VYAPAR_KINDS[s.fate],
        "Amount": money(s.paisa),
    },
    titles=("Sale Items Report", "From 01/01/2024 To 31/12/2025"),
)
QUICKBOOKS_KINDS = {"sold": "Invoice", "returned": "Credit Memo", "cancelled": "Estimate"}
QUICKBOOKS = Layout(
    "Date,Transaction Type,Num,Customer,Memo/Description,Product/Service,Qty,Sales Price,Amount",
    lambda s, _: {
        "Date": f"{s.at:%m/%d/%Y}",
        "Transaction Type": QUICKBOOKS_KINDS[s.fate],
        "Num": str(s.order),
        "Customer": s.customer,
        "Product/Service": s.product,
        "Qty": str(s.sign * s.quantity),
        "Sales Price": s.price,
        "Amount": f"({money(s.paisa)})" if s.sign < 0 else money(s.paisa),
    },
    titles=("Sales by Product/Service Detail", "All Dates"),
    end={"Date": "TOTAL", "Amount": "1.00"},
)
ZOHO = Layout(
    "Invoice Date,Invoice ID,Invoice Number,Invoice Status,Customer Name,Place of Supply,Due Date,Is Inclusive Tax,"
    "Item Name,Account,Quantity,Item Price,Item Total,Item Tax,Item Tax %,Item Tax Amount,HSN/SAC,Shipping Charge,"
    "Adjustment,SubTotal,Total,Balance",
    lambda s, order: {
        "Invoice Date": f"{s.at:%Y-%m-%d}",
        "Invoice ID": f"9{s.order}",
        "Invoice Number": f"INV-{s.order}",
        "Invoice Status": "Void" if s.fate == "cancelled" else "Overdue" if order.paid < order.total else "Closed",
        "Customer Name": s.customer,
        "Due Date": f"{s.at:%Y-%m-%d}",
        "Is Inclusive Tax": "false",
        "Item Name": s.product,
        "Account": "Sales",
        "Quantity": str(s.quantity),
        "Item Price": s.price,
        "Item Total": money(s.paisa),
        "Shipping Charge": "0",
        "Adjustment": "0",
        "SubTotal": money(order.total),
        "Total": money(order.total),
        "Balance": money(order.total - order.paid),
    },
    hides=("returned",),
    owes=True,
)
XERO = Layout(
    "ContactName,EmailAddress,POAddressLine1,POAddressLine2,POAddressLine3,POAddressLine4,POCity,PORegion,POPostalCode,"
    "POCountry,SAAddressLine1,SAAddressLine2,SAAddressLine3,SAAddressLine4,SACity,SARegion,SAPostalCode,SACountry,"
    "InvoiceNumber,Reference,InvoiceDate,DueDate,PlannedDate,Total,TaxTotal,InvoiceAmountPaid,InvoiceAmountDue,"
    "InventoryItemCode,Description,Quantity,UnitAmount,Discount,LineAmount,AccountCode,TaxType,TaxAmount,TrackingName1,"
    "TrackingOption1,TrackingName2,TrackingOption2,Currency,Type,Sent,Status",
    lambda s, order: {
        "ContactName": s.customer,
        "InvoiceNumber": f"INV-{s.order}",
        "InvoiceDate": f"{s.at:%d %b %Y}",
        "DueDate": f"{s.at:%d %b %Y}",
        "Total": money(order.total),
        "TaxTotal": "0.00",
        "InvoiceAmountPaid": money(order.paid),
        "InvoiceAmountDue": money(order.total - order.paid),
        "Description": s.product,
        "Quantity": f"{s.quantity}.0000",
        "UnitAmount": f"{s.price}00",
        "LineAmount": money(s.paisa),
        "AccountCode": "200",
        "TaxType": "Tax Exempt",
        "TaxAmount": "0.00",
        "Currency": "BDT",
        "Type": "Sales invoice",
        "Sent": "Sent",
        "Status": "Voided" if s.fate == "cancelled" else "Paid" if order.paid == order.total else "Awaiting Payment",
    },
    hides=("returned",),
    owes=True,
)
LIGHTSPEED = Layout(
    "Date,Receipt Number,Line Type,Customer Name,Quantity,Subtotal,Sales Tax,Discount,Details,Register,Status,Sku",
    lambda s, _: {
        "Date": f"{s.at:%Y-%m-%d %H:%M:%S}",
        "Receipt Number": str(s.order),
        "Line Type": "Sale",
        "Customer Name": s.customer,
        "Quantity": str(s.sign * s.quantity),
        "Subtotal": money(s.sign * s.paisa),
        "Sales Tax": "0.00",
        "Discount": "0.00",
        "Details": s.product,
        "Register": "Main",
        "Status": "Cancelled" if s.fate == "cancelled" else "Closed",
    },
)
BAKI = Layout(
    "Date,Customer,Product,Qty,Total,Paid,Due",
    lambda s, _: {
        "Date": f"{s.at:%Y-%m-%d}",
        "Customer": s.customer,
        "Product": s.product,
        "Qty": str(s.quantity),
        "Total": money(s.paisa),
        "Paid": money(s.paid),
        "Due": money(s.paisa - s.paid),
    },
    hides=("returned", "cancelled"),
    owes=True,
)
KHATA_KINDS = {"sold": "বিক্রি", "returned": "ফেরত", "cancelled": "কোটেশন"}
KHATA = Layout(
    "তারিখ,ধরন,পণ্যের নাম,পরিমাণ,মোট টাকা,ক্রেতা,পেমেন্ট",
    lambda s, _: {
        "তারিখ": bangla(f"{s.at:%Y-%m-%d}"),
        "ধরন": KHATA_KINDS[s.fate],
        "পণ্যের নাম": s.product,
        "পরিমাণ": bangla(s.quantity),
        "মোট টাকা": bangla(f"৳ {money(s.paisa)}"),
        "ক্রেতা": s.customer,
        "পেমেন্ট": "ক্যাশ",
    },
)
MEMO = Layout(
    "ক্রঃ নং,তারিখ,মেমো নং,গ্রাহকের নাম,পণ্যের নাম,পরিমাণ,একক,দর (৳),মোট (৳),পরিশোধ,বকেয়া",
    lambda s, order: {
        "ক্রঃ নং": bangla(s.order),
        "তারিখ": bangla(f"{s.at:%d/%m/%Y}"),
        "মেমো নং": bangla(s.order),
        "গ্রাহকের নাম": s.customer or "খুচরা ক্রেতা",
        "পণ্যের নাম": s.product,
        "পরিমাণ": bangla(s.quantity),
        "একক": "পিস",
        "দর (৳)": bangla(s.price),
        "মোট (৳)": bangla(money(s.paisa)),
        "পরিশোধ": bangla(money(order.paid)),
        "বকেয়া": bangla(money(order.total - order.paid)),
    },
    titles=("বিক্রয় রিপোর্ট",),
    end={"ক্রঃ নং": "সর্বমোট", "মোট (৳)": "১০০"},
    hides=("returned", "cancelled"),
    owes=True,
)
DOKAN = Layout(
    "তারিখ,পণ্য,কাস্টমার,মোবাইল,সংখ্যা,ক্রয় মূল্য,মোট মূল্য,লাভ,সাপ্লায়ার,পেমেন্ট স্ট্যাটাস",
    lambda s, _: {
        "তারিখ": f"{s.at:%d-%m-%Y}",
        "পণ্য": s.product,
        "কাস্টমার": s.customer,
        "সংখ্যা": str(s.quantity),
        "ক্রয় মূল্য": s.price,
        "মোট মূল্য": money(s.paisa),
        "লাভ": "0",
        "পেমেন্ট স্ট্যাটাস": "বাতিল" if s.fate == "cancelled" else "পরিশোধিত",
    },
    hides=("returned",),
)
BAKI_BN = Layout(
    "তারিখ,খরিদ্দার,বিবরণ,পরিমাণ,মোট মূল্য,জমা,বাকি",
    lambda s, _: {
        "তারিখ": bangla(f"{s.at:%d/%m/%Y}"),
        "খরিদ্দার": s.customer,
        "বিবরণ": s.product,
        "পরিমাণ": bangla(s.quantity),
        "মোট মূল্য": bangla(money(s.paisa)),
        "জমা": bangla(money(s.paid)),
        "বাকি": bangla(money(s.paisa - s.paid)),
    },
    hides=("returned", "cancelled"),
    owes=True,
)
LAYOUTS: dict[str, Layout] = {
    "loyverse": LOYVERSE,
    "square": SQUARE,
    "shopify": SHOPIFY,
    "woocommerce": WOOCOMMERCE,
    "odoo": ODOO,
    "erpnext": ERPNEXT,
    "vyapar": VYAPAR,
    "quickbooks": QUICKBOOKS,
    "zoho": ZOHO,
    "xero": XERO,
    "lightspeed": LIGHTSPEED,
    "baki": BAKI,
    "khata": KHATA,
    "memo": MEMO,
    "dokan": DOKAN,
    "baki_bn": BAKI_BN,
}
