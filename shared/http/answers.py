"""Models of answers: they document each answer in OpenAPI; tests validate real answers against that document.

Routes return JSON directly, often as PostgreSQL rendered it, and nothing is serialized a second time: a model describes
an answer, it does not produce it.
"""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, Field

from shared.http.openapi_components import success_example

_T = TypeVar("_T")
_ACCEPTED = 202


class ListOf(BaseModel, Generic[_T]):
    """One page of a list."""

    count: Annotated[int, Field(ge=0, description="Length of the whole list")]
    next: Annotated[str | None, Field(description="Path of the next page")]
    previous: Annotated[str | None, Field(description="Path of the previous page")]
    results: list[_T]
    next_cursor: Annotated[str | None, Field(description="Cursor after the last item of this page")]


def listed(model: Any, data: Any, description: str = "One page") -> dict[int | str, dict[str, Any]]:  # noqa: ANN401 - as for `answers`
    """Return the `responses` of a list that is answered as JSON or, with `format=csv`, as a file."""
    made = answers(model, data, description)
    made[200]["content"]["text/csv"] = {"schema": {"type": "string"}}
    return made


def answers(
    model: Any,  # noqa: ANN401 - a model, or an annotated union of models
    data: Any,  # noqa: ANN401 - JSON
    description: str = "Success",
    *,
    status: int = 200,
) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that answers with `model` in the envelope; `data` is the example."""
    shown = success_example(data, pending=status == _ACCEPTED)
    content = {"application/json": {"example": shown}}
    return {status: {"model": model, "description": description, "content": content}}
