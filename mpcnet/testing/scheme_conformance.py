"""`check_scheme`: what every scheme must do, tried in one loop without a network.

    threat       numbers of parties make sense
    correctness  every operation gives what the scheme `plain` gives over the same domain: at the domain's ends, for
                 random values, for shapes of every kind, for numbers of packed bits that end within a word
    cost         every party yields the declared rounds, every pair exchanges the declared bytes, and exactly the
                 declared correlated randomness is taken
    randomness   all of it comes from the context: a seed determines every message, and no label is drawn twice
    secrecy      what up to `tolerates(n)` parties see does not tell inputs apart, and what is revealed tells
                 nothing of the shares beside their value; see `mpcnet.testing.scheme_secrecy`

Everything is deterministic: the same scheme passes or fails in every run.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mpcnet.algebra import Domain, Shape, Words
from mpcnet.algebra.bits import BITS
from mpcnet.dsl.nodes import reshaped
from mpcnet.engine import Context, Step
from mpcnet.errors import LocalError
from mpcnet.schemes import Kind, Primitive, Scheme, Share
from mpcnet.testing.cases import ConformanceError
from mpcnet.testing.scheme_secrecy import check_secrecy
from mpcnet.testing.scheme_trials import Makes, Trial, makes_everything
from mpcnet.testing.scheme_values import (
    MATRICES,
    TO_BITS,
    clear_product,
    domains_of,
    integers,
    linear_maps,
    operands_of,
    primitives,
)

__all__ = ("check_scheme",)

# pytest leaves out frames of modules that say so: of a scheme that fails, the message tells everything.
__tracebackhide__: operator.methodcaller = operator.methodcaller("errisinstance", ConformanceError)

SHAPES: Sequence[Shape] = ((), (3,), (2, 2), (0,), (2, 0, 3), (65,))
COUNTS = (0, 1, 3, 63, 64, 65)
_MOST_TRIED = 3
"""How many numbers of computing parties are tried, from the least."""
_MOST_COMPARED = 2
"""For how many of them views are compared: among more parties coalitions are many, and their views long."""


def check_scheme(
    scheme: Scheme,
    *,
    parties: Sequence[int] = (),
    counts: Sequence[int] = COUNTS,
    makes: Sequence[Makes] = (makes_everything,),
    secrecy: bool = True,
) -> None:
    """Check a scheme against `plain`, against its own costs, and against what every scheme must do.

    Each operation runs among the computing parties, in an order that is not that of the roster, beside two parties
    that do not compute. A small scheme takes some seconds.

    Args:
        scheme: what is checked.
        parties: numbers of computing parties to try; by default the least that the scheme takes and the next two.
        counts: numbers of elements for products.
        makes: predicates of items, one for each provider that the scheme is to work with.
        secrecy: whether to compare what parties see, which takes most of the time. It is never compared for
            schemes that are not private.

    Raises:
        ConformanceError: a check failed: which, in which operation, and what was seen. An `AssertionError`.
        LocalError: the scheme does not take a number of parties that was asked for.
    Leaks: nothing; it runs on made-up values.
    Source: the secrecy check is Fisher's exact test [Fisher35] on fixed seeds; see `mpcnet.testing.distinguisher`.
    Deviates: it finds mistakes and proves nothing; that a scheme is secure is shown on paper.
    """
    _check_threat(scheme)
    for place, computing in enumerate(parties or _sizes(scheme)):
        scheme.check_parties(range(computing))
        # Roster indices that are neither the first ones nor in order: positions and indices must not be mixed up.
        order = tuple(reversed(range(1, computing + 1)))
        for predicate in makes:
            _check_trial(Trial(scheme, order, computing + 2, makes=predicate), counts)
        _check_randomness(scheme, order, computing + 2, makes[0])
        if secrecy and scheme.private and place < _MOST_COMPARED:
            check_secrecy(scheme, order, computing + 2, makes[0])


def _sizes(scheme: Scheme) -> range:
    least, most = scheme.threat.least, scheme.threat.most
    return range(least, min(most or least + _MOST_TRIED, least + _MOST_TRIED - 1) + 1)


def _check_threat(scheme: Scheme) -> None:
    threat = scheme.threat

    def fail(text: str) -> ConformanceError:
        return ConformanceError("threat", f"scheme '{scheme.name}': {text}")

    if threat.least < 1 or (threat.most is not None and threat.most < threat.least):
        raise fail(f"it takes {threat.least} to {threat.most} computing parties")
    for count in _sizes(scheme):
        tolerated = threat.tolerates(count)
        if not bool(scheme.private) <= tolerated < count:
            raise fail(f"{tolerated} of {count} computing parties may collude, which keeps no secret")
    for count in (threat.least - 1, *(() if threat.most is None else (threat.most + 1,))):
        try:
            scheme.check_parties(range(count))
        except LocalError:
            continue
        raise fail(f"it accepts {count} computing parties, and takes {threat.least} to {threat.most}")


def _check_trial(trial: Trial, counts: Sequence[int]) -> None:
    trial.set_up()
    for domain in domains_of(trial.scheme):
        for shape in SHAPES:
            _check_inputs(trial, domain, shape)
            _check_split(trial, domain, shape)
            _check_outputs(trial, domain, shape)
        _check_refusals(trial, domain)
        _check_local(trial, domain)
    for primitive in [primitive for count in counts for primitive in primitives(trial.scheme, count)]:
        _check_product(trial, primitive)
    for rows, inner, columns in MATRICES if Kind.MATMUL in trial.scheme.kinds else ():
        _check_product(trial, Primitive(Kind.MATMUL, rows * columns, inner=inner, columns=columns))
    trial.run("verify", None, trial.scheme.verify)
    _check_labels(trial)


# Sharing and opening


def _check_inputs(trial: Trial, domain: Domain, shape: Shape) -> None:
    first, last = trial.computing[0], trial.outsiders[-1]
    for owners in (trial.everyone, trial.computing, (last, first), (last,), (first,)):
        what = f"input of shape {shape} over {domain.name} from {owners}"
        rows = {owner: integers(domain, shape, owner) for owner in owners}
        shares = _shared(trial, domain, rows, what)
        _check_opened(trial, what, domain, shares, np.stack(list(rows.values())))


def _shared(trial: Trial, domain: Domain, rows: dict[int, NDArray[np.int64]], what: str) -> dict[int, Share]:
    """Shares of rows by their owners."""
    scheme, owners = trial.scheme, tuple(rows)
    shape = next(iter(rows.values())).shape

    def step(context: Context) -> Step[Share]:
        mine = domain.encode(rows[context.me]) if context.me in rows else None
        return (yield from scheme.input(context, domain, shape, owners, mine))

    shares = trial.run(what, scheme.input_cost(trial.setting, domain, shape, owners), step).results
    _check_shares(trial, what, domain, (len(owners), *shape), shares)
    return dict(shares)


def _check_shares(trial: Trial, what: str, domain: Domain, shape: Shape, shares: Mapping[int, Share]) -> None:
    held = {len(shares[party].parts) for party in trial.computing}
    if held == {0} or any(shares[party].parts for party in trial.outsiders):
        raise trial.fail("correctness", what, "shares have parts on parties that compute, and on no others")
    for me, share in shares.items():
        if share.domain is not domain or share.shape != shape:
            said = f"a share of shape {share.shape} over {share.domain.name}"
            raise trial.fail("correctness", what, f"party {me} holds {said}, not {shape} over {domain.name}")
        for part in share.parts:
            if part.shape != domain.array_shape(shape):
                raise trial.fail("correctness", what, f"a part of party {me} is an array of shape {part.shape}")


def _check_opened(
    trial: Trial, what: str, domain: Domain, shares: Mapping[int, Share], wanted: NDArray[np.int64]
) -> None:
    """Open shares, and compare with the clear at every computing party."""
    scheme, shape = trial.scheme, wanted.shape

    def step(context: Context) -> Step[Words | None]:
        return (yield from scheme.open(context, shares[context.me]))

    opened = trial.run(f"open of {what}", scheme.open_cost(trial.setting, domain, shape), step).results
    _check_values(trial, what, domain, shares, opened, trial.computing, wanted)


def _check_values(
    trial: Trial,
    what: str,
    domain: Domain,
    shares: Mapping[int, Share],
    opened: Mapping[int, Words | None],
    receivers: Sequence[int],
    wanted: NDArray[np.int64],
) -> None:
    """What each party opened is right, and its own to write; the others opened nothing."""
    for me, value in opened.items():
        if me not in receivers:
            if value is not None:
                raise trial.fail("correctness", what, f"party {me} learns it, and is no receiver")
            continue
        if value is None:
            raise trial.fail("correctness", what, f"party {me} learns nothing, and is a receiver")
        got = domain.decode(value, wanted.shape)
        if not np.array_equal(got, wanted):
            place = tuple(np.argwhere(got != wanted)[0].tolist())
            text = f"party {me} opens {got[place]} at {place}, where the clear gives {wanted[place]}"
            raise trial.fail("correctness", what, text)
        if not value.flags.writeable or any(np.shares_memory(value, part) for part in shares[me].parts):
            raise trial.fail("correctness", what, f"party {me} opens an array that is not its own to write")


def _check_split(trial: Trial, domain: Domain, shape: Shape) -> None:
    """A row that an owner shares alone opens to the row, and has as many parts as `input` gives."""
    what = f"split of shape {shape} over {domain.name}"
    row, owner = integers(domain, shape, 3), trial.outsiders[0]
    shares = trial.split(domain, row, trial.randomness(owner))
    _check_shares(trial, what, domain, shape, shares)
    given = _shared(trial, domain, {owner: row}, f"input of shape {shape} over {domain.name}")
    if any(len(given[me].parts) != len(shares[me].parts) for me in trial.computing):
        raise trial.fail("correctness", what, "a party gets another number of parts than by `input`")
    _check_opened(trial, what, domain, shares, row)


def _check_outputs(trial: Trial, domain: Domain, shape: Shape) -> None:
    scheme, what = trial.scheme, f"reveal of shape {shape} over {domain.name}"
    wanted = integers(domain, (1, *shape), 7)
    shares = _shared(trial, domain, {trial.computing[0]: wanted.reshape(shape)}, f"input for the {what}")
    for receivers in (trial.everyone, trial.computing, trial.outsiders, trial.computing[1:2], ()):

        def step(context: Context, receivers: tuple[int, ...] = receivers) -> Step[Words | None]:
            return (yield from scheme.reveal(context, shares[context.me], receivers))

        to = f"{what} to {receivers}"
        cost = scheme.reveal_cost(trial.setting, domain, wanted.shape, receivers)
        _check_values(trial, to, domain, shares, trial.run(to, cost, step).results, receivers, wanted)


def _check_refusals(trial: Trial, domain: Domain) -> None:
    """An owner's mistake is refused before anything is sent."""
    me = trial.computing[-1]
    for row in (None, domain.zeros((130,))):
        step = trial.scheme.input(trial.programs[me].context(0), domain, (2,), (me,), row)
        try:
            next(step, None)
        except LocalError:
            continue
        finally:
            step.close()
        text = f"an owner may share {'nothing' if row is None else 'a row of another shape'}"
        raise trial.fail("correctness", f"input over {domain.name}", text)


