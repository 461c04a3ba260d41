"""Reports of errors to Sentry: everything that is logged at ERROR or above, and what ends a process or a thread.

A report is built from a list of what may leave the installation: the type of each exception and the places in the code,
the template of the log line without its arguments, and numbers that say where and for whom it failed. Messages of
exceptions, local variables, arguments, request bodies, headers and addresses stay here, because they may hold personal
data; the log line with the same request or job has the message. Needs the extra `sentry`.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration
from structlog.contextvars import get_contextvars

from shared.runtime.settings import Settings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

_KEPT = ("event_id", "timestamp", "level", "logger", "platform", "release", "environment", "server_name", "sdk")
_KEPT_OF_FRAMES = ("filename", "abs_path", "function", "module", "lineno", "in_app")
_NUMBERS = ("request_id", "business_id", "user_id", "job_id", "kind", "projection", "generation", "chore")


def start_error_reports(settings: Settings, release: str) -> None:
    """Report errors of this process to the project of `settings.sentry_dsn`."""
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=release,
        environment=settings.env,
        before_send=_report,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
            ExcepthookIntegration(),
            ThreadingIntegration(propagate_scope=False),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda pending, seconds: None),  # noqa: ARG005 - it would print to stderr
        ],
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_client_reports=False,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
    )


def _report(event: "Event", hint: "Hint") -> "Event":
    """Return what may leave of an event."""
    found: dict[str, Any] = dict(event)
    record: logging.LogRecord | None = hint.get("log_record")
    fields = {**(vars(record) if record else {}), **get_contextvars()}
    report: dict[str, Any] = {name: found[name] for name in _KEPT if name in found}
    report["tags"] = {name: str(fields[name]) for name in _NUMBERS if fields.get(name) is not None}
    if fields.get("user_id") is not None:
        report["user"] = {"id": str(fields["user_id"])}
    if record is not None:
        report["logentry"] = {"message": str(record.msg), "params": []}
    if "exception" in found:
        report["exception"] = {"values": [_exception(value) for value in found["exception"].get("values", ())]}
    return report  # type: ignore[return-value] # the same keys as a dictionary


def _exception(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return type and places of an exception, without its message."""
    kept: dict[str, Any] = {name: value[name] for name in ("type", "module") if value.get(name)}
    frames = (value.get("stacktrace") or {}).get("frames", ())
    kept["stacktrace"] = {"frames": [{name: f[name] for name in _KEPT_OF_FRAMES if name in f} for f in frames]}
    return kept
