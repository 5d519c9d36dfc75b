"""`watchword sign-in-page`: copy the sign-in form out, as an element for any page and as a page that has it."""

from __future__ import annotations

import argparse
import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from watchword.errors import ConfigurationError
from watchword_adapters.sign_in_page.page import COMPONENT, SCRIPT, STYLE, PageSettings, component, page, script, style

_LOCAL = "http://127.0.0.1:9229/"
# A browser takes anything else for a path beside the page, or for another scheme or host: it reads \ as /.
_ADDRESS = re.compile(r"(?:https?://[^/\\@\s]+(?:/\S*)?|/(?![/\\])\S*)", re.IGNORECASE)
_USER = re.compile(r"https?://[^/\\]*@", re.IGNORECASE)

_EPILOG = """example:
  watchword sign-in-page site --endpoint https://cognito-idp.eu-west-1.amazonaws.com/ --client-id 4example

It writes index.html, sign-in.css, sign-in.js and watchword-sign-in.js, the element itself. A page of your own needs the last one alone."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `watchword sign-in-page`."""
    parser.description = (
        "Copy the sign-in form into a folder: the element <watchword-sign-in>, and a page that has it. "
        "No build step, nothing that is loaded from elsewhere."
    )
    parser.epilog = _EPILOG
    parser.add_argument("folder", metavar="DIR", type=Path, help="where the files go; it is made if it is not there")
    parser.add_argument(
        "--endpoint", default=_LOCAL, help="where Cognito's operations are posted to (%(default)s, a local pool)"
    )
    parser.add_argument("--client-id", help="the id of the app client (local, with a local pool)")
    parser.add_argument(
        "--flow", default="custom", choices=("custom", "custom-srp"), help="custom-srp if a password comes first"
    )
    parser.add_argument("--user-pool-id", default="", help="the id of the user pool, for custom-srp")
    parser.add_argument("--locale", default="", help="the language of the form, such as de; else the browser's")
    parser.add_argument("--force", action="store_true", help="write over files that are there")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Write the files; the status is 0.

    Raises:
        ConfigurationError: if a setting cannot be used, or a file is there already and nothing says that it may be written over.
    """
    if _USER.match(arguments.endpoint):  # Not shown: it may hold a password.
        raise ConfigurationError("--endpoint has a user, which no browser posts to: write the address without it")
    if not _ADDRESS.fullmatch(arguments.endpoint):
        raise ConfigurationError(
            f"--endpoint {arguments.endpoint[:80]!r} is no address: write https:// and a host, or a path of the page's own host such as /"
        )
    elsewhere = arguments.endpoint != _LOCAL
    if elsewhere and not arguments.client_id:
        raise ConfigurationError("say which app client signs in at that endpoint: --client-id ID")
    if elsewhere and arguments.flow == "custom-srp" and not arguments.user_pool_id:
        raise ConfigurationError("a password is proved to one user pool: say which, --user-pool-id ID")
    client_id = arguments.client_id or "local"
    settings = PageSettings(arguments.endpoint, client_id, arguments.flow, arguments.user_pool_id, arguments.locale)
    folder: Path = arguments.folder
    texts = {"index.html": page(settings), STYLE: style(), SCRIPT: script(), COMPONENT: component()}
    there = [name for name in texts if os.path.lexists(folder / name)]  # a link to nothing is there too
    if there and not arguments.force:
        raise ConfigurationError(
            f"{folder} has {', '.join(there)} already, and nothing was written: take another folder, or say --force"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".watchword-", dir=folder) as work:
            for name, text in texts.items():
                (Path(work) / name).write_text(text, encoding="utf-8")
            for name in texts:  # A link is replaced: the file that it leads to is none of this folder.
                (Path(work) / name).replace(folder / name)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror}") from None
    written = [str(folder / name) for name in texts]
    print(json.dumps({"files": written}) if arguments.json else "\n".join(f"wrote {name}" for name in written))
    return 0
