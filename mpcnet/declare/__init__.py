"""Protocols, inputs, outputs, jobs and job files: what parties agree on, without any I/O beyond files."""

from mpcnet.declare.inputs import Choice as Choice
from mpcnet.declare.inputs import Chooser as Chooser
from mpcnet.declare.inputs import Decimals as Decimals
from mpcnet.declare.inputs import Declaration as Declaration
from mpcnet.declare.inputs import Ints as Ints
from mpcnet.declare.inputs import Local as Local
from mpcnet.declare.inputs import LocalDecimals as LocalDecimals
from mpcnet.declare.inputs import LocalInts as LocalInts
from mpcnet.declare.inputs import LocalItems as LocalItems
from mpcnet.declare.inputs import LocalLabels as LocalLabels
from mpcnet.declare.inputs import Shared as Shared
from mpcnet.declare.job import Job as Job
from mpcnet.declare.jobfile import job_from_toml as job_from_toml
from mpcnet.declare.jobfile import job_to_toml as job_to_toml
from mpcnet.declare.jobfile import load_job as load_job
from mpcnet.declare.outputs import Each as Each
from mpcnet.declare.outputs import Only as Only
from mpcnet.declare.party import Party as Party
from mpcnet.declare.plugins import find_protocol as find_protocol
from mpcnet.declare.plugins import list_protocols as list_protocols
from mpcnet.declare.protocol import Example as Example
from mpcnet.declare.protocol import Many as Many
from mpcnet.declare.protocol import One as One
from mpcnet.declare.protocol import Protocol as Protocol
from mpcnet.declare.protocol import protocol as protocol
from mpcnet.declare.revealed import Revealed as Revealed

__all__ = (
    "Choice",
    "Chooser",
    "Decimals",
    "Declaration",
    "Each",
    "Example",
    "Ints",
    "Job",
    "Local",
    "LocalDecimals",
    "LocalInts",
    "LocalItems",
    "LocalLabels",
    "Many",
    "One",
    "Only",
    "Party",
    "Protocol",
    "Revealed",
    "Shared",
    "find_protocol",
    "job_from_toml",
    "job_to_toml",
    "list_protocols",
    "load_job",
    "protocol",
)
