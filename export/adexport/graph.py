"""The whole detector as one graph: scaling, autoencoder, error map and score, defined once and run in two places.

TensorFlow runs it as a function, ONNX Runtime as the graph converted from that function; nothing else in the house
computes a score.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnxscript.rewriter.pattern import RewriteRule

from adexport.light import light_of, under_even_light
from adexport.names import rename
from adexport.reduction import reduce, squared_difference
from adexport.rewrites import RULES, optimized
from adexport.scoring import Scoring
from adexport.tiles import by_tiles, contrast_of
from adscore.checksum import BLANK, CHECKSUM_KEY, with_checksum
from adscore.model_file import INPUT, OUTPUTS
from adscore.spec import METADATA_KEY, DetectorSpec, ImageSpec
from adscore.spec_json import to_json

# What every ONNX Runtime of the last years loads.
OPSET = 17
IR_VERSION = 8


def scale(image: Any) -> Any:
    """Returns uint8 pixels as float32 in 0..1, scaled by their dtype and never by their content.

    A product, also in the exported graph: a quotient would round otherwise.
    """
    return tf.cast(image, tf.float32) * np.float32(1 / 255)


def error_and_contrast(autoencoder: Any, pixels: Any, scoring: Scoring) -> tuple[Any, Any, Any]:
    """Returns what a score is made of: error map, contrast and reconstruction.

    Args:
        autoencoder: a `keras.Model` of pictures, or of tiles where `scoring` has them.
        pixels: uint8 (batch, height, width, channels).
        scoring: light, tile and blur.

    Returns:
        float32 (batch, height, width); (batch, height, width) or (batch, 1, 1); and the shape of `pixels`, in 0..1.
        Under even light, error and contrast are those of the evened picture; the reconstruction has the picture's own.
    """
    images = scale(pixels)
    light = light_of(pixels) if scoring.light == "even" else None
    if light is not None:
        images = under_even_light(images, light)
    if scoring.tile:
        reconstruction, contrast = by_tiles(autoencoder, images, scoring.tile)
    else:
        reconstruction, contrast = autoencoder(images, training=False), contrast_of(images)
    error = squared_difference(images, reconstruction, scoring.blur)
    return error, contrast, reconstruction if light is None else tf.minimum(reconstruction * light, 1.0)


def detector_function(autoencoder: Any, image: ImageSpec, scoring: Scoring) -> Any:
    """Returns a `tf.function` from uint8 (batch, height, width, channels) to the dictionary of the file's outputs.

    Args:
        autoencoder: a `keras.Model` from float32 images in 0..1 to reconstructions of the same shape; of tiles where
            `scoring` has them.
        image: the size and mode of the pictures.
        scoring: how reconstructions become scores.
    """

    def detector(pixels: Any) -> Any:
        error, contrast, reconstruction = error_and_contrast(autoencoder, pixels, scoring)
        anomaly_map, score = reduce(error, contrast, scoring)
        return dict(zip(OUTPUTS, (score, anomaly_map, reconstruction), strict=True))

    return tf.function(
        detector, input_signature=[tf.TensorSpec([None, *image.shape], tf.uint8, name=INPUT)], autograph=False
    )


def to_onnx(function: Any, rules: Sequence[RewriteRule] = RULES) -> onnx.ModelProto:
    """Returns the graph of a `detector_function`, with dynamic batch size and without metadata.

    Args:
        function: what to convert.
        rules: rewrites that make the graph faster; without any it is what the converter wrote.
    """
    model: onnx.ModelProto
    model, _ = tf2onnx.convert.from_function(function, input_signature=function.input_signature, opset=OPSET)
    model = optimized(model, rules)
    model.ir_version = IR_VERSION
    by_name = {value.name: value for value in model.graph.output}
    del model.graph.output[:]
    model.graph.output.extend(by_name[name] for name in OUTPUTS)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return tidied(model)


def tidied(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the graph with names that depend on it alone, and without what tools note in passing."""
    used = [opset for opset in model.opset_import if not opset.domain]  # the converter lists domains it did not use
    del model.opset_import[:]
    model.opset_import.extend(used)
    model.graph.name = "adscore"
    model.graph.doc_string = ""
    del model.graph.value_info[:]
    rename(model.graph)
    return model


def with_spec(model: onnx.ModelProto, spec: DetectorSpec) -> bytes:
    """Returns the detector file's content: the graph with the spec and ONNX's own image keys in its metadata.

    The graph is checked by `onnx.checker`, shape inference included.
    """
    complete = onnx.ModelProto()
    complete.CopyFrom(model)
    metadata = {
        METADATA_KEY: to_json(spec),
        CHECKSUM_KEY: BLANK,
        "Image.BitmapPixelFormat": "Gray8" if spec.image.mode == "L" else "Rgb8",
        "Image.NominalPixelRange": "NominalRange_0_255",
        "Image.ColorSpaceGamma": "SRGB",
    }
    onnx.helper.set_model_props(complete, metadata)
    onnx.checker.check_model(complete, full_check=True)
    return with_checksum(complete.SerializeToString(deterministic=True))
