"""`mpcnet job`: a job file from words and the protocol's example."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence

import click

from mpcnet.cli.commands import MakeJob
from mpcnet.declare import find_protocol, job_to_toml
from mpcnet.declare.examples import job_like_example
from mpcnet.declare.plan import first_plan
from mpcnet.errors import LocalError

__all__ = ("print_job",)


def print_job(asked: MakeJob) -> None:
    """Print a job file."""
    params = {name: _toml_value(value) for name, value in _pairs("--param", asked.params)}
    made = job_like_example(
        find_protocol(asked.name),
        asked.label or asked.name,
        roles={role: _names(names) for role, names in _pairs("--role", asked.roles)},
        params=params,
        compute=None if asked.compute is None else _names(asked.compute),
        dealer=asked.dealer,
        scheme=asked.scheme,
        provider=asked.provider,
        deadline_seconds=asked.deadline,
    )
    first_plan(made)  # a job that no party could run is not printed
    click.echo(job_to_toml(made), nl=False)


def _names(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _pairs(option: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise LocalError(f"{option} takes NAME=VALUE")
        yield name.strip(), value


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
