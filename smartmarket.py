"""SmartMarket's command line and composition root: every process starts here, put together from its parts."""

import argparse
import getpass
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from projections import generations, rebuild, replay
from projections.registry import REGISTRY
from projections.runner import Follower
from projections.runner import connect as connect_projector
from shared import database, jobs, secrets_file
from shared.audit import verify_chain
from shared.beating import beating
from shared.config import Settings, UnsafeSettings, check_production
from shared.embedded import EmbeddedServerError, EmbeddedServers
from shared.errors import Refusal
from shared.event_store import StoreError
from shared.hints import HintReceiver, HintSender, queue_of
from shared.house import CannotStart, House
from shared.logs import configure_logging
from shared.supervisor import Supervisor, becomes_ready, end_with_parent, free_port
from shared.texts import text
from shared.vault import MasterKey
from shared.wakeup import LogListener
from shared.working import Worker
from write_side.identity.staff import create_staff
from write_side.indexes import rebuild_indexes
from write_side.policies import Policies
from write_side.sales.policy import READ_UPLOAD
from write_side.sales.worker import LedgerReader
from write_side.scheduler import Scheduler

if TYPE_CHECKING:
    from fastapi import FastAPI

logger = logging.getLogger("smartmarket")


def source_of(house: House) -> replay.Source:
    """Return what replaying processes open their connections by."""
    return replay.Source(house.url, house.secret, house.role(database.PROJECTOR))


def build_api(house: House) -> "FastAPI":
    """Return the API with everything its routes need.

    What only the API needs is imported here: the other processes start in half the time and memory without it.
    """
    import redis.asyncio  # noqa: PLC0415

    from read_side.routes import ROOT_ROUTERS, ROUTERS  # noqa: PLC0415
    from shared.http import create_app  # noqa: PLC0415
    from shared.positions import PositionTokens  # noqa: PLC0415
    from shared.tokens import TokenProvider  # noqa: PLC0415
    from write_side.identity.router import router as identity  # noqa: PLC0415
    from write_side.sales.router import router as sales  # noqa: PLC0415

    @asynccontextmanager
    async def lifespan(app: "FastAPI") -> AsyncIterator[None]:
        store = house.store(pool_size=6)
        reader = database.reader_pool(house.url, role=house.role(database.READER))
        await reader.open()
        cache = redis.asyncio.from_url(house.settings.redis_url) if house.settings.redis_url else None
        app.state.store, app.state.reader, app.state.redis = store, reader, cache
        app.state.files = house.files(store)
        app.state.tokens = TokenProvider(house.settings)
        app.state.positions = PositionTokens(house.secret)
        try:
            yield
        finally:
            await reader.close()
            store.close()
            if cache is not None:
                await cache.aclose()

    return create_app(house.settings, [identity, sales, *ROUTERS], lifespan=lifespan, root_routers=ROOT_ROUTERS)


def run_api(house: House, args: argparse.Namespace) -> None:
    """Serve HTTP until told to stop."""
    import uvicorn  # noqa: PLC0415 - see build_api

    host = args.host or ("127.0.0.1" if house.settings.env == "development" else "0.0.0.0")  # noqa: S104 - a container's door
    config = uvicorn.Config(
        build_api(house), host=host, port=args.port or house.settings.port, log_config=None, access_log=False,
        server_header=False, log_level="warning", timeout_graceful_shutdown=4, timeout_keep_alive=30,
        proxy_headers=bool(house.settings.trusted_proxies), forwarded_allow_ips=house.settings.trusted_proxies,
    )  # fmt: skip
    with beating(house.connect, "api"):
        uvicorn.Server(config).run()


def run_policies(house: House, _: argparse.Namespace) -> None:
    """Turn events into jobs until told to stop."""
    listener = LogListener(house.url)
    policies = Policies(house.connect, HintSender(house.broker, queue_of(house.url)), listener)
    _run(house, "policies", policies.run, policies.stop, listener)


def run_worker(house: House, _: argparse.Namespace) -> None:
    """Do jobs until told to stop."""
    store = house.store(pool_size=4)
    handlers: dict[str, jobs.Handler] = {READ_UPLOAD: LedgerReader(store, house.files(store))}
    worker = Worker(store, house.connect, HintReceiver(house.broker, queue_of(house.url)), handlers)
    _run(house, "worker", worker.run, worker.stop)


