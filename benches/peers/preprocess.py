"""OpenCV's ways from an NV12 frame to what the networks take: planar RGB, float32, 0..=255.

Colours are BT.601, limited range, the only ones that OpenCV knows for NV12. Every way writes into memory that is kept.
What a way needs to know beforehand (the matrix of a warp, the part of the frame it shows) is worked out outside the
clock; usher's call works it out within.
"""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

Size = tuple[int, int]
NV12_TO_RGB = cv2.COLOR_YUV2RGB_NV12
SIDE = 112
# ArcFace's template, as in models/src/align.rs.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# Filters by name. At 3:1 linear looks at one pixel of nine, area at all of them.
FILTERS = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR}


class Way:
    """A function that makes a picture of interleaved RGB bytes, and the planes that its pixels are spread to."""

    def __init__(self, make: Callable[[], np.ndarray], width: int, height: int) -> None:
        self.make = make
        self.planes = np.zeros((3, height, width), np.float32)
        picture = make()
        self.bytes = [np.empty(picture.shape[:2], np.uint8) for _ in range(3)]
        self.shown = self.planes[:, : picture.shape[0], : picture.shape[1]]

    def before(self) -> None:
        pass

    def run(self) -> None:
        cv2.split(self.make(), self.bytes)
        for plane, samples in zip(self.shown, self.bytes, strict=True):
            plane[:] = samples

    def outputs(self) -> list[np.ndarray]:
        return [self.planes]


def planes_of(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luma `(H, W)` and chroma `(H/2, W/2, 2)` of an NV12 frame."""
    height = frame.shape[0] * 2 // 3
    return frame[:height], frame[height:].reshape(height // 2, -1, 2)


def letterbox_ways(frame: np.ndarray, into: Size) -> dict[str, Callable[[], Way]]:
    """Each way of shrinking a frame into the top left of a picture of `into`, aspect kept, the rest black."""
    luma, chroma = planes_of(frame)
    scale = max(luma.shape[1] / into[0], luma.shape[0] / into[1])
    shown = round(luma.shape[1] / scale), round(luma.shape[0] / scale)
    if shown[0] % 2 or shown[1] % 2:
        raise ValueError(f"{shown} cannot be shown by halved chroma")
    half = shown[0] // 2, shown[1] // 2

    def picture(filter: int) -> Callable[[], np.ndarray]:
        return lambda: cv2.resize(cv2.cvtColor(frame, NV12_TO_RGB), shown, interpolation=filter)

    def planes(filter: int) -> Callable[[], np.ndarray]:
        return lambda: cv2.cvtColorTwoPlane(
            cv2.resize(luma, shown, interpolation=filter), cv2.resize(chroma, half, interpolation=filter), NV12_TO_RGB
        )

    ways: dict[str, Callable[[], Way]] = {}
    for name, filter in FILTERS.items():
        ways[f"opencv cvtColor, resize {name}"] = partial(Way, picture(filter), *into)
        ways[f"opencv resize {name}, cvtColorTwoPlane"] = partial(Way, planes(filter), *into)
    return ways


def alignment(landmarks: np.ndarray) -> np.ndarray:
    """The similarity `(2, 3)` from the frame to the aligned crop, by least squares."""
    x, y = landmarks.T
    one, none = np.ones(5), np.zeros(5)
    system = np.vstack([np.stack([x, -y, one, none], 1), np.stack([y, x, none, one], 1)])
    a, b, dx, dy = np.linalg.lstsq(system, TEMPLATE.T.ravel(), rcond=None)[0]
    return np.array([[a, -b, dx], [b, a, dy]])


def warp_ways(frame: np.ndarray, landmarks: np.ndarray) -> dict[str, Callable[[], Way]]:
    """Each way of cutting the aligned crop of a face that lies within the frame."""
    luma, chroma = planes_of(frame)
    matrix = alignment(landmarks)
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([[x, y, 1] for x in (0, SIDE - 1) for y in (0, SIDE - 1)]) @ back.T
    left, top = (np.floor(corners.min(0)).astype(int) - 1) // 2 * 2
    right, bottom = (np.ceil(corners.max(0)).astype(int) + 3) // 2 * 2
    if left < 0 or top < 0 or right > luma.shape[1] or bottom > luma.shape[0]:
        raise ValueError("the face must lie within the frame")
    part = luma[top:bottom, left:right], chroma[top // 2 : bottom // 2, left // 2 : right // 2]
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (left, top)
    size = (SIDE, SIDE)
    # Chroma has half the size on both sides: positions count from the centre of the first pixel.
    halved = matrix.copy()
    halved[:, 2] = (matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5) / 2

    def whole() -> np.ndarray:
        return cv2.warpAffine(cv2.cvtColor(frame, NV12_TO_RGB), matrix, size)

    def region() -> np.ndarray:
        return cv2.warpAffine(cv2.cvtColorTwoPlane(*part, NV12_TO_RGB), moved, size)

    def planes() -> np.ndarray:
        small = cv2.warpAffine(chroma, halved, (SIDE // 2, SIDE // 2), borderValue=(128, 128))
        return cv2.cvtColorTwoPlane(cv2.warpAffine(luma, matrix, size, borderValue=16), small, NV12_TO_RGB)

    named = {"cvtColor, warpAffine": whole, "cvtColor of the region, warpAffine": region}
    named["warpAffine, cvtColorTwoPlane"] = planes
    return {f"opencv {name}": partial(Way, make, SIDE, SIDE) for name, make in named.items()}
