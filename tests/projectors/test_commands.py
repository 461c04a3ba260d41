"""What operators do with read models from the command line."""

import csv
import datetime as dt
import io
import json
import os
import subprocess
import sys

import pytest
from psycopg.sql import SQL, Identifier
from typer.exceptions import TyperException

from projections.engine import generation_schemas, progress
from projections.engine.replayer import Progress
from projections.registry import REGISTRY
from shared.domain.refusals.admin import InvalidRule
from shared.eventstore.system_events import DayOpened
from shared.operator_errors import GenerationNotReady
from shared.runtime.container import Container
from shared.runtime.errors import CannotStart
from smartmarket.cli import invoke
from smartmarket.errors import CommandRefused, refusal
from tests.support.application import settings_for
from tests.support.poison import POISONS
from tests.support.rebuilds import a_rebuild_under_way
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shop_events import DAY, busy_shop, completed, products
from tests.support.source_tree import ROOT
from tests.support.world import World, differences

SHOP = 7
SET = ["--set", "rfm.recency_days=0,3,12,300"]


class Console:
    """The command line of an installation, and what it printed."""

    def __init__(self, world: World, services: Services, printed: pytest.CaptureFixture[str]) -> None:
        self.world = world
        self._container = Container(settings_for(world.url, services))
        self._printed = printed

    def says(self, *words: str) -> str:
        assert invoke(["projections", *words], self._container) == 0
        printed = self._printed.readouterr()
        assert printed.err == ""  # progress is for terminals
        return printed.out


@pytest.fixture
def console(world: World, services: Services, capsys: pytest.CaptureFixture[str]) -> Console:
    """A shop with a history, on a day that is open."""
    world.append(None, DayOpened(DAY + dt.timedelta(2)))
    world.append(SHOP, *busy_shop(SHOP, 3), completed(SHOP, 9))
    world.project()
    return Console(world, services, capsys)


def test_the_cli_prints_a_preview_in_three_formats_and_adopts_it(console: Console) -> None:
    shown = console.says("preview", "customers", *SET)
    assert "segment" in shown
    assert "would change" in shown
    lines = list(csv.DictReader(io.StringIO(console.says("preview", "customers", *SET, "--csv"))))
    reported = json.loads(console.says("preview", "customers", *SET, "--business", str(SHOP), "--json"))
    moved = {(m["from"], m["to"]): m["rows"] for m in reported["tables"]["churn"]["moves"] if m["column"] == "segment"}
    in_sum = [line for line in lines if line["column"] == "segment" and not line["business"]]
    assert {(line["from"], line["to"]): int(line["rows"]) for line in in_sum} == moved
    assert moved
    assert "is live" in console.says("adopt", str(reported["generation"]))
    console.world.project("customers")
    assert {row["rules"] for row in console.world.rows("customers")["churn"]} == {"rfm.v1.1 churn.v1 returning.v1"}
    assert "would change" in console.says("preview", "customers", "--rule", "rfm.v1")


def test_the_cli_rolls_back_to_a_generation_without_a_projector(console: Console) -> None:
    before = console.world.schema("sales")
    reported = json.loads(console.says("rebuild", "sales", "--json").splitlines()[-1])
    assert console.world.schema("sales") == reported["schema"] != before
    console.world.append(SHOP, products("Sold since", first=90))
    number = before.rpartition("_g")[2]
    assert json.loads(console.says("adopt", number, "--json")) == {"id": int(number), "state": "live"}
    assert console.world.schema("sales") == before
    assert json.loads(console.says("verify", "sales", "--json"))["differing"] == 0


def test_one_business_is_rebuilt_and_verified(console: Console) -> None:
    table = Identifier(console.world.schema("sales"), "transactions")
    console.world.admin.execute(SQL("DELETE FROM {} WHERE business_id = 7").format(table))
    with pytest.raises(CannotStart, match="differ from the log"):
        console.says("verify", "sales", "--business", "7")
    reported = json.loads(console.says("rebuild", "sales", "--business", "7", "--json").splitlines()[-1])
    assert (reported["businesses"], reported["schema"]) == (1, console.world.schema("sales"))
    assert json.loads(console.says("verify", "sales", "--json"))["differing"] == 0
    assert differences(console.world.rows("sales"), console.world.expected("sales")) == {}


