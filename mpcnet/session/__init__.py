"""The runtime: mesh, agreement, running jobs, and the parties that protocols are given."""

from mpcnet.session.cost import Cost as Cost
from mpcnet.session.cost import RegionCost as RegionCost
from mpcnet.session.mesh import Mesh as Mesh
from mpcnet.session.mesh import Result as Result
from mpcnet.session.open_mesh import open_mesh as open_mesh

__all__ = (
    "Cost",
    "Mesh",
    "RegionCost",
    "Result",
    "open_mesh",
)
