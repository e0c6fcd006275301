"""Numbers as people write them, read back exactly, and refused where they could mean two."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpcnet import LocalError
from mpcnet.declare.number_formats import FORMATS, find_format, looks_formatted


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """Nothing is opened here, and no loop runs: the fixture of this folder would want one."""


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.decimals(-(10**12), 10**12, places=2),
    st.sampled_from(sorted(FORMATS)),
    st.sampled_from(["", "€", "$ "]),
    st.data(),
)
def test_what_is_written_is_read_back(value: Decimal, name: str, currency: str, data: st.DataObject) -> None:
    found = find_format(name)
    separator = data.draw(st.sampled_from(found.thousands))
    digits = f"{abs(value):,.2f}".translate(str.maketrans(",.", separator + found.decimal))
    text = f"{'-' if value < 0 else ''}{currency}{digits}"
    assert Decimal(found.plain(text)) == value
    assert Decimal(found.plain(f"{digits} €")) == abs(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("de", "1.2"),
        ("de", "1.2345"),
        ("de", "12345.678"),
        ("en", "1,23"),
        ("en", "1.2.3"),
        ("fr", "1.5"),
        ("de", ""),
    ],
)
def test_what_is_no_number_of_the_format(name: str, text: str) -> None:
    with pytest.raises(LocalError, match=f"a number of the format {name} was expected, such as"):
        find_format(name).plain(text)


@pytest.mark.parametrize(("text", "formatted"), [("3800", False), ("38.50", False), ("x", False), ("", False)])
def test_plain_texts_are_in_no_format(text: str, formatted: bool) -> None:
    assert looks_formatted(text) is formatted


@pytest.mark.parametrize("text", ["1,234", "3.800,50", "1.234.567", "1 234", "5 €", "$5", "1'000"])
def test_formatted_texts_are_recognised(text: str) -> None:
    assert looks_formatted(text)
