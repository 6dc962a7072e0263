"""usher's side: `usher-benches serve`, one line of JSON for each request and each answer."""

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np


class Child:
    """The process; it runs what was loaded last."""

    def __init__(self, program: Path, models: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [program, "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "USHER_MODELS": str(models)},
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request, one answer; an answer that is an error is raised."""
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"usher-benches serve ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def run(self, calls: int = 1) -> list[float]:
        """Runs that many times; seconds of each."""
        return self.ask({"run": calls})["seconds"]

    def outputs(self, path: Path) -> list[np.ndarray]:
        """What the last run made."""
        shapes = self.ask({"output": str(path)})["shapes"]
        values = np.fromfile(path, np.float32)
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
        if len(values) != ends[-1]:
            raise RuntimeError(f"{len(values)} values for the shapes {shapes}")
        outputs = [part.reshape(shape) for part, shape in zip(np.split(values, ends[:-1]), shapes, strict=True)]
        rows = path.with_name(path.name + ".index")
        if rows.exists():
            outputs.append(np.fromfile(rows, np.uint32).reshape(outputs[0].shape))
            rows.unlink()
        return outputs

    def close(self) -> None:
        """Closes its input, which ends it."""
        with suppress(BrokenPipeError):
            if self.process.stdin:
                self.process.stdin.close()
        self.process.wait(timeout=10)
