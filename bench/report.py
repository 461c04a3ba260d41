"""The figures as a table for people and as JSON for machines."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, shown

_WIDTH = 200
_VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def show(console: Console, figures: Sequence[Figure], *, judged: bool) -> None:
    """Print the table, wide enough where nobody looks at a terminal; `judged` says of each target whether it is met."""
    table = Table("measure", "what", "target", box=None, pad_edge=False)
    for name in ("measured", "baseline", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("", "baseline is", "also seen"):
        table.add_column(name)
    before = ""
    for figure in figures:
        if before and before != figure.measure:
            table.add_row()
        table.add_row(figure.measure if figure.measure != before else "", *_row(figure, judged=judged))
        before = figure.measure
    wide = console if console.is_terminal else Console(width=_WIDTH, highlight=False)
    wide.print(table)
    held = [figure.met for figure in figures if figure.met is not None]
    verdict = f"{sum(held)} of {len(held)} targets met." if judged else "Quick: too small for the targets to be judged."
    wide.print(f"\n{verdict}")


def write(path: Path, facts: Mapping[str, Any], figures: Sequence[Figure]) -> None:
    """Write facts and figures as one JSON object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**facts, "figures": [figure.as_json() for figure in figures]}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _row(figure: Figure, *, judged: bool) -> list[str]:
    return [
        figure.what,
        figure.target.text(figure.unit) if figure.target else "",
        f"{shown(figure.value)} {figure.unit}",
        "" if figure.base is None else f"{shown(figure.base)} {figure.unit}",
        "" if figure.ratio is None else f"{shown(figure.ratio)}x",
        _VERDICTS[figure.met] if judged else "",
        figure.baseline,
        figure.beside,
    ]
