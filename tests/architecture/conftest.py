import pytest

from tests.support.source_tree import ROOT, modules

LONG = 300


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the files that may want to be two; a report, since only a reader can tell."""
    lengths = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path in modules()}
    long = [f"{path} ({lines})" for path, lines in lengths.items() if lines > LONG]
    if long:
        terminalreporter.write_line(f"Files of more than {LONG} lines, would a second noun help? {', '.join(long)}")
