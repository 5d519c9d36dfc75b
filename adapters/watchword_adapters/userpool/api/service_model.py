"""Which operations the service has beside those that the pool plays, as far as botocore's model of it is installed."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def not_played(operation: str) -> str:
    """Return why the pool refuses *operation*: it plays it not, or the service has no such operation either."""
    shown = ascii(operation)[1:-1][:60]
    known = service_operations()
    if operation in known:
        return f"{shown} is an operation of Amazon Cognito that is not played by this pool"
    if known:
        return f"{shown} is no operation of Amazon Cognito, as far as botocore's model knows"
    return f"{shown} is not played by this pool"


@cache
def service_operations() -> frozenset[str]:
    """Return the names of the service's operations; none where botocore, or its model, is not installed."""
    # The file is read as it is: a client of botocore takes a second to make.
    spec = find_spec("botocore")
    places = () if spec is None else spec.submodule_search_locations or ()
    files = (path for place in places for path in Path(place, "data", "cognito-idp").glob("*/service-2.json*"))
    for path in files:
        try:
            data = path.read_bytes()
            model = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
            return frozenset(map(str, model["operations"]))
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            continue
    return frozenset()
