"""Hypothesis is an extra: nothing but a check of a protocol needs it, and without it one is told."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from typing import Any

import pytest

import mpcnet.testing
from mpcnet import LocalError
from mpcnet.testing import Case, check_protocol
from mpcnet_protocols.average import average

PROGRAM = """
import sys
import mpcnet, mpcnet.testing, mpcnet.testing.lockstep
mpcnet.find_protocol("average")
assert "hypothesis" not in sys.modules
"""


@pytest.mark.processes
def test_importing_mpcnet_does_not_import_hypothesis() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)


def never(case: Case[Any]) -> Any:
    raise AssertionError


def test_without_hypothesis_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("mpcnet.testing.strategies", raising=False)
    monkeypatch.delitem(sys.modules, "mpcnet.testing.strategies", raising=False)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(LocalError, match=r"needs Hypothesis: pip install 'mpcnet\[testing\]'"):
        check_protocol(average, never)


def test_support_for_our_own_tests_is_not_in_the_kit() -> None:
    """Terminals, processes and lying parties are tests' own: they stand in tests/support, outside of the wheel."""
    opened = {
        name
        for module in pkgutil.iter_modules(mpcnet.testing.__path__, "mpcnet.testing.")
        for name in re.findall(
            r"^(?:import|from) (\w+)", inspect.getsource(importlib.import_module(module.name)), re.M
        )
    }
    assert not opened & {"pty", "pexpect", "socket", "subprocess", "termios"}
