"""What operators do with read models from the command line: list, rebuild, roll back, verify."""

import json
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from projections import generations, rebuild, verify
from projections.registry import REGISTRY
from projections.replay import Progress, Source
from projections.runner import connect
from shared.database import PROJECTOR
from shared.house import CannotStart, House

Say = Callable[[Namespace, dict[str, object], str], None]
Report = Callable[[Progress], None]
_LISTED = ("name", "generation", "projector_version", "position", "lag", "parked", "state")


def grammar(commands: "_SubParsersAction[ArgumentParser]") -> list[ArgumentParser]:
    """Add `projections` to the command line; returns the commands that can answer for machines."""
    actions = commands.add_parser("projections", help="the read models: list, rebuild, roll back, verify")
    kinds = actions.add_subparsers(dest="action", required=True)
    listing = kinds.add_parser("list", help="where each read model stands")
    anew = kinds.add_parser("rebuild", help="replay the log into a new generation and point to it")
    anew.add_argument("name", metavar="NAME|all")
    anew.add_argument("--shards", type=int, default=2, help="processes that replay side by side")
    back = kinds.add_parser("rollback", help="let the generation that served before catch up, and point back to it")
    back.add_argument("name", metavar="NAME")
    check = kinds.add_parser("verify", help="compare the tables with the log; exit code 1 and the rows if they differ")
    check.add_argument("name", metavar="NAME|all", nargs="?", default="all")
    check.add_argument("--business", type=int, help="one business only")
    return [listing, anew, back, check]


def run(house: House, args: Namespace, say: Say) -> None:
    """Carry one of the commands out; raises CannotStart with what to do instead."""
    if args.action == "list":
        _list(house, args)
        return
    if args.name not in REGISTRY and (args.name != "all" or args.action == "rollback"):
        msg = f"There is no projection {args.name!r}: choose from {', '.join(REGISTRY)} or all."
        raise CannotStart(msg)
    source = Source(house.url, house.secret, house.role(PROJECTOR))
    act = {"rebuild": _rebuild, "rollback": _roll_back, "verify": _verify}[args.action]
    differing = [act(source, args, name, say) for name in (REGISTRY if args.name == "all" else [args.name])]
    if any(differing):
        msg = "The tables are not what the log says: rebuild them, and keep what is shown above for finding out why."
        raise CannotStart(msg)


def _rebuild(source: Source, args: Namespace, name: str, say: Say) -> int:
    try:
        with _progress(args, name) as report:
            done = rebuild.rebuild(source, REGISTRY[name], workers=args.shards, report=report)
    except rebuild.RebuildRunning as error:
        msg = f"{name} is being rebuilt already: wait for it, or stop that command; it can be resumed."
        raise CannotStart(msg) from error
    what, count = ("rows", done.rows) if done.rows else ("events", done.events)
    rate = count / done.replay_seconds if done.replay_seconds else 0
    say(args, vars(done), f"{name}: {count:,} {what} of {done.businesses} businesses in {done.seconds:.1f} s "
        f"({rate:,.0f} {what}/s); {done.schema} serves now")  # fmt: skip
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
    businesses = None if args.business is None else [args.business]
    with _progress(args, name) as report:
        found = verify.verify(source, REGISTRY[name], businesses, report)
    line = f"{name}: {found.rows:,} rows of {found.businesses} businesses in {found.seconds:.1f} s, "
    if found.equal:
        say(args, asdict(found), line + "all as the log says")
        return 0
    say(args, asdict(found), line + f"{found.differing:,} differ")
    if not args.json:
        Console().print(_differences(found))
    return found.differing


def _differences(found: verify.Verified) -> Table:
    table = Table("table", "row", "column", "live", "from the log", "since position")
    for d in found.differences:
        row = ", ".join(f"{column} {value}" for column, value in d.key.items())
        since = "" if d.position is None else str(d.position)
        if d.live is None or d.replayed is None:
            table.add_row(
                d.table, row, "", *("missing" if side is None else "there" for side in (d.live, d.replayed)), since
            )
            continue
        for column in (c for c in d.live if d.live[c] != d.replayed[c]):
            table.add_row(d.table, row, column, str(d.live[column]), str(d.replayed[column]), since)
    return table


def _list(house: House, args: Namespace) -> None:
    with connect(house.url, role=house.role(PROJECTOR)) as conn:
        found = [generations.describe(conn, name) for name in REGISTRY]
    if args.json:
        Console(soft_wrap=True).out(json.dumps(found), highlight=False)
        return
    table = Table(*(column.replace("_", " ") for column in _LISTED))
    for item in found:
        table.add_row(*(str(item[column]) for column in _LISTED))
    Console().print(table)


@contextmanager
def _progress(args: Namespace, name: str) -> Iterator[Report]:
    """Show how far it is, with the time it will still take, on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[events]} events"),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), disable=args.json, transient=True) as bar:
        task = bar.add_task(name, total=None, events=0)

        def report(at: Progress) -> None:
            bar.update(
                task, total=at.total or 1, completed=at.done, events=at.events, description=f"{name}: {at.state}"
            )

        yield report
