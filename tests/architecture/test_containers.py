"""The containers start what there is to start. Where Docker answers, its own check of compose.yaml runs too."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import yaml

from smartmarket.cli import run
from tests.support.source_tree import ROOT, ROOT_PACKAGE, SIDES, settings

PROCESSES = {"api", "policies", "worker", "projector", "scheduler"}
SERVERS = {"postgres", "redis"}
Service = dict[str, Any]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Service]:
    found: dict[str, Service] = compose["services"]
    return found


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """Instructions and their arguments, in order."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", "")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines()) if word]


def test_every_process_has_a_service(services: dict[str, Service]) -> None:
    assert services.keys() == PROCESSES | SERVERS | {"migrate"}
    assert all(services[name]["command"][0] == name for name in PROCESSES | {"migrate"})
    assert len({(service["image"], service["build"]) for name, service in services.items() if name not in SERVERS}) == 1


def test_every_command_of_a_container_exists(
    services: dict[str, Service], dockerfile: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    commands = [service["command"] for name, service in services.items() if name not in SERVERS]
    for command in [*commands, json.loads(dict(dockerfile)["CMD"])]:
        with suppress(SystemExit):
            assert run([*command, "--help"]) == 0
        assert f" {command[0]} " in capsys.readouterr().out


def test_dependencies_are_awaited_by_what_they_can_show(services: dict[str, Service]) -> None:
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            shows = "healthcheck" in services[name] and not services[name]["healthcheck"].get("disable")
            assert wait["condition"] == ("service_healthy" if shows else "service_completed_successfully")
    assert all("migrate" in services[name]["depends_on"] for name in PROCESSES)
    assert "postgres" in services["migrate"]["depends_on"]


def test_every_container_has_a_health_check_or_says_that_it_answers_no_port(services: dict[str, Service]) -> None:
    silent = {name for name, service in services.items() if service.get("healthcheck", {}).get("disable")}
    assert silent == PROCESSES - {"api"} | {"migrate"}
    assert all(services[name]["healthcheck"]["test"] for name in SERVERS)


def test_only_the_api_is_reachable(services: dict[str, Service]) -> None:
    assert {name for name, service in services.items() if "ports" in service} == {"api"}


def test_secrets_are_required_and_have_no_default(services: dict[str, Service]) -> None:
    environment = services["api"]["environment"]
    for name in ("SECRET_KEY", "JWT_SECRET", "DATABASE_URL", "REDIS_URL"):
        assert re.search(r"\$\{(SECRET_KEY|JWT_SECRET|POSTGRES_PASSWORD|REDIS_PASSWORD):\?[^}]+\}", environment[name])
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_containers_are_given_only_settings_that_exist(services: dict[str, Service]) -> None:
    for name in PROCESSES | {"migrate"}:
        assert services[name]["environment"].keys() <= settings()


def test_the_queue_never_evicts(services: dict[str, Service]) -> None:
    command = services["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_persistent_data_is_in_named_volumes(compose: dict[str, Any], services: dict[str, Service]) -> None:
    mounted = {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert mounted == compose["volumes"].keys()


def test_every_container_has_a_bound_on_memory(services: dict[str, Service]) -> None:
    assert all(service["deploy"]["resources"]["limits"]["memory"] for service in services.values())


def test_docker_accepts_the_file() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("no docker compose on this machine")
    names = ("SECRET_KEY", "JWT_SECRET", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "CORS_ALLOWED_ORIGINS")
    given = dict.fromkeys((*names, "SMARTMARKET_TRUSTED_PROXIES"), "x")
    command = [docker, "compose", "--env-file", os.devnull, "config", "--quiet"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "set it in .env" in refused.stderr


def test_the_image_does_not_run_as_root(dockerfile: list[tuple[str, str]]) -> None:
    last_stage = max(place for place, (word, _) in enumerate(dockerfile) if word == "FROM")
    users = [rest for word, rest in dockerfile[last_stage:] if word == "USER"]
    assert users
    assert int(users[-1].partition(":")[0]) > 0


def test_the_builder_sees_every_file_that_the_image_needs(dockerfile: list[tuple[str, str]]) -> None:
    copies = [rest.split()[:-1] for word, rest in dockerfile if word == "COPY" and "--from" not in rest]
    copied = {source for sources in copies for source in sources}
    assert {*SIDES, ROOT_PACKAGE, "pyproject.toml", "requirements.lock"} <= copied
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    assert {source for source in copied if not any(fnmatch(source, pattern) for pattern in kept)} == set()


@pytest.mark.parametrize(("status", "exit_code"), [(200, 0), (503, 1)])
def test_the_health_check_follows_the_api(dockerfile: list[tuple[str, str]], status: int, exit_code: int) -> None:
    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    python, *arguments = json.loads(dict(dockerfile)["HEALTHCHECK"].partition("CMD ")[2])
    assert python == "python"
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = os.environ | {"PORT": str(server.server_port)}
        done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False)
        server.shutdown()
    assert done.returncode == exit_code


def test_the_image_installs_from_the_lock(dockerfile: list[tuple[str, str]]) -> None:
    steps = [step for word, rest in dockerfile if word == "RUN" for step in rest.split("&&")]
    installs = [step for step in steps if "pip install" in step]
    assert installs
    assert all({"--require-hashes", "--no-index"} & set(shlex.split(part)) for part in installs)
