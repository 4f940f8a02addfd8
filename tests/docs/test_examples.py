"""Every example of the README and of docs/ runs, and shows what it says it shows."""

import doctest
import re
import sys
from pathlib import Path

import pytest

from concert.base._audit import listeners
from concert.processes import counters, steps
from tests.served import beamline

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


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """Serve the session of docs/tango.md, and return its database."""
    text = (ROOT / "docs" / "tango.md").read_text()
    session = next(block for block in BLOCK.findall(text) if block.startswith("# optics.py\n"))
    with beamline(tmp_path_factory.mktemp("optics")) as line:
        line.session("optics", session)
        line.start_database()
        line.serve("optics")
        yield line.database


@pytest.mark.usefixtures("nothing_declared")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_do_what_the_page_says(page, monkeypatch, tmp_path, request):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    if page.name == "tango.md":
        monkeypatch.setenv("TANGO_HOST", request.getfixturevalue("served"))
    text = page.read_text()
    names = {"__name__": "example"}
    runner = doctest.DocTestRunner()
    for match in BLOCK.finditer(text):
        block = match[1]
        if session := re.match(r"# (\w+\.py)\n", block):  # which transcripts load, and examples may import
            (tmp_path / session[1]).write_text(block)
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
