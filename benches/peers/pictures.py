"""Pictures made here: a seeded soft background, a little grain, and drawn heads that YuNet takes for faces.

Heads matter only for the agreement of the networks: where nothing is found, the greatest value of a map is next to
nothing, and a difference relative to it says little.
"""

import cv2
import numpy as np

# Where the eyes, the nose and the corners of the mouth of a drawn head are, for a head of width 1 around (0, 0).
LANDMARKS = np.array([[-0.19, -0.12], [0.19, -0.12], [0.0, 0.1], [-0.16, 0.3], [0.16, 0.3]])


def background(width: int, height: int, seed: int) -> np.ndarray:
    """A soft picture, `(height, width, 3)`, RGB, uint8, with grain of one standard deviation of 2."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(40, 215, (9, 16, 3)).astype(np.float32)
    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = random.standard_normal((height, width, 1), np.float32) * 2
    return np.clip(soft + grain, 0, 255).astype(np.uint8)


def draw_head(picture: np.ndarray, x: float, y: float, width: float) -> np.ndarray:
    """Draws a head of `width` pixels about (x, y) and gives its landmarks, `(5, 2)`, in pixels."""

    def ellipse(dx: float, dy: float, across: float, down: float, colour: tuple[int, int, int], *arc: int) -> None:
        centre = (round((x + dx * width) * 16), round((y + dy * width) * 16))
        axes = (round(across * width * 16), round(down * width * 16))
        start, end = arc or (0, 360)
        cv2.ellipse(picture, centre, axes, 0, start, end, colour, -1, cv2.LINE_AA, 4)

    ellipse(0, -0.05, 0.52, 0.68, (60, 40, 30))
    ellipse(0, 0.05, 0.45, 0.6, (224, 178, 150))
    for side in (-1, 1):
        ellipse(side * 0.19, -0.22, 0.12, 0.025, (70, 45, 35))
        ellipse(side * 0.19, -0.12, 0.095, 0.045, (245, 240, 235))
        ellipse(side * 0.19, -0.12, 0.042, 0.042, (45, 30, 25))
        ellipse(side * 0.05, 0.12, 0.03, 0.02, (150, 100, 85))
    ellipse(0, 0.03, 0.035, 0.13, (205, 155, 128))
    ellipse(0, 0.3, 0.16, 0.06, (175, 80, 80))
    return LANDMARKS * width + (x, y)


def crowd(width: int, height: int, seed: int) -> np.ndarray:
    """A background with heads of many sizes, as cameras see them."""
    picture = background(width, height, seed)
    for place, share in [(0.04, 0.04), (0.12, 0.06), (0.22, 0.1), (0.36, 0.16), (0.56, 0.26), (0.85, 0.42)]:
        draw_head(picture, width * place, height * 0.5, height * share)
    return cv2.GaussianBlur(picture, (3, 3), 0)


def portrait(side: int, seed: int) -> np.ndarray:
    """One head that fills the picture as an aligned crop does."""
    picture = background(side, side, seed)
    draw_head(picture, side / 2, side * 0.58, side * 0.8)
    return picture


def nv12(rgb: np.ndarray) -> np.ndarray:
    """BT.601, limited range, `(height * 3 / 2, width)`; sides are even."""
    height, width = rgb.shape[:2]
    i420 = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    return np.vstack([i420[:height], np.stack(chroma, axis=-1).reshape(height // 2, width)])
