"""The command line as its users meet it: help, versions, and one line for every bad setting or input."""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TextIO

import pytest

from shared.postgres import database
from shared.runtime.settings import Settings
from smartmarket.cli import run
from tests.support.logs import printing_alone
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.source_tree import settings

SMARTMARKET = str(Path(sys.executable).with_name("smartmarket"))
SECRET = "sEcRet-of-an-operator"
GROUPS = ("projections", "jobs", "indexes", "audit", "staff", "demo")


class Called(NamedTuple):
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    returncode: int


Call = Callable[..., Called]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Secrets, and no other setting of this program; a folder without `.env`."""
    for name in settings():
        monkeypatch.delenv(name, raising=False)
    for name, value in {"SECRET_KEY": "k" * 40, "JWT_SECRET": "j" * 40}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SMARTMARKET_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(
    environment: None,  # noqa: ARG001 - what the command is called in
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    """Run a command in this process, with settings; what it logs is left out of what it printed."""

    def run_it(*words: str, **variables: str) -> Called:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with printing_alone() as errors:
            try:
                code = run(words)
            except SystemExit as ended:
                code = int(ended.code or 0)
        lines = [line for line in errors.getvalue().splitlines(keepends=True) if not line.startswith("{")]
        return Called(capsys.readouterr().out, "".join(lines), code)

    return run_it


def test_prints_of_other_threads_are_no_output_of_a_command(call: Call) -> None:
    """The running application goes on, and logs, while a test calls a command."""
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            logging.getLogger("smartmarket.worker").error("job done")
            sys.stderr.write("Call stack:\n")

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        done = [call("api", PORT="abc") for _ in range(5)]
    finally:
        over.set()
        thread.join()
    assert {(called.stdout, called.stderr.count("\n")) for called in done} == {("", 1)}


def started(*words: str, **variables: str) -> Called:
    """Run a command in a process of its own, without a terminal."""
    done = subprocess.run(
        [SMARTMARKET, *words],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        start_new_session=True,
    )
    return Called(done.stdout, done.stderr, done.returncode)


def test_the_version_and_completion_are_printed() -> None:
    assert started("--version") == Called("smartmarket 0.1.0\n", "", 0)
    for words, completed in {"proj": ["projector", "projections"], "projections rebuild sa": ["sales"]}.items():
        typed = {"COMP_WORDS": f"smartmarket {words}", "COMP_CWORD": str(len(words.split()))}
        assert started(_SMARTMARKET_COMPLETE="complete_bash", **typed).stdout.split() == completed


def test_help_groups_the_commands_and_names_defaults_and_examples(call: Call) -> None:
    shown = call("--help").stdout
    assert all(title in shown for title in ("─ Run ─", "─ Operate ─", "─ Accounts and demo shops ─"))
    assert all(f" {name} " in shown for name in ("up", "api", "worker", "migrate", *GROUPS))
    for group in GROUPS:
        assert f"smartmarket {group} " in call(group, "--help").stdout.partition("Examples:")[2]
    up = " ".join(call("up", "--help").stdout.replace("│", " ").split())
    assert "[default: (SMARTMARKET_DATA_DIR, else .smartmarket)]" in up
    assert "--child" not in call("worker", "--help").stdout


BAD_SETTINGS = [
    ("PORT", "abc", "must be a whole number from 1 to 65,535."),
    ("PORT", "0", "must be a whole number from 1 to 65,535."),
    ("SMARTMARKET_API_PROCESSES", "9", "must be a whole number from 1 to 4."),
    ("SMARTMARKET_RATE_LIMITS", "perhaps", "must be on or off."),
    ("SMARTMARKET_DEMO", "perhaps", "must be on or off."),
    ("SMARTMARKET_LOG_LEVEL", "loud", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
    ("SMARTMARKET_ENV", "test", "must be one of development, production."),
    ("DATABASE_URL", SECRET, "must be a URL such as postgresql://user:password@host:5432/smartmarket."),
    ("DATABASE_URL", f"mysql://u:{SECRET}@h/x", "must be a URL such as postgresql://"),
    ("REDIS_URL", f"u:{SECRET}@h", "must be a URL such as redis://:password@host:6379/0."),
    ("BROKER_URL", f"carrierpigeon://u:{SECRET}@h", "must be the URL of a kombu transport, such as amqp://"),
]


@pytest.mark.parametrize(("variable", "value", "allowed"), BAD_SETTINGS)
def test_a_bad_setting_is_named_with_what_is_allowed(call: Call, variable: str, value: str, allowed: str) -> None:
    done = call("up", **{variable: value})
    assert done.stderr.startswith(f"smartmarket: {variable}: {allowed}")
    assert (done.stderr.count("\n"), done.stdout, done.returncode) == (1, "", 1)
    assert SECRET not in done.stderr


def test_every_setting_with_few_values_says_which(call: Call) -> None:
    text = {"sentry_dsn", "secret_key", "jwt_secret", "jwt_secret_previous", "data_dir", "file_store"}
    text |= {"trusted_proxies", "cors_allowed_origins", "sms_secret", "metrics_token", "checkpoints"}
    bad = {
        str(info.validation_alias or name.upper()): "\x7f"
        for name, info in Settings.model_fields.items()
        if name not in text
    }
    done = call("up", **bad)
    lines = done.stderr.splitlines()
    assert {line.split(": ")[1] for line in lines} == set(bad)
    assert all(": must be " in line for line in lines)


def test_an_env_file_that_is_no_text_is_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    assert call("jobs", "list") == Called("", "smartmarket: .env: cannot be read: it is not UTF-8 text.\n", 1)


@pytest.mark.parametrize("folder", ["/dev/null/data", "/proc/data"])
def test_a_data_folder_that_cannot_be_written_is_named(call: Call, folder: str) -> None:
    for words in (["up"], ["up", "--data-dir", folder]):
        done = call(*words, SMARTMARKET_DATA_DIR=folder)
        assert done.stderr.startswith(f"smartmarket: SMARTMARKET_DATA_DIR: the folder {folder} cannot be used: ")
        assert (done.stderr.count("\n"), done.returncode) == (1, 1)


def test_a_damaged_file_of_secrets_is_not_replaced(call: Call, tmp_path: Path) -> None:
    kept = tmp_path / "data" / "environment.json"
    kept.parent.mkdir()
    kept.write_text("{")
    done = call("jobs", "list")
    advice = "restore it from a copy; it holds the key to the personal data in the database."
    assert done == Called("", f"smartmarket: {kept} is damaged: {advice}\n", 1)
    assert kept.read_text() == "{"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["projections", "rebuild", "nosuch"], "There is no projection 'nosuch': choose from cashflow, customers, "),
        (["projections", "rollback", "all"], "There is no projection 'all': choose from cashflow, customers, "),
    ],
)
def test_bad_input_is_refused_in_one_line(call: Call, database_url: str, words: list[str], line: str) -> None:
    done = call(*words, DATABASE_URL=database_url)
    assert done.stderr.startswith(f"smartmarket: {line}")
    assert (done.stderr.count("\n"), done.stdout, done.returncode) == (1, "", 1)


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch"],
        ["up", "--nosuch"],
        ["up", "--port", "abc"],
        ["api", "--port", "70000"],
        ["api", "--processes", "5"],
        ["projections", "drop", "one"],
        ["projections", "rebuild"],
        ["jobs", "retry", "7"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(call: Call, words: list[str]) -> None:
    done = call(*words)
    assert done.stderr.startswith("smartmarket: ")
    assert done.stderr.endswith(" --help`.\n")
    assert (done.stderr.count("\n"), done.stdout, done.returncode) == (1, "", 2)


@pytest.mark.parametrize("words", [["projections", "list"], ["audit", "verify"], ["migrate"], ["worker"], ["api"]])
@pytest.mark.parametrize("host", ["nosuch.invalid", "127.0.0.1:1"])
def test_a_database_that_does_not_answer_is_named(call: Call, words: list[str], host: str) -> None:
    done = call(*words, DATABASE_URL=f"postgresql://u:{SECRET}@{host}/x")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("smartmarket: The database of DATABASE_URL does not answer.")
    assert SECRET not in done.stderr
    assert (done.stdout, done.returncode) == ("", 1)


@pytest.mark.usefixtures("environment")
def test_a_password_needs_a_terminal_or_a_pipe(database_url: str) -> None:
    done = started("staff", "create", "a@shop.bd", DATABASE_URL=database_url)
    asks = "There is no terminal to ask for the password: pipe it in and add --password-stdin."
    assert done == Called("", f"smartmarket: {asks}\n", 1)


PRINTING: list[Sequence[str]] = [
    ["projections", "list"],
    ["projections", "list", "--json"],
    ["projections", "rebuild", "uploads"],
    ["projections", "verify", "uploads"],
    ["projections", "preview", "customers", "--rule", "rfm.v2", "--csv"],
    ["indexes", "rebuild"],
    ["audit", "verify"],
    ["jobs", "list"],
    ["clock", "show"],
    ["clock", "correct", "--json"],
    ["migrate"],
]


@contextmanager
def closed_pipe() -> Iterator[TextIO]:
    """Yield the end of a pipe for writing whose other end is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    file = os.fdopen(writer, "w")
    try:
        yield file
    finally:
        with suppress(BrokenPipeError):
            file.close()


