"""The command `mpcnet`.

reporting       the form of commands: help, errors and exit codes
commands        what one can say: demo, sim, protocols, new, job, explain, run
party_commands  keygen; roster line, make, add, check, fingerprint; doctor
completion      words that a shell may complete
keys            makes and reads keys and rosters
doctor          looks for what is wrong; machine: on the machine itself
explain         what a job means; risks: what to consider; rehearsal: what it costs
new             the skeleton of a protocol in a distribution of its own
declared        what is installed, and job files for it
run             one party of a job, over encrypted TCP
course          how far a job is; progress: shows it
sim             all parties in this process, on a modelled network
demo            all parties as real processes on this machine
inputs          values from words, standard input, files, CSV columns, documents and prompts
show            outcomes for people and for programs

Exit codes: 0 done, 1 a job failed (the message names the party and the reason), 2 wrong input, 130 interrupted.
"""

from mpcnet.cli import commands, completion, party_commands
from mpcnet.cli.click_app import app

__all__ = ("app", "main")

# Modules, not names of theirs: `mpcnet.cli.run` is the module that does the work.
for _command in (
    commands.demo,
    commands.sim,
    commands.protocols,
    commands.new,
    party_commands.keygen,
    party_commands.roster,
    commands.job,
    commands.explain,
    commands.run,
    party_commands.doctor,
    completion.completion,
):
    app.add_command(_command)


def main() -> None:
    """Run the command with the words of the command line, and exit."""
    app.main(prog_name="mpcnet")
