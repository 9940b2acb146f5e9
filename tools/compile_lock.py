"""Compile requirements.lock from pyproject.toml, without an index address and without the CUDA wheels.

torch's own metadata brings the CUDA wheels where its build needs them, so the lock must not pin them for everybody.

    make lock
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CUDA = re.compile(r"^(nvidia-|cuda-|triton\b|pytorch-triton)")


def main() -> int:
    """Write requirements.lock and return the compiler's exit code."""
    lock = ROOT / "requirements.lock"
    command = ["uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--python-version", "3.11"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--upgrade", "--quiet", "-o", str(lock)]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode == 0:
        kept = [line for line in lock.read_text().splitlines() if not CUDA.match(line)]
        lock.write_text("\n".join(kept) + "\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
