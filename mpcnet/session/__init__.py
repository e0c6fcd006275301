"""Agreement, jobs, meshes and parties: what a protocol and an application see."""

from mpcnet.session.cost import Cost as Cost
from mpcnet.session.cost import RegionCost as RegionCost
from mpcnet.session.inputs import Choice as Choice
from mpcnet.session.inputs import Decimals as Decimals
from mpcnet.session.inputs import Declaration as Declaration
from mpcnet.session.inputs import Ints as Ints
from mpcnet.session.inputs import LocalInts as LocalInts
from mpcnet.session.inputs import LocalItems as LocalItems
from mpcnet.session.inputs import LocalLabels as LocalLabels
from mpcnet.session.job import Job as Job
from mpcnet.session.jobfile import job_from_toml as job_from_toml
from mpcnet.session.jobfile import job_to_toml as job_to_toml
from mpcnet.session.jobfile import load_job as load_job
from mpcnet.session.mesh import Mesh as Mesh
from mpcnet.session.mesh import Result as Result
from mpcnet.session.opening import open_mesh as open_mesh
from mpcnet.session.party import Party as Party
from mpcnet.session.plugins import find_protocol as find_protocol
from mpcnet.session.plugins import list_protocols as list_protocols
from mpcnet.session.protocol import Example as Example
from mpcnet.session.protocol import Many as Many
from mpcnet.session.protocol import One as One
from mpcnet.session.protocol import Protocol as Protocol
from mpcnet.session.protocol import protocol as protocol
from mpcnet.session.revealed import Revealed as Revealed

__all__ = (
    "Choice",
    "Cost",
    "Decimals",
    "Declaration",
    "Example",
    "Ints",
    "Job",
    "LocalInts",
    "LocalItems",
    "LocalLabels",
    "Many",
    "Mesh",
    "One",
    "Party",
    "Protocol",
    "RegionCost",
    "Result",
    "Revealed",
    "find_protocol",
    "job_from_toml",
    "job_to_toml",
    "list_protocols",
    "load_job",
    "open_mesh",
    "protocol",
)
