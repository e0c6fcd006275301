"""Domains of arithmetic, labels of pseudorandom streams, and the security parameters. No I/O."""

from mpcnet.algebra.domain import Z64 as Z64
from mpcnet.algebra.domain import Buffer as Buffer
from mpcnet.algebra.domain import Domain as Domain
from mpcnet.algebra.domain import Shape as Shape
from mpcnet.algebra.domain import Words as Words
from mpcnet.algebra.parameters import KAPPA as KAPPA
from mpcnet.algebra.parameters import SIGMA as SIGMA
from mpcnet.algebra.prg import Label as Label
from mpcnet.algebra.prg import Streams as Streams

__all__ = ("KAPPA", "SIGMA", "Z64", "Buffer", "Domain", "Label", "Shape", "Streams", "Words")
