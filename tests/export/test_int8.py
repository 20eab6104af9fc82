"""The int8 detector: what is narrow in it, what it decides, and when it is refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from adscore import Detector
from adtrain.quiet import import_tensorflow
from tests.conftest import Run
from tests.export.small import integer_products, largest_sum_of_two
from tests.tiny import paint_parts

pytestmark = pytest.mark.slow

SMALL = {"filters": (8, 16), "latent": 4, "epochs": 6, "views": 8}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder with `parts`, 120 images, and `run`, trained on them."""
    import_tensorflow()
    from adtrain.fit import fit

    folder = tmp_path_factory.mktemp("int8")
    parts = paint_parts(folder / "parts", 120)
    fit(str(parts), folder / "run", SMALL, notify=lambda _: None)
    return folder


@pytest.fixture(scope="module")
def ingredients(trained: Path) -> Any:
    """Returns run, weights, held-out images and rule."""
    from adexport import SplitConformal
    from adtrain.run import load_held_out, load_run, load_weights

    run = load_run(trained / "run")
    return run, load_weights(run), np.asarray(load_held_out(run)), SplitConformal(0.05)


def exported(ingredients: Any, **options: Any) -> Any:
    from adexport import export_detector, export_int8

    run, weights, held_out, rule = ingredients
    plain = export_detector(weights, held_out, image=run.image, scoring=run.scoring, training=run.training, rule=rule)
    return plain, *export_int8(plain, weights, held_out, scoring=run.scoring, rule=rule, **options)


def test_large_layers_are_narrow_and_what_judges_is_not(ingredients: Any, tmp_path: Path) -> None:
    plain, int8, change = exported(ingredients)
    products = integer_products(int8.content, tmp_path)
    assert len(products) >= 2
    assert max(map(largest_sum_of_two, products)) <= 32767  # more would be cut off where a processor lacks VNNI
    model = onnx.load_from_string(int8.content)
    assert {opset.domain for opset in model.opset_import} == {""}
    operators = Counter(node.op_type for node in model.graph.node)
    assert operators["QuantizeLinear"] >= 2
    assert operators["ConvTranspose"] == 1  # the last, in float
    kinds = {output.name: output.type.tensor_type.elem_type for output in model.graph.output}
    assert set(kinds.values()) == {onnx.TensorProto.FLOAT}
    names = {initializer.name: initializer for initializer in model.graph.initializer}
    makers = {output: node.op_type for node in model.graph.node for output in node.output}
    weights = [makers.get(node.input[1]) for node in model.graph.node if node.op_type == "MatMul"]
    assert weights[:2] == ["Mul", "Mul"]  # widened once; DequantizeLinear would be fused into a narrow product
    narrow = sum(
        int(np.prod(each.dims))
        for each in names.values()
        if each.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    )
    wide = sum(int(np.prod(each.dims)) for each in names.values() if each.data_type == onnx.TensorProto.FLOAT)
    assert narrow > 4 * wide
    assert len(int8.content) == pytest.approx(change.size * len(plain.content))


def test_it_has_a_calibration_of_its_own(ingredients: Any) -> None:
    held_out = ingredients[2]
    plain, int8, change = exported(ingredients)
    assert (plain.spec.precision, int8.spec.precision) == ("float32", "int8")
    detector = Detector(int8.content)
    assert np.array_equal(detector.score(held_out), int8.held_out_scores)
    # ceil(25 x 0.95) = 24: the largest of the 24 scores, of each detector
    assert int8.spec.calibration.threshold == int8.held_out_scores.max() != plain.spec.calibration.threshold
    assert int8.spec.calibration.reference.scores[-1] == int8.held_out_scores.max()
    assert int8.spec.map_scale != plain.spec.map_scale
    assert (change.images, change.flips) == (24, 0)
    assert change.correlation > 0.99
    # An honest record: near Keras, and further than a float detector may be.
    assert 1e-5 < int8.spec.parity.max_relative_difference < 0.3
    assert int8.spec.parity.label_agreement == 1.0


def test_too_many_flips_are_refused_unless_allowed(ingredients: Any) -> None:
    from adexport import DegradedError, Given

    run, weights, held_out, _ = ingredients
    plain, int8, _ = exported(ingredients)
    # A threshold right between what the two say of one image flips it.
    both = np.sort([plain.held_out_scores, int8.held_out_scores], axis=0)
    between = float(both[:, np.argmax((both[1] - both[0]) / both[0])].mean())
    rule = Given(between)
    with pytest.raises(DegradedError) as raised:
        exported((run, weights, held_out, rule))
    assert str(raised.value).startswith("in int8 ")
    assert str(raised.value).endswith(
        "of 24 held-out images get another label, and 0.5% may; nothing was written. Use the float detector, or accept "
        "it with --allow-degraded"
    )
    *_, change = exported((run, weights, held_out, rule), allow_degraded=True)
    assert change.flips >= 1
    assert change.is_degraded


def test_the_command_writes_it_beside_the_float_detector(run: Run, trained: Path, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled" / "test"
    paint_parts(labelled / "good", 6)
    for path in paint_parts(labelled / "turned", 6).iterdir():
        with Image.open(path) as picture:
            turned = picture.rotate(90)
        turned.save(path)
    done = run("adtrain", "export", trained / "run", "--int8", "--fpr", "0.05", "--compare", tmp_path / "labelled")
    assert (done.returncode, done.stderr) == (0, "")
    rows = dict(line.strip().split("  ", 1) for line in done.stdout.splitlines() if line.strip())
    assert rows["detector"].strip() == "artifacts/detector-int8.onnx"
    assert rows["int8 against float"].strip() == "0 of 24 held-out labels flip, each at its own threshold"
    assert rows["labelled images"].strip().endswith("of 12 labels flip")
    assert "->" in rows["AUROC"]
    assert "->" in rows["average precision"]
    scored = run("adscore", trained / "parts", "--model", "artifacts/detector-int8.onnx", "--out", "results.csv")
    assert scored.returncode == 0
    info = run("adscore", "--info", "--model", "artifacts/detector-int8.onnx").stdout
    assert "precision  int8\n" in info


@pytest.mark.parametrize("option", [["--compare", "x"], ["--allow-degraded"]])
def test_options_of_int8_go_with_it(run: Run, option: list[str]) -> None:
    done = run("adtrain", "export", *option)
    assert done.returncode == 2
    assert f"Invalid value for {option[0]}: goes with --int8" in done.stderr
