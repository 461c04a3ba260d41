"""SmartMarket's command line and composition root: every process starts here, put together from its parts."""

import argparse
import getpass
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from projections import cli
from projections.engine import generation_schemas, generations, replayer
from projections.engine.follower import Follower
from projections.engine.follower import connect as connect_projector
from projections.operations import rebuild
from projections.operations.explain import Explainer
from projections.operations.nightly import Nightly
from projections.operations.request_runner import RequestRunner
from projections.operations.time_travel import TimeTravelRunner
from projections.registry import REGISTRY
from shared.embedded.servers import EmbeddedServerError, EmbeddedServers
from shared.errors import Refusal
from shared.eventstore.hash_chain import verify_chain
from shared.eventstore.listener import LogListener
from shared.eventstore.store import EventStore, Metadata, StoreError
from shared.eventstore.vault import MasterKey
from shared.jobs.broker import WakeupPublisher, WakeupReceiver, queue_name
from shared.jobs.worker import Worker
from shared.postgres import database
from shared.postgres.generation_states import GenerationState
from shared.runtime import local_state
from shared.runtime.container import CannotStart, Container
from shared.runtime.heartbeat import heartbeat
from shared.runtime.logging import configure_logging
from shared.runtime.settings import Settings, UnsafeSettings, check_production
from shared.runtime.supervisor import Program, Supervisor, becomes_ready, end_with_parent, listen, serving
from shared.texts import rendered, text
from write_side.admin import cli as of_operators
from write_side.admin.generations_handlers import GenerationRequests
from write_side.admin.policy import FURNISH_DEMO
from write_side.demo.welcome import introduce
from write_side.demo.worker import DemoFurnisher
from write_side.forecasting.models.process import Models
from write_side.forecasting.planning import Planner
from write_side.forecasting.policy import MAKE, PLAN
from write_side.forecasting.worker import ForecastMaker
from write_side.identity.staff_handlers import create_staff
from write_side.indexes import rebuild_indexes
from write_side.policies import Policies
from write_side.recommendations.policy import REVIEW, REVIEW_DAY
from write_side.recommendations.worker import DayReviewer, Reviewer
from write_side.sales.policy import READ_UPLOAD
from write_side.sales.worker import LedgerReader
from write_side.scheduler import Scheduler

if TYPE_CHECKING:
    from fastapi import FastAPI

    from shared.jobs.queue import Handler

_API_PROCESSES = range(1, 5)  # with 15 connections each
logger = logging.getLogger("smartmarket")


def source_of(container: Container) -> replayer.Source:
    """Return what replaying processes open their connections by."""
    return replayer.Source(container.url, container.secret, container.role(database.PROJECTOR))


def build_api(container: Container) -> "FastAPI":
    """Return the API with everything its routes need.

    What only the API needs is imported here: the other processes start in half the time and memory without it.
    """
    import redis.asyncio  # noqa: PLC0415

    from read_side.routes import ROOT_ROUTERS, ROUTERS  # noqa: PLC0415
    from shared.domain.presentation.api_tags import TAGS  # noqa: PLC0415
    from shared.http.app import create_app  # noqa: PLC0415
    from shared.http.dependencies import Dependencies  # noqa: PLC0415
    from shared.http.position_tokens import PositionTokens  # noqa: PLC0415
    from shared.http.rate_limiter import RateLimiter  # noqa: PLC0415
    from shared.http.tokens import TokenProvider  # noqa: PLC0415
    from write_side.recommendations.state_cache import AdviceStream  # noqa: PLC0415
    from write_side.routes import ROUTERS as COMMAND_ROUTERS  # noqa: PLC0415

    @asynccontextmanager
    async def lifespan(_: "FastAPI") -> AsyncIterator[Dependencies]:
        store = container.store(pool_size=6)
        reader = database.reader_pool(container.url, role=container.role(database.READER))
        await reader.open()
        cache = redis.asyncio.from_url(container.settings.redis_url) if container.settings.redis_url else None
        deps = Dependencies(
            settings=container.settings,
            tokens=TokenProvider(container.settings),
            limiter=RateLimiter(cache, enabled=container.settings.rate_limits),
            positions=PositionTokens(container.secret),
            store=store,
            reader=reader,
            files=container.files(store),
            redis=cache,
            explain=Explainer(source_of(container), REGISTRY),
            rules_by_projection=cli.RULES,
            services={AdviceStream: AdviceStream()},
        )
        try:
            yield deps
        finally:
            await reader.close()
            store.close()
            if cache is not None:
                await cache.aclose()

    routers = [*COMMAND_ROUTERS, *ROUTERS]
    return create_app(container.settings, routers, lifespan=lifespan, root_routers=ROOT_ROUTERS, tags=TAGS)


