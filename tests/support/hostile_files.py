"""Files that are no ledgers, made to be too large for a reader, or to look like what they are not."""

import io
import struct
import zipfile
from collections.abc import Callable, Sequence

import xlsxwriter

from tests.support.ole_files import compound_file, excel_97

HEADER = ("Date", "Product", "Qty", "Amount")
ROW = ("2026-11-01", "Tea", "1", "20")
CSV = b"Date,Product,Qty,Amount\n2026-11-01,Tea,1,20\n"
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"


def workbook(*sheets: str, parts: Sequence[int] = (), shared: str = "") -> bytes:
    """Return an .xlsx of these `sheetData` contents; `parts`: which of them each sheet is, else each its own."""
    numbers = parts or range(len(sheets))
    listed = "".join(f'<sheet name="S{i}" sheetId="{i + 1}" r:id="r{i}"/>' for i, _ in enumerate(numbers))
    related = "".join(
        f'<Relationship Id="r{i}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for i, number in enumerate(numbers)
    )
    files = {
        "_rels/.rels": f'<Relationships {_PACKAGE}><Relationship Id="r" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships {_PACKAGE}>{related}</Relationships>",
        **{
            f"xl/worksheets/sheet{i}.xml": f"<worksheet {_MAIN}>{content}</worksheet>"
            for i, content in enumerate(sheets)
        },
    }
    if shared:
        files["xl/sharedStrings.xml"] = f"<sst {_MAIN}>{shared}</sst>"
    return archive(files)


