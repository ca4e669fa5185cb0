"""The recipes in docs/webhooks.md work as they are written there."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from visavis.webhooks.signing import sign

DOCUMENT = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
BODY = b'{"event_type":"system.shutdown","properties":{"text":"\xc3\xa4"}}'


def cases():
    """Body, header, secret, and whether they belong together; signed now, because a signature holds five minutes."""
    now = datetime.now(UTC)
    right = sign(BODY, ["whsec_new", "whsec_old"], now)
    return [
        (BODY, right, "whsec_new", True),
        (BODY, right, "whsec_old", True),
        (BODY, right, "whsec_other", False),
        (BODY + b" ", right, "whsec_new", False),
        (BODY, sign(BODY, ["whsec_new"], now - timedelta(seconds=400)), "whsec_new", False),
        (BODY, "", "whsec_new", False),
        (BODY, "t=x,v1=zz", "whsec_new", False),
        (BODY, f"t={int(now.timestamp())},v1=", "whsec_new", False),
    ]


def recipe(language):
    return re.search(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[1]


def test_python_recipe():
    found = {}
    exec(recipe("python"), found)
    for body, header, secret, right in cases():
        assert found["is_genuine"](body, header, secret) is right


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_javascript_recipe(tmp_path):
    script = tmp_path / "recipe.mjs"
    known = cases()
    given = [[body.hex(), header, secret] for body, header, secret, _ in known]
    script.write_text(
        f"{recipe('javascript')}\n"
        f"const cases = {json.dumps(given)};\n"
        "const answers = cases.map(([body, header, secret]) => isGenuine(Buffer.from(body, 'hex'), header, secret));\n"
        "console.log(JSON.stringify(answers));\n"
    )
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [right for *_, right in known]
