"""Installed plugins: what is right is found; what is broken is named with its reason, and breaks nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mpcnet import LocalError, find_protocol
from mpcnet.declare import list_protocols
from mpcnet.declare.plugins import load_entry_point, load_protocols

Install = Callable[..., None]


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Nothing is opened here, and no loop runs: the fixture of this folder would want one."""


GOOD = """
from dataclasses import dataclass
from mpcnet import Ints, Many, Party, protocol

@dataclass(frozen=True)
class Rules:
    pass

@protocol("{name}", version=1, params=Rules, roles={{"owners": Many(2)}}, outputs={{"sum": "everyone"}},
          inputs={{"value": Ints(by="owners")}}, api={api})
async def it(party: Party[Rules]) -> int:
    "The sum of {name}."
    return int((await party.reveal(sum=party.share("value").sum()))["sum"])
"""


def good(name: str, api: int = 1) -> str:
    return GOOD.format(name=name, api=api)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one module on the path: as installed as pip makes one."""
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType]

    made: list[str] = []

    def make(distribution: str, text: str, **points: str) -> None:
        module = distribution.replace("-", "_")
        made.append(module)
        (tmp_path / f"{module}.py").write_text(text)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{name.replace('_', '-')} = {module}:{attribute}" for name, attribute in points.items()]
        (info / "entry_points.txt").write_text("[mpcnet.protocols]\n" + "\n".join(lines) + "\n")

    load_entry_point.cache_clear()
    yield make
    load_entry_point.cache_clear()
    for module in made:
        sys.modules.pop(module, None)


def test_a_plugin_is_found_beside_the_bundled_protocols(install: Install) -> None:
    bundled = list_protocols()
    install("plugins-good", good("wage-gap"), wage_gap="it")
    assert find_protocol("wage-gap").summary == "The sum of wage-gap."
    found, broken = load_protocols()
    assert [item.name for item in found] == sorted([*bundled, "wage-gap"])
    assert broken == {}


@pytest.mark.parametrize(
    ("text", "attribute", "reason"),
    [
        ("import no_such_module", "it", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("it = (", "it", "SyntaxError: '(' was never closed"),
        ("1 / 0", "it", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "it", "SystemExit: 3"),
        ("it = 5", "that", "AttributeError: module"),
        ("def it(): pass", "it", "is no protocol but a function: see @mpcnet.protocol"),
        (good("other-name"), "it", "holds protocol 'other-name': give both one name"),
        (good("Bad Name"), "it", "a protocol's name is lower case words"),
        (good("broken", 2), "it", "for version 2 of mpcnet's plugin interface, and this mpcnet has version 1"),
        (good("broken", 0), "it", "install a newer release of the plugin"),
    ],
)
def test_a_broken_plugin_is_named_with_its_reason(install: Install, text: str, attribute: str, reason: str) -> None:
    bundled = list_protocols()
    install("plugins-broken", text, broken=attribute)
    with pytest.raises(LocalError) as caught:
        find_protocol("broken")
    assert "'broken'" in str(caught.value)
    assert reason in str(caught.value)
    found, broken = load_protocols()
    assert [item.name for item in found] == bundled
    assert broken == {"broken": str(caught.value)}


def test_two_distributions_with_one_name(install: Install) -> None:
    install("one-plugin", good("wage-gap"), wage_gap="it")
    install("other-plugin", good("wage-gap"), wage_gap="it")
    install("greedy-plugin", good("average"), average="it")
    _, broken = load_protocols()
    assert set(broken) == {"wage-gap", "average"}
    for text in ("one_plugin:it of one-plugin", "other_plugin:it of other-plugin"):
        assert text in broken["wage-gap"]
    assert "mpcnet_protocols.average:average of mpcnet" in broken["average"]
    assert "greedy_plugin:it of greedy-plugin" in broken["average"]


def test_where_a_plugin_comes_from_is_said(install: Install) -> None:
    install("plugins-broken", "1 / 0", broken="it")
    with pytest.raises(LocalError, match="cannot be loaded from plugins_broken:it of plugins-broken"):
        find_protocol("broken")
