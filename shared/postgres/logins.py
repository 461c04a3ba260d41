"""Logins: every kind of connection logs in as a role of its own, which may act as that kind and as nothing else.

A connection that logged in as the database's user and then chose a role could leave that role again. Logins are named
after the database, since roles belong to the whole server. Their passwords follow from SECRET_KEY. Where the database's
user may not create roles, or the server admits no other user from here, connections act as that user, in a role.
"""

import hashlib
import logging
from collections.abc import Mapping

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier, Literal

_NAME_BYTES = 63
logger = logging.getLogger("smartmarket.database")

# Creates a login, unless it exists.
CREATE_LOGIN = """DO $$ BEGIN CREATE ROLE {login} LOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"""
# Gives it a password, of which the server is sent the verifier only, and the rights of its role. The database's user
# may look at what it does.
SET_PASSWORD = "ALTER ROLE {login} LOGIN PASSWORD {verifier}"  # noqa: S105 - no password
GRANT_ROLE = "GRANT {role} TO {login}"
GRANT_CONNECT = "GRANT CONNECT ON DATABASE {database} TO {login}"
GRANT_SIGHT = "GRANT {login} TO {owner}"


def login_of(role: str, database: str) -> str:
    """Return the name of the login that acts as `role` in a database."""
    name = f"{role}_{database}"
    digest = hashlib.sha256(database.encode()).hexdigest()[:16]
    return name if len(name.encode()) <= _NAME_BYTES else f"{role}_{digest}"


def create(conn: Connection[TupleRow], passwords: Mapping[str, str]) -> None:
    """Create the login of each role, or give it this password; needs the right to create roles."""
    database = conn.info.dbname
    for role, password in passwords.items():
        login = login_of(role, database)
        verifier = conn.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
        names = {
            "login": Identifier(login),
            "role": Identifier(role),
            "database": Identifier(database),
            "owner": Identifier(conn.info.user),
            "verifier": Literal(verifier),
        }
        for statement in (CREATE_LOGIN, SET_PASSWORD, GRANT_ROLE, GRANT_CONNECT, GRANT_SIGHT):
            conn.execute(SQL(statement).format(**names))


def url_as(url: str, role: str, password: str) -> str:
    """Return the connection string of the login that acts as `role`."""
    database = conninfo_to_dict(url).get("dbname") or ""
    return make_conninfo(url, user=login_of(role, str(database)), password=password)


def admitted(url: str) -> bool:
    """Tell whether the server lets this login in."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
