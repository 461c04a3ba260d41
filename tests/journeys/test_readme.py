"""Every block of the README's tour works when it is pasted into a shell, in order."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.application import RunningSystem

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "--- next block ---"
# What the tour shows an error answer for, on purpose.
REFUSED = {"INVALID_QUERY"}


def blocks() -> list[str]:
    """Return the tour's blocks: those of the README before its chapter on operation."""
    tour = (ROOT / "README.md").read_text("utf-8").split("## Operating it")[0]
    return BLOCK.findall(tour)


def answers(output: str) -> list[dict[str, Any]]:
    """Return the JSON answers among the lines of an output."""
    lines = (line for line in output.splitlines() if line.startswith('{"status"'))
    return [json.loads(part) for line in lines for part in re.sub(r"\}\{", "}\n{", line).split("\n")]


@pytest.fixture(scope="module")
def outputs(running: RunningSystem) -> list[str]:
    script = f"\necho '{MARK}'\n".join(blocks()).replace("http://127.0.0.1:8000", running.url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout.split(MARK)


def test_the_tour_answers_every_request_it_shows(outputs: list[str]) -> None:
    refused = [a for output in outputs for a in answers(output) if a["status"] == "error"]
    assert {answer["error_code"] for answer in refused} == REFUSED, refused


def test_the_tour_shows_an_answer_per_block(outputs: list[str]) -> None:
    empty = [block for block, output in zip(blocks(), outputs, strict=True) if not output.strip()]
    assert empty == []


def test_the_tour_accounts_for_every_row_of_the_sample(outputs: list[str]) -> None:
    uploads = [a["data"]["results"] for o in outputs for a in answers(o) if "results" in a.get("data", {})]
    (upload,) = [row for rows in uploads for row in rows if "rejected" in row]
    assert upload["rows"] == upload["created"] + upload["duplicates"] + upload["rejected"] == 1187
