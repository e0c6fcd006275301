"""How fast mpcnet is, measured beside its limits and its peers: `python -m benchmarks --list`."""
