"""Workbooks that are made to be too large, encrypted or empty are refused at once, and by their content."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.csv_rows import stored
from tests.support.hostile_files import HOSTILE, SOUND
from write_side.sales.csv.ledger import open_ledger

# Prints why a file is no ledger, the seconds of CPU time and the MiB of memory that it took to say so.
MEASURE = """
import resource, sys, time
from pathlib import Path
from write_side.sales.csv.ledger import open_ledger
from write_side.sales.csv.table import NoLedger
data = Path(sys.argv[1]).read_bytes()
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    reason = str(open_ledger(lambda: [data]).rows)
except NoLedger as refused:
    reason = refused.reason
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(reason, time.process_time() - began, (after - before) / 1024)
"""
ADDRESS_SPACE = 4 << 30


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_within_a_second_and_100_mb(name: str, tmp_path: Path) -> None:
    reason, made = HOSTILE[name]
    file = tmp_path / "file"
    file.write_bytes(made())
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_memory,
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    found, seconds, mib = run.stdout.split()
    assert found == reason
    assert float(seconds) < 1
    assert float(mib) < 100


@pytest.mark.parametrize("name", SOUND)
def test_a_ledger_is_read_under_any_name_and_with_any_stated_size(name: str) -> None:
    _, made = SOUND[name]
    assert open_ledger(stored(made())).rows == 1
