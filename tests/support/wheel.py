"""The wheel of SmartMarket, whose bytes depend on nothing but the source: python -m tests.support.wheel [FOLDER]."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.source_tree import ROOT, ROOT_PACKAGE, SIDES

PACKAGES = (ROOT_PACKAGE, *SIDES)
FILES = ("pyproject.toml", "LICENSE")
# Of every entry of the archive, whenever and wherever it is built; archives know no earlier moment.
EPOCH = "315532800"
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def copy_source(source: Path, to: Path) -> None:
    """Copy what a wheel is made of, with the same permissions on every machine."""
    for name in PACKAGES:
        shutil.copytree(source / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copyfile(source / name, to / name)
    for path in to.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def build(source: Path, into: Path) -> Path:
    """Build the wheel of a source tree; returns its path."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        copied = Path(name)
        copy_source(source, copied)
        subprocess.run(
            [sys.executable, "-c", BUILD, str(into.resolve())],
            cwd=copied,
            env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH},
            umask=0o022,
            check=True,
            capture_output=True,
        )
    (wheel,) = into.glob("smartmarket-*.whl")
    return wheel


if __name__ == "__main__":
    sys.stdout.write(f"{build(ROOT, ROOT / (sys.argv[1] if len(sys.argv) > 1 else 'dist'))}\n")
