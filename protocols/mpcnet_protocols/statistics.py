"""Count, sum, mean and variance per group, over rows that stay with their owners: the wage-gap case.

    every owner                                     every party
    rows (value, group)
      │ adds up per group, locally
    counts   ──shared──▶  counts per group   ──revealed──▶  which groups are large enough
    sums     ──shared──▶  sums per group     ──revealed for those only──▶  means, gaps
    squares  ──shared──▶  squares per group  ──revealed for those only──▶  variances

Two online rounds when the owners compute: the counts, then everything else. What is opened in the second round
follows from the first one's public result, so all parties run the same program. Sums of groups under the minimum
size are shared, but never opened. The case is that of the Boston Women's Workforce Council [Lapets18].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mpcnet import Example, Ints, LocalDecimals, LocalError, LocalLabels, Many, Party, Revealed, Secret, protocol

__all__ = ("Group", "Outcome", "Rules", "statistics")

_LEAST_OWNERS = 3
_LEAST_GROUP_SIZE = 3
_MAX_GROUPS = 4000
"""The agreement holds 4,096 of anything."""
_WHICH = ("mean", "variance")


@dataclass(frozen=True)
class Rules:
    """What the parties agree on.

    Args:
        groups: the labels of the categorical column; gaps are measured against the first one.
        low: the lowest value of a row.
        high: the highest.
        minimum_group_size: groups with fewer rows, of all owners together, are suppressed; at least 3.
        max_rows: how many rows an owner has at most.
        which: what is revealed beside the counts: "mean" (with the sum), and "variance" (with both).
        places: how many decimal places a value may have; a value with more is refused, and never rounded.

    Raises:
        LocalError: a parameter is not as said.
    """

    groups: tuple[str, ...]
    low: int = 0
    high: int = 10_000_000
    minimum_group_size: int = 5
    max_rows: int = 10_000
    which: tuple[str, ...] = _WHICH
    places: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.groups) <= _MAX_GROUPS:
            raise LocalError(f"parameter 'groups' lists 1 to {_MAX_GROUPS} groups, not {len(self.groups)}")
        if len(set(self.groups)) != len(self.groups):
            raise LocalError("parameter 'groups' lists a group twice")
        if not all(label and label == label.strip() and label.isprintable() for label in self.groups):
            raise LocalError(
                "parameter 'groups' lists a group that is empty, not printable or begins or ends blank"
            )
        if self.low > self.high:
            raise LocalError("parameter 'low' is above parameter 'high'")
        if self.minimum_group_size < _LEAST_GROUP_SIZE:
            raise LocalError(f"parameter 'minimum_group_size' is at least {_LEAST_GROUP_SIZE}")
        if self.max_rows < 1:
            raise LocalError("parameter 'max_rows' is at least 1")
        if unknown := sorted(set(self.which) - set(_WHICH)):
            raise LocalError(f"parameter 'which' lists some of {', '.join(_WHICH)}, not {unknown[0]!r}")

    @property
    def means(self) -> bool:
        """Whether sums are opened."""
        return bool(self.which)

    @property
    def variances(self) -> bool:
        """Whether sums of squares are opened."""
        return "variance" in self.which


@dataclass(frozen=True)
class Group:
    """What every party learns of one group. None stands for what is suppressed or was not asked for.

    Args:
        label: its name.
        count: rows of all owners together.
        sum: of their values; a whole number if no decimal places were agreed.
        mean: sum / count.
        population_variance: mean of the squared distances from the mean: of just these rows.
        sample_variance: the same with count - 1 below: the unbiased estimate for those of whom these are a sample.
        gap: this mean minus that of the first group.
    """

    label: str
    count: int
    sum: int | Fraction | None = None
    mean: Fraction | None = None
    population_variance: Fraction | None = None
    sample_variance: Fraction | None = None
    gap: Fraction | None = None

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation, rounded to a float."""
        return None if self.sample_variance is None else float(self.sample_variance) ** 0.5


@dataclass(frozen=True)
class Outcome:
    """What every party learns.

    Args:
        groups: in the agreed order.
        minimum_group_size: groups below it have a count and nothing else.
    """

    groups: tuple[Group, ...]
    minimum_group_size: int

    def __getitem__(self, label: str) -> Group:
        for group in self.groups:
            if group.label == label:
                return group
        raise KeyError(label)


def _explain(outcome: Outcome) -> str:
    """A table of at most 60 columns for labels and numbers of ordinary length."""
    shown = [group for group in outcome.groups if group.count >= outcome.minimum_group_size]
    columns = ["group", "count"]
    columns += ["mean"] if any(group.mean is not None for group in shown) else []
    columns += ["std dev"] if any(group.deviation is not None for group in shown) else []
    columns += ["gap"] if any(group.gap for group in shown) else []
    rows = [_cells(group, columns, outcome.minimum_group_size) for group in outcome.groups]
    widths = [max(len(row[place]) for row in [columns, *rows] if place < len(row)) for place in range(len(columns))]
    return "\n".join([*(_line(row, widths) for row in [columns, *rows]), *_notes(outcome, columns)])


