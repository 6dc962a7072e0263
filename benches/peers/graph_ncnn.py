"""usher's networks as ncnn files: `.param` names the layers, `.bin` holds their weights in the same order.

Written directly, as pnnx would: a value that is read twice goes through a Split, ReLU is part of its convolution.
PReLU is a layer of its own in ncnn. Batch is 1: ncnn has no batch dimension.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from graph import Graph, Step, reads

MAGIC = 7767517
WEIGHT_F32 = np.zeros(1, np.uint32)


class Writer:
    """Layers and weights as they come."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.weights: list[np.ndarray] = []
        self.blobs = 0
        read = Counter(name for step in graph.steps for name in reads(step))
        read.update(graph.outputs)
        self.copies = {name: [f"{name}_{copy}" for copy in range(count)] for name, count in read.items() if count > 1}

    def layer(self, kind: str, inputs: list[str], output: str, *options: str) -> None:
        """Adds a layer, and a Split where its output is read more than once."""
        inputs = [self.copies[name].pop(0) if name in self.copies else name for name in inputs]
        self.line(kind, inputs, [output], *options)
        if copies := self.copies.get(output):
            self.line("Split", [output], list(copies))

    def line(self, kind: str, inputs: list[str], outputs: list[str], *options: str) -> None:
        self.blobs += len(outputs)
        name = f"{kind}_{len(self.lines)}"
        self.lines.append(" ".join([kind, name, str(len(inputs)), str(len(outputs)), *inputs, *outputs, *options]))

    def before(self, activation: Any, output: str) -> str:
        return output if activation == "none" else f"{output}/linear"

    def bent(self, activation: Any, output: str) -> None:
        """Adds what follows a layer that made `before(activation, output)`."""
        if activation == "relu":
            self.layer("ReLU", [f"{output}/linear"], output)
        elif activation != "none":
            slope = self.graph.channel_tensor(activation["prelu"], output)
            self.weights.append(slope)
            self.layer("PReLU", [f"{output}/linear"], output, f"0={slope.size}")

    def step(self, step: Step) -> None:
        """Adds one step of the description."""
        graph, output = self.graph, step["output"]
        match step["op"]:
            case "conv":
                weight, activation = graph.tensors[step["weight"]], step["activation"]
                outputs, _, kernel, _ = weight.shape
                options = [f"0={outputs}", f"1={kernel}", f"3={step['stride']}", f"4={step['pad']}", "5=1"]
                options.append(f"6={weight.size}")
                kind = "Convolution"
                if step["groups"] > 1:
                    kind = "ConvolutionDepthWise"
                    options.append(f"7={step['groups']}")
                residual = step.get("residual")
                if activation == "relu" and not residual:
                    options.append("9=1")
                    activation = "none"
                self.weights += [WEIGHT_F32, weight, graph.tensors[step["bias"]]]
                alone = f"{output}/alone" if residual else self.before(activation, output)
                self.layer(kind, [step["input"]], alone, *options)
                if residual:
                    self.layer("BinaryOp", [alone, residual], self.before(activation, output), "0=0")
                self.bent(activation, output)
            case "add":
                self.layer("BinaryOp", [step["a"], step["b"]], self.before(step["activation"], output), "0=0")
                self.bent(step["activation"], output)
            case "concat":
                self.layer("Concat", step["inputs"], output, "0=0")
            case "global-mean":
                # Its output is a row in ncnn: as a map again, the convolutions after it read it without complaint.
                self.layer("Pooling", [step["input"]], f"{output}/row", "0=1", "4=1")
                self.layer("Reshape", [f"{output}/row"], output, "0=1", "1=1", f"2={graph.shapes[output][1]}")
            case "scale-by":
                plus = step.get("plus")
                scaled = f"{output}/scaled" if plus else output
                self.layer("BinaryOp", [step["input"], step["by"]], scaled, "0=2")
                if plus:
                    self.layer("BinaryOp", [scaled, plus], output, "0=0")
            case "halve-by-max":
                self.layer("Pooling", [step["input"]], output, "0=0", "1=2", "2=2", "5=1")
            case "add-doubled":
                self.layer("Interp", [step["small"]], f"{output}/doubled", "0=1", "1=2.0", "2=2.0")
                self.layer("BinaryOp", [step["large"], f"{output}/doubled"], output, "0=0")
            case "affine":
                tensors = [graph.channel_tensor(step[key], output) for key in ("scale", "shift")]
                self.weights += tensors
                linear = self.before(step["activation"], output)
                self.layer("Scale", [step["input"]], linear, f"0={tensors[0].size}", "1=1")
                self.bent(step["activation"], output)
            case "linear":
                weight = graph.tensors[step["weight"]]
                self.weights += [WEIGHT_F32, weight, graph.tensors[step["bias"]]]
                self.layer("InnerProduct", [step["input"]], output, f"0={weight.shape[0]}", "1=1", f"2={weight.size}")
            case "sigmoid":
                self.layer("Sigmoid", [step["input"]], output)
            case op:
                raise ValueError(f"ncnn: no layer for the step {op}")


def write_ncnn(graph: Graph, param: Path, weights: Path) -> list[str]:
    """Writes the two files of a network of batch 1; the names of its outputs there."""
    writer = Writer(graph)
    writer.layer("Input", [], graph.input)
    for step in graph.steps:
        writer.step(step)
    param.write_text("\n".join([str(MAGIC), f"{len(writer.lines)} {writer.blobs}", *writer.lines]) + "\n")
    weights.write_bytes(b"".join(np.ascontiguousarray(tensor).tobytes() for tensor in writer.weights))
    return [writer.copies[name].pop(0) if name in writer.copies else name for name in graph.outputs]
