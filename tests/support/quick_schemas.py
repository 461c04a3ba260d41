"""Tells quickly that JSON is as a schema says, where finding every violation takes several times as long.

What a schema accepts here is valid; what it does not may be valid all the same, so jsonschema has the last word on it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import starmap
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

Check = Callable[[Any], bool]
Schema = Mapping[str, Any]

_NUMBERS = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": _NUMBERS,
    "boolean": (bool,),
    "null": (type(None),),
}
_SCALARS = (str, int, float, bool, type(None))


class QuickSchemas:
    """Checks made of the schemas of one document, each when it is first needed."""

    def __init__(self, schemas: Mapping[str, Schema], prefix: str, formats: FormatChecker) -> None:
        """Follow references to `prefix` and a name in `schemas`."""
        self._schemas, self._prefix, self._formats = schemas, prefix, formats
        self._named: dict[str, Check] = {}

    def check(self, schema: Schema | bool) -> Check:
        """Return a function that is true only of valid values."""
        if isinstance(schema, bool):
            return lambda _: schema
        if schema.keys() & Draft202012Validator.VALIDATORS.keys() - self._KEYWORDS.keys():
            return lambda _: False
        checks = list(self._checks(schema))
        return lambda value: all(check(value) for check in checks)

    def _checks(self, schema: Schema) -> Iterator[Check]:
        for keyword, make in self._KEYWORDS.items():
            if keyword in schema:
                yield make(self, schema[keyword], schema)

    def _ref(self, reference: str, _: Schema) -> Check:
        name = reference.removeprefix(self._prefix)
        if name not in self._schemas:
            return lambda _: False

        def follow(value: Any) -> bool:  # noqa: ANN401 - JSON
            if name not in self._named:
                self._named[name] = self.check(self._schemas[name])
            return self._named[name](value)

        return follow

    def _type(self, types: str | list[str], _: Schema) -> Check:
        classes = {found for name in ([types] if isinstance(types, str) else types) for found in _TYPES[name]}
        return lambda value: type(value) in classes

    def _equals(self, allowed: list[Any], _: Schema) -> Check:
        known = {(type(each), each) for each in allowed if isinstance(each, _SCALARS)}
        return lambda value: isinstance(value, _SCALARS) and (type(value), value) in known

    def _format(self, name: str, _: Schema) -> Check:
        return lambda value: self._formats.conforms(value, name)

    def _pattern(self, pattern: str, _: Schema) -> Check:
        found = re.compile(pattern)
        return lambda value: not isinstance(value, str) or found.search(value) is not None

    def _any(self, schemas: list[Schema], _: Schema) -> Check:
        checks = [self.check(each) for each in schemas]
        return lambda value: any(check(value) for check in checks)

    def _all(self, schemas: list[Schema], _: Schema) -> Check:
        checks = [self.check(each) for each in schemas]
        return lambda value: all(check(value) for check in checks)

    def _items(self, schema: Schema, _: Schema) -> Check:
        check = self.check(schema)
        return lambda value: not isinstance(value, list) or all(map(check, value))

    def _properties(self, properties: Mapping[str, Schema], _: Schema) -> Check:
        checks = {name: self.check(schema) for name, schema in properties.items()}

        def sound(name: str, part: Any) -> bool:  # noqa: ANN401 - JSON
            return name not in checks or checks[name](part)

        return lambda value: not isinstance(value, dict) or all(starmap(sound, value.items()))

    def _additional(self, schema: Schema | bool, whole: Schema) -> Check:
        known, check = set(whole.get("properties", {})), self.check(schema)
        return lambda value: (
            not isinstance(value, dict) or all(check(part) for name, part in value.items() if name not in known)
        )

    def _required(self, names: list[str], _: Schema) -> Check:
        return lambda value: not isinstance(value, dict) or all(name in value for name in names)

    _KEYWORDS: Mapping[str, Callable[["QuickSchemas", Any, Schema], Check]] = {
        "$ref": _ref,
        "type": _type,
        "enum": _equals,
        "const": lambda self, allowed, whole: self._equals([allowed], whole),
        "format": _format,
        "pattern": _pattern,
        "minLength": lambda _, least, __: lambda value: not isinstance(value, str) or len(value) >= least,
        "maxLength": lambda _, most, __: lambda value: not isinstance(value, str) or len(value) <= most,
        "minimum": lambda _, least, __: lambda value: type(value) not in _NUMBERS or value >= least,
        "maximum": lambda _, most, __: lambda value: type(value) not in _NUMBERS or value <= most,
        "minItems": lambda _, least, __: lambda value: not isinstance(value, list) or len(value) >= least,
        "maxItems": lambda _, most, __: lambda value: not isinstance(value, list) or len(value) <= most,
        "anyOf": _any,
        "allOf": _all,
        "items": _items,
        "properties": _properties,
        "additionalProperties": _additional,
        "required": _required,
    }
