"""What one can say about jobs: demo, sim, protocols, new, job, explain, run; and completion.

Nothing here or in `party_commands` imports numpy, trio or the session: help and completion answer at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from mpcnet.cli.completers import complete
from mpcnet.cli.shared_options import ROSTER, AsJson, KeyPath, PassphraseFile, Quiet, RosterPath
from mpcnet.cli.signatures import Argument, Option, command

__all__ = (
    "Completion",
    "Demo",
    "Explain",
    "MakeJob",
    "New",
    "Protocols",
    "Run",
    "Sim",
    "completion",
    "demo",
    "explain",
    "job",
    "new",
    "protocols",
    "run",
    "sim",
)

_FEW_MINUTES = 600
"""Seconds until a job from a template gives up: people start the parties by hand."""
_ANY_NETWORK = "lan, wan, or LATENCY[~JITTER][/BANDWIDTH], one way: 50ms~5ms/100Mbit.  [default: lan]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Run an example, each party a real process on this machine.

    They talk over encrypted TCP, as on machines far apart.
    Makes keys, a roster and a job file in a temporary folder, and removes them.
    """

    name: Annotated[str, Argument(metavar="PROTOCOL", complete=complete.protocols)]
    quiet: Quiet = False
    as_json: AsJson = False


demo = command(
    "demo",
    Demo,
    "mpcnet.cli.demo:play_demo",
    examples=(
        ("mpcnet demo average", "Four parties learn the average of their raises, and no raise."),
        ("mpcnet demo second-price-auction --json", "An auction with a dealer; the outcome for a program."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sim:
    """Run all parties in this process, on a modelled network.

    Runs the example of a protocol, a job file, or a scenario.

    Messages take as long as on the network that is modelled, on a virtual clock, on which computing
    takes no time. The time includes the agreement; rounds and bytes do not.
    """

    name: Annotated[str | None, Argument(metavar="[PROTOCOL | JOB.toml]", complete=complete.protocols_and_jobs)] = (
        None
    )
    scenario: Annotated[
        str | None,
        Option(
            "--scenario", metavar="NAME", help="Run an installed scenario instead.", complete=complete.scenarios
        ),
    ] = None
    network: Annotated[
        str | None, Option("--network", metavar="NETWORK", help=_ANY_NETWORK, complete=complete.networks)
    ] = None
    seed: Annotated[
        int, Option("--seed", show_default=True, help="Of all randomness: the same seed gives the same run.")
    ] = 0
    seeds: Annotated[
        int,
        Option(
            "--seeds", metavar="N", limits=(1, 10_000), help="Run with so many seeds, from --seed on, and compare."
        ),
    ] = 1
    links: Annotated[
        tuple[str, ...],
        Option(
            "--link", metavar="NAME:NAME=NETWORK", help="Another network between two parties; once for each pair."
        ),
    ] = ()
    faults: Annotated[
        tuple[str, ...],
        Option(
            "--fault",
            metavar="KIND:NAME[:N]",
            help="A party crashes or stalls (crash, stall: in round N) or crashes in mid-speech (crash-after: N "
            "messages); once for each party.",
        ),
    ] = ()
    trace: Annotated[
        str | None,
        Option("--trace", metavar="FILE", help="Write every frame as a line of JSON.", complete=complete.files),
    ] = None
    parties: Annotated[
        int | None,
        Option("--parties", metavar="N", limits=(1, 1024), help="Another number of parties than the example's."),
    ] = None
    document: Annotated[
        str | None,
        Option(
            "--inputs",
            metavar="FILE",
            help="For a job file: JSON, {party: {input: value}}.",
            complete=complete.files,
        ),
    ] = None
    quiet: Quiet = False
    as_json: AsJson = False


sim = command(
    "sim",
    Sim,
    "mpcnet.cli.sim:run_simulation",
    examples=(
        ("mpcnet sim average", "The example of a protocol, on a local network."),
        ("mpcnet sim second-price-auction --parties 50 --network wan", "Fifty bidders, 100 ms there and back."),
        ("mpcnet sim tally --network 20ms/50Mbit --seed 7", "Another network; the seed repeats the run."),
        ("mpcnet sim job.toml --inputs inputs.json", "A job of your own, with the inputs of all parties."),
        ("mpcnet sim --scenario raises", "A scenario."),
        ("mpcnet sim majority --fault crash:bob:2 --trace frames.jsonl", "A party dies in round 2; every frame."),
        ("mpcnet sim average --network 20ms~50ms --seeds 20", "Twenty runs on a restless network."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocols:
    """List the installed protocols, or describe one."""

    name: Annotated[str | None, Argument(complete=complete.protocols)] = None
    as_json: AsJson = False


protocols = command(
    "protocols",
    Protocols,
    "mpcnet.cli.protocol_commands:show_protocols",
    examples=(
        ("mpcnet protocols", "All that are installed."),
        ("mpcnet protocols average", "One: its roles, parameters, inputs, and what it reveals."),
        ("mpcnet protocols --json", "For a program."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """Begin a protocol of your own, as a package that pip can install.

    Writes a small protocol that works, its declaration for pip, a test with the conformance kit, and
    says what to do next. docs/writing-a-protocol.md goes on from there.
    """

    name: Annotated[str, Argument()]
    folder: Annotated[
        str | None, Option("--folder", metavar="PATH", help="Where.  [default: ./NAME]", complete=complete.files)
    ] = None


new = command(
    "new",
    New,
    "mpcnet.cli.new:make_skeleton",
    examples=(
        ("mpcnet new wage-floor", "The folder wage-floor, with a protocol of this name that works."),
        ("mpcnet new wage-floor --folder ~/plugins/floor", "The same, elsewhere."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeJob:
    """Print a job file, which must be the same for all parties.

    What no option says is taken from the protocol's example; with --role, a parameter that has a default takes
    that instead. VALUE is as in TOML, or text without quotes.
    """

    name: Annotated[str, Argument(metavar="PROTOCOL", complete=complete.protocols)]
    label: Annotated[
        str | None,
        Option("--label", metavar="TEXT", help="What the parties call this run.  [default: the protocol's name]"),
    ] = None
    roles: Annotated[
        tuple[str, ...],
        Option(
            "--role",
            metavar="ROLE=NAME,...",
            help="Who takes a role; once for each role.",
            complete=complete.roles,
        ),
    ] = ()
    params: Annotated[
        tuple[str, ...],
        Option("--param", metavar="NAME=VALUE", help="A parameter; once for each.", complete=complete.parameters),
    ] = ()
    compute: Annotated[
        str | None,
        Option(
            "--compute",
            metavar="NAME,...",
            help="Who computes.  [default: the example's; with --role, who gives inputs]",
        ),
    ] = None
    dealer: Annotated[
        str | None,
        Option(
            "--dealer",
            metavar="NAME",
            help="Who deals randomness, and does nothing else; '' for no dealer.",
            complete=complete.members,
        ),
    ] = None
    scheme: Annotated[
        str,
        Option(
            "--scheme",
            metavar="NAME",
            help="How secrets are shared.",
            show_default=True,
            complete=complete.schemes,
        ),
    ] = "additive"
    provider: Annotated[
        str,
        Option(
            "--provider",
            metavar="NAME",
            help="What makes correlated randomness.  [default: the dealer, if there is one]",
            complete=complete.providers,
        ),
    ] = ""
    deadline: Annotated[
        int, Option("--deadline", metavar="SECONDS", help="For the whole job.", show_default=True)
    ] = _FEW_MINUTES


job = command(
    "job",
    MakeJob,
    "mpcnet.cli.make_job:print_job",
    examples=(
        ("mpcnet job average --role owners=alice,bob,carol > job.toml", "A job of your own people."),
        (
            'mpcnet job tally --param \'options=["tea", "coffee"]\' --label lunch',
            "Other parameters than the example's.",
        ),
        ("mpcnet job majority --dealer notary --deadline 3600", "Another party deals, and there is an hour."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    """Say in plain words what a job file means, before you agree to it.

    Who gives what, who computes and deals, who learns what, who must collude to learn more, what it costs, and
    what to consider. Nothing is sent, and no input is read.
    """

    job_path: Annotated[str, Argument(metavar="JOB.toml", complete=complete.jobs)]
    roster_path: Annotated[
        str | None,
        Option(
            "--roster",
            metavar="FILE",
            help="Hold it against a roster, and look at addresses.",
            complete=complete.files,
        ),
    ] = None
    rows: Annotated[
        int,
        Option(
            "--rows",
            metavar="N",
            limits=(1, 1_000_000),
            help="For the cost: how many rows or items each owner has, where that is open.",
            show_default=True,
        ),
    ] = 20
    costs: Annotated[bool, Option("--cost/--no-cost", help="Run it dry for its cost.  [default: yes]")] = True
    as_json: AsJson = False


explain = command(
    "explain",
    Explain,
    "mpcnet.cli.explain:explain_job",
    examples=(
        ("mpcnet explain job.toml", "The whole story, with a dry run on invented inputs."),
        ("mpcnet explain job.toml --roster roster.toml", "With a look at who sits on whose machine."),
        ("mpcnet explain job.toml --rows 1000 --json", "The cost for lists of a thousand, for a program."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Take part in a job, and print what you learn.

    Waits for the other parties, which may start in any order. VALUE of an input is one of

    \b
      3800             a number or an option; others on this machine can see it
      text:ann,bob     texts, which are always marked as such
      -                standard input, one value a line
      @FILE            a file, one value a line
      FILE.csv:COLUMN  a column of a table; FILE.csv:#2 if it has no header

    An input that is not given is asked for, without echo. No other party sees it.
    """  # noqa: D301 -- click's mark for lines that stay

    job_path: Annotated[str, Argument(metavar="JOB.toml", complete=complete.jobs)]
    name: Annotated[
        str, Option("--as", metavar="NAME", help="Who you are in the roster.", complete=complete.parties_of_job)
    ]
    roster_path: RosterPath = ROSTER
    key_path: KeyPath = None
    passphrase_file: PassphraseFile = None
    inputs: Annotated[
        tuple[str, ...],
        Option(
            "--input",
            metavar="NAME=VALUE",
            help="One of your inputs; see above.",
            complete=complete.inputs_of_job,
        ),
    ] = ()
    document: Annotated[
        str | None,
        Option(
            "--inputs",
            metavar="FILE",
            help='A JSON document of all your inputs; "-" to read it.',
            complete=complete.files,
        ),
    ] = None
    output: Annotated[
        str | None,
        Option(
            "--output",
            metavar="FILE",
            help="Write the result there too, as .csv or .json; of lists, your matched rows.",
            complete=complete.files,
        ),
    ] = None
    formats: Annotated[
        tuple[str, ...],
        Option("--format", metavar="NAME=FORMAT", help="How an input's numbers are written: en, de, fr or ch."),
    ] = ()
    skip_empty: Annotated[
        bool, Option("--skip-empty", help="Leave out rows in which a value is missing, and say how many.")
    ] = False
    encoding: Annotated[
        str, Option("--encoding", metavar="NAME", help="Of your files, such as cp1252.  [default: found out]")
    ] = ""
    delimiter: Annotated[
        str, Option("--delimiter", metavar="CHARACTER", help="Between cells of your tables.  [default: found out]")
    ] = ""
    comments: Annotated[
        str, Option("--comments", metavar="TEXT", help="What begins a line that is to be left out.")
    ] = ""
    quiet: Quiet = False
    reports: Annotated[bool, Option("--events", help="Tell what goes on as JSON lines on standard error.")] = False
    as_json: AsJson = False


run = command(
    "run",
    Run,
    "mpcnet.cli.run:run_party",
    discreet=True,
    examples=(
        ("mpcnet run job.toml --as alice", "The inputs are asked for."),
        ("mpcnet run job.toml --as bob --input value=@raise.txt", "From a file that holds one number."),
        ("mpcnet run job.toml --as carol --input value=staff.csv:raise", "From the column of a table."),
        ("mpcnet run job.toml --as dave --inputs - --json < dave.json", "From a program, for a program."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Print a script that completes words in your shell, and how to install it.

    Without SHELL it is the one that the variable SHELL names.
    """

    shell: Annotated[Literal["bash", "zsh", "fish"] | None, Argument()] = None


completion = command(
    "completion",
    Completion,
    "mpcnet.cli.completion:print_script",
    examples=(
        ('eval "$(mpcnet completion bash)"', "Complete in this shell."),
        ("mpcnet completion fish > ~/.config/fish/completions/mpcnet.fish", "Complete in every one."),
    ),
)
