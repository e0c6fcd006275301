"""The command `mpcnet`.

reporting  errors, exit codes and the group of commands
keys       keygen; roster line, make, add, check, fingerprint
declared   protocols, job: what is installed, and job files for it
run        one party of a job, over encrypted TCP
sim        all parties in this process, on a modelled network
demo       all parties as real processes on this machine
inputs     values from words, standard input, files, CSV columns, documents and prompts
show       outcomes for people and for programs

Exit codes: 0 done, 1 a job failed (the message names the party and the reason), 2 wrong input, 130 interrupted.
"""

from mpcnet.cli.declared import job, protocols
from mpcnet.cli.demo import demo_command
from mpcnet.cli.keys import keygen, roster
from mpcnet.cli.reporting import app
from mpcnet.cli.run import run_command
from mpcnet.cli.sim import sim_command

__all__ = ("app", "main")

for _command in (demo_command, sim_command, protocols, keygen, roster, job, run_command):
    app.add_command(_command)


def main() -> None:
    """Run the command with the words of the command line, and exit."""
    app.main(prog_name="mpcnet")
