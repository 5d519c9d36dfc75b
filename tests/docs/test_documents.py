"""The machinery that runs the documents' code blocks: what must fail does fail."""

import re
import shutil
import subprocess
import sys
from textwrap import dedent

import pytest

from kit.paths import ROOT

pytestmark = pytest.mark.exhaustive

# Each document, and whether the run of its last block passes.
DOCUMENTS = {
    "python_runs": (True, "```python\nassert 1 + 1 == 2\n```"),
    "python_fails": (False, "```python\nassert 1 + 1 == 3\n```"),
    "python_raises_a_warning": (False, "```python\nimport warnings\nwarnings.warn('old')\n```"),
    "directive_fails": (False, "```{code-block} python\nassert 1 + 1 == 3\n```"),
    "indented_in_a_list_fails": (False, "1. First\n\n   ```python\n   assert 1 + 1 == 3\n   ```"),
    "blocks_share_names": (True, "```python\nx = 1\n```\n\n```python\nassert x == 1\n```"),
    "documents_do_not_share_names": (False, "```python\nassert x == 1\n```"),
    "text_is_not_run": (True, "```text\nassert False\n```\n\n```bash\nexit 1\n```\n\n```python\n```"),
    "toml_is_written": (
        True,
        """\
        ```toml
        # file: flows/flow.toml
        name = "acme"
        ```

        ```python
        from pathlib import Path
        assert 'name = "acme"' in Path("flows/flow.toml").read_text()
        ```""",
    ),
    "files_do_not_outlive_a_document": (
        True,
        '```python\nfrom pathlib import Path\nassert not Path("flows").exists()\nassert not list(Path().iterdir())\n```',
    ),
    "toml_is_parsed": (False, "```toml\nname = acme\n```"),
    "files_stay_inside": (False, "```toml\n# file: ../flow.toml\n```"),
    "module_is_imported": (
        True,
        """\
        ```python
        # file: riddle.py
        ANSWER = 42
        ```

        ```python
        import riddle
        assert riddle.ANSWER == 42
        ```""",
    ),
    "modules_do_not_outlive_a_document": (
        True,
        """\
        ```python
        # file: riddle.py
        ANSWER = 43
        ```

        ```python
        import riddle
        assert riddle.ANSWER == 43
        ```""",
    ),
    "environment_is_set": (True, '```python\nimport os\nos.environ["WATCHWORD_KEY"] = "of one document"\n```'),
    "environment_is_restored": (True, '```python\nimport os\nassert "WATCHWORD_KEY" not in os.environ\n```'),
    "test_file_passes": (True, "```python\n# file: test_flow.py\ndef test_flow(tmp_path):\n    assert tmp_path\n```"),
    "test_file_fails": (False, "```python\n# file: test_flow.py\ndef test_flow():\n    assert False\n```"),
    "unrun_test_fails": (False, "```python\ndef test_flow():\n    assert True\n```"),
    "output_is_right": (True, "```python\nprint('a')\n```\n\n```python\nprint('b')\n```\n\n```output\na\nb\n```"),
    "output_is_wrong": (False, "```python\nprint('a')\n```\n\n```output\nb\n```"),
    "output_is_compared_once": (False, "```python\nprint(1)\n```\n\n```output\n1\n```\n\n```output\n1\n```"),
    "alias_is_refused": (False, "```py\nx = 1\n```"),
}


@pytest.fixture(scope="module")
def passed(tmp_path_factory):
    """Run pytest once on a directory with all planted documents; per document, did the last block pass?"""
    project = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "conftest.py", project)
    for number, (name, (_, text)) in enumerate(DOCUMENTS.items()):
        (project / f"{number:02}-{name}.md").write_text(f"# A page\n\n{dedent(text)}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-v", "-W", "error", "-p", "no:cacheprovider", "-p", "no:xdist", "."]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    outcomes = re.findall(r"^\d+-(\w+)\.md::line:\d+,column:\d+ (PASSED|FAILED|ERROR)", run.stdout, re.MULTILINE)
    return {name: outcome == "PASSED" for name, outcome in outcomes}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_passes_only_if_what_it_shows_is_true(passed, name):
    """A block that fails, warns, prints something else, or would silently not run, fails the test run."""
    assert DOCUMENTS[name][0] == passed[name]