def _notes(outcome: Outcome, columns: Sequence[str]) -> list[str]:
    minimum = outcome.minimum_group_size
    notes = [f"- under {minimum} rows"] if any(group.count < minimum for group in outcome.groups) else []
    notes += ["std dev of a sample"] if "std dev" in columns else []
    notes += [f"gap to {outcome.groups[0].label}"] if "gap" in columns else []
    return ["; ".join(notes)] if notes else []


def _cells(group: Group, columns: Sequence[str], minimum: int) -> list[str]:
    if group.count < minimum:
        return [group.label, f"{group.count:,}"] + ["-"] * (len(columns) - 2)
    values = {"mean": group.mean, "std dev": group.deviation, "gap": group.gap}
    cells = [_number(name, values[name]) for name in columns[2:]]
    return [group.label, f"{group.count:,}", *cells]


def _number(name: str, value: Fraction | float | None) -> str:
    if value is None:
        return "-"
    # A float would round numbers over 2^53.
    exact = Decimal(value.numerator) / value.denominator if isinstance(value, Fraction) else Decimal(value)
    return f"{exact:+,.2f}" if name == "gap" and value else f"{exact:,.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others])


def _unit(rules: Rules) -> int:
    """By what values are multiplied to be whole."""
    return int(10**rules.places)


def _largest_square(rules: Rules) -> int:
    return max(rules.low**2, rules.high**2) * _unit(rules) ** 2


def _sum_limits(rules: Rules) -> tuple[int, int]:
    most = rules.max_rows * _unit(rules)
    return most * min(0, rules.low), most * max(0, rules.high)


def _square_limits(rules: Rules) -> tuple[int, int]:
    return 0, rules.max_rows * _largest_square(rules) if rules.variances else 0


def _add_up(values: NDArray[np.int64], places: NDArray[np.intp], groups: int) -> NDArray[np.int64]:
    """Sums per group in 64-bit integers: exact, since the declared limits of sums and squares hold them."""
    totals = np.zeros(groups, np.int64)
    np.add.at(totals, places, values)
    return totals


def _check_rows(rules: Rules, own: Mapping[str, Any]) -> None:
    values, labels = len(own["value"]), len(own["group"])
    if values != labels:
        raise LocalError(
            f"inputs 'value' and 'group' must be of one length: one of each for every row; they have {values:,} "
            f"and {labels:,}"
        )


def _check_totals(rules: Rules, roles: Mapping[str, Sequence[str]]) -> None:
    """Totals over all owners fit into 64 bits, or no such job can run."""
    owners = len(roles["owners"])
    for name, limits in (("sums", _sum_limits(rules)), ("sums of squares", _square_limits(rules))):
        if owners * max(map(abs, limits)) >= 2**63:
            raise LocalError(
                f"the {name} of {owners} owners could leave 64 bits: lower 'high' or 'max_rows', or take only "
                "\"mean\" in 'which'"
            )


@dataclass(frozen=True, repr=False)
class _Own:
    """One owner's part, per group."""

    counts: NDArray[np.int64]
    sums: NDArray[np.int64]
    squares: NDArray[np.int64]


def _own_part(party: Party[Rules]) -> _Own | None:
    """Our rows, added up; None if we own none."""
    if party.me not in party.roles["owners"]:
        return None
    values: NDArray[np.int64] = party.local("value")
    labels: tuple[str, ...] = party.local("group")
    groups = party.params.groups
    place_of = {label: place for place, label in enumerate(groups)}
    places = np.fromiter((place_of[label] for label in labels), np.intp, len(labels))
    ones = np.ones_like(values)
    squares = values * values if party.params.variances else np.zeros_like(values)
    return _Own(*(_add_up(column, places, len(groups)) for column in (ones, values, squares)))


def _moments(label: str, count: int, total: int | None, squares: int | None, unit: int) -> Group:
    """A group from its count and its totals in whole units, of which a value has `unit`."""
    if total is None:
        return Group(label, count)
    exact = total if unit == 1 else Fraction(total, unit)
    mean = Fraction(total, unit * count)
    if squares is None:
        return Group(label, count, exact, mean)
    scatter = Fraction(squares, unit**2) - mean * exact  # the sum of squared distances from the mean
    return Group(label, count, exact, mean, scatter / count, scatter / (count - 1))


def _with_gaps(groups: Sequence[Group]) -> tuple[Group, ...]:
    first = groups[0].mean
    if first is None:
        return tuple(groups)
    parts = ((group, None if group.mean is None else group.mean - first) for group in groups)
    return tuple(
        Group(
            group.label,
            group.count,
            group.sum,
            group.mean,
            group.population_variance,
            group.sample_variance,
            gap,
        )
        for group, gap in parts
    )


