"""Make tests/vectors/x25519/wycheproof.json: `python tools/make_x25519_vectors.py x25519_test.json COMMIT`.

The argument is testvectors_v1/x25519_test.json of github.com/C2SP/wycheproof at that commit. All cases are kept,
one line each, without the comments; nothing of mpcnet takes part. The same file gives the same output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "tests" / "vectors" / "x25519" / "wycheproof.json"
COLUMNS = ("tcId", "result", "flags", "private", "public", "shared")


def rows_of(document: dict[str, Any]) -> list[list[Any]]:
    """The columns of all cases, in their order."""
    groups = document["testGroups"]
    if document["algorithm"] != "XDH" or any(group["curve"] != "curve25519" for group in groups):
        sys.exit("these are no vectors of X25519")
    rows = [[test[name] for name in COLUMNS] for group in groups for test in group["tests"]]
    if len(rows) != document["numberOfTests"]:
        sys.exit(f"{document['numberOfTests']} cases were announced, and {len(rows)} are there")
    return rows


def main(path: str, commit: str) -> None:
    """Write the file."""
    rows = rows_of(json.loads(Path(path).read_text(encoding="utf-8")))
    head = {
        "source": f"github.com/C2SP/wycheproof, testvectors_v1/x25519_test.json, commit {commit}",
        "licence": "Apache-2.0, copyright 2016-2026 The Wycheproof Authors",
        "comment": "made by tools/make_x25519_vectors.py; one case a line: " + ", ".join(COLUMNS),
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    cases = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(["{", *lines, f'"cases": [\n{cases}\n]', "}", ""]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
