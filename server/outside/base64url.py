"""base64url without padding (RFC 7515, section 2)."""

import base64


def encoded(value: bytes) -> bytes:
    """The text of these bytes."""
    return base64.urlsafe_b64encode(value).rstrip(b"=")


def decoded(text: bytes) -> bytes:
    """The bytes of a text, in which strange characters count for nothing: whoever minds them
    compares it with what is `encoded` again. Raises ValueError."""
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
