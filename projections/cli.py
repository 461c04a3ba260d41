"""What operators do with read models from the command line: list, rebuild, roll back, verify, preview, adopt, drop."""

import csv
import json
import logging
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column, Table

from projections.engine import generations
from projections.engine.applier import POISON
from projections.engine.follower import connect
from projections.engine.generations import GenerationCancelled
from projections.engine.replayer import Progress, Source
from projections.operations import preview, rebuild, repair, verify
from projections.operations.scratch import OperationRequest, ProjectorVersionMismatch
from projections.registry import REGISTRY
from shared.eventstore.rule_versions import Rules
from shared.postgres.database import PROJECTOR
from shared.postgres.generation_states import GenerationKind, GenerationState
from shared.runtime.container import CannotStart, Container

Say = Callable[[Namespace, dict[str, object], str], None]
Report = Callable[[Progress], None]
Choose = Callable[[str, str | None, Mapping[str, object]], Rules]
# The rules by which each projection derives rows; none for most.
RULES = {name: p.derivation.rules if p.derivation else () for name, p in REGISTRY.items()}
_LISTED = ("name", "generation", "projector_version", "position", "lag", "parked", "state")
_CHANGES = ("business", "table", "column", "from", "to", "rows")
_SHOWN_CHANGES = 40
_MOST_PROCESSES = 64
logger = logging.getLogger("smartmarket.projections")


def grammar(commands: "_SubParsersAction[ArgumentParser]") -> list[ArgumentParser]:
    """Add `projections` to the command line; returns the commands that can answer for machines."""
    actions = commands.add_parser("projections", help="the read models: list, rebuild, roll back, verify, preview")
    kinds = actions.add_subparsers(dest="action", required=True)
    listing = kinds.add_parser("list", help="where each read model stands")
    anew = kinds.add_parser("rebuild", help="replay the log into a new generation and point to it")
    anew.add_argument("name", metavar="NAME|all")
    anew.add_argument("--shards", type=_processes, default=2, metavar="K", help="processes that replay side by side")
    back = kinds.add_parser("rollback", help="let the generation that served before catch up, and point back to it")
    back.add_argument("name", metavar="NAME")
    check = kinds.add_parser("verify", help="compare the tables with the log; exit code 1 and the rows if they differ")
    check.add_argument("name", metavar="NAME|all", nargs="?", default="all")
    ahead = kinds.add_parser("preview", help="what other rules would change; nothing that serves is touched")
    ahead.add_argument("name", metavar="NAME")
    ahead.add_argument("--rule", help="a version, such as rfm.v2")
    ahead.add_argument("--set", action="append", default=[], metavar="RULE.PARAMETER=VALUE[,…]", help="may be repeated")
    ahead.add_argument("--csv", action="store_true", help="every change as a line, for a spreadsheet")
    for command in (anew, check, ahead):
        command.add_argument("--business", type=int, help="one business only")
    adopt = kinds.add_parser("adopt", help="let a preview's rules hold, or what served before serve again")
    drop = kinds.add_parser("drop", help="let go of a preview or of what served before, or end what is being made")
    for command in (adopt, drop):
        command.add_argument("generation", metavar="GENERATION", type=int)
    return [listing, anew, back, check, ahead, adopt, drop]


def run(container: Container, args: Namespace, say: Say, choose: Choose) -> None:
    """Carry one of the commands out that concern projections; raises CannotStart with what to do instead.

    `choose` returns the rules that a preview of a projection names, by version or by values.
    """
    if args.action == "list":
        _list(container, args)
        return
    if args.name not in REGISTRY and (args.name != "all" or args.action in {"rollback", "preview"}):
        msg = f"There is no projection {args.name!r}: choose from {', '.join(REGISTRY)} or all."
        raise CannotStart(msg)
    source = Source(container.url, container.secret, container.role(PROJECTOR))
    _refuse_unknown(source, getattr(args, "business", None))
    try:
        differing = _act(source, args, say, choose)
    except GenerationCancelled as error:
        msg = "Somebody dropped this generation while it was being made."
        raise CannotStart(msg) from error
    except ProjectorVersionMismatch as error:
        msg = (
            f"{error} serves rows of another release: rebuild it whole first (smartmarket projections rebuild {error})."
        )
        raise CannotStart(msg) from error
    except POISON as error:
        logger.exception("projection cannot be replayed")
        msg = f"The log cannot be replayed: {type(error).__name__}: {error}. Where in this program is told above."
        raise CannotStart(msg) from error
    if differing:
        msg = "The tables are not what the log says: rebuild them, and keep what is shown above for finding out why."
        raise CannotStart(msg)


