"""Run every benchmark, or those named: ``python -m benchmarks [classify] [stream] [store]``."""

from __future__ import annotations

import importlib
import sys

NAMES = ("classify", "store", "stream")
"""Modules of this package with a `main()` that prints its table."""


def run(names: list[str]) -> int:
    """Run benchmarks one after the other and return an exit code."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    sys.argv = sys.argv[:1]
    for name in names or NAMES:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