def run_api(container: Container, args: argparse.Namespace) -> None:
    """Serve HTTP until told to stop, by as many processes as asked for."""
    host, port = args.host or _own_host(container.settings), args.port or container.settings.port
    processes = args.processes or container.settings.api_processes or 1
    if args.socket is None and processes > 1:
        _share_api(container, host, port, processes)
    else:
        _serve(container, host, port, None if args.socket is None else socket.socket(fileno=args.socket))


def _serve(container: Container, host: str, port: int, door: socket.socket | None) -> None:
    """Serve HTTP from this process, at `door` where it is open already."""
    import uvicorn  # noqa: PLC0415 - see build_api

    config = uvicorn.Config(
        build_api(container),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=4,
        timeout_keep_alive=30,
        proxy_headers=bool(container.settings.trusted_proxies),
        forwarded_allow_ips=container.settings.trusted_proxies,
    )
    with heartbeat(container.connect, "api"):
        uvicorn.Server(config).run(sockets=[door] if door else None)


def _share_api(container: Container, host: str, port: int, processes: int) -> None:
    """Keep API processes running that share one socket, until told to stop."""
    _ = container.roles  # what every child would refuse is refused here
    stopped = _told_to_stop()
    with listen(host, port, insist=True) as door:
        children = Supervisor(serving(door, processes), os.environ)
        try:
            children.start()
            children.watch(stopped.is_set)
        finally:
            children.stop()


def _own_host(settings: Settings) -> str:
    return "127.0.0.1" if settings.env == "development" else "0.0.0.0"  # noqa: S104 - a container's door


def _told_to_stop() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set from now on."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def run_policies(container: Container, _: argparse.Namespace) -> None:
    """Turn events into jobs until told to stop."""
    listener = LogListener(container.url)
    policies = Policies(container.connect, WakeupPublisher(container.broker, queue_name(container.url)), listener)
    _run(container, "policies", policies.run, policies.stop, listener)


def worker_handlers(container: Container, store: EventStore, models: Models) -> "dict[str, Handler]":
    """Return the handler of every kind of job."""
    return {
        READ_UPLOAD: LedgerReader(store, container.files(store)),
        PLAN: Planner(store, container.connect_reader),
        MAKE: ForecastMaker(store, container.connect, container.connect_reader, models),
        REVIEW: Reviewer(store, container.connect_reader),
        REVIEW_DAY: DayReviewer(store, container.connect),
        FURNISH_DEMO: DemoFurnisher(store),
    }


def build_worker(container: Container, store: EventStore, models: Models) -> Worker:
    """Return the worker that a process of this role runs."""
    receiver = WakeupReceiver(container.broker, queue_name(container.url))
    return Worker(store, container.connect, receiver, worker_handlers(container, store, models))


def run_worker(container: Container, _: argparse.Namespace) -> None:
    """Do jobs until told to stop."""
    models = Models()
    worker = build_worker(container, container.store(pool_size=4), models)
    try:
        _run(container, "worker", worker.run, worker.stop)
    finally:
        models.close()


def run_projector(container: Container, _: argparse.Namespace) -> None:
    """Keep the read models up to date, and make those of earlier days, until told to stop."""
    listener = LogListener(container.url)
    role = container.role(database.PROJECTOR)
    followers = [
        Follower(container.url, p, MasterKey(container.secret), listener, role=role) for p in REGISTRY.values()
    ]

    threads: list[Follower | TimeTravelRunner | RequestRunner] = [
        *followers,
        TimeTravelRunner(source_of(container)),
        RequestRunner(source_of(container)),
    ]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop() -> None:
        for thread in threads:
            thread.stop()

    _run(container, "projector", run, stop, listener)


def run_scheduler(container: Container, _: argparse.Namespace) -> None:
    """Do what time calls for until told to stop."""
    store = container.store(pool_size=2)
    role = container.role(database.PROJECTOR)
    scheduler = Scheduler(
        store, container.connect, lambda: generation_schemas.drop_unused_by(connect_projector(container.url, role=role))
    )
    nightly = Nightly(source_of(container))

    def run() -> None:
        nightly.start()
        scheduler.run()
        nightly.join()

    def stop() -> None:
        nightly.stop()
        scheduler.stop()

    _run(container, "scheduler", run, stop)


def _run(
    container: Container,
    kind: str,
    run: Callable[[], None],
    stop: Callable[[], None],
    listener: LogListener | None = None,
) -> None:
    def end(*_: object) -> None:
        stop()
        if listener:
            listener.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if listener:
        listener.start()
    with heartbeat(container.connect, kind):
        logger.info("process ready", extra={"role": kind})
        run()


