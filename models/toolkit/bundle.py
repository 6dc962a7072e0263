#!/usr/bin/env python3
"""Gathers what travels to a machine with a GPU: no network is needed there, and no toolkit.

usage: bundle.py FOLDER RELEASE TESTS_JSON MODELS [usher]

`run.sh` there runs the golden tests on the device, then the bench, and with `peers` the bench against PyTorch, where that
is installed. Tests, bench and weights need nothing but the driver and CUDA's libraries; `usher` also needs GStreamer.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

RUN = """#!/bin/sh
# Golden tests on the device, then the bench; `run.sh peers` also against PyTorch. cuBLAS and cuRAND, which opening a
# device asks for, may be those of a PyTorch installed beside.
set -eu
cd "$(dirname "$0")"
beside=$(python3 -c 'import glob, site; print(":".join(d for s in site.getsitepackages() + [site.getusersitepackages()]
    for d in glob.glob(s + "/nvidia/*/lib")))' 2>/dev/null || true)
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$beside" USHER_MODELS="$PWD/models" USHER_TEST_CUDA=1
for test in tests/*; do "$test" --nocapture; done
./usher-benches cuda --output cuda.json
if [ "${1:-}" = peers ]; then python3 peers/torch_cuda.py --usher ./usher-benches --models models --output cuda-peers.json; fi
"""


def main() -> None:
    folder, release, tests, models = map(Path, sys.argv[1:5])
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("tests", "models", "peers"):
        (folder / name).mkdir(parents=True)
    built = [json.loads(line) for line in tests.read_text().splitlines()]
    programs = {row["target"]["name"]: row["executable"] for row in built if row.get("executable")}
    wanted = {f"tests/{name}": programs[name] for name in ("golden", "same")}
    wanted |= {name: release / name for name in ("usher-benches", *sys.argv[5:])}
    for name, path in wanted.items():
        subprocess.run(["strip", "-o", folder / name, path], check=True)
        (folder / name).chmod(0o755)
    for path in sorted(models.iterdir()):
        if path.is_file():
            shutil.copy(path, folder / "models" / path.name)
    peers = Path(__file__).resolve().parents[2] / "benches/peers"
    for name in ("torch_cuda.py", "child.py"):
        shutil.copy(peers / name, folder / "peers" / name)
    (folder / "run.sh").write_text(RUN)
    (folder / "run.sh").chmod(0o755)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size / 2**20:7.1f} MiB  {path.relative_to(folder)}")


if __name__ == "__main__":
    main()
