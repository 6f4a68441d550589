"""make plain `__slots__` message classes from their annotations, which are the field table"""

from __future__ import annotations

from codewire_py.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        return lambda cls: cls


Info = dict[str, object]
REQUIRED = object()


def _is_list(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


CHECKS: dict[str, Callable[[object], bool]] = {
    "int": _is_int,
    "float": lambda value: isinstance(value, float) or _is_int(value),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, bytes),
    "list[str]": _is_list(str),
    "list[int]": lambda value: isinstance(value, list) and all(map(_is_int, value)),
    "list[Info]": _is_list(dict),
    "Info": lambda value: isinstance(value, dict),
    "dict[str, str]": lambda value: (
        isinstance(value, dict) and all(isinstance(part, str) for item in value.items() for part in item)
    ),
}


@dataclass_transform(kw_only_default=True)
class Declared(type):
    """Every annotation becomes a slot; a class value is its default."""

    fields: dict[str, tuple[str, object]]
    type: str

    def __new__(mcs, name: str, bases: tuple[Any, ...], body: dict[str, object]) -> Declared:
        notes = body.get("__annotations__", {})
        assert isinstance(notes, dict)
        fields = {field: (kind, body.pop(field, REQUIRED)) for field, kind in notes.items()}
        body |= {"fields": fields, "__slots__": tuple(fields), "type": word_of(name)}
        return super().__new__(mcs, name, bases, body)


def word_of(name: str) -> str:
    return "".join("-" + char.lower() if char.isupper() else char for char in name)[1:]


class Message(metaclass=Declared):
    """One thing that is said on the wire."""

    def __init__(self, **values: object) -> None:
        for field, (kind, default) in type(self).fields.items():
            value = values.pop(field, default)
            if value is REQUIRED:
                raise ProtocolError(f"{type(self).type}: {field} is missing")
            if value is default and isinstance(value, list | dict):
                value = value.copy()
            elif not CHECKS[kind](value):
                raise ProtocolError(f"{type(self).type}: {field} is not {kind}")
            setattr(self, field, value)
        if values:
            raise TypeError(f"{type(self).type} has no field {', '.join(values)}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{field}={getattr(self, field)!r}" for field in type(self).fields)
        return f"{type(self).__name__}({shown})"
