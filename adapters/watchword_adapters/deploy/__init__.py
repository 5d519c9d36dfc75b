"""Build the functions, write their template, and diagnose what was deployed."""

from watchword import loaded_when_asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from watchword_adapters.deploy.manifest import FlowMark, Manifest, read_manifest
    from watchword_adapters.deploy.stack.template import Template
    from watchword_adapters.deploy.target import Target

__all__ = ["FlowMark", "Manifest", "Target", "Template", "read_manifest"]

_NAMES = {
    "manifest": ("FlowMark", "Manifest", "read_manifest"),
    "stack.template": ("Template",),
    "target": ("Target",),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}
"""The module of each public name."""

__getattr__ = loaded_when_asked(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