# Without a message


def _check_local(trial: Trial, domain: Domain) -> None:
    """Linear maps and additions of public values. Their surroundings have no randomness and no peers."""
    scheme, owner = trial.scheme, trial.computing[0]

    def given(shape: Shape, seed: int) -> tuple[NDArray[np.int64], dict[int, Share]]:
        values = integers(domain, shape, seed)
        rows = _shared(trial, domain, {owner: values}, f"input of shape {shape} over {domain.name}")
        return values, {me: reshaped(share, shape) for me, share in rows.items()}

    for name, linear_map, shapes, shape in linear_maps(domain):
        operands = [given(inner, 11 + place) for place, inner in enumerate(shapes)]
        what = f"linear map '{name}' over {domain.name}"
        with trial.guard(what):
            results = {
                me: scheme.linear(linear_map, shape, *[shares[me] for _, shares in operands])
                for me in trial.everyone
            }
        _check_shares(trial, what, domain, shape, results)
        in_clear = linear_map(domain, list(shapes), *[domain.encode(values) for values, _ in operands])
        _check_opened(trial, what, domain, results, domain.decode(in_clear, shape))
    for shape, public in (((2, 3), (2, 3)), ((0,), (0,)), *(() if domain.packed else (((2, 3), ()),))):
        what = f"addition of public values of shape {public} to {shape} over {domain.name}"
        values, shares = given(shape, 17)
        value = domain.encode(integers(domain, public, 18))
        with trial.guard(what):
            results = {
                me: scheme.add_public(trial.local(me), share, value) if share.parts else share
                for me, share in shares.items()
            }
        _check_shares(trial, what, domain, shape, results)
        wanted = domain.decode(domain.add(domain.encode(values), value), shape)
        _check_opened(trial, what, domain, results, wanted)


