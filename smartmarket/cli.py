"""The command line: `smartmarket COMMAND`. A command imports what it runs when it is called."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from shared.runtime.output import Output
from smartmarket import errors, operations, read_model_commands
from smartmarket.context import Json, configured, container

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.runtime.container import Container

_RUN, _OPERATE, _ACCOUNTS = "Run", "Operate", "Accounts and demo shops"
_CORES = os.cpu_count() or 1
_LAST_PORT = 65_535

app = typer.Typer(
    help="A small shop's ledger, turned into decisions.",
    epilog="Examples:\n\nsmartmarket up --port 8001\n\nsmartmarket projections list\n\n"
    "`smartmarket COMMAND --help` describes a command.",
    no_args_is_help=True,
)
Port = Annotated[
    int | None, typer.Option(min=1, max=_LAST_PORT, show_default="PORT, else 8000", help="Port to listen on.")
]
Child = Annotated[bool, typer.Option("--child", hidden=True, help="Stop when stdin is closed.")]


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if asked:
        from importlib.metadata import version

        Output().line(f"smartmarket {version('smartmarket')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Declare the options that stand before the command."""


@app.command(
    rich_help_panel=_RUN,
    epilog="Examples:\n\nsmartmarket up\n\nsmartmarket up --port 8001 --data-dir /srv/shop --no-demo",
)
def up(
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=_LAST_PORT, show_default="PORT, else the first free from 8000", help="Port of the API."
        ),
    ] = None,
    data_dir: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", show_default="SMARTMARKET_DATA_DIR, else .smartmarket", help="Folder for all data."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Worker processes.")] = min(2, _CORES),
    api_processes: Annotated[
        int | None,
        typer.Option(min=1, max=4, show_default="one per core, two at most", help="API processes on the port."),
    ] = None,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Open no demo shop.")] = False,
) -> None:
    """Run everything on this machine, PostgreSQL and Redis included, until Ctrl-C."""
    from smartmarket.up import Choices, run_up

    run_up(configured(), Choices(port, data_dir, workers, api_processes, demo=not no_demo))


@app.command(rich_help_panel=_RUN)
def api(
    context: typer.Context,
    *,
    host: Annotated[
        str | None, typer.Option(show_default="127.0.0.1; in production 0.0.0.0", help="Address to listen on.")
    ] = None,
    port: Port = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, max=4, show_default="SMARTMARKET_API_PROCESSES, else 1", help="Processes that share the port."
        ),
    ] = None,
    socket: Annotated[int | None, typer.Option(hidden=True, help="Inherited socket that listens already.")] = None,
    child: Child = False,
) -> None:
    """Serve the HTTP API."""
    built = _process(context, child=child, checked=False)
    from smartmarket.api_start import run_api

    run_api(built, host=host, port=port, processes=processes, descriptor=socket)


@app.command(rich_help_panel=_RUN)
def policies(context: typer.Context, *, child: Child = False) -> None:
    """Turn events into jobs; one process is enough, more may run."""
    built = _process(context, child=child)
    from smartmarket.processes import run_policies

    run_policies(built)


@app.command(rich_help_panel=_RUN)
def worker(context: typer.Context, *, child: Child = False) -> None:
    """Run jobs: uploads, forecasts, recommendations; run as many processes as cores."""
    built = _process(context, child=child)
    from smartmarket.processes import run_worker

    run_worker(built)


@app.command(rich_help_panel=_RUN)
def projector(context: typer.Context, *, child: Child = False) -> None:
    """Keep the read models up to date, and build requested generations and replays."""
    built = _process(context, child=child)
    from smartmarket.processes import run_projector

    run_projector(built)


@app.command(rich_help_panel=_RUN)
def scheduler(context: typer.Context, *, child: Child = False) -> None:
    """Open business days, clean up, and verify read models at night."""
    built = _process(context, child=child)
    from smartmarket.processes import run_scheduler

    run_scheduler(built)


@app.command(rich_help_panel=_RUN)
def migrate(context: typer.Context, *, as_json: Json = False) -> None:
    """Bring the database to this release: tables, roles, first generations; replays outdated read models."""
    from smartmarket.migration import run_migrate

    data, text = run_migrate(container(context))
    Output(as_json).answer(data, text)


app.add_typer(read_model_commands.projections, name="projections", rich_help_panel=_OPERATE)
app.add_typer(operations.jobs, name="jobs", rich_help_panel=_OPERATE)
app.add_typer(read_model_commands.indexes, name="indexes", rich_help_panel=_OPERATE)
app.add_typer(read_model_commands.audit, name="audit", rich_help_panel=_OPERATE)
app.add_typer(operations.clock, name="clock", rich_help_panel=_OPERATE)


@app.command(rich_help_panel=_OPERATE, epilog="Examples:\n\nsmartmarket erase 7\n\nsmartmarket erase 7 --yes --json")
def erase(
    context: typer.Context,
    business_id: Annotated[int, typer.Argument(metavar="BUSINESS_ID", min=1)],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    as_json: Json = False,
) -> None:
    """Erase a business for good, at once: its personal data, books, files and account."""
    from write_side.identity import cli

    cli.erase(container(context), Output(as_json), business_id, (lambda _: None) if yes else operations.confirmed)


app.add_typer(operations.staff, name="staff", rich_help_panel=_ACCOUNTS)
app.add_typer(operations.demo, name="demo", rich_help_panel=_ACCOUNTS)


def _process(context: typer.Context, *, child: bool, checked: bool = True) -> "Container":
    """Return the container of a process, which ends with its parent if it is a `child`.

    Raises CannotStart if the database is not of this release or was made with another SECRET_KEY, unless the process
    checks that itself.
    """
    if child:
        from shared.runtime.supervisor import end_with_parent

        end_with_parent(sys.stdin.fileno())
    built = container(context)
    if checked:
        built.check_database()
    return built


def invoke(arguments: "Sequence[str]", container: "Container | None" = None) -> int:
    """Run one command, on `container` if given; returns 0, and lets errors pass to the caller."""
    done = get_command(app).main([*arguments], prog_name="smartmarket", standalone_mode=False, obj=container)
    return done if isinstance(done, int) else 0


def run(arguments: "Sequence[str] | None" = None) -> int:
    """Run one command of the operating system's caller; returns the exit code, see `smartmarket.main`."""
    try:
        code = invoke(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except Exception as error:
        refused = errors.refusal(error)
        if refused is None:
            raise
        errors.write(refused)
        return refused.exit_code
    except KeyboardInterrupt:
        return 130
    return code
