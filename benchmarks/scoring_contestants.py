"""The contestants of `make bench`: ways to score a folder of images, each run as a process of its own.

    python -m benchmarks.scoring_contestants NAME DETECTOR RUN LITERT FOLDER

scores the folder and prints, as JSON, the wall and CPU seconds from the first image to the last.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from adscore import Detector, ImageSpec
from adscore.cpus import usable_cpus
from adscore.images import Pixels, decode

BATCH = 32

Score = Callable[[Pixels], Any]
Loop = Callable[[list[str]], None]


def plain_loop(detector: Path, *_: Path) -> Loop:
    """The baseline: what one writes first with Pillow and ONNX Runtime, an image at a time, decoded in full."""
    import onnxruntime

    spec = Detector(detector).spec.image
    session = onnxruntime.InferenceSession(detector, providers=["CPUExecutionProvider"])

    def loop(paths: list[str]) -> None:
        for path in paths:
            image = Image.open(path).convert(spec.mode).resize((spec.width, spec.height), Image.Resampling.BILINEAR)
            session.run(["score"], {"image": np.asarray(image).reshape(1, *spec.shape)})

    return loop


def in_batches(detector: Path, *_: Path) -> Loop:
    """Batches of 32 in one thread, with a session of as many threads as there are CPUs."""
    opened = Detector(detector)
    return _batches(opened.spec.image, opened.score)


def two_threads(detector: Path, *_: Path) -> Loop:
    """A pool of two threads that decode and score batches, with a session of one thread."""
    opened = Detector(detector, threads=1)

    def loop(paths: list[str]) -> None:
        with ThreadPoolExecutor(2) as pool:
            for _ in pool.map(_batches(opened.spec.image, opened.score), _chunks(paths)):
                pass

    return loop


def keras_predict(_detector: Path, run: Path, *_: Path) -> Loop:
    """The way of the tutorial that adscore grew from: Keras' `predict`, then the mean squared error."""
    from adtrain.quiet import import_tensorflow

    import_tensorflow()
    from adtrain.run import load_run, load_weights

    loaded = load_run(run)
    autoencoder = load_weights(loaded)

    def score(pixels: Pixels) -> Any:
        images = pixels.astype(np.float32) / np.float32(255)
        return np.mean((images - autoencoder.predict(images, verbose=0)) ** 2, axis=(1, 2, 3))

    return _batches(loaded.image, score, 1024)


def openvino(detector: Path, *_: Path) -> Loop:
    """OpenVINO on the same file, in batches of 32."""
    from openvino import Core

    core = Core()
    model = core.read_model(detector)
    spec = Detector(detector).spec.image
    model.reshape({0: [BATCH, *spec.shape]})
    network = core.compile_model(model, "CPU")
    return _batches(spec, lambda pixels: network([pixels])["score"])


def litert(detector: Path, _run: Path, converted: Path, *_: Path) -> Loop:
    """LiteRT on the same weights, in batches of 32."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(converted), num_threads=usable_cpus())
    image = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(image["index"], [BATCH, *image["shape"][1:]])
    interpreter.allocate_tensors()

    def score(pixels: Pixels) -> None:
        interpreter.set_tensor(image["index"], pixels)
        interpreter.invoke()

    return _batches(Detector(detector).spec.image, score)


def decoding(detector: Path, *_: Path) -> Loop:
    """The first part of the limit: decoding, on one thread."""
    return _batches(Detector(detector).spec.image, lambda _: None)


def network(detector: Path, *_: Path) -> Loop:
    """The second part of the limit: the graph, on one thread."""
    opened = Detector(detector, threads=1)
    return lambda paths: _ignored(opened.score(np.zeros((len(paths), *opened.spec.image.shape), np.uint8)))


CONTESTANTS: dict[str, Callable[..., Loop]] = {
    each.__name__: each
    for each in (plain_loop, in_batches, two_threads, keras_predict, openvino, litert, decoding, network)
}


def _batches(spec: ImageSpec, score: Score, size: int = BATCH) -> Loop:
    def loop(paths: list[str]) -> None:
        for chunk in _chunks(paths, size):
            pixels = np.zeros((BATCH if size == BATCH else len(chunk), *spec.shape), np.uint8)
            for place, path in enumerate(chunk):
                pixels[place] = decode(path, spec)
            score(pixels)

    return loop


def _chunks(paths: list[str], size: int = BATCH) -> Iterator[list[str]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def _ignored(_: object) -> None:
    pass


def main() -> None:
    """Sets one contestant up, then measures it."""
    name, detector, run, converted, folder = sys.argv[1:]
    loop = CONTESTANTS[name](Path(detector), Path(run), Path(converted))
    wall, cpu = time.perf_counter(), time.process_time()
    loop(sorted(map(str, Path(folder).iterdir())))
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
