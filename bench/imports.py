"""Import: a file sent over HTTP until every list shows it, against csv.reader and executemany; previews of files."""

import csv
import datetime as dt
import io
import time
from dataclasses import dataclass
from typing import Any, Self

import psutil
import xlsxwriter

from bench import naive
from bench.figures import Figure, Target
from bench.ledgers import first_ledger
from bench.processes import Processes
from bench.shops import Shop
from bench.stage import Stage
from shared.runtime.container import Container

_TARGET = Target(at_least=25_000)
_WORKBOOK_TARGET = Target(at_least=15_000)
# Rows, products, customers, days, and rows per second: the first ledgers of shops with many customers.
_FIRST_LEDGERS = (
    (10_000, 1_000, 8_000, 180, Target(at_least=20_000)),
    (100_000, 1_000, 20_000, 180, Target(at_least=30_000)),
)
_LARGEST_FILE = 10_485_760
_BASELINE = "csv.reader + executemany INSERT, one table"


def measure(stage: Stage) -> list[Figure]:
    """Import files of 10,000 and 100,000 rows, each into a new shop, one process of each kind."""
    sizes = [(stage.size(10_000, 1_000), stage.size(7, 2)), (stage.size(100_000, 5_000), stage.size(5, 2))]
    with stage.container() as container, Processes(container, stage.folder) as running:
        Shop.import_once(running.url, stage.ledgers.csv(100))
        figures = [
            _measure(stage, container, running, Sent.real(stage, rows, _TARGET), rounds) for rows, rounds in sizes
        ]
        for rows, products, customers, days, target in _FIRST_LEDGERS:
            sent = Sent.first(stage.size(rows, rows // 20), products, customers, days, target)
            figures.append(_measure(stage, container, running, sent, stage.size(5, 2)))
        rows, rounds = stage.size(100_000, 5_000), stage.size(3, 2)
        figures.append(_measure(stage, container, running, Sent.workbook(stage, rows), rounds))
        return [*figures, *_previews(stage, running)]


@dataclass(frozen=True)
class Sent:
    """A ledger to import: as CSV for the baseline, and the file that is sent."""

    what: str
    data: str
    rows: int
    csv: bytes
    file: bytes
    target: Target

    @classmethod
    def real(cls, stage: Stage, rows: int, target: Target) -> Self:
        """Return a CSV file of real sales, where there are enough."""
        content = stage.ledgers.csv(rows)
        return cls(f"{rows:,} rows", stage.ledgers.source(rows), rows, content, content, target)

    @classmethod
    def workbook(cls, stage: Stage, rows: int) -> Self:
        """Return the same sales as a workbook."""
        content = stage.ledgers.csv(rows)
        source = stage.ledgers.source(rows)
        return cls(f"{rows:,} rows of .xlsx", source, rows, content, _workbook(content), _WORKBOOK_TARGET)

    @classmethod
    def first(cls, rows: int, products: int, customers: int, days: int, target: Target) -> Self:
        """Return the first ledger of a shop with many customers."""
        content = first_ledger(rows, products, customers, days)
        what = f"{rows:,} rows, first ledger of {customers:,} customers and {products:,} products"
        return cls(what, "generated", rows, content, content, target)


def _previews(stage: Stage, running: Processes) -> list[Figure]:
    """Preview the largest file that is allowed: how long it takes over HTTP, and what the API holds at most."""
    content = stage.ledgers.csv_up_to(stage.size(_LARGEST_FILE, _LARGEST_FILE // 20))
    seconds = []
    with Shop(running.url) as shop:
        for number in range(rounds := stage.size(5, 2)):
            running.rest()
            began = time.perf_counter()
            counts = shop.preview(content)["counts"]
            seconds.append(time.perf_counter() - began)
            stage.say(
                f"preview of {len(content):,} bytes, round {number + 1} of {rounds}: {seconds[-1]:.2f} s, {counts}"
            )
    size = f"preview of {len(content) / 2**20:.1f} MiB of CSV over HTTP"
    return [
        Figure(measure="import", what=size, unit="s", values=seconds, target=Target(at_most=1.5)),
        Figure(
            measure="import",
            what=f"API, peak RSS after {len(seconds)} of these",
            unit="MB",
            values=[running.peak_mb("api")],
            target=Target(at_most=250),
        ),
    ]


def _workbook(content: bytes) -> bytes:
    """Return a CSV ledger as a workbook with dates as dates and numbers as numbers."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"constant_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet("Sales")
        header, *rows = csv.reader(io.StringIO(content.decode()))
        sheet.write_row(0, 0, header)
        for number, (date, product, quantity, amount, *more) in enumerate(rows, 1):
            sheet.write_datetime(number, 0, dt.datetime.fromisoformat(date))
            sheet.write_string(number, 1, product)
            sheet.write_number(number, 2, float(quantity))
            sheet.write_number(number, 3, float(amount))
            for column, text in enumerate(more, 4):
                sheet.write_string(number, column, text)
    return data.getvalue()


def _measure(stage: Stage, container: Container, running: Processes, sent: Sent, rounds: int) -> Figure:
    values: list[float] = []
    baselines: list[float] = []
    notes: dict[str, Any] = {"data": sent.data, "bytes": len(sent.file), "rounds": []}
    with container.connect_owner() as conn:
        for number in range(rounds):
            running.rest()  # such as from forecasts for the shop before
            baselines.append(sent.rows / naive.import_seconds(conn, sent.csv))
            with Shop(running.url) as shop:
                before, others, began = running.cpu_seconds(), _machine_seconds(), time.perf_counter()
                counts = shop.import_file(sent.file, sent.rows)
                seconds = time.perf_counter() - began
            used = {kind: round(after - before[kind], 2) for kind, after in running.cpu_seconds().items()}
            used["others"] = round(_machine_seconds() - others - sum(used.values()), 2)
            notes["rounds"].append({"seconds": seconds, "cpu_seconds": used, "created": counts["created"]})
            values.append(sent.rows / seconds)
            stage.say(f"import of {sent.what}, round {number + 1} of {rounds}: {values[-1]:,.0f} rows/s")
    return Figure(
        measure="import",
        what=f"{sent.what}, file to queryable",
        unit="rows/s",
        values=values,
        baseline=_BASELINE,
        baselines=baselines,
        target=sent.target,
        beside=_beside(notes),
        notes=notes,
    )


def _beside(notes: dict[str, Any]) -> str:
    last = notes["rounds"][-1]
    used = ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in last["cpu_seconds"].items())
    return f"{notes['data']}; CPU s of the last {last['seconds']:.2f} s: {used}"


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)