def run_projector(house: House, _: argparse.Namespace) -> None:
    """Keep the read models up to date until told to stop."""
    listener = LogListener(house.url)
    role = house.role(database.PROJECTOR)
    followers = [Follower(house.url, p, MasterKey(house.secret), listener, role=role) for p in REGISTRY.values()]

    def run() -> None:
        for follower in followers:
            follower.start()
        for follower in followers:
            follower.join()

    def stop() -> None:
        for follower in followers:
            follower.stop()

    _run(house, "projector", run, stop, listener)


def run_scheduler(house: House, _: argparse.Namespace) -> None:
    """Do what time calls for until told to stop."""
    store = house.store(pool_size=2)
    role = house.role(database.PROJECTOR)
    scheduler = Scheduler(
        store, house.connect, lambda: generations.drop_retired_by(connect_projector(house.url, role=role))
    )
    _run(house, "scheduler", scheduler.run, scheduler.stop)


def _run(
    house: House, kind: str, run: Callable[[], None], stop: Callable[[], None], listener: LogListener | None = None
) -> None:
    def end(*_: object) -> None:
        stop()
        if listener:
            listener.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if listener:
        listener.start()
    with beating(house.connect, kind):
        logger.info("process ready", extra={"role": kind})
        run()


def run_migrate(house: House, args: argparse.Namespace) -> None:
    """Bring the database to this release: tables, roles, first generations; stale read models are replayed."""
    applied = database.migrate(house.url)
    with connect_projector(house.url, role=house.role(database.PROJECTOR)) as conn:
        made = generations.ensure_live(conn, REGISTRY)
        stale = [p.name for p in REGISTRY.values() if (generations.live(conn, p.name) or (0, "", 0))[2] != p.version]
    for name in stale:
        rebuild.rebuild(source_of(house), REGISTRY[name])
    answer = {"migrations": applied, "projections": made, "rebuilt": stale}
    _say(args, answer, f"database is up to date ({len(applied)} migrations, {len(made) + len(stale)} projections made)")


def run_projections(house: House, args: argparse.Namespace) -> None:
    """List or rebuild the read models."""
    if args.action == "list":
        _list_projections(house, args)
        return
    if args.name != "all" and args.name not in REGISTRY:
        msg = f"There is no projection {args.name!r}: choose from {', '.join(REGISTRY)} or all."
        raise CannotStart(msg)
    for name in REGISTRY if args.name == "all" else [args.name]:
        _rebuild(house, args, name)


def _rebuild(house: House, args: argparse.Namespace, name: str) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[events]} events"),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), disable=args.json, transient=True) as bar:
        task = bar.add_task(name, total=None, events=0)

        def report(at: replay.Progress) -> None:
            bar.update(
                task, total=at.total or 1, completed=at.done, events=at.events, description=f"{name}: {at.state}"
            )

        try:
            done = rebuild.rebuild(source_of(house), REGISTRY[name], workers=args.shards, report=report)
        except rebuild.RebuildRunning as error:
            msg = f"{name} is being rebuilt already: wait for it, or stop that command; it can be resumed."
            raise CannotStart(msg) from error
    rate = done.rows / done.replay_seconds if done.replay_seconds else 0
    _say(args, vars(done), f"{name}: {done.rows:,} rows of {done.businesses} businesses in {done.seconds:.1f} s "
         f"({rate:,.0f} rows/s); {done.schema} serves now")  # fmt: skip


_LIST_COLUMNS = ("name", "generation", "projector_version", "position", "lag", "parked", "state")


def _list_projections(house: House, args: argparse.Namespace) -> None:
    with connect_projector(house.url, role=house.role(database.PROJECTOR)) as conn:
        found = [generations.describe(conn, name) for name in REGISTRY]
    if args.json:
        print(json.dumps(found))
        return
    table = Table(*(column.replace("_", " ") for column in _LIST_COLUMNS))
    for item in found:
        table.add_row(*(str(item[column]) for column in _LIST_COLUMNS))
    Console().print(table)


def run_indexes(house: House, args: argparse.Namespace) -> None:
    """Make the write-side indexes again from the log."""
    began = time.monotonic()
    with house.connect_owner() as conn:
        rows = rebuild_indexes(conn)
    seconds = time.monotonic() - began
    _say(args, {"rows": rows, "seconds": seconds}, f"write-side indexes: {rows:,} rows in {seconds:.1f} s")


def run_audit(house: House, args: argparse.Namespace) -> None:
    """Check the hash chain of the whole log."""
    with house.connect() as conn:
        broken = verify_chain(conn)
    if broken:
        msg = f"The log has been changed: {broken}"
        raise CannotStart(msg)
    _say(args, {"intact": True}, "the log is whole: every event follows from the one before")