def serve_again(container: Container, generation: int) -> str:
    """Let an adopted generation that served before catch up, if no projector is at it already; returns its state.

    Raises CannotStart where it came to nothing.
    """
    source = Source(container.url, container.secret, container.role(PROJECTOR))
    with source.connect() as conn:
        name, _ = generations.projection_of(conn, generation)
        with suppress(rebuild.RebuildRunning, rebuild.NothingBefore, GenerationCancelled):  # its state tells
            rebuild.roll_back(source, REGISTRY[name], generation)
        state = generations.projection_of(conn, generation)[1]
    if state not in {GenerationState.CATCHING_UP, GenerationState.LIVE}:
        msg = f"Generation {generation} is {state}: it does not serve."
        raise CannotStart(msg)
    return state


def _act(source: Source, args: Namespace, say: Say, choose: Choose) -> bool:
    """Carry a command out, of one projection or of each; returns whether tables differ from the log."""
    if args.action == "preview":
        _preview(source, args, say, choose(args.name, args.rule, dict(map(_setting, args.set))))
        return False
    act = {"rebuild": _rebuild, "rollback": _roll_back, "verify": _verify}[args.action]
    differing = [act(source, args, name, say) for name in (REGISTRY if args.name == "all" else [args.name])]
    return any(differing)


def _refuse_unknown(source: Source, business: int | None) -> None:
    if business is None:
        return
    with source.connect() as conn:
        if conn.execute("SELECT EXISTS (SELECT FROM log.events WHERE business_id = %s)", (business,)).fetchone() != (
            True,
        ):
            msg = f"No business {business} has a history: correct the number, or leave it out to take all."
            raise CannotStart(msg)


def _rebuild(source: Source, args: Namespace, name: str, say: Say) -> int:
    try:
        with _progress(args, name) as report:
            if args.business is None:
                done = rebuild.rebuild(source, REGISTRY[name], workers=args.shards, report=report)
            else:
                done = repair.repair(source, REGISTRY[name], args.business, report)
    except rebuild.RebuildRunning as error:
        msg = f"{name} is being rebuilt already: wait for it, or stop that command; it can be resumed."
        raise CannotStart(msg) from error
    what, count = ("rows", done.rows) if done.rows else ("events", done.events)
    rate = count / done.replay_seconds if done.replay_seconds else 0
    say(
        args,
        vars(done),
        f"{name}: {count:,} {what} of {done.businesses} businesses in {done.seconds:.1f} s "
        f"({rate:,.0f} {what}/s); {done.schema} serves now",
    )
    return 0


def _roll_back(source: Source, args: Namespace, name: str, say: Say) -> int:
    try:
        schema = rebuild.roll_back(source, REGISTRY[name])
    except rebuild.RebuildRunning as error:
        msg = f"{name} is being rebuilt: wait for it, or stop that command."
        raise CannotStart(msg) from error
    except rebuild.NothingBefore as error:
        msg = f"{name} has no earlier generation of this release any more: they are dropped a minute after they served."
        raise CannotStart(msg) from error
    say(args, {"projection": name, "schema": schema}, f"{name}: {schema} serves again")
    return 0


def _verify(source: Source, args: Namespace, name: str, say: Say) -> int:
    with _progress(args, name) as report:
        found = verify.verify(
            source, REGISTRY[name], report=report, request=OperationRequest(GenerationKind.VERIFY, args.business)
        )
    told = {"projection": name, **found.as_json(REGISTRY[name])}
    line = f"{name}: {found.rows:,} rows of {found.businesses} businesses in {found.seconds:.1f} s, "
    if found.equal:
        say(args, told, line + "all as the log says")
        return 0
    say(args, told, line + f"{found.differing:,} differ")
    if not args.json:
        Console(markup=False).print(_differences(told["differences"]))
    return found.differing


