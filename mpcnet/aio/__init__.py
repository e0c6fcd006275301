"""mpcnet for asyncio applications: the names of `mpcnet`, on trio's guest mode.

    async with mpcnet.aio.open_mesh(roster, identity) as mesh:
        outcome = await mesh.run(Job(average, Rules(), roles, "raises-2026"), {"value": 3800})

The same code as under trio runs the links and jobs, in the same thread as the asyncio loop. Jobs, protocols, events
and errors are those of `mpcnet`; only what is awaited has a twin here.
"""

from mpcnet.aio.mesh import Mesh as Mesh
from mpcnet.aio.mesh import open_mesh as open_mesh

__all__ = ("Mesh", "open_mesh")