def run_migrate(container: Container, args: argparse.Namespace) -> None:
    """Bring the database to this release: tables, roles, first generations; stale read models are replayed."""
    applied = database.migrate(container.url)
    with connect_projector(container.url, role=container.role(database.PROJECTOR)) as conn:
        made = generation_schemas.ensure_live(conn, REGISTRY)
        stale = [p.name for p in REGISTRY.values() if (generations.live(conn, p.name) or (0, "", 0))[2] != p.version]
        if conn.execute("SELECT EXISTS (SELECT FROM log.events)").fetchone() == (True,):
            stale += made  # replaying is faster than following from the beginning
        stale += [name for name in generations.lost(conn) if name not in stale]
    for name in stale:
        try:
            rebuild.rebuild(source_of(container), REGISTRY[name])
        except rebuild.RebuildRunning as error:
            msg = f"{name} is being rebuilt by another process: wait for it, then run smartmarket migrate again."
            raise CannotStart(msg) from error
    answer = {"migrations": applied, "projections": made, "rebuilt": stale}
    _say(args, answer, f"database is up to date ({len(applied)} migrations, {len({*made, *stale})} projections made)")


def run_projections(container: Container, args: argparse.Namespace) -> None:
    """List, rebuild, roll back, verify or preview the read models; adopt or drop a generation."""
    store = container.store(pool_size=2)
    requests = GenerationRequests(store, Metadata(actor="operator"), cli.RULES)
    try:
        if args.action in {"adopt", "drop"}:
            state = (requests.adopt if args.action == "adopt" else requests.drop)(args.generation)
            if state == GenerationState.CATCHING_UP:
                state = cli.serve_again(container, args.generation)
            _say(args, {"id": args.generation, "state": state}, f"generation {args.generation} is {state}")
        else:
            cli.run(container, args, _say, requests.preview_rules)
    finally:
        store.close()


def run_indexes(container: Container, args: argparse.Namespace) -> None:
    """Make the write-side indexes again from the log."""
    began = time.monotonic()
    with container.connect_owner() as conn:
        rows = rebuild_indexes(conn)
    seconds = time.monotonic() - began
    _say(args, {"rows": rows, "seconds": seconds}, f"write-side indexes: {rows:,} rows in {seconds:.1f} s")


def run_audit(container: Container, args: argparse.Namespace) -> None:
    """Check the hash chain of the whole log."""
    with container.connect() as conn:
        broken = verify_chain(conn)
    if broken:
        msg = f"The log has been changed: {broken}"
        raise CannotStart(msg)
    _say(args, {"intact": True}, "the log is whole: every event follows from the one before")


def run_staff(container: Container, args: argparse.Namespace) -> None:
    """Create a staff account."""
    password = sys.stdin.readline().rstrip("\n") if args.password_stdin else getpass.getpass("Password: ")
    user = create_staff(container.store(pool_size=2), args.email, args.first_name, password)
    _say(args, {"user_id": user, "email": args.email}, f"staff account {args.email} created (user {user})")


def run_demo(container: Container, args: argparse.Namespace) -> None:
    """Open a demo shop, or close them all and open another."""
    of_operators.run_demo(container, args, _say)


def run_jobs(container: Container, args: argparse.Namespace) -> None:
    """List work that was given up, or have it tried again."""
    of_operators.run_jobs(container, args, _say)


def run_up(settings: Settings, args: argparse.Namespace) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    stopped = _told_to_stop()
    data_dir = Path(args.data_dir or settings.data_dir).resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    servers = None if settings.database_url and settings.redis_url else EmbeddedServers(data_dir)
    try:
        endpoints = servers.start() if servers else None
        environment = local_state.environment(data_dir, settings, endpoints)
        insist = args.port is not None or "PORT" in os.environ
        with listen(_own_host(settings), args.port or settings.port, insist=insist) as door:
            port = door.getsockname()[1]
            os.environ |= environment | {"PORT": str(port), "SMARTMARKET_DATA_DIR": str(data_dir)}
            run_migrate(Container(Settings()), argparse.Namespace(json=False, quiet=True))
            children = Supervisor(_programs(door, args), os.environ)
            children.start()
            try:
                if becomes_ready(f"http://127.0.0.1:{port}/health/ready", stopped):
                    print(_WELCOME.format(url=f"http://127.0.0.1:{port}", data_dir=data_dir), flush=True)
                    if Settings().demo_allowed and not args.no_demo:
                        _introduce_demo(stopped)
                children.watch(stopped.is_set)
            finally:
                print("SmartMarket is stopping…", flush=True)
                children.stop()
    finally:
        if servers:
            servers.stop()


def _introduce_demo(stopped: threading.Event) -> None:
    """Open the demo shop beside the watch over the processes, whose worker furnishes it."""

    def say(text: str) -> None:
        print(text, flush=True)

    told = (Container(Settings()), say, stopped.is_set)
    threading.Thread(target=introduce, args=told, name="demo", daemon=True).start()


