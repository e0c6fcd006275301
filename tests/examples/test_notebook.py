"""The notebook runs from top to bottom, and is stored as its author wrote it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "simulate.ipynb"

# In a process of its own: the client of a kernel has an event loop, sockets and threads that it does not all close,
# and warnings of its own; here each of them would be an error. Its kernel is another process.
EXECUTE = """
import json, sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
print(json.dumps(notebook))
"""


def stored() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(NOTEBOOK.read_text())
    return document


def test_it_is_stored_without_outputs_and_without_a_machine() -> None:
    notebook = stored()
    assert notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


@pytest.mark.slow
@pytest.mark.processes
def test_it_runs(tmp_path: Path) -> None:
    folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    executed = subprocess.run(
        [sys.executable, "-P", "-c", EXECUTE, str(NOTEBOOK)],
        cwd=tmp_path,
        env={**os.environ, **{name: str(tmp_path / name.lower()) for name in folders}},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert executed.returncode == 0, executed.stderr
    printed = {
        cell["id"]: "".join("".join(output["text"]) for output in cell["outputs"])
        for cell in json.loads(executed.stdout)["cells"]
        if cell["cell_type"] == "code"
    }
    assert printed.keys() == {cell["id"] for cell in stored()["cells"] if cell["cell_type"] == "code"}
    assert printed["raises"].count("learns: sum 12,686, average 3,171.50\n") == 4
    assert "1 round, 96 bytes; 0.350 s on a WAN" in printed["raises"]
    assert printed["view"].splitlines() == [f"from {name}, 8 bytes" for name in ("bob", "carol", "dave")]
    assert [line.split()[0] for line in printed["auction"].splitlines()] == ["bidders", "2", "4", "8", "16"]
    told = dict(line.split(maxsplit=1) for line in printed["crash"].splitlines())
    assert told.pop("bidder-2").startswith("Crashed")
    assert told.keys() == {"bidder-0", "bidder-1", "bidder-3", "dora"}
    assert all(error.startswith("PeerLost: bidder-2:") for error in told.values())
