"""`mpcnet sim`: all parties of a job in this process, on a modelled network and a virtual clock."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from mpcnet.cli.click_app import print_document, stdout, to_document
from mpcnet.cli.commands import Sim
from mpcnet.cli.experiments import network_text, parse_fault, parse_network, with_links
from mpcnet.cli.formatting import counted, explained, plain, time_text
from mpcnet.cli.input_sources import Given, read_document
from mpcnet.cli.inputs import parse_words
from mpcnet.cli.progress import watch_runs
from mpcnet.cli.tables import party_table
from mpcnet.declare import Job, find_protocol, load_job
from mpcnet.declare.examples import Inputs, example_inputs, example_job, grown_example
from mpcnet.errors import LocalError, MpcnetError, did_you_mean
from mpcnet.identity.files import replace_text
from mpcnet.sim import LAN, Fault, Network, Simulation, find_scenario, list_scenarios, simulate

__all__ = ("run_simulation",)

_MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class _Experiment:
    """What is simulated, once for each seed."""

    job: Job[Any, Any]
    inputs: Inputs
    network: Network
    faults: Sequence[Fault]
    summary: str


def run_simulation(asked: Sim) -> None:
    """Simulate the example of a protocol, a job file or a scenario, and show what came of it.

    Raises:
        MpcnetError: a party failed, and no fault was asked for; what came of the run has been shown.
    """
    experiment = _experiment(asked)
    seeds = range(asked.seed, asked.seed + asked.seeds)
    if asked.trace is not None and len(seeds) > 1:
        raise LocalError("--trace holds one run: leave out --seeds, and give its seed by --seed")
    runs = _run_all(experiment, seeds, quiet=asked.quiet)
    failure = None if experiment.faults else _failure(runs)
    if isinstance(failure, LocalError):
        raise failure  # nothing was sent: there is no run to show
    if asked.trace is not None:
        replace_text(Path(asked.trace), _trace_text(runs[asked.seed]))
    if asked.as_json:
        documents = [_document(experiment.job, run, experiment.network, seed) for seed, run in runs.items()]
        document: dict[str, object] = documents[0] if len(seeds) == 1 else {"runs": documents}
        print_document(document if failure is None else {**document, "error": to_document(failure)})
    else:
        _show(experiment, runs)
    if failure is not None:
        raise failure


def _experiment(asked: Sim) -> _Experiment:
    if (asked.name is None) == (asked.scenario is None):
        known = ", ".join(list_scenarios()) or "none"
        raise LocalError(f"name a protocol, a job file or a scenario (mpcnet protocols; scenarios: {known})")
    model = parse_network(asked.network) if asked.network else None
    faults = tuple(map(parse_fault, asked.faults))
    if asked.scenario is not None:
        if asked.parties is not None or asked.document is not None:
            raise LocalError("a scenario has its own parties and inputs")
        found = find_scenario(asked.scenario)
        network = with_links(model or found.network, asked.links)
        return _Experiment(found.job, found.inputs, network, (*found.faults, *faults), found.description)
    assert asked.name is not None  # noqa: S101 -- one of the two is there
    job, inputs = _job_of(asked.name, asked.parties, asked.document)
    return _Experiment(job, inputs, with_links(model or LAN, asked.links), faults, job.protocol.summary)


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


def _run_all(experiment: _Experiment, seeds: Sequence[int], *, quiet: bool) -> dict[int, Simulation[Any]]:
    found: dict[int, Simulation[Any]] = {}
    job = experiment.job
    with watch_runs(len(job.names), "run" if len(seeds) > 1 else "", len(seeds), quiet=quiet) as watcher:
        for number, seed in enumerate(seeds):

            def listener(party: str, event: Any, number: int = number) -> None:
                watcher(number, party, event)

            found[seed] = simulate(
                job,
                experiment.inputs,
                network=experiment.network,
                faults=experiment.faults,
                seed=seed,
                allow_errors=True,
                listener=listener,
            )
    return found


def _failure(runs: Mapping[int, Simulation[Any]]) -> Exception | None:
    """Of the first run that failed: the party that failed first, and why."""
    for seed, run in runs.items():
        if run.cause is not None:
            name, error = run.cause
            of_seed = f" with --seed {seed}" if len(runs) > 1 else ""
            return error if isinstance(error, LocalError) else MpcnetError(f"{name} failed{of_seed}: {error}")
    return None


def _trace_text(run: Simulation[Any]) -> str:
    """A line of JSON for every frame, in the order in which frames took the links."""
    return "".join(json.dumps(dataclasses.asdict(event)) + "\n" for event in run.trace)


def _show(experiment: _Experiment, runs: Mapping[int, Simulation[Any]]) -> None:
    console, job, seeds = stdout(), experiment.job, list(runs)
    console.print(Text.assemble((job.protocol.name, "bold"), f": {experiment.summary}"))
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    console.print(Text(f"network {network_text(experiment.network)}, {which}\n", style="dim"))
    for alike in _alike(job, runs):
        if len(seeds) > 1:
            console.print(Text(f"{counted(len(alike), 'run')} with {_seeds_text(alike)}"))
        table = party_table(("party", "learns"))
        for names, text in _grouped(job, runs[alike[0]]):
            table.add_row(Text(names), text)
        console.print(table)
        console.print(Text("\n" + _cost_text([runs[seed] for seed in alike])))


def _alike(job: Job[Any, Any], runs: Mapping[int, Simulation[Any]]) -> list[list[int]]:
    """Seeds whose runs ended alike, together."""
    groups: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for seed, run in runs.items():
        ending = tuple((names, text.plain) for names, text in _grouped(job, run))
        groups.setdefault(ending, []).append(seed)
    return list(groups.values())


def _seeds_text(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    shown = ", ".join(map(str, seeds[:_MOST_ROWS]))
    return f"seeds {shown}" + (f" and {len(seeds) - _MOST_ROWS} more" if len(seeds) > _MOST_ROWS else "")


def _cost_text(runs: Sequence[Simulation[Any]]) -> str:
    costs = [run.cost for run in runs]
    facts = [
        _span([cost.messages for cost in costs], "message"),
        _span([cost.sent_bytes for cost in costs], "byte"),
    ]
    # A protocol that sends messages of its own has no rounds to count.
    if any(cost.rounds or not cost.messages for cost in costs):
        facts.insert(0, _span([cost.rounds for cost in costs], "round"))
    times = list(dict.fromkeys([time_text(pick(cost.seconds for cost in costs)) for pick in (min, max)]))
    return ", ".join([*facts, f"{' to '.join(times)} of virtual time"])


def _span(numbers: Sequence[int], singular: str) -> str:
    least, most = min(numbers), max(numbers)
    return counted(most, singular) if least == most else f"{least:,} to {counted(most, singular)}"


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
            "jitter_seconds": network.default.jitter_seconds,
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
