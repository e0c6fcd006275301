"""The declaration of a protocol: name, version, parameters, roles, inputs, outputs, and the function itself.

    @protocol("average", version=1, params=Rules, roles={"owners": Many(3)},
              inputs={"value": Ints(by="owners", range=("low", "high"))}, outputs={"sum": "everyone"})
    async def average(party: Party[Rules]) -> Outcome: ...

What is declared here is what parties agree on before anything is shared, what the command line asks for, and what
tests draw from. Nothing of it is inferred from the function's body.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import operator
import re
import types
import typing
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from mpcnet.declare.inputs import Declaration
from mpcnet.declare.outputs import EVERYONE, DeclaredReceivers, Receivers, fixed_receivers, receivers_of
from mpcnet.declare.party import Party
from mpcnet.errors import LocalError, did_you_mean

__all__ = ("API", "NAME", "Example", "Many", "One", "Protocol", "Role", "protocol")

P = TypeVar("P")
T = TypeVar("T")

API = 1
"""Version of what plugins build on: the decorator, `Party`, and the names that `mpcnet` exports."""

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""Of a protocol."""


@dataclass(frozen=True, slots=True)
class Many:
    """A role of several members.

    Args:
        least, most: how many, both included; `most` None for any number.
    """

    least: int = 1
    most: int | None = None


@dataclass(frozen=True, slots=True)
class One(Many):
    """A role of exactly one member."""

    most: int | None = 1


Role = Many


@dataclass(frozen=True, slots=True)
class Example(Generic[P]):
    """A worked example, run by `mpcnet sim` and `mpcnet demo`, and by the tests.

    Args:
        params: the protocol's parameters.
        roles: by role, names.
        inputs: by party, by input, the words that one would give on the command line.
        compute: names of the computing parties; by default those with inputs.
        dealer: who makes correlated randomness, if the protocol takes any.
    """

    params: P
    roles: Mapping[str, Sequence[str]]
    inputs: Mapping[str, Mapping[str, Sequence[str]]]
    compute: Sequence[str] = ()
    dealer: str | None = None


@dataclass(frozen=True, slots=True)
class Protocol(Generic[P, T]):
    """A declared protocol; made by the decorator `protocol`."""

    name: str
    version: int
    function: Callable[[Party[P]], Awaitable[T]]
    params: type[P]
    roles: Mapping[str, Role]
    inputs: Mapping[str, Declaration]
    outputs: Mapping[str, DeclaredReceivers]
    example: Example[P] | None = None
    explain: Callable[[T], str] | None = field(default=None)
    names_rows: Callable[[T], Mapping[str, Collection[Any]]] | None = field(default=None)
    check: Callable[[P, Mapping[str, Any]], None] | None = field(default=None)
    check_job: Callable[[P, Mapping[str, Sequence[str]]], None] | None = field(default=None)

    def __post_init__(self) -> None:
        _check_declaration(self)

    def __reduce__(self) -> tuple[Callable[[str, str], object], tuple[str, str]]:
        # By its place, as functions are pickled: what stands there is this protocol, and not its function.
        module, name = self.function.__module__, self.function.__qualname__
        with contextlib.suppress(ImportError, AttributeError):
            if _at(module, name) is self:
                return _at, (module, name)
        raise LocalError(
            f"protocol '{self.name}' cannot be pickled, since {module}.{name} is something else: declare it at the "
            "top level of a module"
        )

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.function.__doc__ or "").strip().split("\n", 1)[0]

    @property
    def shares_secrets(self) -> bool:
        """Whether the scheme is used at all: a protocol may have cryptography of its own."""
        return any(declaration.is_shared for declaration in self.inputs.values())

    def asked_of(self, role: str) -> Mapping[str, Declaration]:
        """The inputs that each member of a role is asked for."""
        return {name: item for name, item in self.inputs.items() if item.by == role and item.is_given}

    def receivers(self, output: str, params: P) -> Receivers:
        """Who receives an output in a job with these parameters.

        Raises:
            LocalError: the declared function of the parameters gives no receivers of this protocol.
        """
        try:
            return receivers_of(self.outputs[output], self.roles, params)
        except LocalError as error:
            raise LocalError(f"protocol '{self.name}': output '{output}' {error}") from None

    def fixed_receivers(self, output: str) -> Receivers | None:
        """Who receives an output in every job; None if the parameters say it."""
        return fixed_receivers(self.outputs[output], self.roles)

    def make_params(self, values: Mapping[str, object]) -> P:
        """Parameters from plain values, as a job file or the command line gives them.

        Raises:
            LocalError: an unknown or missing name, or a value of another type.
        """
        kinds = typing.get_type_hints(self.params)
        fields = {item.name: item for item in dataclasses.fields(typing.cast("Any", self.params))}
        if unknown := sorted(values.keys() - fields.keys()):
            raise LocalError(
                f"protocol '{self.name}' has no parameter {unknown[0]!r}; it has: {', '.join(fields) or 'none'}"
                f"{did_you_mean(unknown[0], fields)}"
            )
        given = {name: _converted(name, value, kinds[name]) for name, value in values.items()}
        missing = [
            name
            for name, item in fields.items()
            if name not in given
            and item.default is dataclasses.MISSING
            and item.default_factory is dataclasses.MISSING
        ]
        if missing:
            raise LocalError(f"protocol '{self.name}' needs parameter {missing[0]!r}")
        return self.params(**given)


def _at(module: str, name: str) -> object:
    """What stands in a module under a dotted name."""
    return operator.attrgetter(name)(importlib.import_module(module))


