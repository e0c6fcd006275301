"""What protocols on private sets stand on: items as points, points times secret scalars, tags. No I/O."""

from mpcnet.sets.points import POINT_BYTES as POINT_BYTES
from mpcnet.sets.points import SCALAR_BYTES as SCALAR_BYTES
from mpcnet.sets.points import SmallOrder as SmallOrder
from mpcnet.sets.points import blind as blind
from mpcnet.sets.points import hash_to_points as hash_to_points
from mpcnet.sets.points import multiply as multiply
from mpcnet.sets.points import split_points as split_points
from mpcnet.sets.tags import split_tags as split_tags
from mpcnet.sets.tags import tag_bytes as tag_bytes
from mpcnet.sets.tags import tags_of as tags_of

__all__ = (
    "POINT_BYTES",
    "SCALAR_BYTES",
    "SmallOrder",
    "blind",
    "hash_to_points",
    "multiply",
    "split_points",
    "split_tags",
    "tag_bytes",
    "tags_of",
)
