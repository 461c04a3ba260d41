"""Read models on the command line: list, rebuild, roll back, verify, preview, serve an adopted generation."""

import csv
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar
from rich.table import Column, Table

from projections.engine import generations
from projections.engine.applier import POISON
from projections.engine.generations import GenerationCancelled
from projections.engine.replayer import Progress, Source
from projections.operations import preview, rebuild, repair, verify
from projections.operations.scratch import OperationRequest, ProjectorVersionMismatch
from projections.registry import REGISTRY
from shared.eventstore.rule_versions import Rules
from shared.postgres.generation_states import GenerationKind, GenerationState
from shared.runtime.errors import CannotStart
from shared.runtime.output import Output

Report = Callable[[Progress], None]
_LISTED = ("name", "generation", "projector_version", "position", "lag", "parked", "state")
_CHANGES = ("business", "table", "column", "from", "to", "rows")
_SHOWN_CHANGES = 40
logger = logging.getLogger("smartmarket.projections")

# Returns whether the log holds events of a business.
SELECT_KNOWN_BUSINESS = "SELECT EXISTS (SELECT FROM log.events WHERE business_id = %s)"


@dataclass(frozen=True)
class ProjectionCommands:
    """What the commands do; all raise CannotStart with what to do next. `business` limits them to one business."""

    source: Source
    output: Output

    def show(self) -> None:
        """Print generation, version, position, lag and state of each read model."""
        with self.source.connect() as conn:
            found = generations.standing(conn)
        if self.output.as_json:
            self.output.line(json.dumps(found))
            return
        table = Table(*(Column(column.replace("_", " "), overflow="fold") for column in _LISTED))
        for item in found:
            table.add_row(*(str(item[column]) for column in _LISTED))
        Console().print(table)

    def rebuild(self, name: str, business: int | None = None, processes: int = 2) -> None:
        """Replay the log into new generations and serve them; `name` may be `all`."""
        names = _names(name)
        self._refuse_unknown(business)
        with _refusals():
            for each in names:
                self._rebuild(each, business, processes)

    def rollback(self, name: str) -> None:
        """Let the generation that served before catch up and serve again."""
        _known(name)
        with _refusals():
            try:
                schema = rebuild.roll_back(self.source, REGISTRY[name])
            except rebuild.RebuildRunning as error:
                msg = f"{name} is being rebuilt: wait for it, or stop that command."
                raise CannotStart(msg) from error
            except rebuild.NothingBefore as error:
                msg = f"{name} has no earlier generation of this release: they are dropped a minute after they served."
                raise CannotStart(msg) from error
        self.output.answer({"projection": name, "schema": schema}, f"{name}: {schema} serves again")

    def verify(self, name: str, business: int | None = None) -> None:
        """Compare the tables with a replay of the log; raises CannotStart after printing the rows that differ."""
        names = _names(name)
        self._refuse_unknown(business)
        with _refusals():
            differing = [self._verify(each, business) for each in names]
        if any(differing):
            msg = "The tables differ from the log: keep the rows above to find out why, then rebuild."
            raise CannotStart(msg)

    def preview(
        self, name: str, choose: Callable[[], Rules], business: int | None = None, *, as_csv: bool = False
    ) -> None:
        """Print what would change under the rules that `choose` returns; the generation it makes can be adopted."""
        _known(name)
        self._refuse_unknown(business)
        rules = choose()
        if not rules:
            msg = "Name the rules: --rule rfm.v2, or --set rfm.recency_days=7,30,60,120"
            raise CannotStart(msg)
        request = OperationRequest(GenerationKind.PREVIEW, business, rules)
        with _refusals(), _progress(self.output, name) as report:
            found = preview.preview(self.source, REGISTRY[name], request, report)
        lines = [tuple("" if cell is None else cell for cell in line) for line in found.lines()]
        if as_csv:
            csv.writer(sys.stdout).writerows([_CHANGES, *lines])
            return
        rows = sum(changes.rows for changes in found.tables.values())
        effects = ", ".join(f"{effect.total.changed:,} of today's {what}" for what, effect in found.effects.items())
        self.output.answer(
            {"generation": found.generation, "projection": name, **found.as_json()},
            f"{name}: {found.changed:,} of {rows:,} rows of {len(found.by_business)} of {found.businesses} businesses "
            f"would change, and {effects} (computed in {found.seconds:.1f} s)\n"
            f"smartmarket projections adopt {found.generation}   puts these rules in force for every shop",
        )
        if not self.output.as_json:
            Console().print(_changes(lines))

    def serve_adopted(self, generation: int) -> str:
        """Let an adopted generation that served before catch up, unless a projector does so; returns its state."""
        with self.source.connect() as conn:
            name, _ = generations.projection_of(conn, generation)
            # Whichever process brings it up to date, the state read below is what counts.
            with suppress(rebuild.RebuildRunning, rebuild.NothingBefore, GenerationCancelled):
                rebuild.roll_back(self.source, REGISTRY[name], generation)
            state = generations.projection_of(conn, generation)[1]
        if state not in {GenerationState.CATCHING_UP, GenerationState.LIVE}:
            msg = f"Generation {generation} is {state}: it does not serve."
            raise CannotStart(msg)
        return state

    def _rebuild(self, name: str, business: int | None, processes: int) -> None:
        try:
            with _progress(self.output, name) as report:
                if business is None:
                    done = rebuild.rebuild(self.source, REGISTRY[name], workers=processes, report=report)
                else:
                    done = repair.repair(self.source, REGISTRY[name], business, report)
        except rebuild.RebuildRunning as error:
            msg = f"{name} is being rebuilt already: wait for it, or stop that command; a rebuild can be resumed."
            raise CannotStart(msg) from error
        what, count = ("rows", done.rows) if done.rows else ("events", done.events)
        rate = count / done.replay_seconds if done.replay_seconds else 0
        self.output.answer(
            vars(done),
            f"{name}: {count:,} {what} of {done.businesses} businesses in {done.seconds:.1f} s "
            f"({rate:,.0f} {what}/s); {done.schema} serves now",
        )

    def _verify(self, name: str, business: int | None) -> bool:
        """Verify one projection; returns whether its tables differ from the log."""
        request = OperationRequest(GenerationKind.VERIFY, business)
        with _progress(self.output, name) as report:
            found = verify.verify(self.source, REGISTRY[name], report=report, request=request)
        data = {"projection": name, **found.as_json(REGISTRY[name])}
        result = "equal to the log" if found.equal else f"{found.differing:,} differ from the log"
        self.output.answer(
            data, f"{name}: {found.rows:,} rows of {found.businesses} businesses in {found.seconds:.1f} s, {result}"
        )
        if not found.equal and not self.output.as_json:
            Console(markup=False).print(_differences(data["differences"]))
        return not found.equal

    def _refuse_unknown(self, business: int | None) -> None:
        if business is None:
            return
        with self.source.connect() as conn:
            if conn.execute(SELECT_KNOWN_BUSINESS, (business,)).fetchone() != (True,):
                msg = f"No business {business} is in the log: correct the number, or leave it out to take all."
                raise CannotStart(msg)


