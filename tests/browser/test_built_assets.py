"""What was built from web/ keeps to its budgets, its texts are whole, and it is served well; needs no node."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from projections.registry import REGISTRY
from read_side.web.assets import FOLDER, load
from shared.domain.rules.registry import BOOK
from tests.support.openapi_document import documented_api
from tests.support.source_tree import ROOT

MESSAGES = ROOT / "web" / "src" / "messages"
SOURCES = sorted((ROOT / "web" / "src").rglob("*.ts*"))
# The prefix of the texts that the owner's app has for each value of a schema.
NAMED_BY_OWNER = {
    "basis": "FlowBasis",
    "every": "Interval",
    "line": "FlowName",
    "method": "PaymentMethod",
    "opening": "OpeningDebtKind",
    "risk": "RiskLevel",
    "segment": "Segment",
    "status": "RecommendationStatus",
    "upload": "UploadState",
}
PAGE = {"Accept": "text/html,application/xhtml+xml"}


def first_load(index: str) -> list[Path]:
    """Return the scripts and styles that a front end loads first."""
    html = (FOLDER / index).read_text("utf-8")
    return [FOLDER / path.lstrip("/") for path in re.findall(r'(?:src|href)="(/assets/[^"]+)"', html)]


@pytest.mark.parametrize(("index", "most"), [("index.html", 60_000), ("console.html", 90_000)])
def test_the_first_load_keeps_to_its_budget(index: str, most: int) -> None:
    files = first_load(index)
    assert {path.suffix for path in files} == {".js", ".css"}
    assert sum(len(Path(f"{path}.gz").read_bytes()) for path in files) <= most


def test_fonts_keep_to_their_budget() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.woff2")) <= 65_000


def test_no_page_loads_anything_from_outside() -> None:
    for path in [*FOLDER.rglob("*.html"), *FOLDER.rglob("*.css"), *FOLDER.rglob("*.webmanifest")]:
        assert not re.search(r"""(?:src|href|url)["'=(: ]+(?:https?:)?//""", path.read_text("utf-8")), path


def test_compressed_twins_hold_the_file() -> None:
    twins = list(FOLDER.rglob("*.gz"))
    assert twins
    for twin in twins:
        assert gzip.decompress(twin.read_bytes()) == twin.with_suffix("").read_bytes()
        assert twin.with_suffix(".br").is_file()


def texts(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((MESSAGES / name).read_text("utf-8"))
    return found


@pytest.mark.parametrize("table", ["shared", "owner", "console"])
def test_both_languages_hold_the_same_texts(table: str) -> None:
    bangla, english = texts(f"{table}.bn.json"), texts(f"{table}.en.json")
    assert bangla.keys() == english.keys()
    assert all(text.strip() for text in [*bangla.values(), *english.values()])
    for key, text in bangla.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


@pytest.mark.parametrize("side", ["owner", "console"])
def test_every_text_that_is_asked_for_exists(side: str) -> None:
    known = texts("shared.en.json").keys() | texts(f"{side}.en.json").keys()
    sources = [path for path in SOURCES if path.parent.name == "shared" or side in path.parts]
    for path in sources:
        asked = re.findall(r'\bt\(\s*"([^"]+)"', path.read_text("utf-8"))
        assert not {key for key in asked if key not in known}, path
        for prefix in re.findall(r"\bt\(`([^$`]+)\$", path.read_text("utf-8")):
            assert any(key.startswith(prefix) for key in known), (path, prefix)


def test_every_value_that_pages_name_has_a_text() -> None:
    owner, console = texts("owner.en.json").keys(), texts("console.en.json").keys()
    schemas = documented_api().openapi()["components"]["schemas"]
    for prefix, name in NAMED_BY_OWNER.items():
        assert [value for value in schemas[name]["enum"] if f"{prefix}.{value}" not in owner] == [], prefix
    assert [
        value
        for value in schemas["ProductChange"]["properties"]["unit"]["anyOf"][0]["enum"]
        if f"unit.{value}" not in owner
    ] == []
    for prefix, values in {
        "projection": REGISTRY.keys(),
        "rule": list(BOOK),
        "health": schemas["ServiceState"]["enum"],
    }.items():
        assert [value for value in values if f"{prefix}.{value}" not in console] == [], prefix


def test_the_lock_of_packages_names_no_host() -> None:
    lock: dict[str, Any] = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
    assert len(lock["packages"]) > 10
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_pages_are_served_with_a_strict_policy_and_are_checked_again(client: httpx.Client) -> None:
    for path in ("/", "/sales", "/products/12", "/console", "/console/events/7"):
        answer = client.get(path, headers=PAGE)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache"), path
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert ("console" in answer.text) == path.startswith("/console")
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        again = client.get(path, headers=PAGE | {"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_filters_in_the_address_of_a_page_are_read_by_the_page(client: httpx.Client) -> None:
    for path in (
        "/?fbclid=1",
        "/customers?view=risk&q=fat",
        "/console/events?topic=sales.UploadCompleted",
        "/sw.js?v=1",
    ):
        assert client.get(path, headers=PAGE).status_code == 200, path


def test_the_service_worker_and_scripts_get_the_index_itself(client: httpx.Client) -> None:
    for path in ("/", "/console"):
        assert "text/html" in client.get(path, headers={"Accept": "*/*"}).headers["Content-Type"]


def test_hashed_files_may_be_kept_for_ever(client: httpx.Client) -> None:
    for name in (name for name in load() if name.startswith("assets/")):
        answer = client.get(f"/{name}")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
    worker = client.get("/sw.js")
    assert worker.headers["Cache-Control"] == "no-cache"
    assert "connect-src 'self'" in worker.headers["Content-Security-Policy"]
    assert client.get("/manifest.webmanifest").headers["Content-Type"] == "application/manifest+json"


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("", None)],
)
def test_the_best_encoding_is_sent(client: httpx.Client, accepts: str, encoding: str | None) -> None:
    answer = client.get("/", headers=PAGE | {"Accept-Encoding": accepts})
    assert answer.headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_addresses_that_are_no_page_stay_unknown(client: httpx.Client) -> None:
    assert client.get("/nope").json()["error_code"] == "NOT_FOUND"
    assert client.post("/nope", headers=PAGE).status_code == 404
    for path in ("/api/nope", "/api", "/assets/owner-gone.js", "/health/nope", "/metrics/nope"):
        assert client.get(path, headers=PAGE).status_code == 404, path
    assert "text/html" in client.get("/apiary", headers=PAGE).headers["Content-Type"]
