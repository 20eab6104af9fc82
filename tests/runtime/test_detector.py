import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adscore import Detector, Prediction
from adscore.errors import CalibrationError, ImageError, ModelError
from tests.tiny import GRAPH, paint, tiny_detector, tiny_spec


def greys(*values: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.stack([np.full((4, 4, 1), value, np.uint8) for value in values])


def test_scores_are_what_the_graph_says() -> None:
    scores = Detector(tiny_detector()).score(greys(0, 51, 255))
    assert scores.dtype == np.float32
    assert scores.tolist() == pytest.approx([0, 0.04, 1])


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 17])
def test_any_number_of_images_gives_as_many_scores(count: int) -> None:
    images = greys(*range(count)) if count else np.empty((0, 4, 4, 1), np.uint8)
    expected = [(value / 255) ** 2 for value in range(count)]
    assert Detector(tiny_detector()).score(images, batch_size=8).tolist() == pytest.approx(expected)


def test_analyze_gives_map_and_reconstruction() -> None:
    outputs = Detector(tiny_detector(tiny_spec("RGB"))).analyze(np.full((2, 4, 4, 3), 255, np.uint8))
    assert (outputs.score.shape, outputs.anomaly_map.shape) == ((2,), (2, 4, 4))
    assert outputs.reconstruction.shape == (2, 4, 4, 3)
    assert outputs.anomaly_map.min() == 1


@pytest.mark.parametrize(
    "images",
    [np.zeros((1, 4, 4, 1), np.float32), np.zeros((4, 4, 1), np.uint8), np.zeros((1, 5, 4, 1), np.uint8)],
    ids=["dtype", "dimensions", "size"],
)
def test_other_arrays_are_refused(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    with pytest.raises(ImageError, match=r"the detector takes uint8 of shape \(n, 4, 4, 1\)"):
        Detector(tiny_detector()).score(images)


def test_predictions_keep_the_order_and_a_bad_image_is_one_of_them(tmp_path: Path) -> None:
    bright, dark = paint(tmp_path / "bright.png", 255), paint(tmp_path / "dark.png", 52)
    (tmp_path / "bad.png").write_bytes(b"no image")
    paths = [dark, tmp_path / "bad.png", bright]
    first, second, third = Detector(tiny_detector()).predict(paths)
    limit = first.threshold
    assert limit == pytest.approx(0.495)
    # 91 of the 99 reference scores (k / 200) are at least 0.0416
    assert (first.path, first.is_anomaly, first.error) == (str(dark), False, None)
    assert (first.score, first.p_value) == pytest.approx(((52 / 255) ** 2, 0.92))
    assert (second.score, second.is_anomaly, second.p_value) == (None, None, None)
    assert second.error is not None
    assert second.error.startswith("not an image in a known format")
    assert third == Prediction(str(bright), 1.0, limit, True, 1 / 100, None)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 100])
def test_batch_size_changes_nothing(tmp_path: Path, batch_size: int) -> None:
    paths = [paint(tmp_path / f"{grey}.png", grey) for grey in range(0, 250, 50)]
    (tmp_path / "bad.png").touch()
    paths.insert(3, tmp_path / "bad.png")
    detector = Detector(tiny_detector())
    assert list(detector.predict(paths, batch_size=batch_size)) == list(detector.predict(paths, batch_size=6))


def test_paths_are_read_no_further_ahead_than_a_batch(tmp_path: Path) -> None:
    path, taken = paint(tmp_path / "a.png", 1), 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield path

    predictions = Detector(tiny_detector()).predict(endless(), batch_size=4)  # type: ignore[arg-type]
    for _ in range(9):
        next(predictions)
    assert taken == 12


def test_threshold_can_be_overridden(tmp_path: Path) -> None:
    path = paint(tmp_path / "a.png", 255)
    (prediction,) = Detector(tiny_detector()).predict([path], threshold=1.0)
    assert (prediction.threshold, prediction.is_anomaly) == (1.0, False)


def test_a_score_that_is_no_number_is_an_error_and_never_normal(tmp_path: Path) -> None:
    graph = GRAPH.replace("score = ReduceMean", "sum = ReduceMean").replace(
        "(anomaly_map)\n", "(anomaly_map)\n  score = Log (sum)\n"
    )
    black, white = paint(tmp_path / "black.png", 0), paint(tmp_path / "white.png", 255)
    first, second = Detector(tiny_detector(graph=graph)).predict([black, white])
    assert (first.score, first.is_anomaly, first.error) == (None, None, "the score is -inf, which is no number")
    assert (second.score, second.error) == (0.0, None)


