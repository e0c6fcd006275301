"""What makes pages out of the code: drawings, costs, docstrings, citations, and the check of the built site."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from mpcnet.declare import find_protocol, list_protocols
from mpcnet.declare.examples import example_inputs, example_job
from mpcnet.noise.handshake import TRANSITIONS
from mpcnet.sim import simulate

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = [
    name for name in list_protocols() if find_protocol(name).function.__module__.startswith("mpcnet_protocols.")
]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(ROOT / "docs"), *sys.path])
    return importlib.import_module("builder")


def part(name: str) -> Any:
    return importlib.import_module(f"builder.{name}")


def check_site() -> Any:
    spec = importlib.util.spec_from_file_location("check_site", ROOT / "tools" / "check_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_site"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_a_drawing_shows_every_message(builder: ModuleType, name: str) -> None:
    protocol = find_protocol(name)
    job = example_job(protocol, "drawn")
    run = simulate(job, example_inputs(protocol))
    parties = list(dict.fromkeys(party for link in run.cost.links for party in link))
    groups = part("messages").groups_of(run.trace, parties, job.dealer)
    shown: list[tuple[str, str]] = []
    for group in groups:
        shown += [(one, other) for one in group.senders for other in group.receivers if one != other]
        assert part("messages").say(group)
    sent = {
        (event.sender, event.receiver, event.kind, event.round)
        for event in run.trace
        if event.kind in {"ROUND", "DATA"}
    }
    assert sorted(shown) == sorted((sender, receiver) for sender, receiver, _, _ in sent)
    rounds = {group.when for group in groups if group.when.startswith("round")}
    assert len(rounds) == run.cost.rounds
    drawing = part("messages").draw("<title>", parties, dict.fromkeys(parties, "computes"), groups)
    tree = ElementTree.fromstring(drawing)  # noqa: S314 -- our own text
    texts = [element.text for element in tree.iter(f"{SVG}text")]
    assert set(parties) <= set(texts)
    assert "script" not in drawing


@pytest.mark.slow
def test_every_bundled_protocol_has_a_page(builder: ModuleType) -> None:
    pages: dict[str, str] = part("protocols").pages()
    assert set(pages) == {"protocols.md", *(f"protocols/{name}.md" for name in BUNDLED)}
    for name in BUNDLED:
        text = pages[f"protocols/{name}.md"]
        for heading in ("Who learns what", "Who must collude to learn more", "Messages", "Cost", "Source"):
            section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
            assert len(section) > 20, f"{name}: {heading}"
        assert all(f"`{output}`" in text for output in find_protocol(name).outputs)
        assert text.count('<div class="drawing"><svg') == 1
        assert len(re.findall(r"^- ", text.split("## Who learns what\n")[1].split("\n## ")[0], re.MULTILINE)) > 2


def test_the_first_page_shows_the_worked_example(builder: ModuleType) -> None:
    drawing: str = part("front_page").pages()["job.svg"]
    texts = [element.text for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]  # noqa: S314
    assert [texts.count(name) for name in ("alice", "bob", "carol", "dave")] == [1] * 4
    assert [texts.count(value) for value in ("3,800", "2,514", "2,982", "3,390")] == [1] * 4
    assert (texts.count("sum 12,686"), texts.count("mean 3,171.50")) == (4, 4)


def test_every_class_of_a_drawing_has_a_style(builder: ModuleType) -> None:
    style = (ROOT / "docs" / "_static" / "site.css").read_text()
    protocol = find_protocol("second-price-auction")
    drawings = part("front_page").pages()["job.svg"] + part("protocols").page_of(protocol)
    drawings += part("states").pages()["states.md"]
    used = set(re.findall(r'class="([\w ]+)"', drawings))
    assert {"ring", "dot", "arrow", "message", "column", "edge", "state"} <= used
    assert {name for name in used if f".{name}" not in style} == set()
    assert not re.search(r'(fill|stroke)="', drawings), "colours are those of the style sheet"


def test_every_transition_of_a_handshake_is_drawn(builder: ModuleType) -> None:
    """Each line begins at the box of its state, below its event, and ends at the box of the state that follows."""
    tree = ElementTree.fromstring(part("states").draw("<title>", TRANSITIONS))  # noqa: S314
    boxes = [(int(box.attrib["y"]), int(box.attrib["height"])) for box in tree.iter(f"{SVG}rect")]
    names = [text.text for text in tree.iter(f"{SVG}text") if text.attrib["class"] == "name"]
    labels = {
        int(text.attrib["y"]): text.text for text in tree.iter(f"{SVG}text") if text.attrib["class"] == "size"
    }

    def box_at(y: int) -> str | None:
        return next(name for name, (top, height) in zip(names, boxes, strict=True) if top < y < top + height)

    drawn: list[tuple[str | None, ...]] = []
    for line in tree.iter(f"{SVG}path"):
        if line.attrib["class"] == "edge":
            found = re.fullmatch(r"M \d+ (\d+) H \d+ V (\d+) H \d+", line.attrib["d"])
            assert found is not None
            drawn.append((box_at(int(found[1])), labels[int(found[1]) - 5], box_at(int(found[2]))))
    expected = [
        tuple(one.name.lower().replace("_", " ") for one in (before, event, after))
        for (before, event), after in TRANSITIONS.items()
    ]
    assert sorted(drawn) == sorted(expected)
    assert len(part("states").said(TRANSITIONS)) == len(TRANSITIONS)


@pytest.mark.slow
def test_costs_are_those_of_the_docstring(builder: ModuleType) -> None:
    rows = part("costs").cost_rows(find_protocol("average"))
    assert {(row.parties, row.computing): row.rounds for row in rows if row.parties == 4} == {(4, 4): 1, (4, 3): 2}
    # One number to each other party when the sum is opened; an owner who does not compute sends its correction.
    assert {row.computing_bytes for row in rows if (row.parties, row.computing) == (4, 4)} == {3 * 8}
    assert {row.outside_bytes for row in rows if row.computing < row.parties} == {8}


def test_commands_are_all_there(builder: ModuleType) -> None:
    text = part("commands").pages()["commands.md"]
    for words in ("mpcnet run", "mpcnet roster make", "mpcnet sim"):
        assert f"## `{words}`\n" in text
    assert "\x1b" not in text


def test_pages_beside_the_documentation_become_pages_of_it(builder: ModuleType) -> None:
    made = part("project").pages()
    assert {"contributing.md", "security.md", "changelog.md"} == set(made)
    assert "](security.md)" in made["contributing.md"]
    assert "](/review.md)" in made["contributing.md"]
    assert "](changes/)" not in made["changelog.md"]
    assert not any("docs/" in link for text in made.values() for link in re.findall(r"\]\(([^)]*)\)", text))
    within = part("project").within_site
    assert within("[a](../CONTRIBUTING.md#x) [b](../../SECURITY.md)") == (
        "[a](/generated/contributing.md#x) [b](/generated/security.md)"
    )
    assert within("[a](../README.md) `CONTRIBUTING.md`") == "[a](../README.md) `CONTRIBUTING.md`"


def test_names_of_tests_may_break(builder: ModuleType) -> None:
    breakable = part("breaks").breakable
    text = breakable("| to flip a bit | `tests/wire/test_a.py::test_a_bit` |")
    assert text.startswith(
        '| to flip a bit | <code class="docutils literal notranslate">tests/<wbr>wire/<wbr>test_<wbr>a.py'
    )
    assert re.sub(r"<[^>]*>", "", text) == "| to flip a bit | tests/wire/test_a.py::test_a_bit |"
    for untouched in ("`mpcnet/wire/stream.py`", "tests/wire/test_a.py::test_a_bit", "`tests/docs`"):
        assert breakable(untouched) == untouched


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Sum of `x`."], ["Sum of \\ ``x``\\ ."]),
        (["A drawing:", "", "    a ──▶ b"], ["A drawing:", "", "", "::", "", "    a ──▶ b"]),
        (["Args:", "    x: shape (k,)."], ["Args:", "    x: shape (k,)."]),
        (["a * b | c_"], ["a \\* b \\| c\\_"]),
        (["Source: [CDN15] §3."], ["Source: [:ref:`CDN15 <cite-cdn15>`] §3."]),
    ],
)
def test_docstrings(builder: ModuleType, lines: list[str], expected: list[str]) -> None:
    assert part("docstrings").to_rst(lines) == expected


def test_citations_become_links_and_code_stays(builder: ModuleType) -> None:
    in_markdown = part("citations").in_markdown
    assert in_markdown("see [CDN15] §3") == "see [[CDN15](#cite-cdn15)] §3"
    assert in_markdown("[cf. ABY21, Noise]") == "[cf. [ABY21](#cite-aby21), [Noise](#cite-noise)]"
    for untouched in ("`x[CDN15]`", "[CDN15](page.md)", "list[Z64]", "```\n[CDN15]\n```"):
        assert in_markdown(untouched) == untouched


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            '<p id="a"><a href="#a">fine</a> <a href="other.html#b">fine</a> <a href="https://example.org">out</a>',
            "",
        ),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css"),
        ('<img src="http://example.org/x.png">', "loads http://example.org/x.png"),
        ('<a href="missing.html">', "which is not there"),
        ('<a href="other.html#c">', "has no such place"),
    ],
)
def test_the_check_of_the_site(tmp_path: Path, body: str, problem: str) -> None:
    (tmp_path / "index.html").write_text(body)
    (tmp_path / "other.html").write_text('<p id="b">')
    found = list(check_site().problems(tmp_path))
    assert not found if not problem else problem in found[0]


def test_a_style_sheet_that_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("")
    (tmp_path / "x.css").write_text("@font-face { src: url(https://example.org/font.woff2) }")
    assert list(check_site().problems(tmp_path)) == ["x.css loads something from elsewhere"]


def test_the_words_of_the_field_are_in_the_glossary() -> None:
    terms = set(re.findall(r"^([^\s`#:].*)$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE))
    words = re.findall(
        r"\S+",
        "party roster member role job share open reveal round step evaluation scheme domain triple dealer OT OPRF "
        "view transcript abort semi-honest malicious corrupted κ σ",
    )
    phrases = {
        "input party",
        "computing party",
        "output party",
        "masked bits",
        "correlated randomness",
        "choice bit",
    }
    assert {*words, *phrases} <= terms
