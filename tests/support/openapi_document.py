"""Prints the OpenAPI document without a running system, for web/types.mjs: `python -m tests.support.openapi_document`.

Printed with it are the schemas that the types of the front ends are generated from, and their digest.
"""

import hashlib
import json
import sys
from typing import Any

from fastapi import FastAPI

from shared.runtime.container import Container
from shared.runtime.settings import Settings
from smartmarket.api import build_api

_UNUSED_DATABASE = "postgresql://127.0.0.1:1/none"


def documented_api() -> FastAPI:
    """Return the application as it is documented; nothing is connected to."""
    secrets = {"jwt_secret": "j" * 40, "secret_key": "s" * 40}
    return build_api(Container(Settings.model_validate({**secrets, "database_url": _UNUSED_DATABASE})))


def typed_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas without titles and examples, which no type shows."""
    found: dict[str, Any] = _plain(document["components"]["schemas"])
    return found


def digest(schemas: dict[str, Any]) -> str:
    """Return the digest of schemas, in whichever order they are."""
    return hashlib.sha256(json.dumps(schemas, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _plain(part) for name, part in value.items() if not _shows_nothing(name, part)}


def _shows_nothing(name: str, part: object) -> bool:
    """Return whether this is a title or an example; a property may have such a name, and is an object then."""
    return name == "examples" or (name in {"example", "title"} and not isinstance(part, dict))


if __name__ == "__main__":
    whole = documented_api().openapi()
    schemas = typed_schemas(whole)
    json.dump({"document": whole, "schemas": schemas, "digest": digest(schemas)}, sys.stdout)
