"""JSON of every kind, and what only looks like it."""

import json
from typing import Any, Final

from hypothesis import strategies as st

MOST_BYTES: Final = 16_384

texts = st.text(max_size=20) | st.sampled_from(["", "\ud800", "\0", "__proto__", "é" * 200])
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()  # NaN and the infinities too, which the standard writer puts as they are
    | st.sampled_from([0, 1, -1, 1.0, 1.5, "1", True, 2**53, 2**63, 2**64, 10**400])
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)

deep = st.builds(
    lambda opening, closing, depth: opening * depth + closing * depth,
    st.sampled_from(["[", '{"a":', '[{"":']),
    st.sampled_from(["", "]", "}"]),
    st.sampled_from([3, 300, 1500, 2500]),  # Python's own readers follow about a thousand
)
huge = st.builds(
    lambda start, filling, count, end: start + filling * count + end,
    st.sampled_from(["", '"', "[", "-", "1e", "0."]),
    st.sampled_from(["9", "x", "1,", "\\u0000", "\\ud800", "\U0001f3b1"]),
    st.integers(1, MOST_BYTES),
    st.sampled_from(["", '"', "1]"]),
)
broken = st.builds(
    lambda value, start, end: json.dumps(value)[start:][:end],
    values,
    st.integers(0, 3),
    st.integers(0, 30),
)
twice = st.builds(
    lambda name, one, other: f"{{{name}:{one},{name}:{other}}}",
    texts.map(json.dumps),
    values.map(json.dumps),
    values.map(json.dumps),
)
documents = st.one_of(values.map(json.dumps), deep, huge, broken, twice, st.text(max_size=50))
"""The text of a document."""
