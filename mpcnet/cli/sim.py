"""`mpcnet sim`: all parties of a job in this process, on a modelled network and a virtual clock."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from mpcnet.cli.click_app import stdout, to_document
from mpcnet.cli.commands import Sim
from mpcnet.cli.formatting import counted, explained, plain, time_text
from mpcnet.cli.input_sources import Given, read_document
from mpcnet.cli.inputs import parse_words
from mpcnet.cli.progress import watch_crowd
from mpcnet.cli.progress_model import Crowd
from mpcnet.cli.tables import party_table
from mpcnet.declare import Job, find_protocol, load_job
from mpcnet.declare.examples import Inputs, example_inputs, example_job, grown_example
from mpcnet.errors import LocalError, did_you_mean
from mpcnet.sim import LAN, WAN, LinkModel, Network, Simulation, find_scenario, list_scenarios, simulate

__all__ = ("parse_network", "run_simulation")

_NAMED = {"lan": LAN, "wan": WAN}
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_BYTES = {"kbit": 125.0, "mbit": 125e3, "gbit": 125e6, "kb": 1e3, "mb": 1e6, "gb": 1e9}
_LATENCY = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s)")
_BANDWIDTH = re.compile(r"(\d+(?:\.\d+)?)(kbit|mbit|gbit|kb|mb|gb)", re.IGNORECASE)
_MOST_ROWS = 12


def parse_network(text: str) -> Network:
    """The network of "lan", "wan", or latency and bandwidth: "50ms/100Mbit", "20ms".

    Raises:
        LocalError: it is none of these.
    """
    if text.lower() in _NAMED:
        return _NAMED[text.lower()]
    latency_text, slash, bandwidth_text = text.partition("/")
    latency, bandwidth = _LATENCY.fullmatch(latency_text), _BANDWIDTH.fullmatch(bandwidth_text)
    if latency is None or (slash and bandwidth is None):
        raise LocalError("a network is lan, wan, or one-way latency and bandwidth, for example 50ms/100Mbit")
    speed = float(bandwidth[1]) * _BYTES[bandwidth[2].lower()] if bandwidth else math.inf
    return Network(LinkModel(float(latency[1]) * _SECONDS[latency[2]], speed))


def _values(job: Job[Any, Any], given: Mapping[str, Mapping[str, Given]]) -> Inputs:
    declarations = job.protocol.inputs
    for party in job.names:
        ours = [name for name, item in declarations.items() if item.is_given and party in job.roles[item.by]]
        inputs = given.get(party, {})
        if strange := [name for name in inputs if name not in ours]:
            hint = did_you_mean(strange[0], ours)
            raise LocalError(f"{party} gives no input '{strange[0]}'; it gives: {', '.join(ours) or 'none'}{hint}")
        if missing := [name for name in ours if name not in inputs]:
            raise LocalError(f"input '{missing[0]}' of {party} is missing")
    if strangers := [party for party in given if party not in job.names]:
        names = job.names
        hint = did_you_mean(strangers[0], names)
        raise LocalError(f"the job has no party named '{strangers[0]}'; it has: {', '.join(names)}{hint}")
    return {
        party: {name: parse_words(name, declarations[name], job.params, value) for name, value in inputs.items()}
        for party, inputs in given.items()
    }


def run_simulation(asked: Sim) -> None:
    """Simulate the example of a protocol, a job file or a scenario, and show what came of it."""
    if (asked.name is None) == (asked.scenario is None):
        known = ", ".join(list_scenarios()) or "none"
        raise LocalError(f"name a protocol, a job file or a scenario (mpcnet protocols; scenarios: {known})")
    model = parse_network(asked.network) if asked.network else None
    if asked.scenario is not None:
        if asked.parties is not None or asked.document is not None:
            raise LocalError("a scenario has its own parties and inputs")
        found = find_scenario(asked.scenario)
        model = model or found.network
        crowd = Crowd(len(found.job.names))
        with watch_crowd(crowd, quiet=asked.quiet):
            simulation = found.run(asked.seed, model, crowd.observe)
        _show(found.job, simulation, model, asked.seed, found.description, as_json=asked.as_json)
        return
    assert asked.name is not None  # noqa: S101 -- one of the two is there
    job, inputs = _job_of(asked.name, asked.parties, asked.document)
    model = model or LAN
    crowd = Crowd(len(job.names))
    with watch_crowd(crowd, quiet=asked.quiet):
        simulation = simulate(job, inputs, network=model, seed=asked.seed, listener=crowd.observe)
    _show(job, simulation, model, asked.seed, job.protocol.summary, as_json=asked.as_json)


def _job_of(name: str, parties: int | None, document: str | None) -> tuple[Job[Any, Any], Inputs]:
    if name.endswith(".toml"):
        if parties is not None or document is None:
            raise LocalError("a job file names its parties; give their inputs with --inputs FILE")
        job = load_job(name)
        return job, _values(job, read_document(document))
    if document is not None:
        raise LocalError("--inputs goes with a job file (mpcnet job writes one); the example has its own")
    protocol = find_protocol(name)
    if parties is not None:
        return grown_example(protocol, parties)
    return example_job(protocol, f"{protocol.name}-example"), example_inputs(protocol)


def _show(
    job: Job[Any, Any], simulation: Simulation[Any], network: Network, seed: int, summary: str, *, as_json: bool
) -> None:
    if as_json:
        click.echo(json.dumps(_document(job, simulation, network, seed)))
        return
    console, cost = stdout(), simulation.cost
    console.print(Text.assemble((job.protocol.name, "bold"), f": {summary}"))
    console.print(Text(f"network {_network_text(network)}, seed {seed}\n", style="dim"))
    table = party_table(("party", "learns"))
    for names, text in _grouped(job, simulation):
        table.add_row(Text(names), text)
    console.print(table)
    facts = (
        # A protocol that sends messages of its own has no rounds to count.
        *([counted(cost.rounds, "round")] if cost.rounds or not cost.messages else []),
        counted(cost.messages, "message"),
        counted(cost.sent_bytes, "byte"),
        f"{time_text(cost.seconds)} of virtual time",
    )
    console.print(Text("\n" + ", ".join(facts)))


def _grouped(job: Job[Any, Any], simulation: Simulation[Any]) -> list[tuple[str, Text]]:
    """A row for each party; of many parties, those who learn the same share one."""
    texts = {name: Text(explained(job.protocol, outcome)) for name, outcome in simulation.outputs.items()}
    texts |= {name: Text(str(error), style="red") for name, error in simulation.errors.items()}
    if len(texts) <= _MOST_ROWS:
        return list(texts.items())
    groups: dict[str, list[str]] = {}
    for name, text in texts.items():
        groups.setdefault(text.plain, []).append(name)
    return [(_some(names), texts[names[0]]) for names in groups.values()]


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _network_text(network: Network) -> str:
    link = network.default
    named = next((name.upper() + ": " for name, known in _NAMED.items() if known == network), "")
    if math.isinf(link.bandwidth_bytes):
        speed = ""
    else:
        bits = link.bandwidth_bytes * 8
        speed = f", {bits / 1e9:g} Gbit/s" if bits >= 1e9 else f", {bits / 1e6:g} Mbit/s"
    return f"{named}{time_text(link.latency_seconds)} one way{speed}"


def _document(job: Job[Any, Any], simulation: Simulation[Any], network: Network, seed: int) -> dict[str, object]:
    cost = simulation.cost
    parties: list[Mapping[str, object]] = [
        {"party": name, "outcome": plain(outcome), "text": explained(job.protocol, outcome)}
        for name, outcome in simulation.outputs.items()
    ]
    parties += [{"party": name, "error": to_document(error)} for name, error in simulation.errors.items()]
    links = [
        {"sender": sender, "receiver": receiver, "messages": link.messages, "bytes": link.bytes}
        for (sender, receiver), link in cost.links.items()
    ]
    bandwidth = network.default.bandwidth_bytes
    return {
        "protocol": job.protocol.name,
        "label": job.label,
        "seed": seed,
        "network": {
            "latency_seconds": network.default.latency_seconds,
            "bandwidth_bytes": None if math.isinf(bandwidth) else bandwidth,
        },
        "parties": parties,
        "cost": {
            "rounds": cost.rounds,
            "messages": cost.messages,
            "sent_bytes": cost.sent_bytes,
            "seconds": cost.seconds,
            "regions": dict(cost.regions),
            "links": links,
        },
    }
