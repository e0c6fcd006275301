"""The picture of a job on the first page: the worked example, with the inputs and the outcome of a simulated run.

One column for each party. From above: what it gives, the agreement, the parts of every input that it holds, their
sum, the opening, and what it learns. The text is as large as the page's where there is room, and can be read on a
telephone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from mpcnet import simulate
from mpcnet.declare import find_protocol
from mpcnet.declare.examples import example_inputs, example_job

__all__ = ("pages", "picture")

_PROTOCOL = "average"
_COLUMN = 122
_EDGE = 60
_BOX = (112, 30)
_STEPS = (
    "1. Agree: everyone runs the same job, or nothing is sent.",
    "2. Share: each raise becomes random parts, one for each party.",
    "3. Add: each party adds up the parts that it holds.",
    "4. Reveal: the parts of the sum are put together.",
)


def pages() -> dict[str, str]:
    """File name to text."""
    protocol = find_protocol(_PROTOCOL)
    inputs = example_inputs(protocol)
    run = simulate(example_job(protocol, "first-page"), inputs)
    given = {party: f"{value:,}" for party, values in inputs.items() for value in values.values()}
    outcome = next(iter(run.outputs.values()))
    drawn = picture(given, (f"sum {outcome.sum:,}", f"mean {float(outcome.mean):,.2f}"))
    return {"job.svg": f'<div class="drawing">{drawn}</div>\n'}


def picture(given: dict[str, str], learned: Sequence[str]) -> str:
    """The picture, as SVG for a page that has our style sheet.

    Args:
        given: by party, its input.
        learned: lines that every party reads at the end.
    """
    columns = [_EDGE + place * _COLUMN for place in range(len(given))]
    width = 2 * _EDGE + (len(given) - 1) * _COLUMN
    parts = [
        f'<svg class="job" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 430" role="img">',
        f"<title>A job of {len(given)} parties</title>",
        f"<desc>{escape(_said(given, learned))}</desc>",
    ]
    for x, (name, value) in zip(columns, given.items(), strict=True):
        parts += [_text(x, 18, name, "name"), *_box(x, 28, [value], "private")]
    parts += [_caption(88, _STEPS[0]), *_exchange(columns, 108)]
    parts += [_caption(146, _STEPS[1]), *_mesh(columns, 160, 216)]
    parts.append(_caption(250, _STEPS[2]))
    for x in columns:
        parts += _box(x, 260, ["Σ of parts"], "part")
    parts += [_caption(320, _STEPS[3]), *_exchange(columns, 340)]
    for x in columns:
        parts += _box(x, 366, learned, "open")
    return "\n".join([*parts, "</svg>", ""])


def _said(given: dict[str, str], learned: Sequence[str]) -> str:
    gives = ", ".join(f"{name} gives {value}" for name, value in given.items())
    return f"{gives}. {' '.join(_STEPS)} Each party learns: {', '.join(learned)}."


def _text(x: int, y: int, text: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="middle" class="{kind}">{escape(text)}</text>'


def _caption(y: int, text: str) -> str:
    return f'<text x="{_EDGE - _BOX[0] // 2}" y="{y}" class="caption">{escape(text)}</text>'


def _box(x: int, y: int, lines: Sequence[str], kind: str) -> Iterator[str]:
    width, line = _BOX
    height = line if len(lines) == 1 else 20 * len(lines) + 12
    yield f'<rect x="{x - width // 2}" y="{y}" width="{width}" height="{height}" rx="6" class="{kind}"/>'
    for place, text in enumerate(lines):
        yield _text(x, y + 20 + 20 * place, text, "value")


def _exchange(columns: Sequence[int], y: int) -> Iterator[str]:
    """Everyone to everyone, as on the pages of protocols: a line with a ring at each party."""
    yield f'<line x1="{columns[0]}" y1="{y}" x2="{columns[-1]}" y2="{y}" class="message"/>'
    for x in columns:
        yield f'<circle cx="{x}" cy="{y}" r="5" class="ring"/>'


def _mesh(columns: Sequence[int], top: int, bottom: int) -> Iterator[str]:
    """A part of every input for every party."""
    for start in columns:
        for end in columns:
            yield f'<line x1="{start}" y1="{top}" x2="{end}" y2="{bottom}" class="share"/>'
    for x in columns:
        yield f'<circle cx="{x}" cy="{top}" r="4" class="dot"/>'
        yield f'<circle cx="{x}" cy="{bottom}" r="4" class="dot"/>'
