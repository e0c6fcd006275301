"""Every command and program of the tutorial and the how-to pages runs as it stands, in the order of its page.

A block `sh` is run by bash; a block `python` is run, or saved if its first line is a comment with a file's name.
Each line of a block `text` that follows must be in what was printed, blanks aside.

Commands of `mpcnet` that stand alone on their lines, and programs, run in this process, which has everything
imported: most of a short command's time is Python's start. Parties side by side, pipes and whatever else is the
shell's stay with bash.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mpcnet.cli import app
from tests.support.addresses import with_free_ports
from tests.support.processes import printed_by

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
IN_THE_CLONE = {"measure.md"}
"""Pages whose commands are those of a clone; all others see installed packages only."""

Block = tuple[str, str]
"""Language and text."""


def blocks_of(page: Path) -> list[Block]:
    return re.findall(r"^```(sh|python|text)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def run(command: list[str], folder: Path, page: Path) -> str:
    """What the command prints, where the page has it run."""
    # Unbuffered, several programs would print into each other's lines.
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }
    cwd = ROOT if page.name in IN_THE_CLONE else folder
    return printed_by(command, cwd=cwd, environment=environment)


_SHELL = re.compile(r"[|&;<$`*?]")


def words_of(line: str) -> tuple[list[str], str] | None:
    """The words of a line that is one command of ours, and into which file it prints; None for all other lines."""
    command, sign, target = line.partition(" > ")
    if not command.startswith("mpcnet ") or _SHELL.search(line) or (sign and not re.fullmatch(r"[\w.-]+", target)):
        return None
    words = shlex.split(command)[1:]
    return None if words[0] in ("demo", "run") else (words, target)  # these are processes, and talk to others


def run_shell(block: str, folder: Path, page: Path) -> str:
    """As bash would: here if the block has nothing but commands of ours, or files to show."""
    lines = [line.partition("  #")[0].rstrip() for line in re.sub(r"\\\n\s*", " ", block).splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    begun = 0
    printed = ""
    while begun < len(lines) and page.name not in IN_THE_CLONE and (found := words_of(lines[begun])) is not None:
        printed += run_words(*found, folder)
        begun += 1
    rest = "\n".join(lines[begun:])
    return printed + (run(["bash", "-euo", "pipefail", "-c", rest], folder, page) if rest else "")


def run_words(words: list[str], target: str, folder: Path) -> str:
    """A command of ours in this process; what it prints goes to a file, if it is to."""
    with contextlib.chdir(folder):
        ended = CliRunner(env={"NO_COLOR": "1", "COLUMNS": "120"}).invoke(app, words, prog_name="mpcnet")
    assert ended.exit_code == 0, (words, ended.output)
    if target:
        (folder / target).write_text(ended.stdout)
        return ended.stderr
    return ended.output


def run_program(program: Path, names: set[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A program of the page, which finds the page's other files: those alone, and as they stand now."""
    printed = io.StringIO()
    with monkeypatch.context() as patched, contextlib.chdir(program.parent), contextlib.redirect_stdout(printed):
        patched.setattr(sys, "path", [str(program.parent), *sys.path])
        importlib.invalidate_caches()
        for name in names:
            patched.delitem(sys.modules, name, raising=False)
        try:
            runpy.run_path(str(program), run_name="__main__")
        finally:
            for name in names:
                sys.modules.pop(name, None)
    return printed.getvalue()


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = with_free_ports(page.read_text())
    blocks: list[Block] = re.findall(r"^```(sh|python|text)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    printed = ""
    saved: set[str] = set()
    for language, block in blocks:
        if language == "text":
            for line in block.splitlines():
                assert squeezed(line) in squeezed(printed), f"{page.name}: {line!r} is not in {printed!r}"
        elif language == "sh":
            printed = run_shell(block, tmp_path, page)
        elif named := re.match(r"# (\w+\.py)\n", block):
            (tmp_path / named[1]).write_text(block)
            saved.add(named[1].removesuffix(".py"))
        else:
            program = tmp_path / "example.py"  # beside the files of the page, so that it can import them
            program.write_text(block)
            printed = run_program(program, saved, monkeypatch)


def test_what_is_said_to_be_printed_follows_something_that_prints() -> None:
    for page in PAGES:
        for before, after in zip([("text", ""), *blocks_of(page)], blocks_of(page), strict=False):
            if after[0] == "text":
                assert before[0] != "text", f"{page.name}: {after[1]!r}"
                assert not re.match(r"# \w+\.py\n", before[1]), f"{page.name}: {after[1]!r}"


def test_pages_have_something_to_run() -> None:
    assert sum(language != "text" for page in PAGES for language, _ in blocks_of(page)) > 20
