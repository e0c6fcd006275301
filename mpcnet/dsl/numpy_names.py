"""Names of numpy that secrets do not have, and what to write instead.

Secrets take numpy's operators and the names of those functions that can be computed on shares. For everything else
that numpy offers, as a method of arrays, a universal function or a function, the error names the way round.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping

import numpy as np

__all__ = ("OPERATORS", "advice", "is_known")

OPERATORS: typing.Final[Mapping[str, tuple[str, str]]] = {
    **{
        name: (f"__{operator}__", f"__r{operator}__")
        for name, operator in {
            "add": "add",
            "subtract": "sub",
            "multiply": "mul",
            "divide": "truediv",
            "matmul": "matmul",
            "floor_divide": "floordiv",
            "remainder": "mod",
            "divmod": "divmod",
            "power": "pow",
            "bitwise_and": "and",
            "bitwise_or": "or",
            "bitwise_xor": "xor",
            "left_shift": "lshift",
            "right_shift": "rshift",
        }.items()
    },
    "less": ("__lt__", "__gt__"),
    "less_equal": ("__le__", "__ge__"),
    "equal": ("__eq__", "__eq__"),
    "greater": ("__gt__", "__lt__"),
    "greater_equal": ("__ge__", "__le__"),
    "not_equal": ("__ne__", "__ne__"),
    **{name: (f"__{operator}__", "") for name, operator in {"negative": "neg", "positive": "pos"}.items()},
    **{name: (f"__{operator}__", "") for name, operator in {"absolute": "abs", "invert": "invert"}.items()},
}
"""By universal function, the operator that calls it: what it is for a secret on the left, and on the right."""

_ROUNDING = "x / 3 is exact, and what is revealed of it is rounded in the open"
_REVEAL = "compute on it with operators, and learn what was agreed with 'await party.reveal(...)'"
_REAL = "a secret is real and finite"
_WHOLE = "a secret has no dtype: it is exact, shared integers over a public denominator"
_NEVER_CHANGED = "a secret is never changed: where(bits, x, y) and mpcnet.concatenate make new ones"
_ORDER = "mpcnet.top(x, k) gives the k largest in order with their indices, x.kth_largest(k) one of them"
_VARIANCE = "((x - x.mean()) * (x - x.mean())).mean() is the variance; its root is taken of what is revealed"
_CONDITION = "where elements are that fulfil a condition is secret: use its bits, as (x > 3) * x"
_SUMS = "sums of the first elements are a product with a public matrix: np.tril(np.ones((n, n), int)) @ x"
_PRODUCTS = "multiply halves, x[: n // 2] * x[n // 2 :], until one element is left"
_INDEX = "index it with a public array, as x[[2, 0, 0]]"
_COUNT = "i.one_hot(n).sum(axis=0) counts each of n values"
_MATRIX = "use @ for one or two dimensions, and x.reshape(-1, 1) * y for all pairs"
_JOIN = "use mpcnet.concatenate and mpcnet.stack"
_FUNCTION = (
    "shares are integers, on which sums, products and comparisons are computed; "
    "anything else is computed of what is revealed, or looked up: i.one_hot(n) @ table"
)

_ADVICE: typing.Final[Mapping[str, str]] = {
    name: text
    for names, text in {
        "round around rint fix floor ceil trunc modf fmod": _ROUNDING,
        "item tolist tobytes tofile dump dumps value values data save savetxt savez array_str array_repr": _REVEAL,
        "real imag conj conjugate isfinite isnan isinf isreal iscomplex nan_to_num angle": _REAL,
        "nansum nanmean nanmin nanmax": "a secret is finite: use its methods without 'nan'",
        "astype dtype view itemsize nbytes strides flags base byteswap ctypes getfield setfield setflags": _WHOLE,
        "device to_device": "its shares are on every computing party",
        "fill put itemset place copyto putmask resize insert append delete": _NEVER_CHANGED,
        "copy": "a secret is never changed, so x itself will do",
        "sort argsort partition argpartition lexsort searchsorted digitize": _ORDER,
        "median percentile quantile": _ORDER,
        "std var cov corrcoef": _VARIANCE,
        "sqrt cbrt hypot": "compare with squares, or take the root of what is revealed",
        "nonzero argwhere flatnonzero compress extract unique isin union1d intersect1d": _CONDITION,
        "count_nonzero": "(x != 0).sum()",
        "cumsum cumulative_sum": _SUMS,
        "prod cumprod cumulative_prod": _PRODUCTS,
        "take repeat tile choose take_along_axis": _INDEX,
        "flatten ravel flat": "x.reshape(-1)",
        "squeeze expand_dims": "x.reshape(...), or x[None]",
        "swapaxes moveaxis rollaxis permute_dims": "x.T reverses the axes",
        "mT matrix_transpose": "x.T",
        "diagonal diag trace": "x[np.arange(n), np.arange(n)]",
        "flip fliplr flipud": "x[::-1]",
        "roll": "mpcnet.concatenate([x[-k:], x[:-k]])",
        "diff ediff1d": "x[1:] - x[:-1]",
        "split array_split hsplit vsplit dsplit unstack": "slices, as x[:3] and x[3:]",
        "append block column_stack concat concatenate dstack hstack r_ c_ stack vstack": _JOIN,
        "where select piecewise": "mpcnet.where(bits, x, y)",
        "maximum fmax": "mpcnet.where(x > y, x, y); of a list, x.max()",
        "minimum fmin": "mpcnet.where(x < y, x, y); of a list, x.min()",
        "amax nanargmax": "x.max() and x.argmax(), of one dimension",
        "amin nanargmin": "x.min() and x.argmin(), of one dimension",
        "ptp": "x.max() - x.min()",
        "sign": "(x > 0) - (x < 0)",
        "signbit": "x < 0",
        "abs fabs": "abs(x)",
        "square": "x * x",
        "reciprocal": "division by a secret is not an operation of a secret",
        "all any logical_not": "of bits, which comparisons give: (x > 3).all(), (x > 3).any(), ~(x > 3)",
        "logical_and logical_or logical_xor": "of bits, which comparisons give: use & | ^",
        "allclose array_equal array_equiv isclose": "x == y gives bits: (x == y).all()",
        "average": "x.mean(), or x @ weights / weights.sum()",
        "inner vdot vecdot matvec vecmat tensordot einsum outer kron": _MATRIX,
        "bincount histogram": _COUNT,
        "zeros_like ones_like full_like empty_like": "x * 0 + 1 is a secret of public numbers",
        "broadcast_to broadcast_arrays": "x + np.zeros(shape, int)",
        "add.reduce": "x.sum()",
        "maximum.reduce": "x.max()",
        "minimum.reduce": "x.min()",
        "multiply.reduce": _PRODUCTS,
        "add.accumulate": _SUMS,
    }.items()
    for name in names.split()
}


def advice(name: str) -> str:
    """What to write instead of numpy's function or method of this name."""
    return _ADVICE.get(name, _FUNCTION)


def is_known(name: str) -> bool:
    """Whether arrays of numpy have an attribute of this name, or people look for it."""
    return name in _ADVICE or (not name.startswith("_") and hasattr(np.ndarray, name))