def run_staff(house: House, args: argparse.Namespace) -> None:
    """Create a staff account."""
    password = sys.stdin.readline().rstrip("\n") if args.password_stdin else getpass.getpass("Password: ")
    user = create_staff(house.store(pool_size=2), args.email, args.first_name, password)
    _say(args, {"user_id": user, "email": args.email}, f"staff account {args.email} created (user {user})")


def run_up(settings: Settings, args: argparse.Namespace) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    data_dir = Path(args.data_dir or settings.data_dir).resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    servers = None if settings.database_url and settings.redis_url else EmbeddedServers(data_dir)
    try:
        endpoints = servers.start() if servers else None
        environment = secrets_file.environment(data_dir, settings, endpoints)
        port = free_port(args.port or settings.port, insist=args.port is not None or "PORT" in os.environ)
        environment |= {"PORT": str(port), "SMARTMARKET_DATA_DIR": str(data_dir)}
        os.environ |= environment
        house = House(Settings())
        run_migrate(house, argparse.Namespace(json=False, quiet=True))
        workers = [["worker"]] * args.workers
        children = Supervisor([["api", "--child"], *([*w, "--child"] for w in workers), ["policies", "--child"],
                               ["projector", "--child"], ["scheduler", "--child"]], os.environ)  # fmt: skip
        children.start()
        try:
            if becomes_ready(f"http://127.0.0.1:{port}/health/ready", stopped):
                print(_WELCOME.format(url=f"http://127.0.0.1:{port}", data_dir=data_dir), flush=True)
            children.watch(stopped.is_set)
        finally:
            print("SmartMarket is stopping…", flush=True)
            children.stop()
    finally:
        if servers:
            servers.stop()


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


PROCESSES: dict[str, Callable[[House, argparse.Namespace], None]] = {
    "api": run_api,
    "policies": run_policies,
    "worker": run_worker,
    "projector": run_projector,
    "scheduler": run_scheduler,
}
COMMANDS: dict[str, Callable[[House, argparse.Namespace], None]] = {
    **PROCESSES,
    "migrate": run_migrate,
    "projections": run_projections,
    "indexes": run_indexes,
    "audit": run_audit,
    "staff": run_staff,
}


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = argparse.ArgumentParser("smartmarket", description="A small shop's ledger, turned into decisions.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="everything on one machine, until Ctrl-C")
    up.add_argument("--port", type=int)
    up.add_argument("--data-dir")
    up.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    for name, run in PROCESSES.items():
        process = commands.add_parser(name, help=(run.__doc__ or "").splitlines()[0])
        process.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
        if name == "api":
            process.add_argument("--host")
            process.add_argument("--port", type=int)
    migrate = commands.add_parser("migrate", help="bring the database to this release")
    projections = commands.add_parser("projections", help="the read models: list, rebuild")
    actions = projections.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="where each read model stands")
    rebuild = actions.add_parser("rebuild", help="replay the log into a new generation and point to it")
    rebuild.add_argument("name", metavar="NAME|all")
    rebuild.add_argument("--shards", type=int, default=2, help="processes that replay side by side")
    indexes = commands.add_parser("indexes", help="the write-side indexes: rebuild")
    indexes_rebuild = indexes.add_subparsers(dest="action", required=True).add_parser("rebuild", help="from the log")
    audit = commands.add_parser("audit", help="the log itself: verify")
    verify = audit.add_subparsers(dest="action", required=True).add_parser("verify", help="check the hash chain, whole")
    staff = commands.add_parser("staff", help="operators' accounts: create")
    create = staff.add_subparsers(dest="action", required=True).add_parser("create", help="a new account")
    create.add_argument("email")
    create.add_argument("--first-name", default="Staff")
    create.add_argument("--password-stdin", action="store_true")
    for command in (migrate, listing, rebuild, indexes_rebuild, verify, create):
        command.add_argument("--json", action="store_true", help="answer for machines")
    return top


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
        if args.command == "up":
            run_up(settings, args)
            return 0
        check_production(settings)
        if getattr(args, "child", False):
            end_with_parent(sys.stdin.fileno())
        COMMANDS[args.command](House(secrets_file.filled(settings)), args)
    except (CannotStart, UnsafeSettings, EmbeddedServerError) as error:
        return _refuse(str(error))
    except Refusal as refusal:
        said = text(refusal.text_key, "en", **{**refusal.details, **refusal.params})
        return _refuse(" ".join([said.message, *said.suggestions]))
    except (psycopg.OperationalError, StoreError) as error:
        return _refuse(f"The database does not answer. Is SmartMarket running (`smartmarket up`)? {error}")
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
