"""The exported file, made from a real Keras model: what the contract promises of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from adexport import Exported, ParityError, Scoring, SplitConformal, export_detector
from adexport.graph import detector_function, to_onnx
from adexport.parity import BATCH_SIZES, judge, scores_by_detector, scores_by_keras
from adexport.stages import stages_of
from adscore import Detector
from adscore.selftest import picture_of, self_test
from adscore.spec import METADATA_KEY, ImageSpec, Pattern, TrainingRecord
from adtrain.quiet import import_tensorflow

pytestmark = pytest.mark.slow

TRAINING = TrainingRecord({"epochs": 0}, 400, "sha256:00", {"keras": "3"})
SPECS = [ImageSpec(28, 28, "L"), ImageSpec(16, 24, "RGB")]


@pytest.fixture(scope="module", params=SPECS, ids=["grey", "colour"])
def spec(request: pytest.FixtureRequest) -> ImageSpec:
    assert isinstance(request.param, ImageSpec)
    return request.param


@pytest.fixture(scope="module")
def autoencoder(spec: ImageSpec) -> Any:
    import_tensorflow()
    import keras

    from adtrain.model import build_autoencoder

    keras.utils.set_random_seed(1)
    return build_autoencoder(*spec.shape, filters=(8, 16), latent=4).autoencoder


@pytest.fixture(scope="module")
def held_out(spec: ImageSpec) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (130, *spec.shape), dtype=np.uint8)


@pytest.fixture(scope="module")
def exported(autoencoder: Any, held_out: Any, spec: ImageSpec) -> Exported:
    return export_detector(
        autoencoder, held_out, image=spec, scoring=Scoring(), training=TRAINING, rule=SplitConformal(0.05)
    )


def nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from nodes(attribute.g)


def test_graph_is_standard_opset_17_ir_8(exported: Exported) -> None:
    model = onnx.load_from_string(exported.content)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert {node.domain for node in nodes(model.graph)} == {""}


def test_inputs_and_outputs_are_the_contracts_and_only_the_batch_is_dynamic(
    exported: Exported, spec: ImageSpec
) -> None:
    session = onnxruntime.InferenceSession(exported.content, providers=["CPUExecutionProvider"])
    height, width, channels = spec.shape
    assert [(node.name, node.type, node.shape) for node in session.get_inputs()] == [
        ("image", "tensor(uint8)", ["batch", height, width, channels])
    ]
    assert [(node.name, node.type, node.shape) for node in session.get_outputs()] == [
        ("score", "tensor(float)", ["batch"]),
        ("anomaly_map", "tensor(float)", ["batch", height, width]),
        ("reconstruction", "tensor(float)", ["batch", height, width, channels]),
    ]


def test_metadata_holds_the_spec_and_onnx_image_keys(exported: Exported, spec: ImageSpec) -> None:
    session = onnxruntime.InferenceSession(exported.content, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata[METADATA_KEY])["image"]["width"] == spec.width
    assert metadata["Image.BitmapPixelFormat"] == ("Gray8" if spec.mode == "L" else "Rgb8")
    assert metadata["Image.NominalPixelRange"] == "NominalRange_0_255"
    assert metadata["Image.ColorSpaceGamma"] == "SRGB"
    assert Detector(exported.content).spec == exported.spec


def test_outputs_hang_together(exported: Exported, held_out: Any) -> None:
    outputs = Detector(exported.content).analyze(held_out[:10])
    assert outputs.anomaly_map.mean(axis=(1, 2)) == pytest.approx(outputs.score, rel=1e-5)
    assert outputs.reconstruction.min() >= 0
    assert outputs.reconstruction.max() <= 1
    assert (outputs.anomaly_map >= 0).all()


def test_the_figures_in_the_file(exported: Exported, held_out: Any) -> None:
    detector = Detector(exported.content)
    scores = detector.score(held_out)
    assert exported.held_out_scores == pytest.approx(scores, rel=1e-6)
    assert exported.spec.calibration.threshold == pytest.approx(np.sort(scores)[125 - 1], rel=1e-6)  # ceil(131 x 0.95)
    assert exported.spec.parity.images == 130
    assert 0 <= exported.spec.parity.max_relative_difference <= 1e-5
    assert 0 < exported.spec.map_scale <= 1


def test_a_file_brings_pictures_to_test_a_device_with(exported: Exported, held_out: Any, spec: ImageSpec) -> None:
    tests = exported.spec.selftest
    assert not isinstance(tests, Pattern)
    ordered = np.argsort(exported.held_out_scores)
    # The least, the quartiles and the highest of 130.
    for test, place in zip(tests, ordered[[0, 32, 64, 97, 129]], strict=True):
        assert np.array_equal(picture_of(test, spec), held_out[place])
        assert test.score == pytest.approx(exported.held_out_scores[place], rel=1e-6)
    assert self_test(exported.spec, Detector(exported.content).score) <= 1e-6


def test_the_same_model_gives_the_same_bytes(
    autoencoder: Any, held_out: Any, spec: ImageSpec, exported: Exported
) -> None:
    again = export_detector(
        autoencoder, held_out, image=spec, scoring=Scoring(), training=TRAINING, rule=SplitConformal(0.05)
    )
    assert again.content == exported.content


def test_weights_that_changed_after_conversion_are_found(
    autoencoder: Any, held_out: Any, spec: ImageSpec, exported: Exported
) -> None:
    weights = autoencoder.get_weights()
    function, detector = detector_function(autoencoder, spec, Scoring()), Detector(exported.content)
    try:
        autoencoder.set_weights([weight * 1.5 for weight in weights])
        by_keras = scores_by_keras(function, held_out, lambda: None)
        scores = np.concatenate([by_keras, scores_by_detector(detector, held_out, lambda: None)])
        look = stages_of(autoencoder, Scoring(), detector, held_out, BATCH_SIZES)
        with pytest.raises(ParityError, match=r"its reconstructions differ by up to .* nothing was written"):
            judge(scores, exported.spec.calibration.threshold, look)
    finally:
        autoencoder.set_weights(weights)


def test_another_reduction_than_the_models_is_found(
    autoencoder: Any, held_out: Any, spec: ImageSpec, exported: Exported
) -> None:
    # A graph whose sums are wrong, and nothing else: here they are of another kind.
    detector = Detector(exported.content)
    by_keras = scores_by_keras(detector_function(autoencoder, spec, Scoring("top")), held_out, lambda: None)
    scores = np.concatenate([by_keras, scores_by_detector(detector, held_out, lambda: None)])
    look = stages_of(autoencoder, Scoring("top"), detector, held_out, BATCH_SIZES)
    with pytest.raises(ParityError, match=r"130 of 130 held-out images differ") as raised:
        judge(scores, exported.spec.calibration.threshold, look)
    assert "; its maps agree, and what they are summed up to differs by " in str(raised.value)


def test_conversion_does_not_depend_on_what_was_converted_before(autoencoder: Any, spec: ImageSpec) -> None:
    first = to_onnx(detector_function(autoencoder, spec, Scoring()))
    second = to_onnx(detector_function(autoencoder, spec, Scoring()))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


def test_export_leaves_nothing_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, autoencoder: Any, held_out: Any, spec: ImageSpec
) -> None:
    monkeypatch.chdir(tmp_path)
    export_detector(autoencoder, held_out, image=spec, scoring=Scoring(), training=TRAINING, rule=SplitConformal(0.05))
    assert list(tmp_path.iterdir()) == []
