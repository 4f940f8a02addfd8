"""Every example of the README and of docs/ runs, and shows what it says it shows."""

import doctest
import re
import sys
from pathlib import Path

import pytest

from concert.base._audit import listeners
from concert.processes import counters, steps

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def nothing_declared():
    """What a page declares is not there for other tests: its session, counters, and who listens to sets."""
    before = list(listeners)
    yield
    sys.modules.pop("imaging", None)
    listeners[:] = before
    steps.clear()
    counters()


@pytest.mark.usefixtures("nothing_declared")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_do_what_the_page_says(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = page.read_text()
    names = {"__name__": "example"}
    runner = doctest.DocTestRunner()
    for match in BLOCK.finditer(text):
        block = match[1]
        if block.startswith("# imaging.py\n"):  # a session, which transcripts load, and examples may import
            (tmp_path / "imaging.py").write_text(block)
            continue
        line = text.count("\n", 0, match.start(1))
        if ">>>" in block:
            examples = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), line)
            runner.run(examples, clear_globs=False)
            names.update(examples.globs)
        else:
            exec(compile("\n" * line + block, page, "exec"), names)
    assert runner.summarize(verbose=False).failed == 0


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
