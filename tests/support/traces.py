"""Where in a database something is written."""

import re
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

SELECT_TABLES = """SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"""
SELECT_TABLES_OF_SHOPS = f"""{SELECT_TABLES} AND EXISTS (SELECT FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = 'business_id' AND NOT a.attisdropped)
    ORDER BY 1, 2"""


def traces(conn: psycopg.Connection[Any], words: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return schema, table and word of everything in the database that has one of the words, as any byte sequence."""
    found = []
    forms = {word: f"{re.escape(word)}|{word.encode().hex()}" for word in words}
    for schema, table in conn.execute(SELECT_TABLES).fetchall():
        # A table is read once for all words; only where one of them is found is each looked for.
        statement = SQL("SELECT t::text FROM {} AS t WHERE t::text ~* %s").format(Identifier(schema, table))
        rows = [row for (row,) in conn.execute(statement, ("|".join(forms.values()),)).fetchall()]
        found += [
            (schema, table, word)
            for word, form in forms.items()
            if any(re.search(form, row, re.IGNORECASE) for row in rows)
        ]
    return found


def rows_of(conn: psycopg.Connection[Any], business_id: int) -> dict[tuple[str, str], list[str]]:
    """Return the rows that a business has, by schema and table."""
    found = {}
    for schema, table in conn.execute(SELECT_TABLES_OF_SHOPS).fetchall():
        statement = SQL("SELECT t::text FROM {} AS t WHERE business_id = %s ORDER BY 1")
        rows = conn.execute(statement.format(Identifier(schema, table)), (business_id,)).fetchall()
        if rows:
            found[schema, table] = [row for (row,) in rows]
    return found
