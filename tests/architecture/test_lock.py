"""What is installed is what was checked, wherever it is fetched from."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.conftest import ROOT

PINNED = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?P<marker> ; [^\\]+)?(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)"
)
ADDRESS = re.compile(
    r"://|\bfile:|\bindex\b|--(extra-)?index|--find-links|--trusted| @ |\.(org|com|net|io|dev)\b|^[./~-]", re.M
)


def lock() -> tuple[str, list[str]]:
    """Return the text without comments, and its requirements, one per line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "requirements.lock").read_text("utf-8"), flags=re.M)
    return text, re.sub(r" *\\\n +", " ", text).splitlines()


def test_every_requirement_is_pinned_with_hashes() -> None:
    assert [line for line in lock()[1] if not PINNED.fullmatch(line)] == []


def test_the_lock_names_no_place_to_fetch_from() -> None:
    text, _ = lock()
    assert ADDRESS.findall(text) == []
    assert [match.group() for match in [ADDRESS.search(f"x @ {place}") for place in ("file:///a", "b.org")] if match]


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    pinned = {match["name"]: match["version"] for line in lock()[1] if (match := PINNED.fullmatch(line))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    asked = [Requirement(line) for requirements in lists for line in requirements]
    unmet = [str(r) for r in asked if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))]
    assert unmet == [], "run `make lock`"
