"""Texts for users in Bangla and English, from `domain/messages/*.toml` with one table per code."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Language = Literal["bn", "en"]
LANGUAGES: tuple[Language, ...] = ("bn", "en")
DEFAULT_LANGUAGE: Language = "bn"
_FOLDER = Path(__file__).parent / "domain" / "messages"


class Text(NamedTuple):
    """A message, and suggestions what to do next."""

    message: str
    suggestions: list[str]


class Phrase(NamedTuple):
    """A text within another text or within details, rendered when the language is known."""

    code: str
    params: Mapping[str, Any] = MappingProxyType({})


class BrokenTexts(ValueError):
    """A text lacks a language, or two files define the same code."""


class _Params(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def text(code: str, language: Language, **params: Any) -> Text:  # noqa: ANN401 - anything that can be formatted
    """Return the text of `code` with `{placeholders}` replaced by `params`; raises LookupError for an unknown code."""
    message, suggestions = catalogue()[code][language]
    values = _Params(params)
    return Text(message.format_map(values), [suggestion.format_map(values) for suggestion in suggestions])


def rendered(value: Any, language: Language) -> Any:  # noqa: ANN401 - JSON
    """Return `value` with every Phrase in it, at any depth, replaced by its message."""
    if isinstance(value, Phrase):
        return text(value.code, language, **value.params).message
    if isinstance(value, Mapping):
        return {key: rendered(item, language) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rendered(item, language) for item in value]
    return value


@functools.cache
def catalogue() -> dict[str, dict[Language, Text]]:
    """Return every text with its placeholders: code -> language -> Text."""
    texts: dict[str, dict[Language, Text]] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for code, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if code in texts:
                msg = f"{path.name}: {code} is defined in another file too"
                raise BrokenTexts(msg)
            texts[code] = {language: _read(table, language, f"{path.name}: {code}") for language in LANGUAGES}
    return texts


def _read(table: dict[str, Any], language: Language, where: str) -> Text:
    if not table.get(language):
        msg = f"{where} has no text in {language}"
        raise BrokenTexts(msg)
    return Text(table[language], table.get(f"suggestions_{language}", []))
