"""What commands share: their options and groups, the settings, and the container built from them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared.runtime.container import Container
    from shared.runtime.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def configured() -> "Settings":
    """Read the settings and set up logging; raises UnsafeSettings where production must not start on them."""
    from shared.runtime.logging import configure_logging
    from shared.runtime.production import check_production
    from shared.runtime.settings import read_settings

    settings = read_settings()
    configure_logging(settings.log_level)
    check_production(settings)
    if settings.sentry_dsn:
        _report_errors(settings)
    return settings


def _report_errors(settings: "Settings") -> None:
    """Report errors to Sentry; raises BadSettings where its package is not installed."""
    from importlib.metadata import version

    from shared.runtime.settings import BadSettings

    try:
        from shared.runtime.error_reports import start_error_reports
    except ImportError:
        problem = "needs the package sentry-sdk: pip install 'smartmarket[sentry]'."
        raise BadSettings([("SENTRY_DSN", problem)]) from None
    start_error_reports(settings, version("smartmarket"))


def container(context: typer.Context) -> "Container":
    """Return the container of this command, built from the environment unless the caller of the command gave one."""
    if context.obj is None:
        from shared.runtime import local_state
        from shared.runtime.container import Container

        context.obj = Container(local_state.filled(configured()))
    found: Container = context.obj
    return found


def group(text: str, *examples: str) -> typer.Typer:
    """Return a group of commands; the first words of `text` are its line in the list of commands."""
    epilog = "\n\n".join(["Examples:", *(f"smartmarket {example}" for example in examples)])
    return typer.Typer(help=text, epilog=epilog, no_args_is_help=True)
