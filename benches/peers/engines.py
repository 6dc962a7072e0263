"""The engines that run a network, each set up as its documentation says for one thread and least latency.

Only `run` is timed. The input lies ready in the engine's own form; where an engine keeps a copy, `before` makes it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from graph import Graph, write_onnx


class Runner(Protocol):
    """One way of doing a piece of work."""

    def before(self) -> None:
        """What a call needs and is not timed."""

    def run(self) -> None:
        """The call that is timed."""

    def outputs(self) -> list[np.ndarray]:
        """What the last call made, in the order of the description, maps as `(B, C, H, W)`."""


class Onnxruntime:
    """Input and outputs bound beforehand: no allocation in a call."""

    def __init__(self, graph: Graph, picture: np.ndarray, folder: Path) -> None:
        import onnxruntime

        write_onnx(graph, path := folder / "network.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.made = {name: np.empty(graph.shapes[name], np.float32) for name in graph.outputs}
        self.binding = self.session.io_binding()
        self.picture = onnxruntime.OrtValue.ortvalue_from_numpy(picture)
        self.binding.bind_ortvalue_input(graph.input, self.picture)
        for name, made in self.made.items():
            self.binding.bind_output(name, "cpu", 0, np.float32, made.shape, made.ctypes.data)

    def before(self) -> None:
        pass

    def run(self) -> None:
        self.session.run_with_iobinding(self.binding)

    def outputs(self) -> list[np.ndarray]:
        return list(self.made.values())


class Openvino:
    def __init__(self, graph: Graph, picture: np.ndarray, folder: Path) -> None:
        import openvino

        write_onnx(graph, path := folder / "network.onnx")
        core = openvino.Core()
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32",
            # Nothing else is pinned here; pinned, it would wait for whatever else runs on that core.
            "ENABLE_CPU_PINNING": False,
        }
        model = core.compile_model(core.read_model(path), "CPU", settings)
        self.request, self.names = model.create_infer_request(), graph.outputs
        self.request.set_input_tensor(openvino.Tensor(picture, shared_memory=True))

    def before(self) -> None:
        pass

    def run(self) -> None:
        self.request.infer()

    def outputs(self) -> list[np.ndarray]:
        return [self.request.get_tensor(name).data.copy() for name in self.names]


class Ncnn:
    """ncnn's own defaults but for the threads. It has no batch: of a batch, one picture after the other is run."""

    def __init__(self, graph: Graph, picture: np.ndarray, folder: Path) -> None:
        import ncnn

        from graph_ncnn import write_ncnn

        names = write_ncnn(graph, folder / "network.param", folder / "network.bin")
        self.net, self.input, self.names = ncnn.Net(), graph.input, names
        self.net.opt.num_threads = 1
        if self.net.load_param(str(folder / "network.param")) or self.net.load_model(str(folder / "network.bin")):
            raise RuntimeError("ncnn refuses the network")
        self.pictures = [ncnn.Mat(one).clone() for one in picture]
        self.shapes = [graph.shapes[name][1:] for name in graph.outputs]
        self.made: list[list[np.ndarray]] = []

    def before(self) -> None:
        pass

    def run(self) -> None:
        made = []
        for picture in self.pictures:
            extractor = self.net.create_extractor()
            extractor.input(self.input, picture)
            made.append([extractor.extract(name)[1] for name in self.names])
        self.made = made

    def outputs(self) -> list[np.ndarray]:
        maps = zip(*self.made, strict=True)
        shaped = zip(maps, self.shapes, strict=True)
        return [np.stack([np.array(one).reshape(shape) for one in of]) for of, shape in shaped]


class Tflite:
    """LiteRT's interpreter, which hands all it can to XNNPACK."""

    def __init__(self, graph: Graph, picture: np.ndarray, folder: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        from graph_tflite import write_tflite

        write_tflite(graph, path := folder / "network.tflite")
        self.interpreter = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.made = [output["index"] for output in self.interpreter.get_output_details()]
        self.picture = np.ascontiguousarray(picture.transpose(0, 2, 3, 1))

    def before(self) -> None:
        self.interpreter.set_tensor(self.input, self.picture)

    def run(self) -> None:
        self.interpreter.invoke()

    def outputs(self) -> list[np.ndarray]:
        made = [self.interpreter.get_tensor(index) for index in self.made]
        return [one.transpose(0, 3, 1, 2) if one.ndim == 4 else one for one in made]


class OpencvDnn:
    def __init__(self, graph: Graph, picture: np.ndarray, folder: Path) -> None:
        import cv2

        write_onnx(graph, path := folder / "network.onnx")
        cv2.setNumThreads(1)
        self.net = cv2.dnn.readNetFromONNX(str(path))
        self.picture, self.names = picture, graph.outputs
        self.made: list[np.ndarray] = []

    def before(self) -> None:
        self.net.setInput(self.picture)

    def run(self) -> None:
        self.made = list(self.net.forward(self.names))

    def outputs(self) -> list[np.ndarray]:
        return self.made


# The first that runs is the reference of the others.
ENGINES: dict[str, Callable[[Graph, np.ndarray, Path], Runner]] = {
    "onnxruntime": Onnxruntime,
    "openvino": Openvino,
    "ncnn": Ncnn,
    "tflite": Tflite,
    "opencv-dnn": OpencvDnn,
}
