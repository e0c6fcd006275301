"""Items as points: against RFC 9380, a slow reference, and what the blinding needs of them."""

from __future__ import annotations

import nacl.bindings as sodium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet.primitives import blake2b, ed25519_from_uniform, ed25519_public_to_x25519, x25519_public
from mpcnet.sets import SmallOrder, blind, hash_to_points, multiply, split_points
from mpcnet.sets.points import montgomery_u

P = 2**255 - 19
A = 486662
ORDER = 2**252 + 27742317777372353535851937790883648493
JOB = bytes(range(32))
ITEMS = [f"item {number}".encode() for number in range(40)]
ONE, OTHER = blake2b(b"one"), blake2b(b"other")

# RFC 9380 Appendix J.4.2, curve25519_XMD:SHA-512_ELL2_NU_: field element u[0] and P.x.
RFC9380 = [
    (
        0x608D892B641F0328523802A6603427C26E55E6F27E71A91A478148D45B5093CD,
        0x1BB913F0C9DAEFA0B3375378FFA534BDA5526C97391952A7789EB976EDFE4D08,
    ),
    (
        0x46F5B22494BFEAA7F232CC8D054BE68561AF50230234D7D1D63D1D9ABECA8DA5,
        0x7C22950B7D900FA866334262FCAEA47A441A578DF43B894B4625C9B450F9A026,
    ),
    (
        0x235FE40C443766CE7E18111C33862D66C3B33267EFA50D50F9E8E5D252A40AAA,
        0x31AD08A8B0DEEB2A4D8B0206CA25F567AB4E042746F792F4B7973F3AE2096C52,
    ),
    (
        0x001E92A544463BDA9BD04DDBE3D6EED248F82DE32F522669EFC5DDCE95F46F5B,
        0x027877759D155B1997D0D84683A313EB78BDB493271D935B622900459D52CEAA,
    ),
    (
        0x1A68A1AF9F663592291AF987203393F707305C7BAC9C8D63D6A729BDC553DC19,
        0x5FD892C0958D1A75F54C3182A18D286EFAB784E774D1E017BA2FB252998B5DC1,
    ),
]


def u_of(uniform: bytes) -> int:
    return int.from_bytes(montgomery_u([ed25519_from_uniform(uniform)])[0], "little")


@pytest.mark.parametrize(("element", "expected"), RFC9380, ids=["empty", "abc", "abcdef", "q128", "a512"])
@pytest.mark.parametrize("sign", [0, 2**255])
def test_points_are_those_of_rfc9380_appendix_j_4_2(element: int, expected: int, sign: int) -> None:
    assert u_of((element + sign).to_bytes(32, "little")) == expected


def elligator(r: int) -> int:
    """The u-coordinate of Elligator 2 on Curve25519, without haste (RFC 9380 §6.7.1)."""
    u = -A * pow(1 + 2 * r * r, -1, P) % P
    square = pow(u * (u * u + A * u + 1), (P - 1) // 2, P) in {0, 1}
    return u if square else (-u - A) % P


def doubled(u: int) -> int:
    """The u-coordinate of a point plus itself [Montgomery87]."""
    return (u * u - 1) ** 2 * pow(4 * u * (u * u + A * u + 1), -1, P) % P


@settings(max_examples=50, deadline=None, derandomize=True)
@given(uniform=st.binary(min_size=32, max_size=32))
def test_points_are_those_of_a_slow_reference(uniform: bytes) -> None:
    r = int.from_bytes(uniform, "little") % 2**255 % P
    if r == 0:
        return
    assert u_of(uniform) == doubled(doubled(doubled(elligator(r))))


def test_points_have_prime_order() -> None:
    for item in ITEMS:
        point = ed25519_from_uniform(blake2b(item))
        assert sodium.crypto_core_ed25519_is_valid_point(point)  # libsodium's check of order and encoding
        # A scalar of q is not clamped, so this takes the Edwards form: q - 1 times the point is its negative.
        negative = sodium.crypto_scalarmult_ed25519_noclamp((ORDER - 1).to_bytes(32, "little"), point)
        assert negative[:31] + bytes([negative[31] ^ 128]) == point


def test_conversion_is_libsodium_s() -> None:
    points = [ed25519_from_uniform(blake2b(item)) for item in ITEMS]
    assert montgomery_u(points) == [ed25519_public_to_x25519(point) for point in points]
    assert montgomery_u([]) == []


def test_the_neutral_element_has_no_u() -> None:
    with pytest.raises(ValueError, match="invertible"):
        montgomery_u([ed25519_from_uniform(ONE), (1).to_bytes(32, "little")])


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_point_is_made_of_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ed25519_from_uniform(bytes(size))


def test_points_are_fixed_for_good() -> None:
    """What two versions of this program, or of libsodium, must have in common."""
    assert [point.hex() for point in hash_to_points([b"", b"ann"], JOB)] == POINTS


POINTS = [
    "611c47926414d0edb6b39994ca42b5cfe8c6a5ed1c8fa034845783e1c2166011",
    "1f8d5ec0bd3fecfd5992c49b244be1abc6711140e8653ca3b498d447c8b8ff51",
]


def test_points_differ_for_every_item_and_every_job() -> None:
    here, there = hash_to_points(ITEMS, JOB), hash_to_points(ITEMS, bytes(32))
    assert len(set(here + there)) == 2 * len(ITEMS)
    assert hash_to_points(ITEMS[:1] * 2, JOB) == [here[0]] * 2


def test_scalars_commute() -> None:
    assert multiply(blind(ITEMS, JOB, ONE), OTHER) == multiply(blind(ITEMS, JOB, OTHER), ONE)
    assert multiply(blind(ITEMS, JOB, ONE), ONE) != multiply(blind(ITEMS, JOB, OTHER), ONE)


def test_a_torsion_component_vanishes() -> None:
    """A peer that adds a point of small order to one of the subgroup gets the same multiple, and learns nothing."""
    point = ed25519_from_uniform(ONE)
    order_two = (P - 1).to_bytes(32, "little")  # (0, -1): libsodium adds any two points of the curve
    moved = sodium.crypto_core_ed25519_add(point, order_two)
    assert montgomery_u([moved]) != montgomery_u([point])
    assert multiply(montgomery_u([moved]), OTHER) == multiply(montgomery_u([point]), OTHER)


@pytest.mark.parametrize("place", [0, 1, 5])
def test_one_point_of_small_order_among_others(place: int) -> None:
    points = blind(ITEMS[:5], JOB, ONE)
    points.insert(place, bytes(32))
    with pytest.raises(SmallOrder) as caught:
        multiply(points, OTHER)
    assert str(caught.value) == "a point of small order"
    assert caught.value.__suppress_context__


def test_multiplication_is_that_of_rfc7748_section_6_1() -> None:
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    shared = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    assert multiply([x25519_public(bob)], alice) == multiply([x25519_public(alice)], bob) == [shared]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (1, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
        (1000, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
    ],
)
def test_multiplication_repeated_as_in_rfc7748_section_5_2(times: int, expected: str) -> None:
    """From the base point on, every result is the next scalar; of the points some lie on the twist."""
    scalar = point = (9).to_bytes(32, "little")
    for _ in range(times):
        (result,), point = multiply([point], scalar), scalar
        scalar = result
    assert scalar.hex() == expected


def test_messages_are_cut_into_points() -> None:
    points = blind(ITEMS[:3], JOB, ONE)
    assert [bytes(point) for point in split_points(memoryview(b"".join(points)))] == points
    assert split_points(memoryview(b"")) == []
    assert multiply(split_points(memoryview(b"".join(points))), OTHER) == multiply(points, OTHER)
