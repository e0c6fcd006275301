"""Every command and program of the tutorial and the how-to pages runs as it stands, in the order of its page.

A block `sh` is run by bash; a block `python` is run, or saved if its first line is a comment with a file's name.
Each line of a block `text` that follows must be in what was printed, blanks aside.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
IN_THE_CLONE = {"measure.md"}
"""Pages whose commands are those of a clone; all others see installed packages only."""

Block = tuple[str, str]
"""Language and text."""


def blocks_of(page: Path) -> list[Block]:
    return re.findall(r"^```(sh|python|text)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def with_free_ports(text: str) -> str:
    """Each address of the page is another free port, the same in the whole page."""
    named = sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text)))
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in named]
    for name, one in zip(named, sockets, strict=True):
        text = text.replace(f"127.0.0.1:{name}", f"127.0.0.1:{one.getsockname()[1]}")
        one.close()
    return text


def run(command: list[str], folder: Path, page: Path) -> str:
    """What the command prints. Whatever it has started ends with it."""
    # Unbuffered, several programs would print into each other's lines.
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }
    cwd = ROOT if page.name in IN_THE_CLONE else folder
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            printed = process.communicate(timeout=120)[0]
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, printed
    return printed


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page(page: Path, tmp_path: Path) -> None:
    text = with_free_ports(page.read_text())
    blocks: list[Block] = re.findall(r"^```(sh|python|text)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    printed = ""
    for language, block in blocks:
        if language == "text":
            for line in block.splitlines():
                assert squeezed(line) in squeezed(printed), f"{page.name}: {line!r} is not in {printed!r}"
        elif language == "sh":
            printed = run(["bash", "-euo", "pipefail", "-c", block], tmp_path, page)
        elif named := re.match(r"# (\w+\.py)\n", block):
            (tmp_path / named[1]).write_text(block)
        else:
            program = tmp_path / "example.py"  # beside the files of the page, so that it can import them
            program.write_text(block)
            printed = run([sys.executable, program.name], tmp_path, page)


def test_what_is_said_to_be_printed_follows_something_that_prints() -> None:
    for page in PAGES:
        for before, after in zip([("text", ""), *blocks_of(page)], blocks_of(page), strict=False):
            if after[0] == "text":
                assert before[0] != "text", f"{page.name}: {after[1]!r}"
                assert not re.match(r"# \w+\.py\n", before[1]), f"{page.name}: {after[1]!r}"


def test_pages_have_something_to_run() -> None:
    assert sum(language != "text" for page in PAGES for language, _ in blocks_of(page)) > 20
