"""The variants in JavaScript are those in Python: else the page calls a fair proof none."""

import json
import shutil
import subprocess
from importlib.resources import files

import pytest

from server.rules.variants import SHAPES
from tests.support.wait import TIMEOUT_SECONDS

PATTERNS = files("protocol").joinpath("js/patterns.js")
PRINT = f"""
const {{ SHAPES }} = await import("{PATTERNS}");
console.log(JSON.stringify(Object.fromEntries(SHAPES)));
"""


def test_both_know_the_same_variants_with_the_same_patterns_in_the_same_order() -> None:
    if shutil.which("node") is None:
        pytest.skip("node is needed: apt-get install nodejs")
    command = ("node", "--experimental-default-type=module", "--input-type=module", "-e", PRINT)
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=True)
    known = json.loads(done.stdout)
    assert known == {
        name: {
            "side": shape.side,
            "highest": shape.highest,
            "patterns": {
                name: [[*cell] for cell in cells] for name, cells in shape.patterns.items()
            },
        }
        for name, shape in SHAPES.items()
    }
    assert {name: [*shape["patterns"]] for name, shape in known.items()} == {
        name: [*shape.patterns] for name, shape in SHAPES.items()
    }
