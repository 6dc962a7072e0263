"""usher against the engines a user would pick instead: same weights, same inputs, one thread, call by call in turn.

Each round calls every peer and usher once, in an order that moves on by one from round to round; what else the machine
does then falls on all alike. A turn begins with a call that is not timed, for all of them: before it the caches hold
what the others left there, and usher, a process of its own, has slept. A ratio is usher's median over the peer's; its spread is the 10th and the 90th percentile
of the ratios of single rounds.
"""

import os

# Read by the libraries when they are loaded.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
os.environ.update(ONE_THREAD)

import argparse
import gc
import json
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from child import Child
from engines import Runner
from works import Work, works

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "Is usher faster than the engines a user would pick instead: same weights and inputs, one thread each?"
WARM_UPS = 3
ROUNDS = 60
FEWEST_ROUNDS = 15
# Seconds for the rounds of one work; long calls get fewer rounds.
BUDGET = 45.0
USHER = "usher"
Row = dict[str, Any]


def why(error: Exception) -> str:
    """One line of an error."""
    if isinstance(error, ImportError):
        return f"not installed: {error.name or error}"
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def timed(runner: Runner, calls: int = 1) -> Callable[[], float]:
    """A turn of one call and so many more; says how long one of those took, seconds, the median."""

    def turn() -> float:
        seconds = []
        runner.before()
        runner.run()
        for _ in range(calls):
            runner.before()
            start = perf_counter()
            runner.run()
            seconds.append(perf_counter() - start)
        return median(seconds)

    return turn


def rounds_of(calls: dict[str, Callable[[], float]], rounds: int | None) -> dict[str, np.ndarray]:
    """Seconds of each in each round."""
    for _ in range(WARM_UPS):
        start = perf_counter()
        for call in calls.values():
            call()
        lasted = perf_counter() - start
    count = rounds or int(np.clip(BUDGET / lasted, FEWEST_ROUNDS, ROUNDS))
    names, seconds = list(calls), {name: np.empty(count) for name in calls}
    gc.collect()
    gc.disable()
    for index in range(count):
        turn = index % len(names)
        for name in names[turn:] + names[:turn]:
            seconds[name][index] = calls[name]()
    gc.enable()
    return seconds


def bench(work: Work, child: Child | str, without: set[str], rounds: int | None, folder: Path) -> list[Row]:
    """The rows of one work; `child` is a text that says why there is none."""
    runners: dict[str, Runner] = {}
    absent: dict[str, str] = {}
    for peer, make in work.peers.items():
        if peer in without:
            continue
        try:
            runner = make()
            timed(runner)()
            runner.outputs()
            runners[peer] = runner
        # A peer that cannot do the work, for whatever reason, is a row that says so.
        except Exception as error:
            absent[peer] = why(error)
    calls = {peer: timed(runner, work.calls) for peer, runner in runners.items()}
    no_usher, checked = child if isinstance(child, str) else "", True
    if isinstance(child, Child):
        try:
            if work.check:
                request, make = work.check
                child.ask(request)
                child.run()
                found, wanted = child.outputs(folder / "out.f32"), make()
                wanted.run()
                checked = work.difference(found, wanted.outputs()) <= work.tolerance
            child.ask(work.request)
            child.run()
            calls[USHER] = lambda: median(child.run(1 + work.calls)[1:])
        except Exception as error:
            no_usher = why(error)
    if not calls:
        return [{"work": work.name, "peer": peer, "absent": reason} for peer, reason in absent.items()]
    seconds = rounds_of(calls, rounds)

    outputs = {peer: runner.outputs() for peer, runner in runners.items()}
    if USHER in calls and isinstance(child, Child):
        outputs[USHER] = child.outputs(folder / "out.f32")
    reference = next(iter(outputs))
    differences = {name: work.difference(made, outputs[reference]) for name, made in outputs.items()}
    usher_agrees = checked and differences.get(USHER, 0) <= work.tolerance

    rows: list[Row] = []
    for peer in work.peers:
        row: Row = {"work": work.name, "peer": peer}
        if peer in runners:
            own = bool(differences[peer] <= work.tolerance)
            row |= {"agree": own and usher_agrees, "peer_agrees": own, "difference": differences[peer]}
            row |= {"difference_is": work.unit, "reference": reference, "peer_ms": median_ms(seconds[peer])}
            if USHER in seconds:
                ratios = seconds[USHER] / seconds[peer]
                row |= {"ratio": round(float(np.median(seconds[USHER]) / np.median(seconds[peer])), 4)}
                row |= {"low": round(float(np.percentile(ratios, 10)), 4)}
                row |= {"high": round(float(np.percentile(ratios, 90)), 4)}
                row |= {"usher_ms": median_ms(seconds[USHER]), "usher_difference": differences[USHER]}
            else:
                row["absent"] = f"usher: {no_usher}"
            row |= {"rounds": len(seconds[peer])} | work.notes
        elif peer in absent:
            row["absent"] = absent[peer]
        else:
            continue
        rows.append(row)
    agreeing = [row for row in rows if row.get("peer_agrees")]
    if agreeing:
        min(agreeing, key=lambda row: row["peer_ms"])["best"] = True
    return rows


