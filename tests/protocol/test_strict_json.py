"""The strict reader takes JSON, all of it, and nothing else."""

from typing import Any

import pytest

from protocol import strict_json

VALID: list[tuple[str | bytes, Any]] = [
    (b'{"a": [1, -2.5, true, false, null, "x"]}', {"a": [1, -2.5, True, False, None, "x"]}),
    (' {"a": {"a": 1}} ', {"a": {"a": 1}}),
    ('{"a": 1, "A": 2}', {"a": 1, "A": 2}),
    ("1e308", 1e308),
    ("1e-999", 0.0),
    ("1" + "0" * 300, 10**300),
    ("9" * 308, 10**308 - 1),
    ("9" * 308 + " ", 10**308 - 1),
    ("é".encode().join([b'"', b'"']), "é"),
    (r'"\ud83d\ude00"', "\U0001f600"),
    (r'"\\ud800"', r"\ud800"),
    (r'"\u0000"', "\0"),
]

INVALID: dict[str, str | bytes] = {
    "nothing": "",
    "two documents": "{} {}",
    "a trailing comma": "[1,]",
    "a single quote": "{'a': 1}",
    "a control character": '"\n"',
    "a duplicate key": '{"a": 1, "a": 1}',
    "a duplicate key by another spelling": r'{"a": 1, "\u0061": 1}',
    "a duplicate key further down": '[{"b": {"a": 1, "a": 2}}]',
    "NaN": "NaN",
    "Infinity": "[Infinity]",
    "minus Infinity": '{"a": -Infinity}',
    "a float that overflows": "1e999",
    "a negative float that overflows": "-1e999",
    "an integer that overflows as a float": "1" + "0" * 400,
    "one that overflows by a digit": "1" + "0" * 309,
    "one of as many digits that overflows": "2" + "0" * 308,
    "an integer longer than Python reads": "1" * 5000,
    "a lone high surrogate": r'"\ud800"',
    "a lone low surrogate": r'["\udc00x"]',
    "a lone surrogate in a key": r'{"\ud800": 1}',
    "a raw lone surrogate": '"\ud800"',
    "a raw lone surrogate in bytes": b'"\xed\xa0\x80"',
    "Latin-1": b'"\xe9"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a": 1}'.encode("utf-16-le"),
    "UTF-32": '{"a": 1}'.encode("utf-32-le"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "a byte order mark in a string": '\ufeff{"a": 1}',
    "deep nesting": "[" * 100_000,
    "deep nesting of objects": '{"a":' * 100_000,
}


@pytest.mark.parametrize(("text", "value"), VALID)
def test_json_is_read(text: str | bytes, value: Any) -> None:
    assert strict_json.loads(text) == value


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID.keys())
def test_anything_else_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - that it is one is the promise
        strict_json.loads(text)


@pytest.mark.parametrize("name", ["lone high", "lone low", "lone surrogate in a key", "raw lone"])
def test_half_a_surrogate_pair_can_be_read_and_is_distinguished_from_text(name: str) -> None:
    (text,) = [text for what, text in INVALID.items() if name in what and isinstance(text, str)]
    _, is_text = strict_json.read(text)
    assert not is_text


@pytest.mark.parametrize(("text", "value"), VALID)
def test_all_other_json_is_text(text: str | bytes, value: Any) -> None:
    assert strict_json.read(text) == (value, True)
