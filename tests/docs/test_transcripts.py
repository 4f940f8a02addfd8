"""Every transcript of docs/ happens as it is shown: typed into a real terminal, and compared with its screen.

A block with ``# imaging.py`` in its first line is the session. Lines after ``$`` are typed at a shell, those after
``imaging >`` at the session's prompt; a line ``^C`` or ``^\\`` is that key, pressed while the command runs. What
follows has to be on the screen then, line by line; … stands for anything.
"""

import re
import time
from pathlib import Path

import pytest

from tests.terminal import CONCERT, Terminal

DOCS = Path(__file__).parent.parent.parent / "docs"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL, PROMPT = "$ ", "imaging > "
TOOLBAR = " ▸ "  # what begins the line of what goes on in the background
KEYS = {"^C": "\x03", "^\\": "\x1c"}


def blocks(page, starts):
    return [text for _, text in BLOCK.findall(page.read_text()) if text.startswith(starts)]


PAGES = [page for page in sorted(DOCS.glob("*.md")) if blocks(page, PROMPT)]


class Reader:
    """Somebody who does what the page says, in a terminal that is large enough to see everything."""

    def __init__(self, directory):
        (directory / "concert").mkdir()
        variables = {"PATH": f"{Path(CONCERT).parent}:/usr/bin:/bin", "PROMPT_TOOLKIT_NO_CPR": "0", "PS1": SHELL}
        self.terminal = Terminal(["bash", "--norc", "--noediting"], directory, size=(60, 180), **variables)
        self.prompt = SHELL
        self.wait_for(SHELL)

    def lines(self):
        """Return what is on the screen, without the toolbar, which comes and goes."""
        shown = [line.rstrip() for line in self.terminal.screen.display]
        while shown and (not shown[-1] or shown[-1].startswith(TOOLBAR)):
            shown.pop()
        return shown

    def wait_for(self, prompt, command=""):
        """Wait until the prompt is there again, below the command, and return what is between them."""
        typed = f"{self.prompt}{command}".rstrip()
        deadline = time.monotonic() + 60
        while True:
            lines = self.lines()
            if lines[-1:] == [prompt.rstrip()] and (not command or typed in lines):
                return lines[lines.index(typed) + 1 : -1] if command else []
            assert time.monotonic() < deadline, "\n".join(lines)
            self.terminal.look()

    def do(self, prompt, command, keys):
        """Type the command at the prompt, press the keys, and return what is shown until the next prompt."""
        if prompt != self.prompt:
            self.clear()
            self.terminal.type("exit")
            self.wait_for(prompt)
            self.prompt = prompt
        self.clear()
        self.terminal.type(command)
        for key in keys:
            self.terminal.show("left")  # something moves
            self.terminal.process.send(key)
        next_prompt = PROMPT if command.startswith("concert start") else prompt
        shown = self.wait_for(next_prompt, command)
        self.prompt = next_prompt
        return [line for line in shown if line]

    def clear(self):
        if self.prompt == PROMPT:
            self.terminal.process.send("\x0c")
            above = []
        else:
            self.terminal.type("clear; echo cleared")
            above = ["cleared"]  # a prompt alone may have been there before
        while self.lines() != [*above, self.prompt.rstrip()]:
            self.terminal.look()


def steps(text):
    """Split a transcript into prompt, command, keys and what is shown."""
    found = []
    for line in text.splitlines():
        for prompt in (SHELL, PROMPT):
            if line.startswith(prompt):
                found.append((prompt, line.removeprefix(prompt), [], []))
                break
        else:
            if line in KEYS:
                found[-1][2].append(KEYS[line])
            elif line.strip():
                found[-1][3].append(line.rstrip())
    return found


def fits(expected, shown):
    pattern = ".*?".join(re.escape(re.sub(r"\s+", " ", part)) for part in expected.split("…"))
    return re.fullmatch(rf"\s*{pattern}\s*", re.sub(r"\s+", " ", shown)) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_transcripts_happen_as_they_are_shown(page, tmp_path):
    reader = Reader(tmp_path)
    try:
        (session,) = blocks(page, "# imaging.py\n")
        (tmp_path / "concert" / "imaging.py").write_text(session)
        for text in blocks(page, (SHELL, PROMPT)):
            for prompt, command, keys, expected in steps(text):
                shown = reader.do(prompt, command, keys)
                told = f"{page.name}: {prompt}{command}\n" + "\n".join(shown)
                assert len(shown) == len(expected), told
                assert all(fits(*pair) for pair in zip(expected, shown, strict=True)), told
    finally:
        reader.terminal.close()