# Products


def _check_product(trial: Trial, primitive: Primitive) -> None:
    scheme, kind = trial.scheme, primitive.kind
    width = f" in {primitive.bits} bits" if primitive.bits else ""
    size = f"{primitive.count} elements{width}" if kind is not Kind.MATMUL else f"{primitive}"
    what = f"product '{kind}' of {size}"
    operands = operands_of(scheme, primitive)
    shared: list[dict[int, Share]] = []
    for domain, values in operands:
        rows = _shared(trial, domain, {trial.outsiders[0]: values}, f"operand of the {what}")
        shared.append({me: reshaped(share, values.shape) for me, share in rows.items()})

    def step(context: Context) -> Step[Share]:
        return (yield from scheme.compute(context, primitive, [shares[context.me] for shares in shared]))

    results = dict(trial.run(what, scheme.compute_cost(trial.setting, primitive), step).results)
    domain = BITS if kind in TO_BITS else scheme.numbers
    wanted = clear_product(scheme, primitive, operands)
    _check_shares(trial, what, domain, wanted.shape, results)
    _check_opened(trial, what, domain, results, wanted)


# Randomness


def _check_labels(trial: Trial) -> None:
    for (me, peer), labels in trial.labels.items():
        label, times = Counter(labels).most_common(1)[0] if labels else (None, 0)
        if times > 1:
            text = f"party {me} draws the same array of its pair with party {peer} {times} times: {label}"
            raise trial.fail("randomness", "all operations of one program", text)


def _check_randomness(scheme: Scheme, computing: Sequence[int], everyone: int, makes: Makes) -> None:
    """A seed determines all messages: no randomness comes from elsewhere than the context."""
    first, again = (Trial(scheme, computing, everyone, seed=1, makes=makes) for _ in range(2))
    for trial in (first, again):
        trial.set_up()
        for primitive in primitives(scheme, 3):
            _check_product(trial, primitive)
        for domain in domains_of(scheme):
            _check_split(trial, domain, (3,))
            _check_outputs(trial, domain, (3,))
    for (what, one), (_, other) in zip(first.log, again.log, strict=True):
        if one != other:
            raise first.fail("randomness", what, "two runs of one seed differ: it draws from elsewhere")
