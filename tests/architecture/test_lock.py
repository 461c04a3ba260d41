"""What is installed is what was checked, wherever it is fetched from."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.source_tree import ROOT

PINNED = re.compile(
    r"(?P<name>[a-z0-9-]+)(?P<extras>\[[a-z, -]+\])?==(?P<version>[^ ;]+)( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+"
)
ADDRESS = re.compile(r"://|\bfile:|\bindex\b|-url|--find-links| @ |\.(org|com|net|io|dev)\b|^[./~-]", re.MULTILINE)


def requirements() -> list[str]:
    """Return what the lock requires, one per line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "requirements.lock").read_text("utf-8"), flags=re.MULTILINE)
    return re.sub(r" *\\\n +", " ", text).splitlines()


def test_every_requirement_is_pinned_with_hashes() -> None:
    assert [line for line in requirements() if not PINNED.fullmatch(line)] == []


def test_extras_are_pinned_with_what_has_them() -> None:
    # pip before 24.1 takes the newest release for `name[extra]` unless the lock pins it with the extra.
    extras = {match["name"]: match["extras"] for line in requirements() if (match := PINNED.fullmatch(line))}
    assert (extras["coverage"], extras["psycopg"]) == ("[toml]", "[binary, pool]")


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert [line for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines() if ADDRESS.search(line)] == []


@pytest.mark.parametrize(
    "line",
    ["--index-url x", "-f wheels", "a @ file:///b", "./a.whl", "a==1 # mirror.example.com", "--find-links b"],
)
def test_an_address_would_be_noticed(line: str) -> None:
    assert ADDRESS.search(f"a==1\n{line}\n")


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    pinned = {match["name"]: match["version"] for line in requirements() if (match := PINNED.fullmatch(line))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    asked = [Requirement(line) for wanted in lists for line in wanted]
    unmet = [str(r) for r in asked if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))]
    assert unmet == [], "run `make lock`"
