"""`mpcnet completion`: the script by which a shell completes our words, and how to install it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from mpcnet.cli.click_app import app
from mpcnet.cli.commands import Completion
from mpcnet.errors import LocalError

__all__ = ("print_script",)

_VARIABLE = "_MPCNET_COMPLETE"
_SHELLS: Mapping[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
_INSTALL = {
    "bash": (
        'for this shell:   eval "$(mpcnet completion bash)"',
        "for good:         mpcnet completion bash > ~/.local/share/bash-completion/completions/mpcnet",
    ),
    "zsh": (
        'for this shell:   eval "$(mpcnet completion zsh)"',
        "for good:         mpcnet completion zsh > ~/.zfunc/_mpcnet",
        "                  and in ~/.zshrc:  fpath+=~/.zfunc; autoload -Uz compinit; compinit",
    ),
    "fish": (
        "for this shell:   mpcnet completion fish | source",
        "for good:         mpcnet completion fish > ~/.config/fish/completions/mpcnet.fish",
    ),
}
_END_OF_BASH = "    return 0\n"
_NO_BLANK = """\
    # A name that waits for its value: no blank after it.
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi

"""


def print_script(asked: Completion) -> None:
    """Print the script of a shell."""
    shell = asked.shell or Path(os.environ.get("SHELL", "")).name
    if shell not in _SHELLS:
        raise LocalError(f"name your shell: {', '.join(_SHELLS)}")
    script = _SHELLS[shell](app, {}, "mpcnet", _VARIABLE).source()
    if shell == "bash":
        before, end, after = script.rpartition(_END_OF_BASH)
        script = f"{before}{_NO_BLANK}{end}{after}"
    head = "".join(f"# {line}\n" for line in (f"Completion of mpcnet in {shell}.", *_INSTALL[shell]))
    # zsh reads the name of the command from the first line, and nothing from comments after it.
    first, newline, rest = script.partition("\n")
    click.echo(f"{first}{newline}{head}{rest}" if first.startswith("#compdef") else head + script, nl=False)
