"""What a secret refuses: all for which its value would have to be known. Each refusal says what to do instead."""

from __future__ import annotations

import typing
from collections.abc import Callable

from mpcnet.errors import LocalError

__all__ = ("Opaque",)

_TEACH = (
    "a secret has no value here: {what} would have to know it. "
    "Compute on it with operators, and learn what was agreed with 'await party.reveal(...)'"
)

_ROUNDED = "{what} is no operation of a secret: x / 3 is exact, and what is revealed of it is rounded in the open"


class Opaque:
    """Base of secrets: no value, no truth, no iteration, no numpy array."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise LocalError(_TEACH.format(what="'if' or 'and'"))

    def __int__(self) -> int:
        raise LocalError(_TEACH.format(what="int()"))

    def __float__(self) -> float:
        raise LocalError(_TEACH.format(what="float()"))

    def __index__(self) -> int:
        raise LocalError(_TEACH.format(what="indexing with it"))

    def __iter__(self) -> typing.Iterator[typing.Any]:
        raise LocalError(
            "a secret is not iterated: operate on the whole array, or take x[i] for i in range(len(x))"
        )

    def __floordiv__(self, other: object) -> typing.NoReturn:
        raise LocalError(_ROUNDED.format(what="//"))

    def __mod__(self, other: object) -> typing.NoReturn:
        raise LocalError(_ROUNDED.format(what="%"))

    def __round__(self, digits: object = None) -> typing.NoReturn:
        raise LocalError(_ROUNDED.format(what="round()"))

    __rfloordiv__ = __floordiv__
    __rmod__ = __mod__

    def __array__(self, dtype: object = None, copy: object = None) -> typing.NoReturn:
        raise LocalError(_TEACH.format(what="a numpy array of it"))

    def __array_function__(self, function: Callable[..., object], *rest: object) -> typing.NoReturn:
        raise LocalError(
            f"numpy.{function.__name__} does not take secrets: use the secret's own methods, as x.sum(), "
            "or mpcnet's concatenate and stack"
        )
