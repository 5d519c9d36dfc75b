"""The guide to the sign-in form: its pages in Chromium, at another origin than the pool, with React and Amplify as npm has them."""

import re
import subprocess

import pytest

from kit.paths import DOCS
from kit.programs import CLIENTS, find_node
from kit.sign_in_form import Keyboard, site
from kit.website import website
from watchword import Flow, one_of
from watchword_adapters.cli import main
from watchword_plugins.captcha import Captcha
from watchword_plugins.email_otp import EmailOtp

pytestmark = pytest.mark.exhaustive

GUIDE = (DOCS / "how-to/put-the-sign-in-form-into-a-page.md").read_text("utf-8")
ENDPOINT = "http://127.0.0.1:9229/"


def printed(language):
    """The block of the guide in *language*."""
    return re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[1]


@pytest.fixture
def served():
    """A pool in which Ann chooses how to sign in."""
    with site(lambda origin: Flow(one_of(EmailOtp(), Captcha()))) as running_site:
        yield running_site


@pytest.fixture
def folder(tmp_path, served):
    """What `watchword sign-in-page` writes for this pool."""
    assert (
        main(["sign-in-page", str(tmp_path), "--endpoint", served.origin, "--client-id", "local", "--locale", "en"])
        == 0
    )
    return tmp_path


def bundled(folder, name, text, *options):
    """Have esbuild make one file of *text* and all that it imports."""
    find_node("esbuild", "aws-amplify", "react", "react-dom")
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")
    (folder / name).write_text(text, "utf-8")
    command = [
        CLIENTS / "node_modules/.bin/esbuild",
        folder / name,
        "--bundle",
        "--format=esm",
        f"--outfile={folder / 'app.js'}",
    ]
    subprocess.run([*command, "--log-level=error", "--preserve-symlinks", *options], check=True, cwd=folder)


def signed_in(browser, origin, served):
    """Sign in at *origin*, with one wrong code; give the page."""
    page = browser.page(origin)
    user = Keyboard(page)
    user.enter("User name", "ann")
    user.press("Code by e-mail")
    user.enter("Code", "00000000x")
    page.sees("That was not right.")
    user.enter("Code", served.answer("email_otp"))
    return page


def test_the_page_that_is_copied_out_signs_in_at_another_origin(browser, folder, served):
    """As it is written."""
    with website(folder) as origin:
        signed_in(browser, origin, served).sees("You are signed in.")


def test_a_page_of_ones_own_signs_in_and_is_told(browser, folder, served):
    """As the guide prints it."""
    (folder / "index.html").write_text(printed("html").replace(ENDPOINT, served.origin), "utf-8")
    with website(folder) as origin:
        page = signed_in(browser, origin, served)
        page.sees("Welcome, ann@example.com")
        assert "480px" == page.run("() => getComputedStyle(document.querySelector('watchword-sign-in')).maxWidth")


def test_react_shows_the_form_and_gets_the_tokens(browser, folder, served):
    """The component of the guide, in React's strict mode; taken away, it leaves nothing."""
    app = (
        printed("jsx")
        + f"""
import {{ StrictMode, useState }} from 'react'
import {{ createRoot }} from 'react-dom/client'
function App() {{
  const [tokens, setTokens] = useState(null)
  return tokens ? <p>Welcome, {{tokens.TokenType}}</p> : <SignIn endpoint="{served.origin}" clientId="local" onSignedIn={{setTokens}} />
}}
createRoot(document.querySelector('#root')).render(<StrictMode><App /></StrictMode>)
"""
    )
    bundled(folder, "app.jsx", app, "--jsx=automatic", '--define:process.env.NODE_ENV="development"')
    (folder / "index.html").write_text(
        '<!doctype html><html lang="en"><title>React</title><div id="root"></div><script type="module" src="app.js"></script>'
    )
    with website(folder) as origin:
        page = signed_in(browser, origin, served)
        page.sees("Welcome, Bearer")
        assert 0 == page.run("() => document.querySelectorAll('watchword-sign-in').length")


def test_amplify_takes_the_steps_and_keeps_the_tokens(browser, folder, served):
    """With the code of the guide: a choice, a wrong code, the right one; then an error, in words."""
    text = printed("javascript").replace(ENDPOINT, served.origin)
    bundled(folder, "amplify.js", text)
    html = '<!doctype html><html lang="en"><title>Amplify</title><watchword-sign-in></watchword-sign-in><script type="module" src="app.js"></script>'
    (folder / "index.html").write_text(html)
    with website(folder) as origin:
        page = signed_in(browser, origin, served)
        page.sees("You are signed in.")
        kept = page.run("() => Object.keys(localStorage).map((each) => each.split('.').pop())")
        assert {"accessToken", "idToken", "refreshToken"} <= set(kept)
        page.run("() => { localStorage.clear(); document.querySelector('watchword-sign-in').start() }")
        user = Keyboard(page)
        user.enter("User name", "ann")
        user.press("Code by e-mail")
        for _ in range(3):
            user.enter("Code", "00000000x")
        page.sees("The sign-in failed.")
