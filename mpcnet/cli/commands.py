"""What one can say about jobs: demo, sim, protocols, new, job, explain, run. Work is imported when it is needed.

Nothing here or in `party_commands` imports numpy, trio or the session: help and completion answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from mpcnet.cli.click_app import Command, DiscreetCommand, json_option, quiet_option
from mpcnet.cli.completion import complete
from mpcnet.cli.party_commands import passphrase_option, roster_option

__all__ = ("demo", "explain", "job", "new", "protocols", "run", "sim")

_FEW_MINUTES = 600
"""Seconds until a job from a template gives up: people start the parties by hand."""
_ANY_NETWORK = "lan, wan, or LATENCY[/BANDWIDTH], one way: 50ms/100Mbit.  [default: lan]"


@click.command(
    cls=Command,
    examples=(
        ("mpcnet demo average", "Four parties learn the average of their raises, and nobody's raise."),
        ("mpcnet demo second-price-auction --json", "An auction with a dealer; the outcome for a program."),
    ),
)
@click.argument("name", metavar="PROTOCOL", shell_complete=complete.protocols)
@quiet_option
@json_option
def demo(name: str, quiet: bool, as_json: bool) -> None:
    """Run an example, each party a real process on this machine.

    They talk over encrypted TCP, as on machines far apart.
    Makes keys, a roster and a job file in a temporary folder, and removes them.
    """
    from mpcnet.cli.demo import play_demo

    play_demo(name, quiet=quiet, as_json=as_json)


@click.command(
    cls=Command,
    examples=(
        ("mpcnet sim average", "The example of a protocol, on a local network."),
        ("mpcnet sim second-price-auction --parties 50 --network wan", "Fifty bidders, 100 ms there and back."),
        ("mpcnet sim tally --network 20ms/50Mbit --seed 7", "Another network; the seed repeats the run."),
        ("mpcnet sim job.toml --inputs inputs.json", "A job of your own, with everybody's inputs."),
        ("mpcnet sim --scenario raises", "A scenario."),
    ),
)
@click.argument("name", required=False, metavar="[PROTOCOL | JOB.toml]", shell_complete=complete.protocols_and_jobs)
@click.option(
    "--scenario",
    metavar="NAME",
    help="Run an installed scenario instead.",
    shell_complete=complete.scenarios,
)
@click.option("--network", metavar="NETWORK", help=_ANY_NETWORK, shell_complete=complete.networks)
@click.option("--seed", default=0, show_default=True, help="Of all randomness: the same seed gives the same run.")
@click.option(
    "--parties", type=click.IntRange(1, 1024), metavar="N", help="Another number of parties than the example's."
)
@click.option(
    "--inputs",
    "document",
    metavar="FILE",
    help="For a job file: JSON, {party: {input: value}}.",
    shell_complete=complete.files,
)
@quiet_option
@json_option
def sim(
    name: str | None,
    scenario: str | None,
    network: str | None,
    seed: int,
    parties: int | None,
    document: str | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run all parties in this process, on a modelled network.

    Runs the example of a protocol, a job file, or a scenario.

    Messages take as long as on the network that is modelled, on a virtual clock, on which computing
    takes no time. The time includes the agreement; rounds and bytes do not.
    """
    from mpcnet.cli.sim import run_simulation

    run_simulation(
        name,
        scenario,
        network=network,
        seed=seed,
        parties=parties,
        document=document,
        quiet=quiet,
        as_json=as_json,
    )


@click.command(
    cls=Command,
    examples=(
        ("mpcnet protocols", "All that are installed."),
        ("mpcnet protocols average", "One: its roles, parameters, inputs, and what it reveals."),
        ("mpcnet protocols --json", "For a program."),
    ),
)
@click.argument("name", required=False, shell_complete=complete.protocols)
@json_option
def protocols(name: str | None, as_json: bool) -> None:
    """List the installed protocols, or describe one."""
    from mpcnet.cli.protocol_commands import show_protocols

    show_protocols(name, as_json=as_json)


@click.command(
    cls=Command,
    examples=(
        ("mpcnet new wage-floor", "The folder wage-floor, with a protocol of this name that works."),
        ("mpcnet new wage-floor --folder ~/plugins/floor", "The same, elsewhere."),
    ),
)
@click.argument("name")
@click.option("--folder", metavar="PATH", help="Where.  [default: ./NAME]", shell_complete=complete.files)
def new(name: str, folder: str | None) -> None:
    """Begin a protocol of your own, as a package that pip can install.

    Writes a small protocol that works, its declaration for pip, a test with the conformance kit, and
    says what to do next. docs/writing-a-protocol.md goes on from there.
    """
    from mpcnet.cli.new import make_skeleton

    make_skeleton(name, folder)


