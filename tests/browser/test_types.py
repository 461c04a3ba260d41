"""The types of the clients follow the OpenAPI document, and a whole client written against them works.

That the types are up to date is seen without node, by a digest; the rest needs node and runs by `make test-types`.
"""

import json
import os
import re
import subprocess
import sys
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from shared.runtime.heartbeat import heartbeat
from tests.support.application import RunningSystem
from tests.support.openapi_document import digest, documented_api, typed_schemas
from tests.support.source_tree import ROOT
from write_side.identity.staff_handlers import create_staff

WEB = ROOT / "web"
TYPES = WEB / "src" / "shared" / "schema.d.ts"
PASSWORD = "Operator-Pass-2026x"
STALE = "web/src/shared/schema.d.ts is not what the OpenAPI document gives: run `make types`"
needs_node = pytest.mark.skipif(os.environ.get("TYPE_TESTS") != "1", reason="needs node; runs by make test-types")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return documented_api().openapi()


def test_the_types_of_the_pages_were_generated_from_this_document(document: dict[str, Any]) -> None:
    found = re.search(r"schemas ([0-9a-f]{64})\.$", TYPES.read_text("utf-8").partition("\n")[0])
    assert found, STALE
    assert found[1] == digest(typed_schemas(document)), STALE


def test_the_digest_follows_what_types_show_and_nothing_else(document: dict[str, Any]) -> None:
    def changed(**change: Any) -> str:  # noqa: ANN401 - JSON
        schemas = document["components"]["schemas"]
        changed = {**schemas, "Login": {**schemas["Login"], **change}}
        return digest(typed_schemas({"components": {"schemas": changed}}))

    same = digest(typed_schemas(document))
    assert changed(title="Another", examples=[{"email": "a@b.example"}]) == same
    assert changed(required=["email"]) != same
    titled = typed_schemas(document)["ReorderRecommendation"]["properties"]
    assert "title" in titled, "a property may be called title"


def node(*command: str, **environment: str) -> str:
    """Run a command in web/; returns what it printed."""
    done = subprocess.run(
        command, cwd=WEB, env=os.environ | environment, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def generated(what: str, target: Path) -> str:
    """Generate types into `target` from the document; returns them."""
    printed = subprocess.run(
        [sys.executable, "-m", "tests.support.openapi_document"], cwd=ROOT, capture_output=True, check=True
    )
    command = ["node", "types.mjs", what]
    subprocess.run(command, cwd=WEB, env=os.environ | {"TYPES": str(target)}, input=printed.stdout, check=True)
    return target.read_text("utf-8")


@needs_node
def test_generating_the_types_of_the_pages_gives_what_is_committed(tmp_path: Path) -> None:
    assert generated("pages", tmp_path / "schema.d.ts") == TYPES.read_text("utf-8"), STALE


@needs_node
def test_the_pages_are_typed_strictly() -> None:
    options = json.loads((WEB / "tsconfig.json").read_text("utf-8"))["compilerOptions"]
    assert options["strict"]
    node("npx", "tsc", "--noEmit")


@needs_node
def test_a_generated_client_is_typed_strictly_and_walks_the_whole_story(running: RunningSystem, tmp_path: Path) -> None:
    generated("client", WEB / "client" / "api.d.ts")
    assert json.loads((WEB / "client" / "tsconfig.json").read_text("utf-8"))["compilerOptions"]["strict"]
    story = (WEB / "client" / "seed_story.ts").read_text("utf-8")
    wrong = WEB / "client" / f"wrong_{tmp_path.name}.ts"
    wrong.write_text(story.replace('"/api/cashflow/settings"', '"/api/cashflow/setings"'), "utf-8")
    try:
        checked = subprocess.run(
            ["npx", "tsc", "--project", "client"], cwd=WEB, capture_output=True, text=True, check=False
        )
    finally:
        wrong.unlink()
    (mistake,) = re.findall(r"^\S.*error.*$", checked.stdout, flags=re.MULTILINE)
    assert wrong.name in mistake
    assert "setings" in mistake
    bundle = "client/seed_story.tmp.mjs"
    node("npx", "esbuild", "client/seed_story.ts", "--bundle", "--platform=node", "--format=esm", f"--outfile={bundle}")
    email = f"operator-{uuid.uuid4().hex[:8]}@smartmarket.example"
    store = running.container.store(pool_size=2)
    create_staff(store, email, "Operator", PASSWORD)
    store.close()
    operator = {"STAFF_EMAIL": email, "STAFF_PASSWORD": PASSWORD}
    ledger = str(ROOT / "samples" / "tea_shop.csv")
    with ExitStack() as alive:
        # They run as threads here, which do not say that they live.
        for kind in ("worker", "policies", "projector"):
            alive.enter_context(heartbeat(running.container.connect, kind))
        assert node("node", bundle, BASE=running.url, LEDGER=ledger, **operator).strip() == "done"
