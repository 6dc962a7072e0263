"""What is benched: each work, usher's request for it, its peers, and how outputs are compared."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

import pictures
import preprocess
import search
from engines import ENGINES, Runner
from graph import graph

FRAME = (1920, 1080)
SEED = 20261122


@dataclass
class Work:
    """One row group of the table. The first peer that runs is the reference of the comparison."""

    name: str
    request: dict[str, Any]
    peers: Mapping[str, Callable[[], Runner]]
    difference: Callable[[list[np.ndarray], list[np.ndarray]], float]
    tolerance: float
    unit: str
    # A request that is not timed, only compared, and the peer that answers it.
    check: tuple[dict[str, Any], Callable[[], Runner]] | None = None
    # Calls in a turn, of which the median counts: more than one where a call is shorter than waking a process.
    calls: int = 1
    notes: dict[str, Any] = field(default_factory=dict)


# Name, network, batch, height, width, and the picture it is shown. A network more is a row more.
NETWORKS = [
    ("sface b1", "sface", 1, 112, 112, "portrait"),
    ("sface b8", "sface", 8, 112, 112, "portrait"),
    ("mobilefacenet b1", "mobilefacenet", 1, 112, 112, "portrait"),
    ("mobilefacenet b8", "mobilefacenet", 8, 112, 112, "portrait"),
    ("minifasnet b1", "minifasnet", 1, 128, 128, "portrait"),
    ("retinaface 640x384", "retinaface", 1, 384, 640, "crowd"),
    ("yunet 640x384", "yunet", 1, 384, 640, "crowd"),
    ("yunet 320x192", "yunet", 1, 192, 320, "crowd"),
]
# The networks that take blue first.
BLUE_FIRST = {"yunet", "retinaface", "minifasnet"}
# What is done to the numbers 0..=255 of a picture first, where the network does not do it itself: minus, divided by.
SCALED = {"mobilefacenet": ([127], 128), "retinaface": ([104, 117, 127], 1)}
# Of preprocessing in a turn.
CALLS = 10
# Name and scale of the face: frame pixels a crop pixel.
WARPS = [("warp nv12 112x112", 1.3), ("warp nv12 112x112, near face", 3.0)]
# Name, gallery, queries together.
SEARCHES = [
    ("search 100k b1", 100_000, 1),
    ("search 100k b8", 100_000, 8),
    ("search 1M b1", 1_000_000, 1),
    ("search 1M b8", 1_000_000, 8),
]
LENGTH = 128
CHECKED = 200


def relative(outputs: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """The greatest difference of any value, relative to the greatest of its output."""
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(outputs, reference, strict=True))


def mean_difference(outputs: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """The mean difference of two pictures, 0..=255."""
    return float(np.abs(outputs[0].reshape(reference[0].shape) - reference[0]).mean())


def other_best(outputs: list[np.ndarray], reference: list[np.ndarray]) -> float:
    """The share of queries whose best row is another."""
    count = len(reference[1])
    return float((outputs[1].reshape(count, -1)[:, 0] != reference[1][:, 0]).mean())


def networks(models: Path, folder: Path) -> Iterator[tuple[str, Callable[[], Work]]]:
    def make(name: str, network: str, batch: int, height: int, width: int, shown: str) -> Work:
        made = [
            pictures.portrait(width, SEED + i) if shown == "portrait" else pictures.crowd(width, height, SEED + i)
            for i in range(batch)
        ]
        pixels = np.stack(made)[..., :: -1 if network in BLUE_FIRST else 1]
        minus, by = SCALED.get(network, ([0], 1))
        scaled = (pixels.transpose(0, 3, 1, 2).astype(np.float32) - np.reshape(minus, (-1, 1, 1))) / by
        picture = np.ascontiguousarray(scaled, np.float32)
        request = {"load": "network", "name": network, "batch": batch, "height": height, "width": width}
        request["input"] = stored(picture, folder / "in.f32")
        path = models / f"{network}.safetensors"
        read = lru_cache(lambda: graph(path, batch, height, width))
        peers = {peer: lambda engine=engine: engine(read(), picture, folder) for peer, engine in ENGINES.items()}
        return Work(name, request, peers, relative, 1e-3, "greatest difference, of the greatest value")

    for row in NETWORKS:
        yield row[0], partial(make, *row)


def preprocessing(folder: Path) -> Iterator[tuple[str, Callable[[], Work]]]:
    @lru_cache
    def frame() -> np.ndarray:
        return pictures.nv12(pictures.crowd(*FRAME, SEED))

    def request(load: str) -> dict[str, Any]:
        path = stored(frame(), folder / "frame.nv12")
        return {"load": load, "format": "nv12", "width": FRAME[0], "height": FRAME[1], "input": path}

    def letterbox(name: str) -> Work:
        into = 640, 384
        asked = request("letterbox") | {"to_width": into[0], "to_height": into[1]}
        ways = preprocess.letterbox_ways(frame(), into)
        return Work(name, asked, ways, mean_difference, 3, "mean difference, of 255", calls=CALLS)

    def warp(name: str, scale: float) -> Work:
        turn = np.deg2rad(6)
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        # About the fifth of the drawn heads.
        landmarks = (preprocess.TEMPLATE - 56) * scale @ turned.T + (FRAME[0] * 0.56, FRAME[1] * 0.5)
        asked = request("warp") | {"landmarks": landmarks.tolist()}
        ways = preprocess.warp_ways(frame(), landmarks)
        return Work(name, asked, ways, mean_difference, 3, "mean difference, of 255", calls=CALLS)

    name = "letterbox nv12 1080p 640x384"
    yield name, partial(letterbox, name)
    for row in WARPS:
        yield row[0], partial(warp, *row)


def searches(folder: Path) -> Iterator[tuple[str, Callable[[], Work]]]:
    # One gallery at a time is kept.
    @lru_cache(maxsize=1)
    def gallery(rows: int) -> np.ndarray:
        made = search.unit_rows(rows, LENGTH, SEED)
        stored(made, folder / "gallery.f32")
        return made

    def make(name: str, rows: int, count: int) -> Work:
        def asked(queries: np.ndarray, file: str) -> dict[str, Any]:
            given = {"gallery": str(folder / "gallery.f32"), "length": LENGTH, "count": len(queries), "k": search.K}
            return {"load": "search", "queries": stored(queries, folder / file)} | given

        held, few, many = gallery(rows), *(search.unit_rows(n, LENGTH, SEED + 1) for n in (count, CHECKED))
        peers = {peer: lambda kind=kind: kind(held, few) for peer, kind in search.SEARCHES.items()}
        check = asked(many, "checked.f32"), lambda: search.Numpy(held, many)
        unit, notes = "share of queries with another best row", {"queries_checked": CHECKED}
        return Work(name, asked(few, "queries.f32"), peers, other_best, 0, unit, check, notes=notes)

    for row in SEARCHES:
        yield row[0], partial(make, *row)


def stored(values: np.ndarray, path: Path) -> str:
    """Writes the raw values; the path."""
    np.ascontiguousarray(values).tofile(path)
    return str(path)


def works(models: Path, folder: Path) -> dict[str, Callable[[], Work]]:
    """All of them by name, made when their turn comes."""
    return dict([*networks(models, folder), *preprocessing(folder), *searches(folder)])