def test_the_cli_reports_differences_without_personal_data(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Identifier(console.world.schema("customers"), "people")
    console.world.admin.execute(
        SQL("UPDATE {} SET name = 'Zorro', phone = NULL WHERE business_id = 7 AND id = 3").format(table)
    )
    console.world.admin.execute(SQL("DELETE FROM {} WHERE business_id = 7 AND id = 4").format(table))
    printed = []
    for words in ([], ["--json"]):
        with pytest.raises(CannotStart, match="differ from the log"):
            console.says("verify", "customers", *words)
        printed.append(capsys.readouterr().out)
    shown, reported = printed[0], json.loads(printed[1])
    for out in printed:
        assert "•" in out or "\\u2022" in out
        assert not any(private in out for private in ("Zorro", "Customer", "customer 3", "+88017"))
    assert {"people", "name", "phone", "missing"} <= set(shown.split())
    changed, gone = reported.pop("differences")
    assert reported.pop("seconds") > 0
    assert reported == {
        "projection": "customers",
        "equal": False,
        "businesses": 1,
        "rows": reported["rows"],
        "differing": 2,
    }
    assert (changed["table"], changed["key"], changed["columns"]) == (
        "people",
        {"business_id": SHOP, "id": 3},
        ["name", "phone"],
    )
    assert (changed["live"]["name"], changed["live"]["phone"], changed["replayed"]["phone"]) == ("•", None, "•")
    assert (gone["live"], gone["replayed"]["name"], gone["columns"]) == (None, "•", [])
    assert gone["position"] == changed["position"]


def test_the_cli_prints_differing_values_verbatim(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    table = Identifier(console.world.schema("sales"), "products")
    console.world.admin.execute(SQL("UPDATE {} SET name = '[/b]' WHERE business_id = 7 AND id = 1").format(table))
    with pytest.raises(CannotStart, match="differ from the log"):
        console.says("verify", "sales")
    assert "[/b]" in capsys.readouterr().out


def test_the_cli_drops_a_retired_generation_by_number(console: Console) -> None:
    first = console.world.schema("sales")
    number = first.rpartition("_g")[2]
    with pytest.raises(GenerationNotReady):
        console.says("drop", number)
    console.says("rebuild", "sales", "--shards", "1")
    assert "is dropped" in console.says("drop", number)
    assert generation_schemas.drop_unused(console.world.conn, after_seconds=0) == [first]
    assert {item["name"] for item in json.loads(console.says("list", "--json"))} == set(REGISTRY)


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["preview", "profits", *SET], "choose from"),
        (["preview", "all", *SET], "choose from"),
        (["preview", "customers"], "--rule rfm.v2"),
        (["preview", "customers", "--set", "rfm.recency_days"], "write it"),
        (["preview", "customers", "--set", "rfm.recency_days=a,b"], "write it"),
        (["verify", "sales", "--business", "8"], "No business 8"),
        (["rebuild", "sales", "--business", "8"], "No business 8"),
    ],
)
def test_wrong_words_are_refused_with_what_to_write(console: Console, words: list[str], reported: str) -> None:
    with pytest.raises(CannotStart, match=reported):
        console.says(*words)


def test_the_cli_reports_a_log_that_cannot_be_replayed(console: Console) -> None:
    console.world.append(SHOP, POISONS["a sale of nothing"])
    with pytest.raises(CannotStart, match="cannot be replayed: ZeroDivisionError"):
        console.says("rebuild", "sales")


def test_the_cli_reports_rows_of_another_release(console: Console) -> None:
    console.world.admin.execute("UPDATE projections.generations SET version = 0 WHERE projection = 'sales'")
    for words in (["verify", "sales"], ["rebuild", "sales", "--business", "7"]):
        with pytest.raises(CannotStart, match="rebuild sales` first"):
            console.says(*words)
    assert "serves now" in console.says("rebuild", "sales")


def test_the_cli_reports_a_database_of_another_release(services: Services) -> None:
    url = fresh_database(services.database_url)
    given = settings_for(url, services)
    environment = {**os.environ, "DATABASE_URL": url, "SECRET_KEY": str(given.secret_key), "JWT_SECRET": "j" * 48}
    command = [sys.executable, "-m", "smartmarket", "projections", "list"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    drop_database(url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "run `smartmarket migrate` first" in done.stderr


def test_migrating_recreates_lost_tables_unless_a_rebuild_is_running(
    console: Console, services: Services, world: World
) -> None:
    container = Container(settings_for(world.url, services))
    lost = Identifier(world.schema("sales"))
    with a_rebuild_under_way(world):
        world.admin.execute(SQL("DROP SCHEMA {} CASCADE").format(lost))
        with pytest.raises(CannotStart, match="rebuilt by another process"):
            invoke(["migrate"], container)
    world.admin.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(world.schema("sales"))))
    invoke(["migrate"], container)
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert console.says("list")


@pytest.mark.parametrize("number", ["0", "-1", "65", "many"])
def test_an_impossible_number_of_processes_is_refused(number: str) -> None:
    with pytest.raises(TyperException) as refused:
        invoke(["projections", "rebuild", "sales", f"--shards={number}"])
    message = refused.value.format_message().rstrip(".")
    assert "'--shards'" in message
    assert refusal(refused.value) == CommandRefused((f"{message}. See `smartmarket projections rebuild --help`.",), 2)


def test_wrong_rules_are_refused_with_what_is_allowed(console: Console) -> None:
    for words in (["--rule", "rfm.v9"], ["--set", "rfm.recency_days=7,30"], ["--set", "stock.lead_time_days=5"]):
        with pytest.raises(InvalidRule) as refused:
            console.says("preview", "customers", *words)
        assert refused.value.details["allowed"]


@pytest.mark.parametrize("action", ["rebuild", "verify"])
def test_a_command_ends_when_its_generation_is_dropped(
    console: Console, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """An operator's drop comes between two looks at the generation's row."""
    record = progress.ProgressRecorder.record

    def dropped(self: progress.ProgressRecorder, at: Progress) -> None:
        console.world.admin.execute(
            "UPDATE projections.generations SET state = 'dropping' WHERE projection = 'sales' AND state = 'replaying'"
        )
        record(self, at)

    first = console.world.schema("sales")
    monkeypatch.setattr(progress.ProgressRecorder, "record", dropped)
    with pytest.raises(CannotStart, match="dropped while it was being built"):
        console.says(action, "sales")
    assert console.world.schema("sales") == first
