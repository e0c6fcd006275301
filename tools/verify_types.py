"""Hold the public interface of the three packages to 100 % known types, as pyright sees an installed package.

Run in the environment that has mpcnet installed: python tools/verify_types.py
"""

from __future__ import annotations

import json
import subprocess
import sys

PACKAGES = ("mpcnet", "mpcnet_protocols", "mpcnet_sims")
NO_LIBRARY = "mpcnet.cli."
"""Commands are called from a shell; click's decorators have types that no annotation can spell."""


def unknown_types(package: str) -> list[str]:
    """Symbols of a package's public interface whose type pyright does not know, with its reasons."""
    command = ["pyright", "--verifytypes", package, "--ignoreexternal", "--outputjson"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    symbols = report["typeCompleteness"]["symbols"]
    return [
        f"{symbol['name']}: {diagnostic['message']}"
        for symbol in symbols
        if symbol["isExported"] and not symbol["isTypeKnown"] and not symbol["name"].startswith(NO_LIBRARY)
        for diagnostic in symbol.get("diagnostics", [{"message": "unknown"}])
    ]


def main() -> int:
    """Print what is unknown; the exit code says whether anything is."""
    problems = [problem for package in PACKAGES for problem in unknown_types(package)]
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