def median_ms(seconds: np.ndarray) -> float:
    return round(float(np.median(seconds)) * 1e3, 4)


def show(row: Row) -> str:
    """A row of the table."""
    start = f"{row['work']:<30} {row['peer']:<44}"
    if "peer_ms" not in row:
        return f"{start} absent: {row['absent']}"
    best = " best peer" if row.get("best") else ""
    agree = "yes" if row["agree"] else "NO"
    if "ratio" not in row:
        reason = f" absent: {row['absent']}"
        return f"{start} {'':>9} {row['peer_ms']:>9.3f} {'':>22} {agree:>5} ({row['difference']:.1e}){best}{reason}"
    spread = f"{row['low']:.3f}–{row['high']:.3f}"
    times = f"{row['usher_ms']:>9.3f} {row['peer_ms']:>9.3f} {row['ratio']:>7.3f} {spread:>14}"
    return f"{start} {times} {agree:>5} ({row['difference']:.1e}){best}"


def said_by(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def machine() -> Row:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return {"cpu": cpu, "cores": os.cpu_count(), "kernel": f"{platform.release()} {platform.machine()}"}


def versions() -> dict[str, str]:
    pinned = (Path(__file__).parent / "requirements.in").read_text().split()
    found = {"python": platform.python_version()}
    for name in (line.split("==")[0] for line in pinned):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=QUESTION)
    parser.add_argument("--only", action="append", default=[], metavar="WORK", help="works whose name starts so")
    parser.add_argument("--without", action="append", default=[], metavar="PEER", help="a peer by name, or usher")
    parser.add_argument("--rounds", type=int, help=f"of every work; {ROUNDS}, fewer where a call is long")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("USHER_MODELS", ROOT / "data/models")))
    parser.add_argument("--usher", type=Path, default=ROOT / "target/release/usher-benches")
    parser.add_argument("--output", type=Path, help="benches/results/peers.json when everything is benched")
    options = parser.parse_args()
    if options.only == ["pipeline"]:
        return subprocess.run([options.usher, "walk"], cwd=ROOT, check=False).returncode
    whole = not (options.only or options.without or options.rounds)
    output = options.output or (ROOT / "benches/results/peers.json" if whole else None)
    cv2.setNumThreads(1)

    child: Child | str = "left out"
    if USHER not in options.without:
        child = "not built: cargo build --release -p usher-benches"
        if options.usher.exists():
            child = Child(options.usher, options.models, dict(os.environ))
    rows: list[Row] = []
    head = f"{'work':<30} {'peer':<44} {'usher ms':>9} {'peer ms':>9} {'ratio':>7} {'10–90 %':>14} agree (difference)"
    print(head, flush=True)
    with tempfile.TemporaryDirectory(prefix="usher-peers-") as folder:
        for name, make in works(options.models, Path(folder)).items():
            if options.only and not any(name.startswith(wanted) for wanted in options.only):
                continue
            for row in bench(make(), child, set(options.without), options.rounds, Path(folder)):
                rows.append(row)
                print(show(row), flush=True)
    if isinstance(child, Child):
        child.close()
    if not rows:
        print(f"no work starts with {' or '.join(options.only)}", file=sys.stderr)
        return 2
    if output:
        command = "make bench-peers" if whole else shlex.join(["benches/peers/bench.py", *sys.argv[1:]])
        found: Row = {"question": QUESTION, "command": command}
        found["commit"] = said_by("git", "describe", "--always", "--dirty")
        found |= {"machine": machine(), "versions": versions(), "threads": 1, "rows": rows}
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