def _known(name: str, others: Iterable[str] = ()) -> None:
    allowed = [*REGISTRY, *others]
    if name not in allowed:
        msg = f"There is no projection {name!r}: choose from {', '.join(allowed)}."
        raise CannotStart(msg)


def _names(name: str) -> Sequence[str]:
    _known(name, ["all"])
    return list(REGISTRY) if name == "all" else [name]


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what can stop a replay into one sentence for the operator."""
    try:
        yield
    except GenerationCancelled as error:
        msg = "This generation was dropped while it was being built."
        raise CannotStart(msg) from error
    except ProjectorVersionMismatch as error:
        msg = f"{error} serves rows of another release: run `smartmarket projections rebuild {error}` first."
        raise CannotStart(msg) from error
    except POISON as error:
        logger.exception("projection cannot be replayed")
        msg = f"The log cannot be replayed: {type(error).__name__}: {error}. The log line above says where."
        raise CannotStart(msg) from error


def _differences(differences: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("table", "row", "column", "live", "from the log", "since position")
    for difference in differences:
        row = ", ".join(f"{column} {value}" for column, value in difference["key"].items())
        since = "" if difference["position"] is None else str(difference["position"])
        sides = difference["live"], difference["replayed"]
        if None in sides:
            present = ("missing" if side is None else "present" for side in sides)
            table.add_row(difference["table"], row, "", *present, since)
        for column in difference["columns"]:
            table.add_row(difference["table"], row, column, *(str(side[column]) for side in sides), since)
    return table


def _changes(lines: Sequence[tuple[object, ...]]) -> Table:
    table = Table(*_CHANGES)
    for line in lines[:_SHOWN_CHANGES]:
        table.add_row(*(str(cell) if i or cell else "all" for i, cell in enumerate(line)))
    if len(lines) > _SHOWN_CHANGES:
        table.caption = f"and {len(lines) - _SHOWN_CHANGES} more: --csv shows them all"
    return table


@contextmanager
def _progress(output: Output, name: str) -> Iterator[Report]:
    """Show progress, rate and remaining time on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    disabled = output.as_json or not console.is_terminal
    with ProgressBar(*columns, console=console, disable=disabled, transient=True) as bar:
        task = bar.add_task(name, total=None, events=0, rate=0.0)

        def report(at: Progress) -> None:
            rate = at.events / at.seconds if at.seconds else 0.0
            description = f"{name}: {at.state}"
            total, done = at.total or 1, at.done
            bar.update(task, total=total, completed=done, events=at.events, rate=rate, description=description)

        yield report
