"""The detector: one file, opened once, from pixels or paths to scores and labels."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adscore.arguments import model_of, no_array, paths_of
from adscore.calibration import conformal_threshold
from adscore.checksum import check as check_checksum
from adscore.decoded import Decoded, decode_batch
from adscore.errors import ImageError, ModelError
from adscore.images import Limits, Pixels
from adscore.model_file import OUTPUTS, read_model, read_spec
from adscore.prediction import Prediction, Scored, decide
from adscore.runs import Runs, batches, suitable_batch
from adscore.session import Provider, ProviderChoice, open_session
from adscore.spec import MAX_FLOAT32, DetectorSpec


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
        low_memory: take no more memory than a run needs, which makes batches slower.
        limits: how large an image file and its picture may be.

    Attributes:
        spec: what the file says of itself.
        provider: where it runs, "cpu" or "cuda".
        fallback: why "auto" did not take CUDA, where a GPU build of ONNX Runtime is installed.
        batch_size: images in one run that suit the size of its images, and the default wherever there is a choice.

    Raises:
        TypeError: the model is neither a path nor bytes.
        ModelError: the file cannot be read, or is no detector that this version understands.
        ProviderError: the provider asked for does not run here.
    """

    spec: DetectorSpec
    provider: Provider
    fallback: str | None
    batch_size: int

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes,
        *,
        provider: ProviderChoice = "auto",
        threads: int | None = None,
        low_memory: bool = False,
        limits: Limits | None = None,
    ) -> None:
        model = model_of(model)
        name = "detector" if isinstance(model, bytes) else model
        content = model if isinstance(model, bytes) else read_model(Path(model))
        try:
            check_checksum(content)
            opened = open_session(content, provider, threads, low_memory=low_memory)
            self.spec = read_spec(opened.session)
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from error
        self.provider = opened.provider
        self.limits = limits or Limits()
        self.fallback = opened.fallback
        self.batch_size = 1 if low_memory else suitable_batch(self.spec.image)
        self._runs = Runs(opened.session, self.spec)
        self._content = content
        self._reopen = partial(
            Detector, content, provider=self.provider, threads=threads, low_memory=low_memory, limits=self.limits
        )

    def __reduce__(self) -> tuple[Callable[[], "Detector"], tuple[()]]:
        return self._reopen, ()  # a session does not travel to another process; the file's content does

    @property
    def digest(self) -> str:
        """SHA-256 of the file's content, in hexadecimal digits: two detectors with the same are the same."""
        return sha256(self._content).hexdigest()

    def score(self, images: Pixels, *, batch_size: int | None = None) -> NDArray[np.float32]:
        """Returns one score an image, float32 of shape (n,); higher = more anomalous.

        Args:
            images: uint8 of shape (n, height, width, channels), as `adscore.images.decode` prepares them.
            batch_size: images in one run, by default as many as suit; only memory and speed depend on it. Pictures
                have a run each where the file says so; see `DetectorSpec.alone`.

        Raises:
            TypeError: the images are no array.
            ImageError: they are not of the dtype and shape the detector takes.
            ValueError: `batch_size` is below 1.
        """
        self._check(images)
        pieces = batches(images, self._checked(batch_size))
        scores = [self._runs.outputs(["score"], batch, count)[0] for batch, count in pieces]
        return np.concatenate([np.empty(0, np.float32), *scores])

    def analyze(self, images: Pixels) -> Outputs:
        """Returns scores, anomaly maps and reconstructions of one batch, uint8 (n, height, width, channels).

        Raises:
            TypeError, ImageError: as `score`.
        """
        self._check(images)
        return Outputs(*self._runs.outputs(list(OUTPUTS), images, len(images)))

    def predict(
        self,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        threshold: float | None = None,
        batch_size: int | None = None,
    ) -> Iterator[Prediction]:
        """Returns one prediction a path, in order; an image that cannot be read has `error` filled instead of a score.

        Reads no further ahead than one batch, so any number of paths takes the same memory.

        Args:
            paths: image files, or one of them, decoded by the detector's own rules.
            threshold: decides in place of the detector's.
            batch_size: images in one run, by default as many as suit.

        Raises:
            TypeError: what is given is no path; of an iterator, when that comes.
            ValueError: `threshold` is not finite in float32, or `batch_size` is below 1.
        """
        limit, size = self.decision_threshold(threshold), self._checked(batch_size)
        return self._predict(paths_of(paths), limit, size)

    def score_files(self, paths: Sequence[str | Path], *, padded_to: int = 0) -> Scored:
        """Decodes and scores one batch of files; see `score_batches`."""
        return self.score_batches([paths], padded_to=padded_to)[0]

    def score_batches(self, batches: Sequence[Sequence[str | Path]], *, padded_to: int = 0) -> list[Scored]:
        """Decodes several batches of files, then scores them one by one.

        First the one and then the other, since decoder and network push each other out of the processor's caches.

        Args:
            batches: image files; the images of all batches are in memory at once.
            padded_to: runs at least so many images, since ONNX Runtime allocates anew for every other number.

        Raises:
            ModelError: the graph cannot run.
        """
        decoded = [decode_batch(paths, self.spec, self.limits, padded_to=padded_to) for paths in batches]
        return [self._scored(each, len(paths)) for each, paths in zip(decoded, batches, strict=True)]

    def decision_threshold(self, threshold: float | None) -> float:
        """Returns the threshold to decide by, exact in float32: the one given, or the detector's.

        Raises:
            ValueError: it is not finite in float32.
        """
        limit = self.spec.calibration.threshold if threshold is None else threshold
        if not abs(limit) <= MAX_FLOAT32:
            raise ValueError(f"threshold is {limit} and must be finite in float32")
        return float(np.float32(limit))

    def threshold_for(self, fpr: float) -> float:
        """Returns the threshold that keeps the false-alarm rate at `fpr`, from the held-out scores in the file.

        Raises:
            CalibrationError: the detector was calibrated on too few images for this rate.
        """
        return conformal_threshold(self.spec.calibration.reference, fpr)

    def _predict(self, pending: Iterator[str], threshold: float, batch_size: int) -> Iterator[Prediction]:
        largest = 0
        while batch := list(islice(pending, batch_size)):
            largest = largest or len(batch)
            scored = self.score_files(batch, padded_to=largest)
            yield from decide(batch, scored, threshold, self.spec.calibration.reference)

    def _checked(self, batch_size: int | None) -> int:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is {batch_size} and must be at least 1")
        return batch_size or self.batch_size

    def _scored(self, decoded: Decoded, count: int) -> Scored:
        if not count:
            return Scored.nothing()
        errors = decoded.errors
        scores = self._runs.outputs(["score"], decoded.images, count)[0].copy()
        for place in np.flatnonzero(~np.isfinite(scores)).tolist():
            errors.setdefault(place, f"the score is {scores[place]}, which is no number")
        scores[list(errors)] = np.nan
        return Scored(scores, errors, decoded.noted)

    def _check(self, images: Pixels) -> None:
        shape = self.spec.image.shape
        if not isinstance(images, np.ndarray):
            raise no_array(images, shape)
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != shape:
            raise ImageError(
                f"images are {images.dtype} of shape {images.shape} and the detector takes uint8 of shape "
                f"(n, {', '.join(map(str, shape))}); prepare files with adscore.images.decode"
            )