def _programs(door: socket.socket, args: argparse.Namespace) -> list[Program]:
    """Return what runs on one machine, the API by as many processes as it has cores for."""
    api = args.api_processes or Settings().api_processes or min(2, os.cpu_count() or 1)
    others = ["worker"] * args.workers + ["policies", "projector", "scheduler"]
    return [*serving(door, api), *(Program([name]) for name in others)]


_WELCOME = """
SmartMarket is ready at {url}

  Try the API    {url}/api/docs
  Create a shop  curl -s {url}/api/auth/register -H 'Content-Type: application/json' \\
                   -d '{{"email":"owner@shop.bd","password":"SecurePass123","first_name":"Ali",
                        "business_name":"Ali Tea Shop","business_type":"restaurant","language":"en"}}'
  Then           the tour in README.md: upload a ledger, see sales, products and customers
  Data           {data_dir}

Ctrl-C stops everything."""


def _say(args: argparse.Namespace, data: dict[str, Any], line: str) -> None:
    if getattr(args, "json", False):
        print(json.dumps(data, default=str))
    elif not getattr(args, "quiet", False):
        print(line)


PROCESSES: dict[str, Callable[[Container, argparse.Namespace], None]] = {
    "api": run_api,
    "policies": run_policies,
    "worker": run_worker,
    "projector": run_projector,
    "scheduler": run_scheduler,
}
COMMANDS: dict[str, Callable[[Container, argparse.Namespace], None]] = {
    **PROCESSES,
    "migrate": run_migrate,
    "projections": run_projections,
    "indexes": run_indexes,
    "audit": run_audit,
    "staff": run_staff,
    "demo": run_demo,
    "jobs": run_jobs,
}


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = argparse.ArgumentParser("smartmarket", description="A small shop's ledger, turned into decisions.")
    kinds = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = kinds.add_parser("up", help="everything on one machine, until Ctrl-C")
    up.add_argument("--port", type=int)
    up.add_argument("--data-dir")
    up.add_argument("--no-demo", action="store_true", help="open no demo shop")
    up.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    up.add_argument("--api-processes", type=int, choices=_API_PROCESSES, help="1 to 4; one per core, two at most")
    for name, run in PROCESSES.items():
        process = kinds.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
        process.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
        if name == "api":
            process.add_argument("--host")
            process.add_argument("--port", type=int)
            process.add_argument("--processes", type=int, choices=_API_PROCESSES, help="1 to 4 that share the port")
            process.add_argument("--socket", type=int, help=argparse.SUPPRESS)
    migrate = kinds.add_parser("migrate", help="bring the database to this release")
    of_projections = cli.grammar(kinds)
    indexes = kinds.add_parser("indexes", help="the write-side indexes: rebuild")
    indexes_rebuild = indexes.add_subparsers(dest="action", required=True).add_parser("rebuild", help="from the log")
    audit = kinds.add_parser("audit", help="the log itself: verify")
    verify = audit.add_subparsers(dest="action", required=True).add_parser("verify", help="check the hash chain, whole")
    staff = kinds.add_parser("staff", help="operators' accounts: create")
    create = staff.add_subparsers(dest="action", required=True).add_parser("create", help="a new account")
    create.add_argument("email")
    create.add_argument("--first-name", default="Staff")
    create.add_argument("--password-stdin", action="store_true")
    for command in (migrate, *of_projections, *of_operators.grammar(kinds), indexes_rebuild, verify, create):
        command.add_argument("--json", action="store_true", help="answer for machines")
    return top


# What a command meets in a database without this release's tables.
NOT_MIGRATED = (
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedColumn,
)


def _refuse(reason: str) -> int:
    print(f"smartmarket: {reason}", file=sys.stderr)
    return 1


def main() -> int:
    """Run one command; returns the exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    args = parser().parse_args()
    try:
        settings = Settings()
        configure_logging(settings.log_level)
        if settings.sentry_dsn:
            logger.warning("SENTRY_DSN is set, but this release tells errors to the log only")
        check_production(settings)
        if args.command == "up":
            run_up(settings, args)
            return 0
        if getattr(args, "child", False):
            end_with_parent(sys.stdin.fileno())
        COMMANDS[args.command](Container(local_state.filled(settings)), args)
    except (CannotStart, UnsafeSettings, EmbeddedServerError) as error:
        reason = str(error)
    except Refusal as refusal:
        said = text(refusal.text_key, "en", **rendered({**refusal.details, **refusal.params}, "en"))
        reason = " ".join([said.message, *said.suggestions])
    except (psycopg.OperationalError, StoreError) as error:
        reason = f"The database does not answer. Is SmartMarket running (`smartmarket up`)? {error}"
    except NOT_MIGRATED as error:
        reason = f"The database is not that of this release: run `smartmarket migrate` first. {error}"
    except KeyboardInterrupt:
        return 130
    else:
        return 0
    return _refuse(reason)


if __name__ == "__main__":
    sys.exit(main())
