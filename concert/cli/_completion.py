"""``concert completion``: a script that lets bash complete what is typed after ``concert``."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from concert.cli._parser import COMMON
from concert.helpers import Command

# The names of sessions are looked up by bash itself, in the directory of concert.session.management: starting Python
# for it would take longer than one wants to wait for a key.
_SCRIPT = """\
# Completion for bash: source <(concert completion bash)
_concert_sessions() {{
    local directory=${{VIRTUAL_ENV:+$VIRTUAL_ENV/share}}
    directory=${{directory:-${{XDG_DATA_HOME:-$HOME/.local/share}}}}/concert
    local file
    for file in "$directory"/*.py; do
        [ -f "$file" ] && basename "$file" .py
    done
}}

_concert() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} command= each options= values= sessions=
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $each in -*) ;; *) command=$each; break ;; esac
    done
    case $command in
        "") options={options} values={commands} ;;
{cases}
    esac
    case $word in
        -*) values=$options ;;
        *) [ -n "$sessions" ] && values="$values $(_concert_sessions)" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
}}

complete -o default -F _concert concert
"""


class CompletionCommand(Command):
    """Print a script for bash; it completes commands, options and names of sessions."""

    def __init__(self, commands: Collection[Command]) -> None:
        super().__init__(
            "completion",
            {"shell": {"choices": ["bash"], "help": "put into ~/.bashrc: source <(concert completion bash)"}},
        )
        self._commands = commands

    def run(self, shell: str) -> None:  # type: ignore[override]
        """Print the script for *shell*."""
        print(script(self._commands), end="")


def script(commands: Collection[Command]) -> str:
    """Return the script for bash that completes *commands*."""
    return _SCRIPT.format(
        commands=shlex.quote(" ".join(command.name for command in commands)),
        options=shlex.quote(" ".join(["--help", "--version", *COMMON])),
        cases="\n".join(map(_case, commands)),
    )


def _case(command: Command) -> str:
    """Return the branch of the script for one command: its options, the values of its arguments, whether sessions."""
    options = ["--help", *COMMON, *(each for each in command.opts if each.startswith("-"))]
    arguments = [keywords for each, keywords in command.opts.items() if not each.startswith("-")]
    values = [str(choice) for keywords in arguments for choice in keywords.get("choices", ())]
    sessions = "yes" if any(keywords.get("metavar") == "NAME" for keywords in arguments) else ""
    words = f"options={shlex.quote(' '.join(options))} values={shlex.quote(' '.join(values))} sessions={sessions}"
    return f"        {shlex.quote(command.name)}) {words} ;;"
