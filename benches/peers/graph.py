"""usher's networks as ONNX, so that every peer runs the same weights.

The description is that of `models/src/net.rs`, read from the metadata of the installed safetensors; batch norms are
folded there already. Size and batch are fixed in the file: no engine pays for shapes that might change.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

FORMAT = 2
OPSET = 17

Step = dict[str, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """A description with its tensors (float32) and the shape of every value, for one batch and size."""

    name: str
    input: str
    outputs: list[str]
    steps: list[Step]
    tensors: dict[str, np.ndarray]
    shapes: dict[str, Shape]

    def channel_tensor(self, name: str, value: str) -> np.ndarray:
        """A tensor `(C)` or `(1)` as one number for each channel of `value`."""
        return np.ascontiguousarray(np.broadcast_to(self.tensors[name], (self.shapes[value][1],)))


def graph(path: Path, batch: int, height: int, width: int) -> Graph:
    """The network of a safetensors file for inputs of `(batch, channels, height, width)`."""
    with safe_open(path, framework="numpy") as file:
        description = json.loads(file.metadata()["usher"])
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}
    if description["format"] != FORMAT:
        raise ValueError(f"{path.name} has form {description['format']}, the peers know {FORMAT}")
    shapes: dict[str, Shape] = {description["input"]: (batch, description["channels"], height, width)}
    for step in description["steps"]:
        shapes[step["output"]] = shape_of(step, shapes, tensors)
    return Graph(
        description["name"], description["input"], description["outputs"], description["steps"], tensors, shapes
    )


def shape_of(step: Step, shapes: dict[str, Shape], tensors: dict[str, np.ndarray]) -> Shape:
    """The shape of the value that a step makes, `(B, C, H, W)` or `(B, C)`."""
    match step["op"]:
        case "conv":
            batch, _, *sides = shapes[step["input"]]
            outputs, _, kernel, _ = tensors[step["weight"]].shape
            return batch, outputs, *((side + 2 * step["pad"] - kernel) // step["stride"] + 1 for side in sides)
        case "halve-by-max":
            batch, channels, *sides = shapes[step["input"]]
            return batch, channels, *(side // 2 for side in sides)
        case "linear":
            return shapes[step["input"]][0], tensors[step["weight"]].shape[0]
        case "add-doubled":
            return shapes[step["large"]]
        case "add":
            return shapes[step["a"]]
        case "concat":
            batch, _, *sides = shapes[step["inputs"][0]]
            return batch, sum(shapes[name][1] for name in step["inputs"]), *sides
        case "global-mean":
            return *shapes[step["input"]][:2], 1, 1
        case "affine" | "sigmoid" | "scale-by" | "softmax":
            return shapes[step["input"]]
        case op:
            raise ValueError(f"the peers do not know the step {op}")


def reads(step: Step) -> list[str]:
    """The values that a step reads."""
    names = [step[key] for key in ("input", "large", "small", "a", "b", "by", "plus", "residual") if step.get(key)]
    return names + step.get("inputs", [])


def write_onnx(graph: Graph, path: Path, flat: bool = False) -> None:
    """Writes the network as ONNX.

    `flat`: maps leave as `(B, H·W, C)`, the form in which `cv2.FaceDetectorYN` reads YuNet.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def bent(activation: Any, linear: str, output: str) -> None:
        if activation == "relu":
            node("Relu", [linear], output)
        elif activation != "none":
            slope = graph.channel_tensor(activation["prelu"], output)
            if len(graph.shapes[output]) == 4:
                slope = slope.reshape(-1, 1, 1)
            node("PRelu", [linear, constant(activation["prelu"], slope)], output)

    def before(activation: Any, output: str) -> str:
        return output if activation == "none" else f"{output}/linear"

    for step in graph.steps:
        output = step["output"]
        match step["op"]:
            case "conv":
                weight = graph.tensors[step["weight"]]
                activation, residual = step["activation"], step.get("residual")
                linear = before(activation, output)
                inputs = [step["input"], constant(step["weight"], weight)]
                inputs.append(constant(step["bias"], graph.tensors[step["bias"]]))
                node(
                    "Conv",
                    inputs,
                    f"{output}/alone" if residual else linear,
                    kernel_shape=weight.shape[2:],
                    strides=[step["stride"]] * 2,
                    pads=[step["pad"]] * 4,
                    group=step["groups"],
                )
                if residual:
                    node("Add", [f"{output}/alone", residual], linear)
                bent(activation, linear, output)
            case "add":
                bent(step["activation"], node("Add", [step["a"], step["b"]], before(step["activation"], output)), output)
            case "concat":
                node("Concat", step["inputs"], output, axis=1)
            case "global-mean":
                node("GlobalAveragePool", [step["input"]], output)
            case "scale-by":
                plus = step.get("plus")
                scaled = node("Mul", [step["input"], step["by"]], f"{output}/scaled" if plus else output)
                if plus:
                    node("Add", [scaled, plus], output)
            case "softmax":
                batch, channels, *sides = graph.shapes[output]
                runs = np.array([batch, channels // step["classes"], step["classes"], *sides], np.int64)
                row = node("Reshape", [step["input"], constant(f"{output}/runs", runs)], f"{output}/row")
                row = node("Softmax", [row], f"{output}/made", axis=2)
                whole = constant(f"{output}/whole", np.array(graph.shapes[output], np.int64))
                node("Reshape", [row, whole], output)
            case "halve-by-max":
                node("MaxPool", [step["input"]], output, kernel_shape=[2, 2], strides=[2, 2])
            case "add-doubled":
                scales = constant(f"{output}/scales", np.array([1, 1, 2, 2], np.float32))
                how = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
                doubled = node("Resize", [step["small"], "", scales], f"{output}/doubled", **how)
                node("Add", [step["large"], doubled], output)
            case "affine":
                wide = (1, -1, 1, 1)[: len(graph.shapes[output])]
                scale = graph.channel_tensor(step["scale"], output).reshape(wide)
                shift = graph.channel_tensor(step["shift"], output).reshape(wide)
                scaled = node("Mul", [step["input"], constant(step["scale"], scale)], f"{output}/scaled")
                linear = before(step["activation"], output)
                bent(step["activation"], node("Add", [scaled, constant(step["shift"], shift)], linear), output)
            case "linear":
                row = node("Flatten", [step["input"]], f"{output}/row", axis=1)
                inputs = [row, constant(step["weight"], graph.tensors[step["weight"]])]
                inputs.append(constant(step["bias"], graph.tensors[step["bias"]]))
                node("Gemm", inputs, output, transB=1)
            case "sigmoid":
                node("Sigmoid", [step["input"]], output)

    shapes = {name: graph.shapes[name] for name in graph.outputs}
    if flat:
        for name, (batch, channels, height, width) in shapes.items():
            next(made for made in nodes if made.output[0] == name).output[0] = f"{name}/map"
            for other in nodes:
                other.input[:] = [f"{name}/map" if read == name else read for read in other.input]
            last = node("Transpose", [f"{name}/map"], f"{name}/last", perm=[0, 2, 3, 1])
            shapes[name] = (batch, height * width, channels)
            node("Reshape", [last, constant(f"{name}/shape", np.array(shapes[name], np.int64))], name)

    def value(name: str, shape: Shape) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    ends = [value(name, shape) for name, shape in shapes.items()]
    made = helper.make_graph(nodes, graph.name, [value(graph.input, graph.shapes[graph.input])], ends, constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
