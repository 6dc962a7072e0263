"""usher on a CUDA device against PyTorch there: same weights, same inputs, call by call in turn.

PyTorch runs eagerly, compiled, and as a CUDA graph, in float32 (without TF32: usher has none) and in float16. A call of
either is what a gate waits for: the picture from the caller's memory through pinned memory to the device, the network,
the outputs as float32 in the caller's memory. As in `bench.py`, a round calls each once in an order that moves on by one;
a ratio is usher's median over PyTorch's, its spread the 10th and the 90th percentile of the ratios of single rounds.

Needs PyTorch with CUDA and numpy, and `usher-benches` built with the feature `cuda` (`make bundle-cuda`).
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from child import Child
from torch import nn
from torch.nn import functional

QUESTION = "Is usher faster on a CUDA device than PyTorch: eager, compiled, and as a CUDA graph?"
NETWORKS = [("yunet", 384, 640), ("sface", 112, 112)]
BATCHES = [1, 2, 4, 8, 16, 32]
WARM_UPS = 10
ROUNDS = 60
# Of the greatest value of an output.
TOLERANCES = {"f32": 1e-3, "f16": 3e-2}
SEED = 20261122


def weights(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Description and tensors of a safetensors file: eight bytes of length, that much JSON, the numbers."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    head = json.loads(data[8:end])
    description = json.loads(head.pop("__metadata__")["usher"])
    kinds = {"F32": np.float32, "F16": np.float16}
    tensors = {}
    for name, row in head.items():
        begin, stop = row["data_offsets"]
        values = np.frombuffer(data[end + begin : end + stop], kinds[row["dtype"]])
        tensors[name] = values.astype(np.float32).reshape(row["shape"])
    return description, tensors


class Net(nn.Module):
    """The description's steps as PyTorch operators."""

    def __init__(self, description: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.description, self.numbers = description, {}
        for name, values in tensors.items():
            self.numbers[name] = f"t{len(self.numbers)}"
            self.register_buffer(self.numbers[name], torch.from_numpy(values.copy()))

    def tensor(self, name: str) -> torch.Tensor:
        return getattr(self, self.numbers[name])

    def by_channel(self, name: str) -> torch.Tensor:
        return self.tensor(name).reshape(1, -1, 1, 1)

    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        values = {self.description["input"]: picture}
        for step in self.description["steps"]:
            values[step["output"]] = self.step(step, values)
        return [values[name] for name in self.description["outputs"]]

    def activated(self, made: torch.Tensor, activation: Any) -> torch.Tensor:
        match activation:
            case "none" | None:
                return made
            case "relu":
                return functional.relu(made)
            case _:
                return functional.prelu(made, self.tensor(activation["prelu"]))

    def step(self, step: dict[str, Any], values: dict[str, torch.Tensor]) -> torch.Tensor:
        match step["op"]:
            case "conv":
                weight, bias = self.tensor(step["weight"]), self.tensor(step["bias"])
                how = {"stride": step["stride"], "padding": step["pad"], "groups": step["groups"]}
                made = functional.conv2d(values[step["input"]], weight, bias, **how)
                if "residual" in step:
                    made = made + values[step["residual"]]
                return self.activated(made, step["activation"])
            case "halve-by-max":
                return functional.max_pool2d(values[step["input"]], 2)
            case "add-doubled":
                return values[step["large"]] + functional.interpolate(values[step["small"]], scale_factor=2.0)
            case "affine":
                made = values[step["input"]] * self.by_channel(step["scale"]) + self.by_channel(step["shift"])
                return self.activated(made, step.get("activation"))
            case "linear":
                row = values[step["input"]].flatten(1)
                return functional.linear(row, self.tensor(step["weight"]), self.tensor(step["bias"]))
            case "sigmoid":
                return torch.sigmoid(values[step["input"]])
            case op:
                raise ValueError(f"there is no {op} here")


class Peer:
    """One way of running it; a call goes from host memory to host memory."""

    def __init__(self, net: nn.Module, way: str, half: bool, picture: np.ndarray) -> None:
        # Channels last is what PyTorch advises for convolutions in half precision, and measures no worse in single.
        self.form = torch.channels_last
        self.net = net.cuda().to(torch.float16 if half else torch.float32).to(memory_format=self.form).eval()
        if way == "compile":
            self.net = torch.compile(self.net, mode="max-autotune-no-cudagraphs", dynamic=False)
        self.kind = torch.float16 if half else torch.float32
        self.given = torch.from_numpy(picture)
        self.pinned = torch.empty_like(self.given, pin_memory=True)
        self.input = torch.empty_like(self.given, device="cuda")
        with torch.inference_mode():
            made = self.network()
            self.made = [torch.empty(one.shape, dtype=torch.float32, pin_memory=True) for one in made]
            self.graph = self.captured() if way == "graph" else None

    def network(self) -> list[torch.Tensor]:
        picture = self.input.to(self.kind).contiguous(memory_format=self.form)
        return [one.float().contiguous() for one in self.net(picture)]

    def captured(self) -> torch.cuda.CUDAGraph:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.network()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.static = self.network()
        return graph

    @torch.inference_mode()
    def run(self) -> float:
        """Runs it; seconds."""
        start = perf_counter()
        self.pinned.copy_(self.given)
        self.input.copy_(self.pinned, non_blocking=True)
        if self.graph is None:
            made = self.network()
        else:
            self.graph.replay()
            made = self.static
        for into, one in zip(self.made, made, strict=True):
            into.copy_(one, non_blocking=True)
        torch.cuda.synchronize()
        # usher hands over memory of the caller's own.
        self.outputs = [one.clone() for one in self.made]
        return perf_counter() - start


def difference(made: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """The greatest difference of any value, relative to the greatest of its output."""
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(made, reference, strict=True))


def bench(options: argparse.Namespace, child: Child, folder: Path) -> list[dict[str, Any]]:
    rows = []
    for name, height, width in NETWORKS:
        description, tensors = weights(options.models / f"{name}.safetensors")
        for batch in options.batch or BATCHES:
            random = np.random.default_rng(SEED)
            picture = random.uniform(0, 255, (batch, 3, height, width)).astype(np.float32)
            picture.tofile(folder / "in.f32")
            request = {"load": "network", "name": name, "batch": batch, "height": height, "width": width}
            request["input"] = str(folder / "in.f32")
            for kind in ("f32", "f16"):
                half = kind == "f16"
                child.ask(request | {"cuda": {"half": half, "graphs": True}})
                calls: dict[str, Callable[[], float]] = {"usher": lambda: child.run()[0]}
                peers = {}
                for way in ("eager", "compile", "graph"):
                    try:
                        peers[way] = Peer(Net(description, tensors), way, half, picture)
                        calls[way] = peers[way].run
                    # A way that fails is a row that says so.
                    except Exception as error:
                        why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                        rows.append({"network": name, "batch": batch, "precision": kind, "peer": way, "absent": why})
                        print(rows[-1], flush=True)
                for _ in range(WARM_UPS):
                    for call in calls.values():
                        call()
                names, seconds = list(calls), {each: np.empty(options.rounds) for each in calls}
                for index in range(options.rounds):
                    turn = index % len(names)
                    for each in names[turn:] + names[:turn]:
                        seconds[each][index] = calls[each]()
                ours = child.outputs(folder / "out.f32")
                for way, peer in peers.items():
                    ratios = seconds["usher"] / seconds[way]
                    medians = {each: float(np.median(seconds[each])) for each in ("usher", way)}
                    off = difference(ours, [one.numpy() for one in peer.outputs])
                    row = {"network": name, "batch": batch, "precision": kind, "peer": way}
                    row |= {"usher_ms": medians["usher"] * 1e3, "peer_ms": medians[way] * 1e3}
                    row |= {"ratio": medians["usher"] / medians[way], "low": float(np.percentile(ratios, 10))}
                    row |= {"high": float(np.percentile(ratios, 90)), "rounds": options.rounds}
                    row |= {"usher_pictures_per_second": batch / medians["usher"]}
                    row |= {"peer_pictures_per_second": batch / medians[way]}
                    row |= {"difference": off, "agree": bool(off <= TOLERANCES[kind])}
                    rows.append(row)
                    print(json.dumps(row), flush=True)
                del peers, calls
                torch._dynamo.reset()
                torch.cuda.empty_cache()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=QUESTION)
    parser.add_argument("--usher", type=Path, required=True, help="usher-benches, built with the feature cuda")
    parser.add_argument("--models", type=Path, required=True, help="the folder of the installed weights")
    parser.add_argument("--batch", type=int, action="append", help="instead of 1 to 32; may be repeated")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path, help="benches/results/cuda.json for a whole run")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("no CUDA device here: nothing was measured", file=sys.stderr)
        return 0
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    child = Child(options.usher, options.models, dict(os.environ))
    with tempfile.TemporaryDirectory(prefix="usher-cuda-") as folder:
        rows = bench(options, child, Path(folder))
    child.close()
    if options.output:
        machine = {"gpu": torch.cuda.get_device_name(), "kernel": f"{platform.release()} {platform.machine()}"}
        versions = {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda}
        found = {"question": QUESTION, "command": "benches/peers/torch_cuda.py " + " ".join(sys.argv[1:])}
        found |= {"machine": machine, "versions": versions, "rows": rows}
        options.output.write_text(json.dumps(found, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
