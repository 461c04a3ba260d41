"""SQL functions: one file each, created again when its content changed."""

import re
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest

from shared.postgres import database
from shared.postgres.locks import Lock

FUNCTIONS = sorted(Path(str(files("shared.postgres.functions"))).glob("*.sql"))
SELECT_FUNCTIONS = """SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('audit', 'log', 'vault', 'credentials', 'files', 'jobs', 'projections')"""
SELECT_SOURCE = "SELECT prosrc FROM pg_proc WHERE proname = 'position_at'"


def test_every_function_of_the_database_has_a_file(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        assert {f"{name}.sql" for (name,) in conn.execute(SELECT_FUNCTIONS)} == {file.name for file in FUNCTIONS}


def test_a_migration_replaces_only_the_functions_whose_file_changed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in FUNCTIONS:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(database, "_FUNCTIONS", tmp_path)
    with psycopg.connect(database_url, autocommit=True) as conn:
        versions = "SELECT name, xmin::text FROM public.functions"
        before: dict[str, str] = dict(conn.execute(versions).fetchall())
        changed = tmp_path / "log.position_at.sql"
        changed.write_text(
            changed.read_text("utf-8").replace("later - known > 1", "later - known > 1 AND true"), "utf-8"
        )
        assert database.migrate(database_url) == []
        after: dict[str, str] = dict(conn.execute(versions).fetchall())
        assert {name for name in after if after[name] != before[name]} == {changed.name}
        ((source,),) = conn.execute(SELECT_SOURCE).fetchall()
    assert "AND true" in source


def test_functions_take_the_locks_of_the_list() -> None:
    taken = {
        file.name: {int(number) for number in re.findall(r"pg_(?:try_)?advisory_\w+\((\d+)", file.read_text("utf-8"))}
        for file in FUNCTIONS
    }
    assert {name: locks for name, locks in taken.items() if locks} == {
        "log.append.sql": {Lock.LOG},
        "projections.request_adoption.sql": {Lock.REBUILD},
        "projections.request_generation.sql": {Lock.REBUILD},
        "projections.request_replay.sql": {Lock.REPLAY_REQUESTS},
        "projections.share.sql": {Lock.POINTER},
    }
