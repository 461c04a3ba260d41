"""What the OpenAPI document says of operations: whose they are, where they take ids, and a request for each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from shared.http.auth import owner
from shared.http.openapi import guarded_by
from tests.support.conformance import METHODS

_ID = re.compile(r"(^|_)ids?$")


@dataclass(frozen=True)
class Operation:
    """One operation of the document: its parameters by place, and the schema of its JSON body."""

    method: str
    path: str
    parameters: dict[str, dict[str, dict[str, Any]]]
    headers: frozenset[str]
    body: dict[str, Any] | None
    form: dict[str, Any] | None
    codes: frozenset[str]
    owners_only: bool
    document: dict[str, Any] = field(repr=False, compare=False, hash=False)

    @property
    def name(self) -> str:
        """Return how it is called in reports."""
        return f"{self.method} {self.path}"

    @property
    def is_public(self) -> bool:
        """Return whether it needs no account."""
        return "NOT_AUTHENTICATED" not in self.codes or not self.path.startswith("/api/")

    @property
    def is_staffs(self) -> bool:
        """Return whether it is for operators."""
        return self.path.startswith("/api/admin/")

    @property
    def is_of_shops(self) -> bool:
        """Return whether it is for owners, alone or beside operators."""
        return not self.is_public and not self.is_staffs

    @property
    def is_owners(self) -> bool:
        """Return whether it is for owners alone."""
        return self.owners_only

    @property
    def path_ids(self) -> list[str]:
        """Return the names of what the path takes."""
        return list(self.parameters.get("path", {}))

    @property
    def query_ids(self) -> list[str]:
        """Return the names of query parameters that are ids."""
        return [name for name in self.parameters.get("query", {}) if _ID.search(name)]

    @property
    def body_ids(self) -> list[str]:
        """Return the names of fields of the body that are ids, or lists of ids."""
        schema = self.resolved(self.body) if self.body else {}
        return [name for name in schema.get("properties", {}) if _ID.search(name)]

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema without references, the first alternative of several."""
        while True:
            if "$ref" in schema:
                schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            elif "anyOf" in schema:
                schema = schema["anyOf"][0] | {key: schema[key] for key in ("examples", "default") if key in schema}
            else:
                return schema

    def query(self) -> dict[str, Any]:
        """Return the required query parameters with values that are allowed."""
        found = self.parameters.get("query", {})
        return {name: self._sample(each["schema"]) for name, each in found.items() if each.get("required")}

    def sample(self) -> dict[str, Any] | None:
        """Return a JSON body that is valid, None without one."""
        if self.body is None:
            return None
        schema = self.resolved(self.body)
        if schema.get("examples"):
            return dict(schema["examples"][0])
        properties = schema.get("properties", {})
        names = schema.get("required") or [name for name in properties if "examples" in properties[name]][:1]
        return {name: self._sample(properties[name]) for name in names}

    def _sample(self, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        found = self.resolved(schema)
        for key in ("examples", "enum"):
            if found.get(key):
                return found[key][0]
        if "const" in found or "default" in found:
            return found.get("const", found.get("default"))
        if found.get("type") == "array":
            return [self._sample(found["items"])]
        return {"string": "text", "integer": 1, "number": 1, "boolean": True, "object": {}}[found["type"]]


def operations(api: FastAPI) -> Iterator[Operation]:
    """Yield every operation of the document of an application."""
    document, owners = api.openapi(), guarded_by(api, owner)
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield _operation(document, path, method, owners_only=f"{method.upper()} {path}" in owners)


def _operation(document: dict[str, Any], path: str, method: str, *, owners_only: bool) -> Operation:
    found = document["paths"][path][method]
    places: dict[str, dict[str, dict[str, Any]]] = {}
    headers = set()
    for parameter in found.get("parameters", ()):
        if "$ref" in parameter:
            headers.add(parameter["$ref"].rpartition("/")[2])
        elif parameter["in"] == "header":
            headers.add(parameter["name"])
        else:
            places.setdefault(parameter["in"], {})[parameter["name"]] = parameter
    content = found.get("requestBody", {}).get("content", {})
    return Operation(
        method.upper(),
        path,
        places,
        frozenset(headers),
        content.get("application/json", {}).get("schema"),
        content.get("multipart/form-data", {}).get("schema"),
        frozenset(found["x-error-codes"]),
        owners_only,
        document,
    )
