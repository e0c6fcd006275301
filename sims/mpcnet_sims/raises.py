"""Four engineers compare their raises over a WAN: the worked example of the documentation."""

from __future__ import annotations

from mpcnet import WAN, Job, Scenario, find_protocol

__all__ = ("raises",)

_RAISES = {"alice": 3800, "bob": 2514, "carol": 2982, "dave": 3390}

_average = find_protocol("average")

raises: Scenario = Scenario(
    name="raises",
    description="Four engineers learn the sum and the average of their raises over a WAN (100 ms there and back).",
    job=Job(_average, _average.make_params({}), {"owners": tuple(_RAISES)}, "raises"),
    inputs={name: {"value": value} for name, value in _RAISES.items()},
    network=WAN,
)
