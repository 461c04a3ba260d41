"""`python -P import_contracts.py` in a tree: which import contracts does it break, as it is and with changes of it?

Reads a JSON list of changes, each file -> text to append; prints a JSON list with the ids of the broken contracts of
each. One process checks them all, since loading the linter takes longer than checking a small tree.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

Change = Mapping[str, str]


def broken_contracts(tree: Path, changes: Sequence[Change]) -> list[set[str]]:
    """Return the ids of the contracts that `tree` breaks with each change; the files are as before afterwards."""
    command = [sys.executable, "-P", __file__]
    done = subprocess.run(
        command,
        cwd=tree,
        input=json.dumps(changes),
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "500"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [set(broken) for broken in json.loads(done.stdout.splitlines()[-1])]


@contextmanager
def changed(change: Change) -> Iterator[None]:
    """Append to files, of which some may be new, for a while."""
    before = {path: path.read_bytes() if path.exists() else None for path in map(Path, change)}
    for name, text in change.items():
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(text)
    try:
        yield
    finally:
        for path, content in before.items():
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content)


def main() -> None:
    """Check every change that standard input lists."""
    from importlinter.application import use_cases  # noqa: PLC0415 - the tests that import this module do without
    from importlinter.application.output import console  # noqa: PLC0415 - likewise
    from importlinter.cli import lint_imports  # noqa: PLC0415 - likewise

    sys.path.insert(0, "")
    console.quiet = True
    lint_imports(config_filename="pyproject.toml", cache_dir=".contracts", no_logo=True)  # registers kinds of contracts
    contracts = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    ids = {contract["name"]: contract["id"] for contract in contracts}
    found = []
    for change in json.load(sys.stdin):
        with changed(change):
            report = use_cases.create_report(use_cases.read_user_options("pyproject.toml"), cache_dir=".contracts")
        checks = {ids[contract.name]: check.kept for contract, check in report.get_contracts_and_checks()}
        assert checks.keys() == set(ids.values()), report.invalid_contract_options
        found.append([name for name, kept in checks.items() if not kept])
    sys.stdout.write(f"\n{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
