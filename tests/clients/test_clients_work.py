"""ALTCHA's own clients against what `proof_of_work` asks: altcha-lib in Node, the widget in Chromium; and our own form. `tests/clients/install` brings both."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from shutil import copyfile

import pytest

pytest.importorskip("altcha")

from kit.chromium import chromium
from kit.paths import DOCS
from kit.programs import find_node
from kit.served_pool import served
from kit.website import website
from watchword.testing import create_request, verify_request
from watchword_adapters.sign_in_page import COMPONENT
from watchword_plugins.proof_of_work import ProofOfWork

pytestmark = pytest.mark.exhaustive

HERE = Path(__file__).parent
KINDS = (
    ProofOfWork(cost=1000, work=10),
    ProofOfWork(algorithm="PBKDF2/SHA-512", cost=1000, work=10),
    ProofOfWork(algorithm="SCRYPT", cost=1024, work=10),
)


def solved(node, kinds, *arguments):
    """Have a client solve three challenges of each kind: each solution must be right for its own challenge alone."""
    asked = [(kind, f"claim-{number}") for kind in kinds for number in range(3)]
    made = [kind.create(create_request(kind, claim=claim)) for kind, claim in asked]
    challenges = json.dumps([json.loads(each.public["challenge"]) for each in made])

    command = [node, HERE / "solve_work.mjs", *arguments]
    ended = subprocess.run(command, input=challenges, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
    payloads = json.loads(ended.stdout)
    for number, (kind, claim) in enumerate(asked):
        requests = (verify_request(kind, made[number], payload, claim=claim) for payload in payloads)
        assert [number] == [place for place, request in enumerate(requests) if kind.verify(request).right]


def test_altcha_lib_solves_what_is_asked():
    """With each algorithm."""
    solved(find_node("altcha-lib"), KINDS)


def test_the_sign_in_form_solves_what_is_asked():
    """By itself, but for what the browser's own cryptography does not have."""
    solved(find_node(), KINDS[:2], files("watchword_adapters.sign_in_page").joinpath(COMPONENT))


PAGE = DOCS / "how-to/put-work-before-the-first-message.md"


SUBMITTED = """async ({ name, value }) => {
    const form = document.querySelector('form')
    form[name].value = value
    const told = new Promise((done) => new MutationObserver(() => {
        if (form.querySelector('output').value !== 'One moment, please.') done(form.querySelector('output').value)
    }).observe(form.querySelector('output'), { childList: true, subtree: true, characterData: true }))
    form.querySelector('button').click()
    return told
}"""


def test_the_page_of_the_guide_signs_in_with_the_widget(tmp_path):
    """As it is printed, in Chromium with ALTCHA's own widget: the work is done before anything is sent, then the code signs in."""
    find_node("altcha")
    text = PAGE.read_text(encoding="utf-8")
    flow = tmp_path / "flow.toml"
    flow.write_text(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])
    html = re.search(r"```html\n(.*?)```", text, re.DOTALL)[1]
    site = tmp_path / "site"
    site.mkdir()
    copyfile(HERE / "node_modules/altcha/dist/main/altcha.min.js", site / "altcha.js")

    with served("--user", "ann", flow=flow) as server, chromium() as browser:
        html = html.replace("http://127.0.0.1:9229", server.endpoint).replace('"local"', json.dumps(server.client_id))
        (site / "index.html").write_text(html, encoding="utf-8")
        with website(site) as origin:
            page = browser.page(origin)
            assert [] == server.mails_for("ann")
            assert "Type the code that we have sent you." == page.run(SUBMITTED, name="username", value="ann")
            assert 1 == len(server.mails_for("ann"))
            assert "That code is wrong." == page.run(SUBMITTED, name="code", value="00000000")
            assert "You are signed in." == page.run(SUBMITTED, name="code", value=server.code_for("ann"))
