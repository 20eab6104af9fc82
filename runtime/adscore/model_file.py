"""The detector file as it lies on disk: its content, and the spec in its metadata, checked against its graph."""

from pathlib import Path
from typing import Any

from adscore.errors import ModelError
from adscore.files import read_regular
from adscore.session import onnxruntime_faults
from adscore.spec import METADATA_KEY, DetectorSpec
from adscore.spec_json import from_json

INPUT = "image"
OUTPUTS = ("score", "anomaly_map", "reconstruction")

# A detector of 256x256 RGB images holds some tens of megabytes; what is larger than this is something else.
MAX_MODEL_BYTES = 1 << 30


def read_model(path: Path) -> bytes:
    """Returns the content of a detector file.

    Raises:
        ModelError: the file cannot be read, is no regular file, or is larger than any detector.
    """
    try:
        return read_regular(path, MAX_MODEL_BYTES)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise ModelError(f"{path} cannot be read ({cause}); give the path of a detector file") from error


def read_spec(session: Any) -> DetectorSpec:
    """Returns the spec of an opened detector, after checking that the graph is what the spec says.

    Raises:
        ModelError: there is no spec, it cannot be understood, or the graph contradicts it.
    """
    with onnxruntime_faults("the metadata cannot be read"):
        metadata = session.get_modelmeta().custom_metadata_map
        inputs = {node.name: (node.type, tuple(node.shape)) for node in session.get_inputs()}
        outputs = {node.name: (node.type, tuple(node.shape[1:])) for node in session.get_outputs()}
    if METADATA_KEY not in metadata:
        raise ModelError(f"this ONNX file has no {METADATA_KEY} in its metadata; make a detector with adtrain export")
    spec = from_json(metadata[METADATA_KEY])
    if list(inputs) != [INPUT]:
        raise ModelError(
            f"the graph's inputs are {', '.join(inputs)} and must be {INPUT} alone; export the detector again"
        )
    kind, shape = inputs[INPUT]
    if shape and isinstance(shape[0], int):
        raise ModelError("the graph's batch size is fixed and must be dynamic; export the detector again")
    found = {INPUT: (kind, shape[1:]), **outputs}
    height, width, channels = spec.image.shape
    promised = (
        ("tensor(uint8)", (height, width, channels)),
        ("tensor(float)", ()),
        ("tensor(float)", (height, width)),
        ("tensor(float)", (height, width, channels)),
    )
    for name, kind in zip((INPUT, *OUTPUTS), promised, strict=True):
        if found.get(name) != kind:
            raise ModelError(
                f"the graph's {name} is {found.get(name)} and its spec says {kind}; export the detector again"
            )
    return spec
