"""`python -m bench [--quick] [--only NAME] [--json PATH]`: measure, print one table, write JSON."""

import argparse
import dataclasses
import datetime as dt
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from bench import (
    appends,
    books,
    forecasts,
    freshness,
    generations,
    imports,
    lags,
    lists,
    machine,
    memory,
    replays,
    report,
    returning,
    sessions,
    standing,
    stockouts,
    streams,
    undo,
)
from bench.figures import Figure
from bench.stage import Stage, open_stage

MEASURES: Mapping[str, Callable[[Stage], list[Figure]]] = {
    "import": imports.measure,
    "undo": undo.measure,
    "lag": lags.measure,
    "append": appends.measure,
    "sessions": sessions.measure,
    "freshness": freshness.measure,
    "streams": streams.measure,
    "lists": lists.measure,
    "replay": replays.measure,
    "memory": memory.measure,
    "returning": returning.measure,
    "standing": standing.measure,
    "books": books.measure,
    "forecasts": forecasts.measure,
    "stockouts": stockouts.measure,
    "generations": generations.measure,
}
_RESULTS = machine.REPOSITORY / "bench" / "results" / "latest.json"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench", description="Measures SmartMarket against what users would pick instead.")
    names = "|".join(MEASURES)
    parser.add_argument("--only", action="append", choices=MEASURES, metavar="NAME", help=f"{names}; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, not how fast it is")
    parser.add_argument("--products", type=int, default=30, metavar="N", help="how many of each shop are forecast")
    parser.add_argument("--json", type=Path, default=_RESULTS, metavar="PATH", help="where the figures go")
    return parser.parse_args()


def main() -> int:
    """Run the measures that were asked for; returns 1 if one broke, 0 however the figures turn out."""
    args = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # servers and processes are ended in order
    console = Console(stderr=True, highlight=False)
    began = dt.datetime.now(dt.UTC)
    with (
        tempfile.TemporaryDirectory(prefix="smartmarket-bench-") as folder,
        open_stage(Path(folder), quick=args.quick, console=console) as stage,
    ):
        known = machine.facts(stage.database_url, stage.folder)
        facts = {
            "began_at": began.isoformat(timespec="seconds"),
            "quick": args.quick,
            "servers": stage.servers,
            "data": stage.ledgers.described(),
            "machine": known,
            "warning": machine.warning(known),
        }
        _announce(console, facts)
        figures, failed = _measured(dataclasses.replace(stage, products=args.products), args.only or list(MEASURES))
    facts["failed"] = failed
    facts["seconds"] = round((dt.datetime.now(dt.UTC) - began).total_seconds(), 1)
    report.show(Console(highlight=False), figures, judged=not args.quick)
    report.write(args.json, facts, figures)
    console.print(f"{facts['seconds']:.0f} s; written to {args.json}")
    return 1 if failed else 0


def _measured(stage: Stage, names: Sequence[str]) -> tuple[list[Figure], list[str]]:
    """Return the figures, and the measures that broke: the others are not lost with them."""
    figures: list[Figure] = []
    failed: list[str] = []
    for name in names:
        stage.console.print(name)
        try:
            figures += MEASURES[name](stage)
        except Exception:  # noqa: BLE001 - whatever it was is shown
            stage.console.print_exception()
            failed.append(name)
    return figures, failed


def _announce(console: Console, facts: Mapping[str, object]) -> None:
    known = facts["machine"]
    assert isinstance(known, dict)
    console.print(
        f"{known['cores']} cores ({known['cpu']}), {known['memory_gb']} GB, Python {known['python']}, "
        f"PostgreSQL {known['postgres']} on {facts['servers']}, fsync {known['fsync_ms']} ms\n{facts['data']}",
        soft_wrap=True,
    )
    if facts["quick"]:
        console.print("quick: sizes are too small for the targets to mean anything", style="yellow")
    if facts["warning"]:
        console.print(f"{facts['warning']}", style="bold yellow")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
