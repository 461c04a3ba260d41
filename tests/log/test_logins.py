"""Connections log in as roles of their own: leaving the role gives nothing."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from projections.engine.follower import connect as connect_projector
from shared.postgres.database import PROJECTOR, READER, WRITER, migrate
from shared.postgres.logins import login_of
from shared.runtime.container import Container, role_passwords
from tests.support.application import settings_for
from tests.support.log_facts import connected
from tests.support.servers import Services, drop_database, fresh_database

Open = Callable[[Container], psycopg.Connection[Any]]
OPENERS: dict[str, Open] = {
    WRITER: Container.connect,
    READER: Container.connect_reader,
    PROJECTOR: lambda container: connect_projector(container.url_as(PROJECTOR), role=container.role(PROJECTOR)),
}
# What each role may not do, whatever it says it is.
FORBIDDEN = {
    WRITER: ["UPDATE log.events SET state = ''", "DELETE FROM projections.live"],
    READER: ["SELECT FROM log.events", "SELECT FROM vault.keys", "SELECT FROM credentials.passwords"],
    PROJECTOR: ["SELECT FROM credentials.passwords", "UPDATE log.events SET state = ''", "SELECT FROM files.parts"],
}


@pytest.fixture
def with_logins(container: Container) -> Container:
    migrate(container.url, role_passwords(container.secret))
    return container


@pytest.mark.parametrize("role", OPENERS)
@pytest.mark.parametrize("leaving", ["RESET ROLE", "SET ROLE NONE", "RESET ALL", "DISCARD ALL"])
def test_leaving_the_role_gives_nothing(with_logins: Container, role: str, leaving: str) -> None:
    with OPENERS[role](with_logins) as conn:
        conn.read_only = None
        conn.autocommit = True
        name = conn.info.dbname
        assert conn.execute("SELECT session_user, current_user").fetchone() == (login_of(role, name), role)
        conn.execute(leaving.encode())
        for statement in FORBIDDEN[role]:
            with pytest.raises(InsufficientPrivilege):
                conn.execute(statement.encode())
        for other in {WRITER, READER, PROJECTOR, "postgres"} - {role}:
            with pytest.raises(InsufficientPrivilege):
                conn.execute(f"SET ROLE {other}".encode())


def test_a_database_without_logins_is_used_as_its_user_in_a_role(
    services: Services, template: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = fresh_database(services.database_url, template)
    with Container(settings_for(url, services)).connect_reader() as conn, connected(url) as owner:
        ((user,),) = owner.execute("SELECT session_user").fetchall()
        assert conn.execute("SELECT session_user, current_user").fetchone() == (user, READER)
    drop_database(url)
    assert "the database admits no logins of the roles" in caplog.text


def test_the_server_is_sent_no_password(with_logins: Container) -> None:
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
    with connected(with_logins.url) as conn:
        for role, password in role_passwords(with_logins.secret).items():
            ((verifier,),) = conn.execute(stored, (login_of(role, conn.info.dbname),)).fetchall()
            assert verifier.startswith("SCRAM-SHA-256$")
            assert password not in verifier


def test_names_of_logins_fit_and_differ_for_long_names_of_databases() -> None:
    names = {login_of(READER, "x" * 60 + end) for end in ("a", "b")}
    assert len(names) == 2
    assert max(len(name) for name in names) < 63
