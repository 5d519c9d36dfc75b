"""Where things are in the repository, for tests at whatever depth."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
FLOWS = EXAMPLES / "flows"
"""The example flows, as TOML files."""
