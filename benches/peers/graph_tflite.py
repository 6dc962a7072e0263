"""usher's networks as TFLite flatbuffers, written directly: no TensorFlow is needed.

TFLite is channels-last: weights are permuted, and so are the columns of a fully connected layer over a map. Padding of
one on all sides is SAME at stride 1 and a PAD of its own before at stride 2, as converters write it; XNNPACK folds it
into the convolution.
"""

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from graph import Graph, Shape, Step

VERSION = 3
RELU = schema.ActivationFunctionType.RELU
NONE = schema.ActivationFunctionType.NONE


def last(shape: Shape) -> Shape:
    """`(B, C, H, W)` as `(B, H, W, C)`; `(B, C)` as it is."""
    return (shape[0], *shape[2:], shape[1])


class Writer:
    """Tensors, buffers and operators as they come."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.buffers = [schema.BufferT()]
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.codes: list[int] = []
        self.index = {graph.input: self.tensor(graph.input, last(graph.shapes[graph.input]))}

    def tensor(self, name: str, shape: Shape, values: np.ndarray | None = None) -> int:
        """Adds a tensor, constant where it has values; its index."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), 0
        tensor.type = schema.TensorType.FLOAT32
        if values is not None:
            tensor.type = schema.TensorType.INT32 if values.dtype == np.int32 else schema.TensorType.FLOAT32
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, values: np.ndarray) -> int:
        return self.tensor(name, values.shape, values)

    def operator(self, code: str, inputs: list[int], output: str, shape: Shape, options: Any = None) -> int:
        """Adds an operator that makes the value `output`; the index of its tensor."""
        key = getattr(schema.BuiltinOperator, code)
        if key not in self.codes:
            self.codes.append(key)
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs = self.codes.index(key), inputs
        self.index[output] = self.tensor(output, shape)
        operator.outputs = [self.index[output]]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType, operator.builtinOptions = getattr(schema.BuiltinOptions, kind), options
        self.operators.append(operator)
        return self.index[output]

    def conv(self, step: Step) -> None:
        graph, output = self.graph, step["output"]
        weight, activation = graph.tensors[step["weight"]], step["activation"]
        depthwise = step["groups"] > 1
        if depthwise and weight.shape[:2] != (step["groups"], 1):
            raise ValueError("tflite: grouped convolutions other than depthwise")
        source, shape = self.index[step["input"]], graph.shapes[step["input"]]
        same = step["pad"] == 0 or (step["stride"] == 1 and 2 * step["pad"] + 1 == weight.shape[2])
        if not same:
            pad = step["pad"]
            around = np.array([[0, 0], [pad, pad], [pad, pad], [0, 0]], np.int32)
            padded = last((*shape[:2], *(side + 2 * pad for side in shape[2:])))
            inputs = [source, self.constant(f"{output}/around", around)]
            source = self.operator("PAD", inputs, f"{output}/padded", padded, schema.PadOptionsT())
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.padding = schema.Padding.SAME if same and step["pad"] else schema.Padding.VALID
        options.strideW = options.strideH = step["stride"]
        options.dilationWFactor = options.dilationHFactor = 1
        residual = step.get("residual")
        options.fusedActivationFunction = RELU if activation == "relu" and not residual else NONE
        if depthwise:
            options.depthMultiplier = 1
        order = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
        inputs = [source, self.constant(step["weight"], weight.transpose(order))]
        inputs.append(self.constant(step["bias"], graph.tensors[step["bias"]]))
        code, shape = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", last(graph.shapes[output])
        if activation == "relu" and not residual:
            activation = "none"
        if residual:
            alone = self.operator(code, inputs, f"{output}/alone", shape, options)
            self.added([alone, self.index[residual]], activation, output, shape)
        else:
            self.bent(self.operator(code, inputs, self.before(activation, output), shape, options), activation, output, shape)

    def before(self, activation: Any, output: str) -> str:
        return output if isinstance(activation, str) else f"{output}/linear"

    def bent(self, linear: int, activation: Any, output: str, shape: Shape) -> None:
        """Adds a PReLU where it follows."""
        if not isinstance(activation, str):
            slope = self.graph.channel_tensor(activation["prelu"], output).reshape(1, 1, -1)
            self.operator("PRELU", [linear, self.constant(activation["prelu"], slope)], output, shape)

    def added(self, inputs: list[int], activation: Any, output: str, shape: Shape) -> None:
        options = schema.AddOptionsT()
        options.fusedActivationFunction = RELU if activation == "relu" else NONE
        made = self.operator("ADD", inputs, self.before(activation, output), shape, options)
        self.bent(made, activation, output, shape)

    def step(self, step: Step) -> None:
        """Adds one step of the description."""
        graph, output = self.graph, step["output"]
        shape = last(graph.shapes[output])
        match step["op"]:
            case "conv":
                self.conv(step)
            case "halve-by-max":
                options = schema.Pool2DOptionsT()
                options.padding = schema.Padding.VALID
                options.strideW = options.strideH = options.filterWidth = options.filterHeight = 2
                self.operator("MAX_POOL_2D", [self.index[step["input"]]], output, shape, options)
            case "add-doubled":
                size = self.constant(f"{output}/size", np.array(shape[1:3], np.int32))
                inputs = [self.index[step["small"]], size]
                options = schema.ResizeNearestNeighborOptionsT()
                doubled = self.operator("RESIZE_NEAREST_NEIGHBOR", inputs, f"{output}/doubled", shape, options)
                self.operator("ADD", [self.index[step["large"]], doubled], output, shape, schema.AddOptionsT())
            case "affine":
                scale = self.constant(step["scale"], graph.channel_tensor(step["scale"], output))
                shift = self.constant(step["shift"], graph.channel_tensor(step["shift"], output))
                inputs = [self.index[step["input"]], scale]
                scaled = self.operator("MUL", inputs, f"{output}/scaled", shape, schema.MulOptionsT())
                self.added([scaled, shift], step["activation"], output, shape)
            case "add":
                self.added([self.index[step["a"]], self.index[step["b"]]], step["activation"], output, shape)
            case "concat":
                options = schema.ConcatenationOptionsT()
                options.axis = 3
                inputs = [self.index[name] for name in step["inputs"]]
                self.operator("CONCATENATION", inputs, output, shape, options)
            case "global-mean":
                options = schema.ReducerOptionsT()
                options.keepDims = True
                sides = self.constant(f"{output}/sides", np.array([1, 2], np.int32))
                self.operator("MEAN", [self.index[step["input"]], sides], output, shape, options)
            case "scale-by":
                inputs, plus = [self.index[step["input"]], self.index[step["by"]]], step.get("plus")
                made = f"{output}/scaled" if plus else output
                scaled = self.operator("MUL", inputs, made, shape, schema.MulOptionsT())
                if plus:
                    self.added([scaled, self.index[plus]], "none", output, shape)
            case "linear":
                weight, read = graph.tensors[step["weight"]], graph.shapes[step["input"]]
                if len(read) == 4:
                    weight = weight.reshape(-1, *read[1:]).transpose(0, 2, 3, 1).reshape(weight.shape)
                row = self.constant(f"{output}/shape", np.array([read[0], weight.shape[1]], np.int32))
                flat = self.operator(
                    "RESHAPE", [self.index[step["input"]], row], f"{output}/row", (read[0], weight.shape[1])
                )
                inputs = [flat, self.constant(step["weight"], weight)]
                inputs.append(self.constant(step["bias"], graph.tensors[step["bias"]]))
                self.operator("FULLY_CONNECTED", inputs, output, shape, schema.FullyConnectedOptionsT())
            case "sigmoid":
                self.operator("LOGISTIC", [self.index[step["input"]]], output, shape)
            case op:
                raise ValueError(f"tflite: no operator for the step {op}")


def write_tflite(graph: Graph, path: Path) -> None:
    """Writes the network; inputs and maps are channels-last, outputs in the order of the description."""
    writer = Writer(graph)
    for step in graph.steps:
        writer.step(step)
    subgraph = schema.SubGraphT()
    subgraph.name, subgraph.tensors, subgraph.operators = graph.name, writer.tensors, writer.operators
    subgraph.inputs = [writer.index[graph.input]]
    subgraph.outputs = [writer.index[name] for name in graph.outputs]
    model = schema.ModelT()
    model.version, model.description = VERSION, graph.name
    model.subgraphs, model.buffers, model.operatorCodes = [subgraph], writer.buffers, []
    for code in writer.codes:
        entry = schema.OperatorCodeT()
        # Codes beyond 127 are only in the newer field; readers take the greater of the two.
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
        model.operatorCodes.append(entry)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
