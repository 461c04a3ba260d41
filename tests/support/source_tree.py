"""The modules of the product, and where they are."""

from pathlib import Path

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from shared.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
SIDES = ("write_side", "read_side", "projections", "shared")
ROOT_PACKAGE = "smartmarket"


def modules() -> list[Path]:
    """Return every module of the product, relative to the repository."""
    found = [path for package in (*SIDES, ROOT_PACKAGE) for path in (ROOT / package).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in [*found, *ROOT.glob("*.py")])


def variables_of(field: str, info: FieldInfo) -> set[str]:
    """Return the variables that fill a field."""
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        return {str(choice) for choice in alias.choices}
    return {str(alias) if alias else field.upper()}


def settings() -> set[str]:
    """Return every variable that Settings reads."""
    return {name for field, info in Settings.model_fields.items() for name in variables_of(field, info)}