@click.command(
    cls=Command,
    examples=(
        ("mpcnet job average --role owners=alice,bob,carol > job.toml", "A job of your own people."),
        (
            'mpcnet job tally --param \'options=["tea", "coffee"]\' --label lunch',
            "Other parameters than the example's.",
        ),
        ("mpcnet job majority --dealer notary --deadline 3600", "Somebody else deals, and there is an hour."),
    ),
)
@click.argument("name", metavar="PROTOCOL", shell_complete=complete.protocols)
@click.option("--label", metavar="TEXT", help="What the parties call this run.  [default: the protocol's name]")
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE=NAME,...",
    help="Who takes a role; once for each role.",
    shell_complete=complete.roles,
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter; once for each.",
    shell_complete=complete.parameters,
)
@click.option(
    "--compute", metavar="NAME,...", help="Who computes.  [default: the example's; with --role, who gives inputs]"
)
@click.option(
    "--dealer",
    metavar="NAME",
    help="Who deals randomness, and does nothing else; '' for nobody.",
    shell_complete=complete.members,
)
@click.option(
    "--scheme",
    default="additive",
    show_default=True,
    metavar="NAME",
    help="How secrets are shared.",
    shell_complete=complete.schemes,
)
@click.option("--deadline", default=_FEW_MINUTES, show_default=True, metavar="SECONDS", help="For the whole job.")
def job(
    name: str,
    label: str | None,
    roles: Sequence[str],
    params: Sequence[str],
    compute: str | None,
    dealer: str | None,
    scheme: str,
    deadline: int,
) -> None:
    """Print a job file, which must be the same for all parties.

    What no option says is taken from the protocol's example. VALUE is as in TOML, or text without quotes.
    """
    from mpcnet.cli.protocol_commands import print_job

    print_job(name, label, roles, params, compute, dealer, scheme, deadline)


@click.command(
    cls=Command,
    examples=(
        ("mpcnet explain job.toml", "The whole story, with a rehearsal on inputs that nobody has."),
        ("mpcnet explain job.toml --roster roster.toml", "With a look at who sits on whose machine."),
        ("mpcnet explain job.toml --rows 1000 --json", "The cost for lists of a thousand, for a program."),
    ),
)
@click.argument("job_path", metavar="JOB.toml", shell_complete=complete.jobs)
@click.option(
    "--roster",
    "roster_path",
    metavar="FILE",
    help="Hold it against a roster, and look at addresses.",
    shell_complete=complete.files,
)
@click.option(
    "--rows",
    type=click.IntRange(1, 1_000_000),
    default=20,
    show_default=True,
    metavar="N",
    help="For the cost: how many rows or items each owner has, where that is open.",
)
@click.option("--cost/--no-cost", "costs", default=True, help="Rehearse it for its cost.  [default: yes]")
@json_option
def explain(job_path: str, roster_path: str | None, rows: int, costs: bool, as_json: bool) -> None:
    """Say in plain words what a job file means, before you agree to it.

    Who gives what, who computes and deals, who learns what, who must collude to learn more, what it costs, and
    what to consider. Nothing is sent, and no input is read.
    """
    from mpcnet.cli.explain import explain_job

    explain_job(job_path, roster_path, rows=rows, costs=costs, as_json=as_json)


@click.command(
    cls=DiscreetCommand,
    examples=(
        ("mpcnet run job.toml --as alice", "The inputs are asked for."),
        ("mpcnet run job.toml --as bob --input value=@raise.txt", "From a file that holds one number."),
        ("mpcnet run job.toml --as carol --input value=staff.csv:raise", "From the column of a table."),
        ("mpcnet run job.toml --as dave --inputs - --json < dave.json", "From a program, for a program."),
    ),
)
@click.argument("job_path", metavar="JOB.toml", shell_complete=complete.jobs)
@click.option(
    "--as",
    "name",
    required=True,
    metavar="NAME",
    help="Who you are in the roster.",
    shell_complete=complete.parties_of_job,
)
@roster_option
@click.option(
    "--key", "key_path", metavar="FILE", help="Your key file.  [default: NAME.key]", shell_complete=complete.keys
)
@passphrase_option
@click.option(
    "--input",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="One of your inputs; see above.",
    shell_complete=complete.inputs_of_job,
)
@click.option(
    "--inputs",
    "document",
    metavar="FILE",
    help='A JSON document of all your inputs; "-" to read it.',
    shell_complete=complete.files,
)
@quiet_option
@click.option("--events", "reports", is_flag=True, help="Tell what goes on as JSON lines on standard error.")
@json_option
def run(
    *,
    job_path: str,
    name: str,
    roster_path: str,
    key_path: str | None,
    passphrase_file: str | None,
    options: Sequence[str],
    document: str | None,
    quiet: bool,
    reports: bool,
    as_json: bool,
) -> None:
    """Take part in a job, and print what you learn.

    Waits for the other parties, which may start in any order. VALUE of an input is one of

    \b
      3800             the value; others on this machine can see it
      -                standard input, one value a line
      @FILE            a file, one value a line
      FILE.csv:COLUMN  a column of a CSV file

    An input that is not given is asked for, without echo. Nobody but you sees it.
    """  # noqa: D301 -- click's mark for lines that stay
    from mpcnet.cli.run import run_party

    run_party(
        job_path,
        name,
        roster_path=roster_path,
        key_path=key_path,
        passphrase_file=passphrase_file,
        options=options,
        document=document,
        quiet=quiet,
        reports=reports,
        as_json=as_json,
    )
