"""The pipeline that a user would write in Python: the end-to-end peer.

OpenCV reads and decodes, YuNet (`cv2.FaceDetectorYN`, 640 pixels wide) finds the faces of every frame, each is aligned
and embedded by SFace in onnxruntime and compared with a gallery by one product in numpy; a match is published with
paho, once in the quiet time. One thread each. Prints one line of JSON; loading and enrolment are not in its seconds.
"""

import os

os.environ.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")})
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "threads;1")

import argparse
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import paho.mqtt.client as mqtt

from graph import graph, write_onnx
from preprocess import SIDE, TEMPLATE
from search import unit_rows

ROOT = Path(__file__).resolve().parents[2]
# The side of the detector's picture that a frame fills, and the sides that its network is made for.
DETECTOR_WIDTH = 640
MULTIPLE = 32
# As in config/usher.yaml and models/src/detect/yunet.rs.
CONFIDENCE, OVERLAP = 0.6, 0.3


class Faces:
    """Detector and embedder; frames are BGR as OpenCV reads them."""

    def __init__(self, models: Path, folder: Path, width: int, height: int) -> None:
        self.scale = width / DETECTOR_WIDTH
        self.size = DETECTOR_WIDTH, round(height / self.scale)
        # FaceDetectorYN pads to these sides itself.
        sides = [-(-side // MULTIPLE) * MULTIPLE for side in self.size]
        write_onnx(graph(models / "yunet.safetensors", 1, sides[1], sides[0]), folder / "yunet.onnx", flat=True)
        write_onnx(graph(models / "sface.safetensors", 1, SIDE, SIDE), folder / "sface.onnx")
        self.detector = cv2.FaceDetectorYN.create(str(folder / "yunet.onnx"), "", self.size, CONFIDENCE, OVERLAP)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.embedder = onnxruntime.InferenceSession(folder / "sface.onnx", options, providers=["CPUExecutionProvider"])
        self.input = self.embedder.get_inputs()[0].name

    def detect(self, frame: np.ndarray) -> np.ndarray:
        """Rows of box, landmarks and confidence, in pixels of the frame."""
        _, faces = self.detector.detect(cv2.resize(frame, self.size))
        if faces is None:
            return np.empty((0, 15), np.float32)
        faces[:, :14] *= self.scale
        return faces

    def embed(self, frame: np.ndarray, face: np.ndarray) -> np.ndarray | None:
        """The template of a face, of length 1; none where its landmarks span nothing."""
        matrix, _ = cv2.estimateAffinePartial2D(face[4:14].reshape(5, 2), TEMPLATE, method=cv2.LMEDS)
        if matrix is None:
            return None
        crop = cv2.warpAffine(frame, matrix, (SIDE, SIDE))
        picture = cv2.dnn.blobFromImage(crop, swapRB=True)
        template = self.embedder.run(None, {self.input: picture})[0][0]
        return template / np.linalg.norm(template)


def enrolled(models: Path, folder: Path, pictures: list[Path]) -> np.ndarray:
    """The template of the surest face of each picture."""
    rows = []
    for path in pictures:
        picture = cv2.imread(str(path))
        if picture is None:
            raise SystemExit(f"{path} is not a picture")
        faces = Faces(models, folder, picture.shape[1], picture.shape[0])
        found = faces.detect(picture)
        template = faces.embed(picture, max(found, key=lambda face: face[14])) if len(found) else None
        if template is None:
            raise SystemExit(f"no face in {path}")
        rows.append(template)
    return np.array(rows, np.float32).reshape(-1, 128)


def main() -> None:
    parser = argparse.ArgumentParser(description="The plain Python pipeline, as fast as it goes.")
    parser.add_argument("videos", nargs="+", help="files or addresses that OpenCV opens, one after the other")
    parser.add_argument("--broker", metavar="HOST:PORT", help="where matches are published; nowhere without")
    parser.add_argument("--topic", default="peers/welcome")
    parser.add_argument("--enrol", type=Path, nargs="*", default=[], metavar="PICTURE", help="people of the gallery")
    parser.add_argument("--others", type=int, default=1000, help="random templates that fill the gallery")
    parser.add_argument("--threshold", type=float, default=0.416, help="cosine that is a match")
    parser.add_argument("--quiet", type=float, default=10.0, help="seconds between two messages about one person")
    parser.add_argument("--frames", type=int, help="at most so many of each video")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("USHER_MODELS", ROOT / "data/models")))
    options = parser.parse_args()
    cv2.setNumThreads(1)

    client = None
    if options.broker:
        host, _, port = options.broker.rpartition(":")
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.connect(host, int(port))
        client.loop_start()

    sent: list[mqtt.MQTTMessageInfo] = []
    frames = count = published = 0
    seconds = cpu_seconds = 0.0
    with tempfile.TemporaryDirectory(prefix="usher-peers-") as name:
        folder = Path(name)
        people = enrolled(options.models, folder, options.enrol)
        gallery = np.vstack([people, unit_rows(options.others, people.shape[1], 1)])
        named: set[int] = set()
        for video in options.videos:
            capture = cv2.VideoCapture(video, cv2.CAP_FFMPEG)
            width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
            if not capture.isOpened() or not width or not height:
                raise SystemExit(f"{video} cannot be opened")
            rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
            faces = Faces(options.models, folder, width, height)
            last_seen: dict[int, float] = {}
            start, cpu_start, seen = time.perf_counter(), time.process_time(), 0
            while seen != options.frames:
                more, frame = capture.read()
                if not more:
                    break
                # Time as the video tells it: a file may be read faster than it was taken.
                now, seen = seen / rate, seen + 1
                for face in faces.detect(frame):
                    count += 1
                    template = faces.embed(frame, face)
                    if template is None:
                        continue
                    scores = gallery @ template
                    best = int(scores.argmax())
                    if scores[best] < options.threshold or now - last_seen.get(best, -options.quiet) < options.quiet:
                        continue
                    last_seen[best] = now
                    published += 1
                    named.add(best)
                    if client:
                        body = {"person": best, "score": round(float(scores[best]), 4), "seconds": round(now, 3)}
                        sent.append(client.publish(options.topic, json.dumps(body), qos=1))
            seconds += time.perf_counter() - start
            cpu_seconds += time.process_time() - cpu_start
            frames += seen
    for message in sent:
        message.wait_for_publish(10)
    if client:
        client.disconnect()
        client.loop_stop()
    result = {"frames": frames, "seconds": round(seconds, 3), "cpu_seconds": round(cpu_seconds, 3), "faces": count}
    print(json.dumps(result | {"published": published, "people": sorted(named)}))


if __name__ == "__main__":
    main()
