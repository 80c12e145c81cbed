"""A token with something cut off, flipped, put in or exchanged."""

from hypothesis import strategies as st

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é"


def spoilt(token: str, other: str) -> st.SearchStrategy[str]:
    """What is left of `token` after one change; `other` is another one that is valid."""
    places = st.integers(0, len(token) - 1)
    in_signature = st.integers(token.rindex(".") + 1, len(token))
    letters = st.sampled_from(ALPHABET)
    return st.one_of(
        places.map(lambda end: token[:end]),
        places.map(lambda start: token[start + 1 :]),
        st.builds(lambda at, to: token[: min(at, to)] + token[max(at, to) + 1 :], places, places),
        st.builds(lambda at, letter: token[:at] + letter + token[at + 1 :], places, letters),
        st.builds(lambda at, letter: token[:at] + letter + token[at:], in_signature, letters),
        letters.map(lambda letter: token[:-1] + letter),  # of its bits some mean nothing
        st.builds(lambda at, bit: flipped(token, at, bit), places, st.integers(0, 6)),
        st.permutations([*token.split("."), *other.split(".")]).map(lambda s: ".".join(s[:3])),
    ).filter(lambda spoilt: spoilt not in (token, other))


def flipped(token: str, at: int, bit: int) -> str:
    """The token with one bit of one character the other way round."""
    return token[:at] + chr(ord(token[at]) ^ 1 << bit) + token[at + 1 :]
