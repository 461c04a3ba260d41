"""An empty ledger to fill in: the documented columns and two example rows, in Bangla or English."""

import io
from typing import Literal

import xlsxwriter

from shared.texts import Language

TemplateFormat = Literal["csv", "xlsx"]
_ROWS: dict[Language, list[list[str | float]]] = {
    "en": [
        ["Date", "Product", "Quantity", "Unit", "Amount", "Paid", "Due", "Customer", "Phone", "Payment Method"],
        ["2025-10-01", "Rice", 2.5, "kg", 200, 200, 0, "", "", "Cash"],
        ["2025-10-01", "Shirt", 2, "pcs", 600, 100, 500, "Rahim", "01711000001", "Cash"],
    ],
    "bn": [
        ["তারিখ", "পণ্য", "পরিমাণ", "একক", "টাকা", "জমা", "বাকি", "ক্রেতা", "ফোন", "পেমেন্ট পদ্ধতি"],
        ["2025-10-01", "চাল", 2.5, "কেজি", 200, 200, 0, "", "", "ক্যাশ"],
        ["2025-10-01", "শার্ট", 2, "পিস", 600, 100, 500, "রহিম", "01711000001", "ক্যাশ"],
    ],
}


def template(form: TemplateFormat, language: Language) -> bytes:
    """Return the template as a file: CSV in UTF-8 with a byte order mark, or a workbook."""
    rows = _ROWS[language]
    if form == "csv":
        return "\ufeff".encode() + "".join(",".join(map(str, row)) + "\r\n" for row in rows).encode()
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        sheet.set_column(0, len(rows[0]) - 1, 16)
    return data.getvalue()
