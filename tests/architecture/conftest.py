from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIDES = ("write_side", "read_side", "projections", "shared")
ROOT_PACKAGE = "smartmarket"
LONG = 300


def modules() -> list[Path]:
    """Return every module of the product, relative to the repository."""
    found = [path for package in (*SIDES, ROOT_PACKAGE) for path in (ROOT / package).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in [*found, *ROOT.glob("*.py")])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the files that may want to be two; a report, since only a reader can tell."""
    lengths = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path in modules()}
    long = [f"{path} ({lines})" for path, lines in lengths.items() if lines > LONG]
    if long:
        terminalreporter.write_line(f"Files of more than {LONG} lines, would a second noun help? {', '.join(long)}")
