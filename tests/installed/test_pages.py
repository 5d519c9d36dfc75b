"""What README, the tutorials and the how-to guides print works for who has the wheel and an empty folder."""

import shutil
import subprocess

import pytest

from conftest import CHECKOUT

DOCS = CHECKOUT / "docs"


def test_readme(reader, tmp_path):
    """README's own line, in a copy of what a clone has; then its example, by what that line installed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, place)
    reader.reads(CHECKOUT / "README.md")


def test_first_sign_in(reader):
    """The tutorial from an empty folder to tokens; somebody reads the picture."""
    reader.reads(DOCS / "tutorial" / "first-sign-in.md", invisible=True)


def test_write_a_plugin(reader):
    """The tutorial from an empty folder to a wheel that others install."""
    reader.reads(DOCS / "tutorial" / "write-a-plugin.md")


def test_write_a_kind_with_state(reader):
    """The guide from an empty folder to a kind for which users enrol, called from the environment that the page made."""
    reader.reads(DOCS / "how-to" / "write-a-kind-with-state.md")


def test_your_own_flow(reader):
    """The tutorial from an empty folder to tokens over HTTP, by boto3."""
    reader.reads(DOCS / "tutorial" / "your-own-flow.md")


def test_keep_credentials(reader, tmp_path):
    """The guide for the support desk, but for the table, which another test makes; a pool lists one of its users."""
    listed = "7c1f0a52-0000-4000-8000-93a1f1d7c1aa\n"
    reader.meanwhile["users_are_listed"] = lambda: (tmp_path / "subs.txt").write_text(listed)
    sections = ["Look after users", "Back up, restore, move", "After a leak of a root key"]
    reader.reads(DOCS / "how-to" / "keep-credentials.md", sections=sections)


@pytest.mark.parametrize(
    "page",
    [
        "use-the-lambda-triggers.md",
        "check-a-flow.md",
        "attack-your-flow.md",
        "be-the-back-end-of-the-passwordless-client.md",
        "let-users-enrol.md",
        "limit-guesses-and-mails.md",
        "put-the-sign-in-form-into-a-page.md",
        "put-work-before-the-first-message.md",
        "run-a-local-pool.md",
        "see-a-flow-in-the-studio.md",
        "send-the-mail.md",
        "sign-in-by-a-link.md",
        "sign-in-with-an-app-and-recovery-codes.md",
        "sign-in-with-passkeys.md",
        "sign-in-without-cognito.md",
        "unit-test-a-flow-policy.md",
        "write-a-challenge-plugin.md",
        "write-the-client.md",
        "write-your-own-texts.md",
    ],
)
def test_how_to(reader, page):
    """A guide, from an empty folder to its end: files, Python and commands in their order."""
    reader.reads(DOCS / "how-to" / page, invisible=True)
