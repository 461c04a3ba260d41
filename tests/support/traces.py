"""Where in a database something is written."""

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
    for schema, table in conn.execute(SELECT_TABLES).fetchall():
        where = SQL("t::text ILIKE %s OR t::text ILIKE %s")
        for word in words:
            texts = (f"%{word}%", f"%{word.encode().hex()}%")
            name = Identifier(schema, table)
            statement = SQL("SELECT count(*) FROM {} AS t WHERE {}").format(name, where)
            if conn.execute(statement, texts).fetchone() != (0,):
                found.append((schema, table, word))
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
