# MPyC has no types; it runs beside ours in benchmarks only.
from typing import Any

mpc: Any