def test_rate_gives_the_threshold_of_the_stored_scores() -> None:
    assert Detector(tiny_detector()).threshold_for(0.05) == pytest.approx(95 / 200)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "detector: the detector cannot be loaded: "),
        (b"no model", "detector: the detector cannot be loaded: "),
        (tiny_detector()[:200], "detector: the detector cannot be loaded: "),
        (tiny_detector(metadata="{"), "detector: adscore.spec is not valid JSON"),
        (tiny_detector(replace(tiny_spec())).replace(b"adscore.spec", b"another.spec"), "has no adscore.spec in its"),
        (tiny_detector(graph=GRAPH.replace("anomaly_map", "heat")), "the graph's anomaly_map is None"),
        (
            tiny_detector(graph=GRAPH.replace("{height}, {width}, {channels}] image", "5, 5, 1] image")),
            "the graph's image is ('tensor(uint8)', (5, 5, 1)) and its spec says ('tensor(uint8)', (4, 4, 1))",
        ),
        (tiny_detector(graph=GRAPH.replace("uint8[batch,", "uint8[2,")), "the graph's batch size is fixed"),
        (
            tiny_detector(graph=GRAPH.replace("image)\n  =>", "image, float[1] gain)\n  =>")),
            "the graph's inputs are image, gain and must be image alone",
        ),
    ],
    ids=["empty", "junk", "cut", "JSON", "no spec", "output missing", "size contradicts", "fixed batch", "two inputs"],
)
def test_what_is_no_detector_is_refused(content: bytes, fault: str) -> None:
    with pytest.raises(ModelError, match=re.escape(fault)):
        Detector(content)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        Detector(tmp_path / "gone.onnx")
    assert str(raised.value).endswith(
        "gone.onnx cannot be read (No such file or directory); give the path of a detector file"
    )


def test_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)  # sparse: takes no disk
    with pytest.raises(
        ModelError, match="cannot be read .1,073,741,825 bytes are more than the 1,073,741,824 allowed.; give the"
    ):
        Detector(path)


def test_a_graph_with_another_number_of_scores_is_refused() -> None:
    graph = GRAPH.replace("axes = [1, 2], keepdims = 0", "axes = [0, 1, 2], keepdims = 0").replace(
        "score = ReduceMean", "mean = ReduceMean"
    )
    graph = graph.replace(
        "(anomaly_map)\n", "(anomaly_map)\n  axis = Constant <value_ints = [0]> ()\n  score = Unsqueeze (mean, axis)\n"
    )
    with pytest.raises(ModelError, match="the graph does not give one score an image; export the detector again"):
        Detector(tiny_detector(graph=graph)).score(greys(1, 2, 3))


def test_misuse_is_refused_at_once(tmp_path: Path) -> None:
    detector = Detector(tiny_detector())
    path = paint(tmp_path / "a.png", 1)
    for batch_size in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size is {batch_size} and must be at least 1"):
            detector.score(greys(1), batch_size=batch_size)
        with pytest.raises(ValueError, match="batch_size"):
            detector.predict([path], batch_size=batch_size)
    for threshold in (np.nan, 1e300):
        with pytest.raises(ValueError, match="must be finite in float32"):
            detector.predict([path], threshold=threshold)
    for fpr in (0, 1, 2, np.nan):
        with pytest.raises(CalibrationError, match="it lies between 0 and 1"):
            detector.threshold_for(fpr)


def test_a_failed_image_leaves_nothing_of_the_batch_before(tmp_path: Path) -> None:
    graph = GRAPH.replace("axes = [3], keepdims = 0> (squared)", "axes = [3], keepdims = 0> (mixed)").replace(
        "  anomaly_map =",
        "  total = ReduceMean <axes = [0], keepdims = 1> (squared)\n  mixed = Add (squared, total)\n  anomaly_map =",
    )
    white, black = paint(tmp_path / "white.png", 255), paint(tmp_path / "black.png", 0)
    (tmp_path / "bad.png").touch()
    rows = list(Detector(tiny_detector(graph=graph)).predict([white, white, black, tmp_path / "bad.png"], batch_size=2))
    assert rows[2].score == 0
