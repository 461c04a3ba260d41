"""The embedded servers, really started, killed and found again, by whichever user runs the tests."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from shared.embedded.program import mark_of
from shared.embedded.server import free_port
from shared.embedded.servers import DataDirInUse, EmbeddedServerError, EmbeddedServers
from shared.embedded.unprivileged import account_for, command_as
from tests.support.embedded_probes import all_pids, ask, occupy, postmaster, run, still_alive

# Starts the servers and dies of a signal that nothing can handle.
STARTS_AND_DIES = """
import os, signal, sys
from pathlib import Path
from shared.embedded.servers import EmbeddedServers
print(EmbeddedServers(Path(sys.argv[1]), durable=False).start().database_url, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder that does not exist yet; kill what a failed test leaves running on it."""
    folder = tmp_path / "data"
    yield folder
    marks = (mark_of(folder / "postgres"), mark_of(folder / "redis"))
    for process in psutil.process_iter(["cmdline"]):
        if any(mark in argument for mark in marks for argument in process.info["cmdline"] or ()):
            process.kill()


@pytest.fixture
def servers(data_dir: Path) -> Iterator[EmbeddedServers]:
    """Yield servers not yet started; they are stopped afterwards."""
    servers = EmbeddedServers(data_dir, durable=False)
    yield servers
    servers.stop()


@pytest.fixture
def orphans(data_dir: Path) -> str:
    """Return the database URL of servers whose starter was killed with SIGKILL."""
    done = run([sys.executable, "-c", STARTS_AND_DIES, str(data_dir)])
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.strip()


def test_a_new_folder_gets_servers_that_speak_utf8_and_demand_their_passwords(servers: EmbeddedServers) -> None:
    endpoints = servers.start()
    assert ask(endpoints.database_url, "SELECT current_database(), lower('ÉÄ'), length('মুদি')") == [
        ("smartmarket", "éä", 4)
    ]
    assert ask(endpoints.database_url, "SHOW listen_addresses") == [("127.0.0.1",)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(endpoints.database_url.replace("postgres:", "postgres:x"), "SELECT 1")
    without_password = "redis://" + endpoints.redis_url.partition("@")[2]
    with redis.Redis.from_url(without_password) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis.from_url(endpoints.redis_url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_durable_servers_wait_for_the_disk(data_dir: Path) -> None:
    with EmbeddedServers(data_dir) as endpoints:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert ask(endpoints.database_url, f"SHOW {setting}") == [("on",)]


def test_stop_leaves_no_process_although_a_client_sits_in_a_transaction(
    data_dir: Path, servers: EmbeddedServers
) -> None:
    endpoints = servers.start()
    pids = all_pids(data_dir, endpoints)
    assert len(pids) > 5
    with psycopg.connect(endpoints.database_url) as idle:
        idle.execute("CREATE TABLE open_work (n int)")
        servers.stop()
        assert still_alive(pids) == set()
        with pytest.raises(psycopg.OperationalError):
            idle.execute("SELECT 1")
    assert "database system is shut down" in (data_dir / "postgres.log").read_text()


def test_a_second_start_finds_the_data_of_the_first(data_dir: Path) -> None:
    with EmbeddedServers(data_dir) as endpoints, redis.Redis.from_url(endpoints.redis_url) as client:
        ask(endpoints.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
        client.set("kept", "seven")
    with EmbeddedServers(data_dir) as endpoints, redis.Redis.from_url(endpoints.redis_url) as client:
        assert ask(endpoints.database_url, "SELECT number FROM kept") == [(7,)]
        assert client.get("kept") == b"seven"


def test_servers_that_outlived_their_killed_starter_are_attached_to(
    data_dir: Path, orphans: str, servers: EmbeddedServers
) -> None:
    before = postmaster(data_dir)
    ask(orphans, "CREATE TABLE kept AS SELECT 7 AS number")
    endpoints = servers.start()
    assert endpoints.database_url == orphans
    assert postmaster(data_dir) == before
    assert ask(endpoints.database_url, "SELECT number FROM kept") == [(7,)]
    pids = all_pids(data_dir, endpoints)
    servers.stop()
    assert still_alive(pids) == set()


def test_orphans_whose_passwords_are_lost_are_replaced_without_loss(
    data_dir: Path, orphans: str, servers: EmbeddedServers
) -> None:
    before = postmaster(data_dir)
    ask(orphans, "CREATE TABLE kept AS SELECT 7 AS number")
    (data_dir / "servers.json").unlink()
    endpoints = servers.start()
    assert endpoints.database_url != orphans
    assert not still_alive({before.pid})
    assert ask(endpoints.database_url, "SELECT number FROM kept") == [(7,)]


def test_a_killed_postmaster_is_started_again_with_what_was_committed(data_dir: Path) -> None:
    servers = EmbeddedServers(data_dir)
    endpoints = servers.start()
    ask(endpoints.database_url, "CREATE TABLE kept AS SELECT 7 AS number")
    postmaster(data_dir).kill()
    servers.stop()
    with servers as restarted:
        assert ask(restarted.database_url, "SELECT number FROM kept") == [(7,)]


def test_servers_that_do_not_end_in_time_are_killed(
    data_dir: Path, servers: EmbeddedServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.embedded.servers.STOP_SECONDS", 0.3)
    endpoints = servers.start()
    ask(endpoints.database_url, "SET synchronous_commit = on; CREATE TABLE kept AS SELECT 7 AS number")
    pids = all_pids(data_dir, endpoints)
    postmaster(data_dir).suspend()
    servers.stop()
    assert still_alive(pids) == set()
    assert ask(servers.start().database_url, "SELECT number FROM kept") == [(7,)]


def test_a_pid_file_whose_number_belongs_to_something_else_now_is_recognised(
    data_dir: Path, servers: EmbeddedServers
) -> None:
    servers.start()
    pid_file = data_dir / "postgres/data/postmaster.pid"
    _, *rest = pid_file.read_text().splitlines(keepends=True)
    owner = pid_file.stat()
    servers.stop()
    sleep = command_as(account_for(data_dir / "postgres"), [], [shutil.which("sleep") or "/bin/sleep", "60"])
    with ExitStack() as stack:
        stranger = stack.enter_context(subprocess.Popen(sleep))
        stack.callback(stranger.kill)
        pid_file.write_text("".join([f"{stranger.pid}\n", *rest]))
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        pid_file.chmod(0o600)
        assert ask(servers.start().database_url, "SELECT 1") == [(1,)]


def test_a_second_instance_on_the_same_folder_is_refused_and_harms_nothing(
    data_dir: Path, servers: EmbeddedServers
) -> None:
    endpoints = servers.start()
    with pytest.raises(DataDirInUse, match=rf"{os.getpid()}.*SMARTMARKET_DATA_DIR"):
        EmbeddedServers(data_dir, durable=False).start()
    with pytest.raises(DataDirInUse):
        servers.start()
    assert ask(endpoints.database_url, "SELECT 1") == [(1,)]


def test_taken_ports_do_not_matter(servers: EmbeddedServers, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        for port in (5432, 6379):
            occupy(stack, port)
        lost_race = occupy(stack, free_port())
        ports = iter([lost_race, free_port(), lost_race, free_port()])
        monkeypatch.setattr("shared.embedded.server.free_port", lambda: next(ports))
        endpoints = servers.start()
        assert ask(endpoints.database_url, "SELECT 1") == [(1,)]
        with redis.Redis.from_url(endpoints.redis_url) as client:
            assert client.ping()


def test_secrets_are_private_and_folders_on_the_way_keep_their_modes(
    tmp_path: Path, data_dir: Path, servers: EmbeddedServers
) -> None:
    before = tmp_path.stat()
    servers.start()
    after = tmp_path.stat()
    assert (before.st_mode, before.st_uid) == (after.st_mode, after.st_uid)
    for name in ("servers.json", "servers.lock", "postgres.log", "redis.log"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
    for name in ("postgres", "redis"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o700


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(data_dir: Path, servers: EmbeddedServers) -> None:
    endpoints = servers.start()
    assert os.getsid(0) not in {os.getsid(pid) for pid in all_pids(data_dir, endpoints)}


def test_a_deleted_cluster_is_created_again(data_dir: Path, servers: EmbeddedServers) -> None:
    servers.start()
    servers.stop()
    shutil.rmtree(data_dir / "postgres")
    assert ask(servers.start().database_url, "SELECT 1") == [(1,)]


def test_half_a_cluster_left_by_a_killed_first_start_is_cleared_away(data_dir: Path, servers: EmbeddedServers) -> None:
    half_made = data_dir / "postgres/new-0123abcd"
    (half_made / "base").mkdir(parents=True)
    assert ask(servers.start().database_url, "SELECT 1") == [(1,)]
    assert not half_made.exists()


def test_a_cluster_that_cannot_start_is_refused_with_its_log_and_what_to_do(
    data_dir: Path, servers: EmbeddedServers
) -> None:
    servers.start()
    servers.stop()
    (data_dir / "postgres/data/PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedServerError, match=r"(?s)SMARTMARKET_DATA_DIR.*not compatible"):
        servers.start()


def test_a_folder_that_cannot_be_made_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match="SMARTMARKET_DATA_DIR"):
        EmbeddedServers(tmp_path / "file/data").start()
