"""The page that builds a protocol runs as it stands: its files are written, its commands run, its output compared.

`pip` is a stand-in that registers the package where it lies: tests install nothing into their own environment.
`make wheel` takes the real one. The conformance kit tries fewer cases here: its own tests and those of the bundled
protocols try them all.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.addresses import with_free_ports
from tests.support.processes import printed_by

PAGE = Path(__file__).resolve().parents[2] / "docs" / "writing-a-protocol.md"
BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# ([\w./-]+\.py)\n")

PIP = """#!{python}
import pathlib, sys, tomllib
assert sys.argv[1:] == ["install", "-e", ".[dev]"], sys.argv
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
info = pathlib.Path("src") / (project["name"].replace("-", "_") + "-0.1.0.dist-info")
info.mkdir()
(info / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {{project['name']}}\\nVersion: 0.1.0\\n")
lines = [f"{{name}} = {{value}}" for name, value in project["entry-points"]["mpcnet.protocols"].items()]
(info / "entry_points.txt").write_text("[mpcnet.protocols]\\n" + "\\n".join(lines) + "\\n")
"""

BRIEF = """
from mpcnet.testing import check_protocol, crash_faults
check_protocol.__kwdefaults__.update(examples=1, pairs=1, outsiders=(0,))
crash_faults._MOST_CRASHES = 6
"""

# `mpcnet` without the second that each of its processes would take to import the same: one that has done so forks
# for each call, with the caller's folder and streams. What is called is what the command calls.
SERVER = """
import importlib, os, socket, sys
import mpcnet.cli.protocol_commands, mpcnet.cli.demo, mpcnet.cli.keys
import mpcnet.cli.new, mpcnet.cli.run, mpcnet.cli.sim
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)
print("ready", flush=True)
while True:
    caller, _ = listener.accept()
    if os.fork():
        caller.close()
        continue
    words, streams, *_ = socket.recv_fds(caller, 65536, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    # What was behind these numbers before may have been a file, where text streams remember their place.
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))
    folder, *sys.argv = words.decode().split(chr(0))
    os.chdir(folder)
    importlib.invalidate_caches()
    code = 1
    try:
        mpcnet.cli.main()
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        sys.stdout.flush()
        caller.send(bytes([code]))
        os._exit(code)
"""

CLIENT = """#!{python} -SE
import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
words = chr(0).join([os.getcwd(), "mpcnet", *sys.argv[1:]])
socket.send_fds(server, [words.encode()], [0, 1, 2])
sys.exit((server.recv(1) or bytes([1]))[0])
"""


def squeezed(text: str) -> str:
    return " ".join(text.split())


class Reader:
    """Somebody at a terminal who does what the page says."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home
        programs = home / "programs"
        programs.mkdir()
        (programs / "pip").write_text(PIP.format(python=sys.executable))
        (programs / "pip").chmod(0o755)
        (programs / "brief.py").write_text(BRIEF)
        (programs / "mpcnet").write_text(CLIENT.format(python=sys.executable, address=str(home / "socket")))
        (programs / "mpcnet").chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        source = os.pathsep.join([str(home / "borda-vote" / "src"), str(programs)])
        changes = {"PATH": path, "PYTHONPATH": source, "NO_COLOR": "1", "COLUMNS": "120"}
        # The plugins of this environment are not those of the reader's.
        tests = {"PYTEST_ADDOPTS": "-p no:cacheprovider -p brief", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        self.environment = {**os.environ, **changes, **tests}

    @contextmanager
    def serving(self) -> Generator[None]:
        """While `mpcnet` can be called."""
        command = [sys.executable, "-c", SERVER, str(self.home / "socket")]
        with subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == "ready\n"
                yield
            finally:
                os.killpg(server.pid, signal.SIGKILL)

    def shell(self, block: str) -> str:
        """Run a block, and stay in the folder to which it goes."""
        where = self.home / "where"
        printed = self._run(["bash", "-euo", "pipefail", "-c", f"{block}\npwd > '{where}'"])
        self.folder = Path(where.read_text().strip())
        return printed

    def python(self, block: str) -> str:
        program = self.home / "example.py"
        program.write_text(f"import brief\n{block}" if "check_protocol" in block else block)
        return self._run([sys.executable, str(program)])

    def _run(self, command: list[str]) -> str:
        return printed_by(command, cwd=self.folder, environment=self.environment)


@pytest.mark.slow
@pytest.mark.processes
def test_the_page(tmp_path: Path) -> None:
    reader, printed, compared = Reader(tmp_path), "", 0
    with reader.serving():
        for language, block in BLOCK.findall(with_free_ports(PAGE.read_text())):
            if language == "text":
                for line in block.splitlines():
                    assert squeezed(line) in squeezed(printed), f"{line!r} is not in {printed!r}"
                    compared += 1
            elif language == "sh":
                printed = reader.shell(block)
            elif named := FILE.match(block):
                (tmp_path / named[1]).write_text(block[named.end() :])
            else:
                printed = reader.python(block)
    assert compared > 20