def protocol(
    name: str,
    *,
    version: int,
    roles: Mapping[str, Role],
    outputs: Mapping[str, DeclaredReceivers],
    inputs: Mapping[str, Declaration] | None = None,
    params: type[P],
    example: Example[P] | None = None,
    explain: Callable[[Any], str] | None = None,
    names_rows: Callable[[Any], Mapping[str, Collection[Any]]] | None = None,
    check: Callable[[P, Mapping[str, Any]], None] | None = None,
    check_job: Callable[[P, Mapping[str, Sequence[str]]], None] | None = None,
    api: int = API,
) -> Callable[[Callable[[Party[P]], Awaitable[T]]], Protocol[P, T]]:
    """Declare a protocol.

    Args:
        name: lower case, words joined by hyphens; what job files say.
        version: raise it whenever what is sent changes.
        roles: by name, how many members.
        outputs: by name, who receives it: a role, several, "everyone", `Each`, `Only`, or a function of the
            parameters that gives one of these.
        inputs: by name, who gives what.
        params: a frozen dataclass of int, str, bool, float and tuples of them.
        example: shown by `mpcnet protocols` and run by `mpcnet demo`.
        explain: one or more lines of text for a person from what the function returns.
        names_rows: from what the function returns, by local input, the elements (as `check` of the declaration
            gives them) that it names: a result in a file has their rows, with all columns of the file that they
            come from.
        check: (parameters, our own inputs by name, as `check` of their declarations returned them): raises
            `LocalError` if they do not fit each other, before any link is up.
        check_job: (parameters, by role the names of its members): raises `LocalError` if no such job could run,
            where the parameters alone do not tell: the party that makes, explains or runs the job hears it.
        api: the version of mpcnet's plugin interface that the protocol is written for.

    Raises:
        LocalError: the declaration contradicts itself, or is for another version of the interface.
    """
    if api != API:
        newer = "mpcnet" if api > API else "release of the plugin"
        raise LocalError(
            f"protocol '{name}' is for version {api} of mpcnet's plugin interface, and this mpcnet has version "
            f"{API}: install a newer {newer}"
        )

    def declare(function: Callable[[Party[P]], Awaitable[T]]) -> Protocol[P, T]:
        return Protocol(
            name=name,
            version=version,
            function=function,
            params=params,
            roles=dict(roles),
            inputs=dict(inputs or {}),
            outputs=dict(outputs),
            example=example,
            explain=explain,
            names_rows=names_rows,
            check=check,
            check_job=check_job,
        )

    return declare


def _check_declaration(declared: Protocol[Any, Any]) -> None:
    if not NAME.fullmatch(declared.name):
        raise LocalError(f"a protocol's name is lower case words joined by hyphens, not {declared.name!r}")
    if type(declared.version) is not int or declared.version < 1:
        raise LocalError(f"protocol '{declared.name}': versions are whole numbers and count from 1")
    if not (dataclasses.is_dataclass(declared.params) and declared.params.__dataclass_params__.frozen):  # type: ignore[attr-defined]
        raise LocalError(f"protocol '{declared.name}': params must be a frozen dataclass")
    _check_roles(declared)
    for name, declaration in declared.inputs.items():
        _check_input(declared, name, declaration)
    for name in declared.outputs:
        try:
            declared.fixed_receivers(name)
        except LocalError as error:
            raise LocalError(f"protocol '{declared.name}': output '{name}' {error}") from None
        if declared.example is not None:
            declared.receivers(name, declared.example.params)


def _check_roles(declared: Protocol[Any, Any]) -> None:
    if EVERYONE in declared.roles or not declared.roles:
        raise LocalError(f"protocol '{declared.name}': declare at least one role, none of them named '{EVERYONE}'")
    for role, members in declared.roles.items():
        if not isinstance(members, Many):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise LocalError(
                f"protocol '{declared.name}': role '{role}' is declared by One(), Many() or Many(3, 5)"
            )


def _check_input(declared: Protocol[Any, Any], name: str, declaration: Declaration) -> None:
    what = f"protocol '{declared.name}': input '{name}'"
    if declaration.by not in declared.roles:
        raise LocalError(
            f"{what} is given by '{declaration.by}', which is no role; the roles are: {', '.join(declared.roles)}"
        )
    # A property counts: it is computed from parameters.
    fields = [item.name for item in dataclasses.fields(typing.cast("Any", declared.params))]
    for parameter in declaration.named_parameters():
        if parameter not in fields and not hasattr(declared.params, parameter):
            raise LocalError(
                f"{what} names the parameter '{parameter}', which there is not; the parameters are: "
                f"{', '.join(fields) or 'none'}{did_you_mean(parameter, fields)}"
            )


def _converted(name: str, value: object, kind: Any) -> object:
    """A plain value as the annotated type, without guessing: "3" is no int, True is no int."""
    origin = typing.get_origin(kind)
    if origin is tuple:
        inner = typing.get_args(kind)[0]
        if not isinstance(value, list | tuple):
            raise LocalError(f"parameter '{name}' takes a list")
        return tuple(_converted(name, item, inner) for item in typing.cast("Sequence[object]", value))
    if origin in (typing.Union, types.UnionType):
        choices = typing.get_args(kind)
        if value is None and type(None) in choices:
            return None
        return _converted(name, value, next(choice for choice in choices if choice is not type(None)))
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise LocalError(f"parameter '{name}' takes {kind.__name__}, not {type(value).__name__}")
    return value
