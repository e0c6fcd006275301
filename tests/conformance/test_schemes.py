"""The bundled schemes, and one that is none of them, do what every scheme must do."""

from __future__ import annotations

import pytest

from mpcnet.declare.plugins import find_scheme, list_schemes
from mpcnet.schemes import PlainScheme, Scheme
from mpcnet.testing import check_scheme
from tests.support.ring128 import Z128, WideScheme
from tests.support.shamir import F61, ShamirScheme

SCHEMES: dict[str, Scheme] = {
    **{name: find_scheme(name) for name in list_schemes()},
    "plain over a field": PlainScheme(F61),
    "shamir": ShamirScheme(),
    "plain over two words": PlainScheme(Z128),
    "additive over two words": WideScheme(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_conforms(name: str) -> None:
    check_scheme(SCHEMES[name])


@pytest.mark.slow
@pytest.mark.parametrize("parties", [5, 7])
def test_additive_sharing_among_many(parties: int) -> None:
    check_scheme(SCHEMES["additive"], parties=(parties,), counts=(3,), secrecy=False)


@pytest.mark.slow
def test_many_products_at_once() -> None:
    """Beyond 4096 comparisons another algorithm is taken."""
    for name in ("additive", "shamir"):
        check_scheme(SCHEMES[name], parties=(3,), counts=(4097,), secrecy=False)