def _differences(told: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("table", "row", "column", "live", "from the log", "since position")
    for d in told:
        row = ", ".join(f"{column} {value}" for column, value in d["key"].items())
        since = "" if d["position"] is None else str(d["position"])
        sides = d["live"], d["replayed"]
        if None in sides:
            table.add_row(d["table"], row, "", *("missing" if side is None else "there" for side in sides), since)
        for column in d["columns"]:
            table.add_row(d["table"], row, column, *(str(side[column]) for side in sides), since)
    return table


def _preview(source: Source, args: Namespace, say: Say, rules: Rules) -> None:
    if not rules:
        msg = "Say by which rules: --rule rfm.v2, or --set rfm.recency_days=7,30,60,120"
        raise CannotStart(msg)
    with _progress(args, args.name) as report:
        found = preview.preview(
            source, REGISTRY[args.name], OperationRequest(GenerationKind.PREVIEW, args.business, rules), report
        )
    lines = [tuple("" if cell is None else cell for cell in line) for line in found.lines()]
    if args.csv:
        csv.writer(sys.stdout).writerows([_CHANGES, *lines])
        return
    rows = sum(changes.rows for changes in found.tables.values())
    effects = ", ".join(f"{effect.total.changed:,} of today's {name}" for name, effect in found.effects.items())
    say(
        args,
        {"generation": found.generation, "projection": args.name, **found.as_json()},
        f"{args.name}: {found.changed:,} of {rows:,} rows of {len(found.by_business)} of {found.businesses} businesses "
        f"would change, and {effects} (looked at in {found.seconds:.1f} s)\n"
        f"smartmarket projections adopt {found.generation}   lets these rules hold for every shop",
    )
    if not args.json:
        Console().print(_changes(lines))


def _changes(lines: Sequence[tuple[object, ...]]) -> Table:
    table = Table(*_CHANGES)
    for line in lines[:_SHOWN_CHANGES]:
        table.add_row(*(str(cell) if i or cell else "all" for i, cell in enumerate(line)))
    if len(lines) > _SHOWN_CHANGES:
        table.caption = f"and {len(lines) - _SHOWN_CHANGES} more: --csv shows them all"
    return table


def _processes(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= _MOST_PROCESSES:
        return int(text)
    msg = f"{text!r} is no number of processes: choose from 1 to {_MOST_PROCESSES}"
    raise ArgumentTypeError(msg)


def _setting(text: str) -> tuple[str, object]:
    """Return name and value of `rfm.recency_days=7,30,60,120`."""
    name, equals, value = text.partition("=")
    try:
        numbers = [float(part) if "." in part else int(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if not equals or not numbers:
        msg = f"{text!r} names no rule and numbers: write it as rfm.recency_days=7,30,60,120"
        raise CannotStart(msg)
    return name, numbers if len(numbers) > 1 else numbers[0]


def _list(container: Container, args: Namespace) -> None:
    with connect(container.url, role=container.role(PROJECTOR)) as conn:
        found = generations.standing(conn)
    if args.json:
        Console(soft_wrap=True).out(json.dumps(found), highlight=False)
        return
    table = Table(*(Column(column.replace("_", " "), overflow="fold") for column in _LISTED))
    for item in found:
        table.add_row(*(str(item[column]) for column in _LISTED))
    Console().print(table)


@contextmanager
def _progress(args: Namespace, name: str) -> Iterator[Report]:
    """Show how far it is, how fast, and the time it will still take, on a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Bar(*columns, console=console, disable=args.json or not console.is_terminal, transient=True) as bar:
        task = bar.add_task(name, total=None, events=0, rate=0.0)

        def report(at: Progress) -> None:
            rate = at.events / at.seconds if at.seconds else 0.0
            bar.update(
                task,
                total=at.total or 1,
                completed=at.done,
                events=at.events,
                rate=rate,
                description=f"{name}: {at.state}",
            )

        yield report
