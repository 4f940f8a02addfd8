"""The interactive session: IPython, cooperative behind the prompt, with Concert's verbs, errors and Ctrl-C."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.terminal.ipapp import TerminalIPythonApp
from IPython.terminal.prompts import Prompts, Token
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
from traitlets.config import Config

import concert
from concert.async_ import note_futures, unhandled
from concert.async_._interrupts import ignore as ignore_presses
from concert.async_._interrupts import take_over as take_presses
from concert.async_._scope import begin_command, current_command
from concert.processes import station, unsaid
from concert.session import prelude
from concert.session.banner import banner
from concert.session.cells import SessionCompiler
from concert.session.completion import matcher
from concert.session.ending import end_if_told
from concert.session.futures import ended_by
from concert.session.guarding import Guard
from concert.session.inventory import every_device, include
from concert.session.lines import translate_assignment, translate_verb
from concert.session.loader import name_devices
from concert.session.mistakes import mistake
from concert.session.showing import SessionDisplayHook, show_quantities
from concert.session.spelling import translate_lines
from concert.session.stop_signal import show_below, stop_on_signal
from concert.session.stopping import Outcome, report, stop_everything
from concert.session.telling import is_own, tell, tell_unhandled, without_machinery
from concert.session.toolbar import Toolbar
from concert.session.verbs import VERBS, WORDS
from concert.session.waiting import tell_waits
from concert.session.workplace import use_names

LOG = logging.getLogger("concert.session")


class SessionPrompts(Prompts):
    """The session's name, and nothing that scrolls."""

    def in_prompt_tokens(self) -> list[tuple[Any, str]]:
        shell: Any = self.shell
        return [(Token.Prompt, f"{shell.session_name} > ")]

    def out_prompt_tokens(self) -> list[tuple[Any, str]]:
        return []


class SessionShell(TerminalInteractiveShell):
    """IPython's shell, made Concert's."""

    session_name = "concert"
    compiler_class = SessionCompiler
    prompts_class = SessionPrompts
    displayhook_class = SessionDisplayHook

    def init_session(self, name: str) -> None:
        """Take over from IPython what a session does its own way."""
        self.session_name = name
        self.input_transformers_cleanup.extend([translate_lines, self._translate_verbs])
        self.ast_transformers.append(Guard())
        self.set_custom_exc((BaseException,), _show_error)
        self.events.register("pre_run_cell", self._begin_command)
        self.events.register("post_run_cell", self._end_command)
        self.separate_in = ""
        for verb in VERBS:  # IPython has Unix commands of some of these names
            aliases: Any = self.alias_manager
            if aliases.is_alias(verb):
                aliases.undefine_alias(verb)
        show_quantities(self)
        include(self.user_ns)
        use_names(lambda: self.user_ns)
        station.windows = True
        stop_on_signal(self._show_stop)
        completer: Any = self.Completer
        completer.custom_matchers.append(matcher(self._typed_words, lambda: self.user_ns))
        prompt: Any = self.pt_app
        if prompt is not None:  # there is a terminal
            note_futures()
            self._toolbar = Toolbar(prompt)
            tell_waits()
            # At the prompt the terminal sends keys, not signals. IPython would signal the whole process group.
            prompt.key_bindings = merge_key_bindings([prompt.key_bindings, self._keys()])

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-\\", eager=True)
        def _stop_all(_event: Any) -> None:
            run_in_terminal(lambda: report(stop_everything(every_device())))

        return keys

    def _show_stop(self, outcomes: Sequence[Outcome], by: str) -> None:
        """Show what became of the devices, above the prompt if there is one."""
        prompt: Any = self.pt_app
        loop = prompt.app.loop if prompt is not None and prompt.app.is_running else None
        if loop is None:
            show_below(outcomes, by)
        else:
            loop.call_soon_threadsafe(lambda: run_in_terminal(lambda: show_below(outcomes, by)))

    def prompt_for_code(self) -> str:
        end_if_told()
        time.sleep(0)  # what the last command has only called begins now
        tell_unhandled(unhandled())
        for line in unsaid():
            print(line)
        self._toolbar.begin()
        try:
            return super().prompt_for_code()
        finally:
            ignore_presses()

    def _typed_words(self) -> list[str]:
        """Return what may be typed without parentheses, unless the user means something else by the word."""
        return [word for word in (*VERBS, *WORDS) if self.user_ns.get(word) is getattr(prelude, word)]

    def _translate_verbs(self, lines: list[str]) -> list[str]:
        if len(lines) != 1:
            return lines
        typed = self._typed_words()
        line = translate_assignment(lines[0].rstrip("\n"), self.user_ns)
        return [translate_verb(line, typed, self.user_ns) + "\n"]

    def mistake(self, error: BaseException, trace: TracebackType | None) -> str | None:
        """Return the line that says what is wrong with the line that was typed, if that is what *error* says."""
        return mistake(error, trace, current_command().text, self._typed_words(), self.user_ns)

    def showsyntaxerror(self, filename: Any = None, running_compiled_code: bool = False) -> None:
        """Show what is wrong with what was typed: in a line where that says it all."""
        _, error, trace = self._get_exc_info()
        said = self.mistake(error, trace)
        if said is None:
            super().showsyntaxerror(filename, running_compiled_code)
        else:
            print(said, file=sys.stderr)

    def _begin_command(self, info: Any) -> None:
        LOG.info("typed: %s", info.raw_cell)
        begin_command(info.raw_cell.strip())
        take_presses()

    def _end_command(self, _result: Any) -> None:
        ignore_presses()
        name_devices(self.user_ns)


def _show_error(
    shell: SessionShell,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> list[str] | None:
    """Show what a command raised: Concert's own errors in a line, Ctrl-C with what it stopped, others as usual."""
    sys.last_type, sys.last_value, sys.last_traceback = kind, error, trace  # for %tb
    if isinstance(error, KeyboardInterrupt):
        ignore_presses()
        print(f"\nInterrupted. {ended_by(error)}".rstrip())
        return None
    if isinstance(error, Exception) and is_own(error):
        tell(error)
        return None
    said = shell.mistake(error, trace)
    if said is not None:
        print(said, file=sys.stderr)
        return None
    users: Any = without_machinery(trace) or trace
    lines = shell.InteractiveTB.structured_traceback(kind, error, users, tb_offset=tb_offset)
    shell._showtraceback(kind, error, lines)
    return lines


def run_shell(name: str, namespace: dict[str, Any], history: Path) -> int:
    """Run the shell of the session *name* with the names in *namespace* until it is left; return the exit status.

    *history* is the file that remembers what was typed.
    """
    history.parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.HistoryManager.hist_file = str(history)
    config.TerminalIPythonApp.display_banner = False
    config.Completer.use_jedi = False  # it takes its time, and knows nothing of what a session has made
    config.TerminalIPythonApp.interactive_shell_class = SessionShell
    app = TerminalIPythonApp.instance(config=config)
    app.initialize([])
    shell: Any = app.shell
    shell.push({"concert": concert} | {key: getattr(prelude, key) for key in prelude.__all__})
    shell.push({key: value for key, value in namespace.items() if not key.startswith("__")})
    shell.init_session(name)
    print(banner(name, namespace))
    app.start()
    return 0


__all__ = ["SessionShell", "run_shell"]