def archive(files: dict[str, str]) -> bytes:
    """Return a ZIP file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, '<?xml version="1.0"?>' + content if content.startswith("<") else content)
    return data.getvalue()


def sheet(*more: str, size: str = "") -> str:
    """Return the content of a sheet with a header, a row, and what else is given."""
    rows = "".join(
        f'<row r="{number}">'
        + "".join(_cell(f"{letter}{number}", text) for letter, text in zip("ABCD", row, strict=True))
        + "</row>"
        for number, row in enumerate((HEADER, ROW), 1)
    )
    return (f'<dimension ref="{size}"/>' if size else "") + f"<sheetData>{rows}{''.join(more)}</sheetData>"


def _cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def open_document(rows: str) -> bytes:
    """Return an .ods with these rows."""
    spaces = " ".join(f'xmlns:{name}="{_OASIS}:{name}:1.0"' for name in ("office", "table", "text"))
    content = f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="S">'
    end = "</table:table></office:spreadsheet></office:body></office:document-content>"
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": content + rows + end,
        }
    )


def formulas(*, calculated: bool) -> bytes:
    """Return a workbook whose cells are all formulas, with the values that they have or without."""
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data)
    page = book.add_worksheet()
    for number, row in enumerate((HEADER, ROW)):
        for column, text in enumerate(row):
            page.write_formula(number, column, f'="{text}"', value=text if calculated else "")
    book.close()
    return data.getvalue()


def understated(data: bytes, name: str, size: int) -> bytes:
    """Return an archive that says of an entry that it is `size` bytes long."""
    changed = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        start = file.getinfo(name).header_offset
    listed = data.rfind(b"PK\x01\x02", 0, data.rfind(name.encode()))
    struct.pack_into("<I", changed, listed + 24, size)
    struct.pack_into("<I", changed, start + 22, size)
    return bytes(changed)


def _corner(place: str, number: str = "") -> str:
    return f'<row{number}><c r="{place}"><v>1</v></c></row>'


def _far_apart(rows: int) -> str:
    return sheet(f'<row r="{rows}"><c r="A{rows}"><v>1</v></c><c r="Z{rows}"><v>1</v></c></row>')


def _many_entries() -> bytes:
    return archive({f"xl/{number}.xml": "" for number in range(1_001)})


def _protected_entry() -> bytes:
    changed = bytearray(workbook(sheet()))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        changed[changed.find(mark) + place] |= 1
    return bytes(changed)


# What each file is refused for.
HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty sheets of the greatest size": (
        "empty",
        lambda: workbook(*["<dimension ref='A1:XFD1048576'/><sheetData/>"] * 20),
    ),
    "a million empty rows": (
        "empty",
        lambda: workbook("<sheetData>" + "".join(f"<row r='{n}'/>" for n in range(1, 1_048_577)) + "</sheetData>"),
    ),
    "a far corner": ("too_large_inside", lambda: workbook(sheet(_corner("XFD1048576", ' r="1048576"')))),
    "a far corner in a row without a number": ("too_large_inside", lambda: workbook(sheet(_corner("XFD1048576")))),
    "a far corner in single quotes": (
        "too_large_inside",
        lambda: workbook(sheet(_corner("XFD1048576").replace('"', "'"))),
    ),
    "many sheets with far corners": ("too_large_inside", lambda: workbook(*[_far_apart(30_000)] * 30)),
    "one sheet many times": ("too_large_inside", lambda: workbook(_far_apart(60_000), parts=[0] * 300)),
    "a text shared by many cells": (
        "too_large_inside",
        lambda: workbook(
            "<sheetData><row>" + '<c t="s"><v>0</v></c>' * 10_000 + "</row></sheetData>",
            shared=f"<si><t>{'x' * 1_000_000}</t></si>",
        ),
    ),
    "zeros": ("too_large_inside", lambda: archive({"xl/worksheets/sheet1.xml": "\0" * (200 << 20)})),
    "zeros that are said to be few": (
        "too_large_inside",
        lambda: understated(
            archive({"xl/worksheets/sheet1.xml": "\0" * (200 << 20)}), "xl/worksheets/sheet1.xml", 1_000
        ),
    ),
    "many entries": ("too_large_inside", _many_entries),
    "cells repeated in an .ods": (
        "too_large_inside",
        lambda: open_document(
            '<table:table-row table:number-rows-repeated="9000"><table:table-cell table:number-columns-repeated="9" '
            'office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>' * 300
        ),
    ),
    "a far corner in an .xls": (
        "too_large_inside",
        lambda: excel_97([{(0, column): name for column, name in enumerate(HEADER)} | {(65_535, 255): 1.0}]),
    ),
    "formulas without values": ("formulas", lambda: formulas(calculated=False)),
    "an encrypted .xlsx": (
        "encrypted",
        lambda: compound_file({"EncryptionInfo": b"", "EncryptedPackage": bytes(9_000)}),
    ),
    "an encrypted .xls": ("encrypted", lambda: excel_97([{(0, 0): "Date"}], protected=True)),
    "an encrypted archive": ("encrypted", _protected_entry),
    "an archive with a comment": ("binary", lambda: workbook(sheet())[:-2] + b"\x01\x00x"),
    "a document of another program": ("binary", lambda: compound_file({"WordDocument": b""})),
}
# Ledgers under names that do not fit.
SOUND: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a CSV named as a workbook": ("sales.xlsx", lambda: CSV),
    "a workbook named as a CSV": ("sales.csv", lambda: workbook(sheet())),
    "an old workbook named as a new one": (
        "sales.xlsx",
        lambda: excel_97([{(r, c): text for r, row in enumerate((HEADER, ROW)) for c, text in enumerate(row)}]),
    ),
    "a sheet that says that it is large": ("sales.xlsx", lambda: workbook(sheet(size="A1:XFD1048576"))),
    "formulas with values": ("sales.xlsx", lambda: formulas(calculated=True)),
    "an .ods filled to its edge": (
        "sales.ods",
        lambda: open_document(
            "".join(
                "<table:table-row>"
                + "".join(
                    f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
                    for text in row
                )
                + '<table:table-cell table:number-columns-repeated="16380"/></table:table-row>'
                for row in (HEADER, ROW)
            )
            + '<table:table-row table:number-rows-repeated="1048574"><table:table-cell '
            'table:number-columns-repeated="16384"/></table:table-row>'
        ),
    ),
}
