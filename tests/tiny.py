"""Small real things for tests: detectors written as ONNX text, and pictures painted with Pillow."""

import base64
import json
import zlib
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
from PIL import Image

from adscore.spec import (
    METADATA_KEY,
    Calibration,
    DetectorSpec,
    ImageSpec,
    Parity,
    Reference,
    ScoreSpec,
    SelfTest,
    TrainingRecord,
)

# Reconstructs every image as black: the score is the mean of the squared pixels, so tests can tell it in advance.
GRAPH = """
<ir_version: 8, opset_import: ["" : 17]>
tiny (uint8[batch, {height}, {width}, {channels}] image)
  => (float[batch] score, float[batch, {height}, {width}] anomaly_map,
      float[batch, {height}, {width}, {channels}] reconstruction)
<float full = {{255.0}}, float zero = {{0.0}}>
{{
  pixels = Cast <to = 1> (image)
  scaled = Div (pixels, full)
  reconstruction = Mul (scaled, zero)
  difference = Sub (scaled, reconstruction)
  squared = Mul (difference, difference)
  anomaly_map = ReduceMean <axes = [3], keepdims = 0> (squared)
  score = ReduceMean <axes = [1, 2], keepdims = 0> (anomaly_map)
}}
"""

# 99 held-out scores: the fewest that a false-alarm rate of 1 % takes.
REFERENCE = Reference(99, tuple(range(1, 100)), tuple(float(np.float32(rank / 200)) for rank in range(1, 100)))
# Four pixels of 51, mirrored to any size: a fifth of full brightness, which the tiny detector squares.
SELFTEST = (SelfTest(2, 2, base64.b64encode(zlib.compress(bytes([51] * 4))).decode(), float(np.float32(0.04))),)


def tiny_spec(mode: str = "L", *, width: int = 4, height: int = 4) -> DetectorSpec:
    """Returns a complete spec; the threshold is the largest of the held-out scores, 0.495."""
    assert mode in ("L", "RGB")
    return DetectorSpec(
        image=ImageSpec(width, height, "L" if mode == "L" else "RGB"),
        score=ScoreSpec("mean"),
        calibration=Calibration("split-conformal", 0.01, REFERENCE.scores[-1], 99, True, REFERENCE),
        map_scale=1.0,
        training=TrainingRecord({"epochs": 1}, 400, "sha256:00", {"keras": "3"}),
        parity=Parity(99, (1, 64), 1e-7, 1.0),
        selftest=SELFTEST if mode == "L" else (),
    )


def tiny_detector(spec: DetectorSpec | None = None, *, metadata: str | None = None, graph: str = GRAPH) -> bytes:
    """Returns the content of a detector file with this spec, or with this text where the spec should stand."""
    spec = tiny_spec() if spec is None else spec
    height, width, channels = spec.image.shape
    model = onnx.parser.parse_model(graph.format(height=height, width=width, channels=channels))
    onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(asdict(spec)) if metadata is None else metadata})
    content: bytes = model.SerializeToString()
    return content


def with_threshold(spec: DetectorSpec, threshold: float) -> DetectorSpec:
    """Returns the spec with another threshold, given by hand."""
    return replace(spec, calibration=replace(spec.calibration, rule="given", target=None, threshold=threshold))


def paint(path: Path, grey: int, *, size: tuple[int, int] = (4, 4)) -> Path:
    """Writes a picture of one grey and returns its path; by tiny_detector it scores (grey / 255)^2."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, grey).save(path)
    return path


def paint_parts(folder: Path, count: int, *, size: tuple[int, int] = (8, 8), seed: int = 0) -> Path:
    """Writes `count` grey pictures of a bright bar on dark ground, its place varied; returns the folder."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        pixels = random.integers(0, 20, size[::-1], dtype=np.uint8)
        column = int(random.integers(1, size[0] - 2))
        pixels[:, column : column + 2] = random.integers(180, 250)
        Image.fromarray(pixels).save(folder / f"{index:03}.png")
    return folder
