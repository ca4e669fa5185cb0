"""The recipes in docs/webhooks.md work as they are written there."""

import json
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from visavis.webhooks.signing import sign

DOCUMENT = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
BODY = b'{"event_type":"system.shutdown","properties":{"text":"\xc3\xa4"}}'
NOW = datetime.now(UTC)
RIGHT = sign(BODY, ["whsec_new", "whsec_old"], NOW)
CASES = [
    (BODY, RIGHT, "whsec_new", True),
    (BODY, RIGHT, "whsec_old", True),
    (BODY, RIGHT, "whsec_other", False),
    (BODY + b" ", RIGHT, "whsec_new", False),
    (BODY, sign(BODY, ["whsec_new"], datetime.fromtimestamp(time.time() - 400, UTC)), "whsec_new", False),
    (BODY, "", "whsec_new", False),
    (BODY, "t=x,v1=zz", "whsec_new", False),
    (BODY, f"t={int(NOW.timestamp())},v1=", "whsec_new", False),
]


def recipe(language):
    return re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[1]


def test_python_recipe():
    found = {}
    exec(recipe("python"), found)
    assert [found["is_genuine"](body, header, secret) for body, header, secret, _ in CASES] == [
        right for *_, right in CASES
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_javascript_recipe(tmp_path):
    script = tmp_path / "recipe.mjs"
    cases = [[body.hex(), header, secret] for body, header, secret, _ in CASES]
    script.write_text(
        f"{recipe('javascript')}\n"
        f"const cases = {json.dumps(cases)};\n"
        "const answers = cases.map(([body, header, secret]) => isGenuine(Buffer.from(body, 'hex'), header, secret));\n"
        "console.log(JSON.stringify(answers));\n"
    )
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [right for *_, right in CASES]
