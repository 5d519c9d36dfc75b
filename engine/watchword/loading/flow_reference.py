"""Find the flow that a reference names: the path of a TOML file, or an attribute of a Python module."""

from __future__ import annotations

import re
from importlib import import_module

from watchword.algebra.flow import Flow
from watchword.errors import ConfigurationError
from watchword.loading.flow_file import did_you_mean, load_flow
from watchword.loading.flow_text import ANY_FLOW
from watchword.loading.registry import Registry

MAX_REFERENCE = 4096
"""The longest path on Linux, in bytes."""

_REFERENCE = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.\w+)*):(?P<attribute>[A-Za-z_]\w*(?:\.\w+)*)")


def find_flow(reference: str, registry: Registry | None = None) -> Flow:
    """Return the flow that *reference* names: the path of a TOML file, or ``module:attribute``.

    A module is imported with `sys.path` as it is.

    Raises:
        ConfigurationError: if there is none.
    """
    if len(reference) > MAX_REFERENCE:
        raise ConfigurationError(f"{reference[:40]!r}… has more than {MAX_REFERENCE} characters; {ANY_FLOW}")
    match = None if reference.endswith(".toml") else _REFERENCE.fullmatch(reference)
    if match is None:
        return load_flow(reference, registry)
    module = match["module"]
    try:
        found: object = import_module(module)
    except ConfigurationError as error:
        raise ConfigurationError(f"{reference}: {error}") from error
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise ConfigurationError(f"{reference}: importing {module} failed: {error}") from error
        raise ConfigurationError(
            f"{reference}: there is no module {error.name}; run it from the folder that holds it, or install it ({ANY_FLOW})"
        ) from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"{reference}: importing {module} failed: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    flows = [name for name, value in vars(found).items() if isinstance(value, Flow)]
    for name in match["attribute"].split("."):
        if not hasattr(found, name):
            raise ConfigurationError(
                f"{reference}: {name} is not there{did_you_mean(name, flows)}; "
                f"flows of {module}: {', '.join(flows) or 'none'}"
            )
        found = getattr(found, name)
    if not isinstance(found, Flow):
        raise ConfigurationError(
            f"{reference} is no Flow but {type(found).__name__}; flows of {module}: {', '.join(flows) or 'none'}"
        )
    return found
