"""In a real pseudo-terminal: colours, width, what is drawn while one waits, and Ctrl-C."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.terminals import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Command

ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")

SEVERAL_TIMES = """
import os, sys
from mpcnet.cli import app

for changes in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}):
    kept = dict(os.environ)
    os.environ.update(changes)
    for words in (["protocols"], ["protocols", "average"], ["fly"], ["sim", "average"]):
        try:
            app.main(words, prog_name="mpcnet")
        except SystemExit as ended:
            print("code", ended.code)
    print("-----", flush=True)
    os.environ.clear()
    os.environ.update(kept)
"""


@pytest.mark.slow
@pytest.mark.processes
def test_colours_and_width(folder: Path) -> None:
    """One process for all variables: it starts once."""
    with Terminal([sys.executable, "-P", "-c", SEVERAL_TIMES], cwd=folder, columns=40) as terminal:
        assert terminal.ended() == 0, terminal.text
    coloured, plain, dumb, both, _ = terminal.text.replace("\r\n", "\n").split("-----")
    assert len(COLOUR.findall(coloured)) > 10
    for text in (plain, dumb, both):
        assert not COLOUR.search(text), "a colour, although none is wanted"
    assert ESCAPE not in dumb
    assert re.findall(r"code (\d+)", plain) == ["0", "0", "2", "0"]
    assert "error: there is no command 'fly'" in plain
    # What drawing left behind is nothing: the lines that stay are whole, and as wide as the terminal at most.
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).split("\r")[-1] for line in plain.splitlines()]
    assert max(len(line.rstrip()) for line in lines if not line.startswith("error: ")) <= 40
    assert any(line.startswith("second-price-auction") for line in lines)


@pytest.mark.slow
@pytest.mark.processes
def test_interrupted_while_waiting(four: Path, mpcnet: Command) -> None:
    """Alice sees for whom she waits, and gives up; bob, who waits too, is told. Carol never comes."""
    (four / "job.toml").write_text(mpcnet("job", "average", "--role", "owners=alice,bob,carol").out)
    command = [sys.executable, "-P", "-m", "mpcnet.cli", "run", "job.toml", "--as"]
    with (
        Terminal([*command, "alice"], cwd=four) as alice,
        Terminal([*command, "bob", "--input", "value=2514"], cwd=four, TERM="dumb") as bob,
    ):
        alice.expect_exact("value (your number")
        alice.sendline("73091")
        alice.expect_exact("links: 1 of 2")
        alice.expect_exact("waiting for carol (127.0.0.1:")
        alice.expect_exact("Ctrl-C ends it now")
        alice.sendintr()
        assert alice.ended() == 130
        assert bob.ended() == 1
    assert alice.text.rstrip().endswith("interrupted")
    assert bob.text.splitlines()[-1].startswith("error: alice: ")
    for text in (alice.text, bob.text):
        assert "Traceback" not in text
        assert "73091" not in text
