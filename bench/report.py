"""The figures as a table for people and as JSON for machines."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Figure, shown

_WIDTH = 170
_VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}


def show(console: Console, figures: Sequence[Figure]) -> None:
    """Print the table, wide enough where nobody looks at a terminal."""
    table = Table("measure", "what", "target", box=None, pad_edge=False)
    for name in ("measured", "baseline", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("measured against")
    table.add_column("also seen", style="dim")
    before = ""
    for figure in figures:
        if before and before != figure.measure:
            table.add_section()
        table.add_row(figure.measure if figure.measure != before else "", *_row(figure))
        before = figure.measure
    wide = console if console.is_terminal else Console(width=_WIDTH, highlight=False)
    wide.print(table)
    missed = sum(figure.met is False for figure in figures)
    held = sum(figure.met is not None for figure in figures)
    wide.print(f"\n{held - missed} of {held} targets met.")


def write(path: Path, facts: Mapping[str, Any], figures: Sequence[Figure]) -> None:
    """Write facts and figures as one JSON object."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**facts, "figures": [figure.as_json() for figure in figures]}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _row(figure: Figure) -> list[str]:
    return [
        figure.what,
        figure.target.text(figure.unit) if figure.target else "",
        f"{shown(figure.value)} {figure.unit}",
        "" if figure.base is None else f"{shown(figure.base)} {figure.unit}",
        "" if figure.ratio is None else f"{shown(figure.ratio)}x",
        _VERDICTS[figure.met],
        figure.baseline,
        ", ".join(f"{name} {_note(value)}" for name, value in figure.notes.items()),
    ]


def _note(value: object) -> str:
    if isinstance(value, float | int):
        return shown(value)
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_note(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "/".join(map(_note, value))
    return str(value)
