"""What a user would write instead: the ledger's rows in one indexed table, without any events."""

import csv
import datetime as dt
import io
import time
from decimal import Decimal
from typing import Any

from psycopg import Connection

# Creates the table and the index that its list needs.
CREATE = """CREATE TABLE IF NOT EXISTS public.naive_sales (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, business_id bigint NOT NULL, date date NOT NULL,
    product text NOT NULL, quantity integer NOT NULL, amount numeric(12, 2) NOT NULL, customer text,
    payment_method text);
    CREATE INDEX IF NOT EXISTS naive_sales_by_date ON public.naive_sales (business_id, date)"""
# Inserts a sale.
INSERT = """INSERT INTO public.naive_sales (business_id, date, product, quantity, amount, customer, payment_method)
    VALUES (%s, %s, %s, %s, %s, %s, %s)"""


def import_seconds(conn: Connection[Any], content: bytes) -> float:
    """Return how long csv.reader and executemany take for a file, in one transaction; each call is another business."""
    conn.execute(CREATE)
    business = time.monotonic_ns()
    began = time.perf_counter()
    reader = csv.reader(io.StringIO(content.decode()))
    next(reader)
    rows = [
        (
            business,
            dt.date.fromisoformat(row[0]),
            row[1].strip(),
            int(row[2]),
            Decimal(row[3]),
            row[4] if len(row) > 4 else None,  # noqa: PLR2004 - the optional columns
            row[5] if len(row) > 5 else None,  # noqa: PLR2004 - the optional columns
        )
        for row in reader
    ]
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(INSERT, rows)
    return time.perf_counter() - began
