"""What a secret refuses: all for which its value would have to be known, and what cannot be computed on shares.

Each refusal says what to do instead. Those that are hidden from type checkers are found by them before the program
runs: `np.exp(x)` and `x.sort()` are errors of type.
"""

from __future__ import annotations

import typing
from collections.abc import Callable

import numpy as np

from mpcnet.dsl.numpy_names import OPERATORS, advice, is_known
from mpcnet.errors import LocalError

__all__ = ("PUBLIC_EXPONENT", "MissingOperation", "Opaque")

PUBLIC_EXPONENT = "an exponent is public; with a secret exponent i below n look the power up: i.one_hot(n) @ powers"

_TEACH = (
    "a secret has no value here: {what} would have to know it. "
    "Compute on it with operators, and learn what was agreed with 'await party.reveal(...)'"
)

_ROUNDED = "{what} is no operation of a secret: x / 3 is exact, and what is revealed of it is rounded in the open"

_BITS_ONLY = "{what} is an operation of secret bits, as comparisons give them: write x != 0 for numbers"

_FIXED = "a secret is never changed: make another one with where(bits, x, y), concatenate or stack"


class MissingOperation(LocalError, AttributeError):
    """A secret lacks a method that arrays of numpy have. `hasattr` is false for it, as for other missing names."""


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
        raise LocalError(
            _TEACH.format(what="indexing with it")
            + "; the element of x at a secret index i is (i.one_hot(len(x)) * x).sum()"
        )

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

    def __format__(self, specification: str) -> str:
        if specification:
            raise LocalError(_TEACH.format(what=f"the format '{specification}'"))
        return repr(self)

    if not typing.TYPE_CHECKING:

        def __divmod__(self, other: object) -> typing.NoReturn:
            raise LocalError(_ROUNDED.format(what="divmod()"))

        def __trunc__(self) -> typing.NoReturn:
            raise LocalError(_ROUNDED.format(what="math.trunc()"))

        def __floor__(self) -> typing.NoReturn:
            raise LocalError(_ROUNDED.format(what="math.floor()"))

        def __ceil__(self) -> typing.NoReturn:
            raise LocalError(_ROUNDED.format(what="math.ceil()"))

        def __rpow__(self, other: object) -> typing.NoReturn:
            raise LocalError(PUBLIC_EXPONENT)

        def __lshift__(self, other: object) -> typing.NoReturn:
            raise LocalError("<< is no operation of a secret: write x * 2**n")

        def __rshift__(self, other: object) -> typing.NoReturn:
            raise LocalError(_ROUNDED.format(what=">>"))

        def __and__(self, other: object) -> typing.NoReturn:
            raise LocalError(_BITS_ONLY.format(what="&"))

        def __or__(self, other: object) -> typing.NoReturn:
            raise LocalError(_BITS_ONLY.format(what="|"))

        def __xor__(self, other: object) -> typing.NoReturn:
            raise LocalError(_BITS_ONLY.format(what="^"))

        def __invert__(self) -> typing.NoReturn:
            raise LocalError(_BITS_ONLY.format(what="~"))

        __rdivmod__ = __divmod__
        __rlshift__ = __lshift__
        __rrshift__ = __rshift__
        __rand__ = __and__
        __ror__ = __or__
        __rxor__ = __xor__

        def __contains__(self, item: object) -> typing.NoReturn:
            raise LocalError("whether a secret contains something is secret: (x == 3).any() is a bit that says so")

        def __reversed__(self) -> typing.NoReturn:
            raise LocalError("a secret is not iterated: x[::-1] is the same in reverse order")

        def __setitem__(self, key: object, value: object) -> typing.NoReturn:
            raise LocalError(_FIXED)

        def __delitem__(self, key: object) -> typing.NoReturn:
            raise LocalError(_FIXED)

        # numpy

        def __array__(self, dtype: object = None, copy: object = None) -> typing.NoReturn:
            raise LocalError(_TEACH.format(what="a numpy array of it"))

        def __array_ufunc__(self, function: np.ufunc, method: str, *inputs: object, **options: object) -> object:
            """The operators between arrays and secrets, which numpy calls by the names of its functions."""
            if method != "__call__" or function.__name__ not in OPERATORS:
                raise LocalError(_refusal(self, function.__name__, "" if method == "__call__" else f".{method}"))
            # `array += x` comes with out=(array,), and is `array = array + x`.
            is_in_place = options.keys() <= {"out", "axes"} and options.get("out", (None,))[0] is inputs[0]
            if options and not is_in_place:
                raise LocalError(
                    f"numpy.{function.__name__} takes no {', '.join(options)} with a secret: use operators"
                )
            on_the_left, on_the_right = OPERATORS[function.__name__]
            left, *right = inputs
            if isinstance(left, Opaque):
                return getattr(left, on_the_left)(*right)
            return getattr(right[0], on_the_right)(left)

        def __array_function__(self, function: Callable[..., object], *rest: object) -> typing.NoReturn:
            raise LocalError(_refusal(self, function.__name__))

        def __getattr__(self, name: str) -> typing.NoReturn:
            if is_known(name):
                raise MissingOperation(f"a secret has no '{name}': {advice(name)}")
            raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'", name=name, obj=self)


def _refusal(secret: Opaque, name: str, method: str = "") -> str:
    has_it = not method and hasattr(type(secret), name)
    return f"numpy.{name}{method} does not take secrets: {f'write x.{name}' if has_it else advice(name + method)}"