@pytest.mark.parametrize("words", PRINTING, ids=" ".join)
def test_output_into_a_closed_pipe_ends_quietly(
    call: Call, monkeypatch: pytest.MonkeyPatch, database_url: str, words: Sequence[str]
) -> None:
    database.migrate(database_url)  # what roles may do in a database is not copied with its template
    with closed_pipe() as closed, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", closed)
        assert call(*words, DATABASE_URL=database_url) == Called("", "", 1)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["projections", "list"]], ids=" ".join)
def test_the_interpreter_ends_quietly_too(database_url: str, words: Sequence[str]) -> None:
    with closed_pipe() as closed:
        environment = {**os.environ, "DATABASE_URL": database_url}
        process = subprocess.Popen([SMARTMARKET, *words], env=environment, stdout=closed, stderr=subprocess.PIPE)
        assert (process.communicate(timeout=90)[1], process.returncode) == (b"", 1)


def test_a_database_without_tables_is_named(call: Call, services: Services) -> None:
    url = fresh_database(services.database_url)
    done = call("jobs", "list", DATABASE_URL=url)
    drop_database(url)
    line = "smartmarket: The database is not that of this release: run `smartmarket migrate` first."
    assert (done.stderr[: len(line)], done.stderr.count("\n"), done.returncode) == (line, 1, 1)


class Interrupted:
    """Standard input of a terminal on which Ctrl-C is pressed."""

    def readline(self) -> str:
        raise KeyboardInterrupt


def test_ctrl_c_ends_a_command_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Interrupted())
    assert run(["staff", "create", "a@shop.bd", "--password-stdin"]) == 130
    assert capsys.readouterr() == ("", "")
