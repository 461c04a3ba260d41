"""Names, comments, messages and documents use plain terms of the field (docs/glossary.md), no private vocabulary."""

import re
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT, SIDES

# Word or phrase -> what to write instead.
PLAIN = {
    r"whoever|whomever|whosoever": "the actor: a client, an operator, another process",
    r"anew": "again",
    r"(un)?told|is telling": "recorded, said, shown, reported",
    r"tells (apart|of|the|who|how|what|which|whether)": "says, shows, records, distinguishes",
    r"fore(tell|told)\w*": "forecast, predict",
    r"reckon\w*": "compute, count",
    r"so many": "the number, count, n",
    r"the house|of the house|houses": "the installation",
    r"at hand": "available",
    r"goes by|go by|going by": "depends on, uses",
    r"lets? go( of)?|letting go": "release, drop",
    r"takes? down|taken down": "record",
    r"(?<!bookkeeping )stands?(?! for)|stood": "is, exists, remains",
    r"mend(s|ed|ing)?": "fix, recompute",
    r"(comes?|came|become[s]?|became) of (it|them|each|what)": "outcome",
    r"who asks": "the client, the caller",
    r"returns? nothing": "say what the statement does",
    r"aside": "separately, into a generation that does not serve",
    r"whatever it is": "name it",
    r"of whom": "of which, by name",
    r"good(s)? made|made good|makes good": "repair, recompute",
    r"lead(s)? the way|own way": "path",
    r"wish(es|ed)?": "request",
}
BANNED = re.compile(r"(?<![a-z])(" + "|".join(f"(?:{word})" for word in PLAIN) + r")(?![a-z])", re.IGNORECASE)
# What people write in ledgers, the history of changes, this list, and generated files.
LEFT_OUT = {
    Path("CHANGELOG.md"),
    Path("tests/architecture/test_wording.py"),
    Path("requirements.lock"),
}
KINDS = {".py", ".md", ".sql", ".toml", ".ts", ".tsx", ".yaml", ".yml"}
FOLDERS = (*SIDES, "tests", "bench", "docs", ".github")
# Stored names: fields of events and columns of tables keep the name they were recorded with.
STORED = re.compile(r"(?<![a-z_])(foretold|told_at)(?![a-z_])")
STORED_NAMES = {
    Path("shared/domain/events/forecasting.py"),
    Path("read_side/inventory/stock_queries.py"),
    Path("shared/domain/readmodels/demand.py"),
    Path("write_side/forecasting/event_mapping.py"),
    Path("tests/support/model_forecasting.py"),
    Path("tests/support/model_inventory.py"),
    Path("tests/support/world.py"),
    Path("tests/projectors/test_stock_reads.py"),
    *(
        Path("projections", domain, name)
        for domain in ("forecasting", "inventory")
        for name in ("derivation.py", "projector.py", "schema.sql")
    ),
}
HIDDEN_ACTOR = re.compile(r"def (test_(?:what|who|whoever|whatever|nobody|somebody)_\w+)")


def offences(text: str) -> list[str]:
    """Return what is worded in the old style, in order of appearance; underscores separate words."""
    return [found[0].lower() for found in BANNED.finditer(text.replace("_", " "))]


def documents() -> list[Path]:
    """Return every text of the project that people read."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    found += [*ROOT.glob("*.py"), *ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"]
    paths = (path.relative_to(ROOT) for path in found if "node_modules" not in path.parts)
    return sorted(path for path in paths if path not in LEFT_OUT)


@pytest.mark.parametrize("path", documents(), ids=str)
def test_a_file_is_worded_plainly(path: Path) -> None:
    text = (ROOT / path).read_text("utf-8")
    lines = (STORED.sub("", text) if path in STORED_NAMES else text).splitlines()
    strays = [
        f"{path}:{number}: {', '.join(words)}" for number, line in enumerate(lines, 1) if (words := offences(line))
    ]
    assert strays == []


def test_test_names_say_who_acts() -> None:
    texts = {path: (ROOT / path).read_text("utf-8") for path in documents() if path.parts[0] == "tests"}
    hidden = [f"{path}: {name}" for path, text in texts.items() for name in HIDDEN_ACTOR.findall(text)]
    assert hidden == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# The day is told anew.", ["told", "anew"]),
        ("SELECT_TOLD = 1", ["told"]),
        ("def what_stands() -> None:", ["stands"]),
        ("QTY stands for quantity", []),
        ("understands the standard, withstood outstanding amounts, mentioned", []),
        ("whoever reckons so many rows", ["whoever", "reckons", "so many"]),
    ],
)
def test_the_check_finds_the_old_style(text: str, found: list[str]) -> None:
    assert offences(text) == found
