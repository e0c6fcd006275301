"""Wycheproof's cases for X25519, through our primitive and through `multiply`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mpcnet.primitives import x25519
from mpcnet.sets import SmallOrder, multiply

FILE = Path(__file__).parent.parent / "vectors" / "x25519" / "wycheproof.json"
CASES: list[tuple[int, str, list[str], bytes, bytes, bytes]] = [
    (number, result, flags, bytes.fromhex(private), bytes.fromhex(public), bytes.fromhex(shared))
    for number, result, flags, private, public, shared in json.loads(FILE.read_text())["cases"]
]
ZERO = bytes(32)


def flagged(*wanted: str) -> list[Any]:
    """Private key, public key and result of the cases with all these flags."""
    return [
        pytest.param(private, public, shared, id=str(number))
        for number, _, flags, private, public, shared in CASES
        if set(wanted) <= set(flags)
    ]


def test_the_cases_are_all_there() -> None:
    assert len(CASES) == len({number for number, *_ in CASES}) == 518
    assert {result for _, result, *_ in CASES} == {"valid", "acceptable"}
    flags = {flag for _, _, flags, *_ in CASES for flag in flags}
    assert flags >= {"Twist", "LowOrderPublic", "NonCanonicalPublic", "ZeroSharedSecret", "EdgeCaseMultiplication"}


def test_every_case() -> None:
    """ "Acceptable" is what a library may refuse. We refuse what gives zero, and nothing else."""
    refused = 0
    for number, result, _, private, public, shared in CASES:
        if shared == ZERO:
            assert result == "acceptable"
            with pytest.raises(ValueError, match="small order"):
                x25519(private, public)
            refused += 1
        else:
            assert x25519(private, public) == shared, f"case {number}"
    assert refused > 20


@pytest.mark.parametrize(("private", "public", "shared"), flagged("ZeroSharedSecret"))
def test_points_of_small_order_on_the_curve_and_the_twist(private: bytes, public: bytes, shared: bytes) -> None:
    """They give zero under every scalar, since a clamped one is a multiple of both cofactors."""
    assert shared == ZERO
    good = [point for _, result, _, _, point, _ in CASES if result == "valid"][:3]
    for scalar in (private, bytes(range(32)), b"\xff" * 32):
        with pytest.raises(SmallOrder):
            multiply([*good, public], scalar)


@pytest.mark.parametrize(("private", "public", "shared"), flagged("NonCanonicalPublic"))
def test_other_encodings_mean_their_reduction(private: bytes, public: bytes, shared: bytes) -> None:
    number = int.from_bytes(public, "little") % 2**255 % (2**255 - 19)
    reduced = number.to_bytes(32, "little")
    assert reduced != public
    if shared == ZERO:
        with pytest.raises(SmallOrder):
            multiply([reduced], private)
    else:
        assert multiply([public, reduced], private) == [shared, shared]


def is_on_curve(u: int) -> bool:
    """Whether u^3 + 486662 u^2 + u is a square."""
    p = 2**255 - 19
    return bool(pow(u * (u * u + 486662 * u + 1), (p - 1) // 2, p) in {0, 1})


@pytest.mark.parametrize("twist", [True, False])
def test_a_point_and_its_multiples_are_on_one_of_the_two_curves(twist: bool) -> None:
    """So a peer's point on the twist has a tag that no item's point has."""
    seen = 0
    for number, _, flags, private, public, shared in CASES:
        if ("Twist" in flags) is twist and shared != ZERO:
            u = int.from_bytes(public, "little") % 2**255
            assert is_on_curve(u) is not twist, f"case {number}"
            (multiple,) = multiply([public], private)
            assert is_on_curve(int.from_bytes(multiple, "little")) is not twist
            seen += 1
    assert seen > 100
