"""The command `mpcnet`.

click_app          the form of commands: help, errors and exit codes
signatures         commands from dataclasses, which their work is given
shared_options     options of several commands; completers: words that a shell may complete
commands           what one can say: demo, sim, protocols, new, job, explain, run, completion
party_commands     keygen; roster line, make, add, check, fingerprint; doctor
completion         the script for a shell
keys               makes keys and rosters; key_files: reads keys
doctor             looks for what is wrong; machine_checks: on the machine itself
explain            what a job means; sentences: how that is said
new                the skeleton of a protocol in a distribution of its own
protocol_commands  what is installed; make_job: job files for it
run                one party of a job, over encrypted TCP
progress_model     how far a job is; progress: shows it, by lines of watch or on a display
sim                all parties in this process, on a modelled network
demo               all parties as real processes on this machine
input_sources      what options say of inputs: words, files, documents
inputs             values of inputs, from these and from prompts; results: outcomes in files
formatting         outcomes for people and for programs; tables: with a row for each party

Exit codes: 0 done, 1 a job failed (the message names the party and the reason), 2 wrong input, 130 interrupted.
"""

from mpcnet.cli import commands, party_commands
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
    commands.completion,
):
    app.add_command(_command)


def main() -> None:
    """Run the command with the words of the command line, and exit."""
    app.main(prog_name="mpcnet")