@dataclass(frozen=True)
class _Totals:
    """Totals per group, over all owners; squares None if variances were not agreed."""

    counts: Secret
    sums: Secret
    squares: Secret | None


def _share_totals(party: Party[Rules]) -> _Totals:
    """All totals, before anything is opened: ranges that leave 64 bits are refused while nothing is sent."""
    own = _own_part(party)
    counts = party.share("counts", own and own.counts).sum(axis=0)
    sums = party.share("sums", own and own.sums).sum(axis=0)
    if not party.params.variances:
        return _Totals(counts, sums, None)
    return _Totals(counts, sums, party.share("squares", own and own.squares).sum(axis=0))


async def _open_large(party: Party[Rules], totals: _Totals, large: list[int]) -> Revealed:
    """Sums, and squares if agreed, of the groups in these places; nothing of another group is opened."""
    outputs = {"sums": totals.sums[large]}
    if totals.squares is not None:
        outputs["squares"] = totals.squares[large]
    return await party.reveal(**outputs)


@protocol(
    "statistics",
    version=1,
    params=Rules,
    roles={"owners": Many(_LEAST_OWNERS)},
    inputs={
        "value": LocalDecimals(
            by="owners", range=("low", "high"), places="places", most="max_rows", help="one number for each row"
        ),
        "group": LocalLabels(by="owners", labels="groups", most="max_rows", help="the group of each row"),
        "counts": Ints(by="owners", range=(0, "max_rows"), shape=("groups",), derived=True),
        "sums": Ints(by="owners", range=_sum_limits, shape=("groups",), derived=True),
        "squares": Ints(by="owners", range=_square_limits, shape=("groups",), derived=True),
    },
    outputs={
        "counts": "everyone",
        "sums": lambda rules: "everyone" if rules.means else (),
        "squares": lambda rules: "everyone" if rules.variances else (),
    },
    example=Example(
        params=Rules(groups=("men", "women", "other"), high=1_000_000),
        roles={"owners": ("acorn", "birch", "cedar")},
        inputs={
            "acorn": {
                "value": ["71000", "64500", "68250", "59900", "83000"],
                "group": ["men", "women", "men", "women", "other"],
            },
            "birch": {
                "value": ["90500", "78000", "62000", "74400"],
                "group": ["men", "women", "women", "men"],
            },
            "cedar": {
                "value": ["55250", "69000", "81000", "57750", "66100"],
                "group": ["women", "men", "other", "women", "men"],
            },
        },
    ),
    explain=_explain,
    check=_check_rows,
    check_job=_check_totals,
)
async def statistics(party: Party[Rules]) -> Outcome:
    """Count, mean and variance per group; the rows stay with their owners.

    Mean, variance and gaps follow from what is opened. Counts of small groups are not hidden: to hide them takes a
    comparison of secrets and so a dealer, without whom this protocol gets by.

    Leaks:
        - Everyone learns the count of every group, also of small ones.
        - Of groups with at least `minimum_group_size` rows everyone learns the sum too, and with "variance" the sum
          of squares. Of smaller groups nothing is opened but the count.
        - No party learns how many rows another owner has, or that owner's part of a sum.
        - A party that knows all rows of a group but one, for example because they are its own, learns that one: the
          minimum counts rows, not owners.
        - Two runs that differ by one row reveal that row, and a minimum size does not help.
        - A variance of 0, or a sum at an end of its range, reveals all values of its group.
    Threat model: that of the scheme; with additive sharing semi-honest, all but one computing party may collude.
    Inputs may be untrue, and an owner that runs another program can give sums that fit no rows.
    Rounds: 2 if the owners compute (1 if every group is suppressed), else 4 (2).

    Raises:
        LocalError: values and groups of different length; sums or squares could leave 64 bits: lower `high` or
            `max_rows`, or leave out "variance". Both are found out before any link is up.
    Source: [CDN15] §3, secure summation.
    """
    rules = party.params
    totals = _share_totals(party)
    counts = [int(count) for count in (await party.reveal(counts=totals.counts))["counts"]]
    large = [place for place, count in enumerate(counts) if count >= rules.minimum_group_size]
    sums: dict[int, int] = {}
    squares: dict[int, int] = {}
    if large and rules.means:
        out = await _open_large(party, totals, large)
        sums = _by_place(large, out["sums"])
        squares = _by_place(large, out["squares"]) if rules.variances else {}
    groups = [
        _moments(label, counts[place], sums.get(place), squares.get(place), _unit(rules))
        for place, label in enumerate(rules.groups)
    ]
    return Outcome(_with_gaps(groups), rules.minimum_group_size)


def _by_place(places: Sequence[int], values: Any) -> dict[int, int]:
    return {place: int(value) for place, value in zip(places, values, strict=True)}
