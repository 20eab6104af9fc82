"""The detector: one file, opened once, from pixels or paths to scores and labels."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adscore.calibration import conformal_threshold, is_anomaly, p_values
from adscore.errors import ImageError, ModelError
from adscore.images import Pixels, decode
from adscore.model_file import INPUT, OUTPUTS, read_model, read_spec
from adscore.session import Provider, ProviderChoice, onnxruntime_faults, open_session
from adscore.spec import MAX_FLOAT32, DetectorSpec

BATCH_SIZE = 32


@dataclass(frozen=True)
class Prediction:
    """What the detector says of one image: a score and a label, or the reason why there is none."""

    path: str  # as given
    score: float | None  # higher = more anomalous; exact in float32
    threshold: float
    is_anomaly: bool | None
    p_value: float | None  # share of held-out normal images at least as anomalous, (1 + k) / (n + 1)
    error: str | None


@dataclass(frozen=True)
class Outputs:
    """All that the graph computes for a batch."""

    score: NDArray[np.float32]  # (batch,)
    anomaly_map: NDArray[np.float32]  # (batch, height, width)
    reconstruction: NDArray[np.float32]  # (batch, height, width, channels), 0..1


class Detector:
    """A detector file on ONNX Runtime.

    Args:
        model: path of the `.onnx` file, or its content.
        provider: "auto" (CUDA where it runs, else CPU), "cpu", or "cuda", which fails rather than run elsewhere.
        threads: threads that ONNX Runtime uses; by default the CPUs this process may use.

    Attributes:
        spec: what the file says of itself.
        provider: where it runs, "cpu" or "cuda".
        fallback: why "auto" did not take CUDA, where a GPU build of ONNX Runtime is installed.

    Raises:
        ModelError: the file cannot be read, or is no detector that this version understands.
        ProviderError: the provider asked for does not run here.
    """

    spec: DetectorSpec
    provider: Provider
    fallback: str | None

    def __init__(
        self, model: str | Path | bytes, *, provider: ProviderChoice = "auto", threads: int | None = None
    ) -> None:
        name = "detector" if isinstance(model, bytes) else str(model)
        content = model if isinstance(model, bytes) else read_model(Path(model))
        try:
            opened = open_session(content, provider, threads)
            self.spec = read_spec(opened.session)
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from error
        self.provider = opened.provider
        self.fallback = opened.fallback
        self._session = opened.session

    def score(self, images: Pixels, *, batch_size: int = BATCH_SIZE) -> NDArray[np.float32]:
        """Returns one score an image, float32 of shape (n,); higher = more anomalous.

        Args:
            images: uint8 of shape (n, height, width, channels), as `adscore.images.decode` prepares them.
            batch_size: images in one run; only memory and speed depend on it.

        Raises:
            ImageError: the images are not of the dtype and shape the detector takes.
            ValueError: `batch_size` is below 1.
        """
        self._check(images)
        _check_batch_size(batch_size)
        scores = [self._run(batch, ["score"])[0][:count] for batch, count in _batches(images, batch_size)]
        return np.concatenate([np.empty(0, np.float32), *scores])

    def analyze(self, images: Pixels) -> Outputs:
        """Returns scores, anomaly maps and reconstructions of one batch, uint8 (n, height, width, channels).

        Raises:
            ImageError: as `score`.
        """
        self._check(images)
        return Outputs(*self._run(images, list(OUTPUTS)))

    def predict(
        self, paths: str | Path | Iterable[str | Path], *, threshold: float | None = None, batch_size: int = BATCH_SIZE
    ) -> Iterator[Prediction]:
        """Returns one prediction a path, in order; an image that cannot be read has `error` filled instead of a score.

        Reads no further ahead than one batch, so any number of paths takes the same memory.

        Args:
            paths: image files, or one of them, decoded by the detector's own rules.
            threshold: decides in place of the detector's.
            batch_size: images in one run.

        Raises:
            ValueError: `threshold` is not finite in float32, or `batch_size` is below 1.
        """
        limit = self.spec.calibration.threshold if threshold is None else threshold
        if not abs(limit) <= MAX_FLOAT32:
            raise ValueError(f"threshold is {limit} and must be finite in float32")
        _check_batch_size(batch_size)
        pending = iter([paths] if isinstance(paths, str | Path) else paths)
        return self._predict(pending, float(np.float32(limit)), batch_size)

    def threshold_for(self, fpr: float) -> float:
        """Returns the threshold that keeps the false-alarm rate at `fpr`, from the held-out scores in the file.

        Raises:
            CalibrationError: the detector was calibrated on too few images for this rate.
        """
        return conformal_threshold(self.spec.calibration.reference, fpr)

    def _predict(self, pending: Iterator[str | Path], threshold: float, batch_size: int) -> Iterator[Prediction]:
        buffer: Pixels | None = None
        while chunk := list(islice(pending, batch_size)):
            if buffer is None:
                # Every batch has the size of the first, the last one padded: ONNX Runtime allocates anew for another.
                buffer = np.zeros((len(chunk), *self.spec.image.shape), np.uint8)
            errors = [self._decode_into(buffer, row, path) for row, path in enumerate(chunk)]
            scores = self._run(buffer, ["score"])[0][: len(chunk)]
            yield from self._decide([str(path) for path in chunk], scores, errors, threshold)

    def _decode_into(self, buffer: Pixels, row: int, path: str | Path) -> str | None:
        try:
            buffer[row] = decode(path, self.spec.image)
        except ImageError as error:
            buffer[row] = 0
            return str(error)
        return None

    def _decide(
        self, paths: list[str], scores: NDArray[np.float32], errors: list[str | None], threshold: float
    ) -> Iterator[Prediction]:
        labels = is_anomaly(scores, threshold).tolist()
        chances = p_values(scores, self.spec.calibration.reference).tolist()
        for path, score, label, p_value, error in zip(paths, scores.tolist(), labels, chances, errors, strict=True):
            if error is None and not math.isfinite(score):
                error = f"the score is {score}, which is no number"
            if error is None:
                yield Prediction(path, score, threshold, label, p_value, None)
            else:
                yield Prediction(path, None, threshold, None, None, error)

    def _check(self, images: Pixels) -> None:
        shape = self.spec.image.shape
        if not isinstance(images, np.ndarray):
            raise ImageError(f"images are a {type(images).__name__} and the detector takes a numpy array")
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != shape:
            raise ImageError(
                f"images are {images.dtype} of shape {images.shape} and the detector takes uint8 of shape "
                f"(n, {', '.join(map(str, shape))}); prepare files with adscore.images.decode"
            )

    def _run(self, batch: Pixels, outputs: list[str]) -> list[NDArray[np.float32]]:
        step = "take a smaller batch size, another provider, or export the detector again"
        with onnxruntime_faults("the detector cannot run", step):
            results: list[NDArray[np.float32]] = self._session.run(outputs, {INPUT: batch})
        if any(len(result) != len(batch) for result in results):
            raise ModelError("the graph does not give one score an image; export the detector again")
        return results


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size} and must be at least 1")


def _batches(images: Pixels, size: int) -> Iterator[tuple[Pixels, int]]:
    """Yields (batch, number of images in it); with more than one batch, the last is padded to the size of the rest."""
    for start in range(0, len(images), size):
        batch = images[start : start + size]
        count = len(batch)
        if start and count < size:
            batch = np.concatenate([batch, np.zeros((size - count, *batch.shape[1:]), np.uint8)])
        yield batch, count
