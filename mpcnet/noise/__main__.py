"""`python -m mpcnet.noise FILE.json ...`: run files of test vectors; exit status 1 if any vector failed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mpcnet.errors import LocalError
from mpcnet.noise.vectors import Outcome, Result, parse, run, summary


def main(arguments: Sequence[str]) -> int:
    """Run every file; print failures, why vectors were skipped, and the counts."""
    if not arguments:
        print("usage: python -m mpcnet.noise FILE.json ...", file=sys.stderr)
        return 2
    return max(_run_file(Path(argument)) for argument in arguments)


def _run_file(path: Path) -> int:
    try:
        results = [run(vector) for vector in parse(path.read_text(encoding="utf-8"))]
    except (OSError, UnicodeError, LocalError) as error:
        print(f"{path.name}: {error.strerror if isinstance(error, OSError) else error}", file=sys.stderr)
        return 2
    _report(results)
    print(f"{path.name}: {summary(results)}")
    return 1 if any(result.outcome is Outcome.FAILED for result in results) else 0


def _report(results: Sequence[Result]) -> None:
    for result in results:
        if result.outcome is Outcome.FAILED:
            print(f"  failed   {result.name}: {result.reason}")
    skipped = Counter(result.reason for result in results if result.outcome is Outcome.SKIPPED)
    for reason, count in skipped.most_common():
        print(f"  skipped  {count}: {reason}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
