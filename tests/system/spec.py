"""Whether a JSON value has exactly the shape that it should have."""

import re
from collections.abc import Iterator
from typing import Any

Spec = Any
"""A dict has exactly these fields (`name?`: perhaps), a list has only such items, a tuple gives a
choice, a function judges the value, and anything else is the value."""


def differences(value: Any, spec: Spec, path: str = "") -> Iterator[str]:
    """Where `value` is not what `spec` says; nothing when it is."""
    match spec:
        case dict():
            yield from _field_differences(value, spec, path)
        case [item_spec]:
            if not isinstance(value, list):
                yield f"{path} is no list: {value!r}"
                return
            for position, item in enumerate(value):
                yield from differences(item, item_spec, f"{path}[{position}]")
        case tuple():
            if all(any(differences(value, choice)) for choice in spec):
                yield f"{path} is none of the choices: {value!r}"
        case _ if callable(spec):
            if not spec(value):
                yield f"{path} is no {spec.__name__}: {value!r}"
        case _:
            if type(value) is not type(spec) or value != spec:
                yield f"{path} is not {spec!r}: {value!r}"


def assert_shape(value: Any, spec: Spec) -> None:
    """Fail with every difference."""
    assert list(differences(value, spec)) == []


def text(value: Any) -> bool:
    return isinstance(value, str)


def digits(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9]+", value) is not None


def hex32(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def hex48(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{96}", value) is not None


def lobby_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"lobby_[0-9-]+_[0-9a-f]{12}", value) is not None


def invoice_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) < 64


def integer(value: Any) -> bool:
    return type(value) is int


def flag(value: Any) -> bool:
    return type(value) is bool


def unix_ms(value: Any) -> bool:
    return type(value) in (int, float) and 1.6e12 < value < 1e13


def iso_time(value: Any) -> bool:
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def seconds(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0


def _field_differences(value: Any, spec: dict[str, Spec], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no object: {value!r}"
        return
    known = {name.removesuffix("?") for name in spec}
    for name in value.keys() - known:
        yield f"{path}.{name} is unknown"
    for name, field_spec in spec.items():
        plain = name.removesuffix("?")
        if plain in value:
            yield from differences(value[plain], field_spec, f"{path}.{plain}")
        elif plain == name:
            yield f"{path}.{name} is missing"
