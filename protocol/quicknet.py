"""The League of Entropy's public chain `quicknet`, as it is published for everyone
(https://docs.drand.love): what a signature of it is checked with."""

from typing import Final

CHAIN_HASH: Final = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
PUBLIC_KEY: Final = (
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d10"
    "64510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991e"
    "f5ece45a"
)
GENESIS_SECONDS: Final = 1_692_803_367
"""The Unix time of round 1."""
PERIOD_SECONDS: Final = 3
