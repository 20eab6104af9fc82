import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from adscore.errors import ModelError
from adscore.spec import Pattern, Pictures
from adscore.spec_json import MAX_CHARACTERS, from_json, to_json
from tests.tiny import tiny_spec


def changed(path: str, value: object) -> str:
    """Returns the tiny spec as JSON with the value at a dotted path replaced."""
    data = json.loads(to_json(tiny_spec()))
    at: Any = data
    *above, last = path.split(".")
    for name in above:
        at = at[name]
    at[last] = value
    return json.dumps(data)


def of_version(version: int) -> Any:
    """Returns the JSON object of the tiny spec as this version had it."""
    return json.loads(changed("format_version", version)) | {"selftest": {"pattern": "row", "score": 0.5}}


def test_round_trip_gives_the_same_spec() -> None:
    assert from_json(to_json(tiny_spec("RGB"))) == tiny_spec("RGB")


def test_unknown_keys_are_passed_over() -> None:
    assert from_json(changed("image.comment", "a later version's")) == tiny_spec()


def test_a_key_that_came_later_may_be_missing() -> None:
    data = of_version(1)
    del data["precision"]
    assert from_json(json.dumps(data)).precision == "float32"
    data = of_version(2)
    del data["alone"]
    assert from_json(json.dumps(data)).alone is False


@pytest.mark.parametrize("name", sorted(asdict(tiny_spec()).keys() - {"format_version"}))
def test_missing_key_is_named(name: str) -> None:
    data = json.loads(to_json(tiny_spec()))
    del data[name]
    with pytest.raises(ModelError, match=f"adscore.spec is damaged: adscore.spec lacks {name}; export"):
        from_json(json.dumps(data))


@pytest.mark.parametrize("name", sorted(asdict(tiny_spec().image)))
def test_no_rule_of_how_images_are_read_may_be_missing(name: str) -> None:
    data = json.loads(to_json(tiny_spec()))
    del data["image"][name]
    with pytest.raises(
        ModelError, match=rf"adscore.spec is damaged: adscore.spec lacks ({name}|image\.{name}); exp|image lacks"
    ):
        from_json(json.dumps(data))


def test_version_1_is_read_and_decodes_as_it_did() -> None:
    data = of_version(1)
    del data["image"]["jpeg"]
    assert from_json(json.dumps(data)).image.jpeg == "full"


def test_version_2_is_read_and_means_what_it_did() -> None:
    data = of_version(2)
    del data["image"]["bits"], data["training"]["pictures"]
    data["image"] |= {"resample": "bilinear", "sixteen_bit": "high_byte"}
    spec = from_json(json.dumps(data))
    assert (spec.image.resample, spec.image.sixteen_bit, spec.image.bits) == ("bilinear", "high_byte", 16)
    assert spec.training.pictures is None


@pytest.mark.parametrize("name", ["image.bits", "training.pictures"])
def test_version_3_has_every_key(name: str) -> None:
    data = json.loads(to_json(tiny_spec()))
    above, last = name.split(".")
    del data[above][last]
    with pytest.raises(ModelError, match=f"adscore.spec is damaged: adscore.spec lacks {name}; export"):
        from_json(json.dumps(data))


def test_what_was_trained_on_comes_back() -> None:
    pictures = Pictures((4, 8), (3, 6), (1.25, 1.5), ("L", "RGB"), (8, 16), 4095)
    spec = replace(tiny_spec(), training=replace(tiny_spec().training, pictures=pictures))
    assert from_json(to_json(spec)) == spec


@pytest.mark.parametrize("version", [1, 2])
def test_the_pattern_of_versions_before_3_is_read_and_written_as_it_was(version: int) -> None:
    data = of_version(version)
    spec = from_json(json.dumps(data))
    assert spec.selftest == Pattern("row", 0.5)
    assert json.loads(to_json(spec)) == data


@pytest.mark.parametrize("data", [json.loads(to_json(tiny_spec())) | {"format_version": 2}, of_version(3)])
def test_the_self_test_of_another_version_is_refused(data: object) -> None:
    with pytest.raises(ModelError, match=r"adscore\.spec is damaged: selftest is of another format_version; export"):
        from_json(json.dumps(data))


def test_a_spec_too_long_to_be_read_is_not_written() -> None:
    record = replace(tiny_spec().training, fingerprint="0" * MAX_CHARACTERS)
    with pytest.raises(ModelError, match=r"the spec has 1,0.. ?.* characters and may have 1,048,576"):
        to_json(replace(tiny_spec(), training=record))


@pytest.mark.parametrize("version", [0, 4, "1", True, None])
def test_unknown_version_is_refused(version: object) -> None:
    with pytest.raises(ModelError, match=f"has format_version {version!r} and this adscore reads 1, 2 and 3;"):
        from_json(changed("format_version", version))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"image": 1}', "[" * 100_000])
def test_what_is_no_spec_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"adscore\.spec (is not valid JSON|has no format_version)"):
        from_json(text)


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("image", 3, "adscore.spec.image is not an object"),
        ("image.width", "28", "adscore.spec.image.width is '28', which is not int"),
        ("image.width", True, "adscore.spec.image.width is True, which is not int"),
        ("image.width", 0, "image is 0x4, which holds no pixel"),
        ("image.mode", "CMYK", "adscore.spec.image.mode is 'CMYK', and this adscore knows 'L', 'RGB'"),
        ("image.resample", "lanczos", "and this adscore knows 'bilinear'"),
        ("calibration.threshold", "high", "adscore.spec.calibration.threshold is 'high', which is not float"),
        ("calibration.threshold", 10**400, "adscore.spec.calibration.threshold is not finite"),
        ("calibration.rule", "guess", "adscore.spec.calibration.rule is 'guess'"),
        ("calibration.reference.images", 98, "calibration.reference does not end with its largest score"),
        ("calibration.reference.ranks", [2, 1, *range(3, 100)], "calibration.reference ranks are not ascending from 1"),
        ("calibration.threshold", 1e300, "calibration.threshold is not finite in float32"),
        ("calibration.target", None, "calibration.target does not fit the rule"),
        ("calibration.held_out", False, "calibration is split-conformal, but not held out"),
        ("calibration.images", -3, "calibration.images is negative"),
        ("map_scale", 0, "map_scale is not above zero"),
        ("selftest", "none", "adscore.spec.selftest is 'none', which is none of tuple, Pattern"),
        ("selftest", [{}], "adscore.spec.selftest[0] lacks width, height, pixels, score"),
        (
            "selftest",
            [{"width": 65, "height": 2, "pixels": "", "score": 1}],
            "selftest is 65x2 and must be at most 64x",
        ),
        ("selftest", [{"width": 2, "height": 0, "pixels": "", "score": 1}], "selftest is 2x0 and must be at most 64x"),
        ("selftest", [{"width": 2, "height": 2, "pixels": 5, "score": 1}], "selftest[0].pixels is 5, which is not str"),
        ("calibration.reference.scores", [0.0], "unequal numbers of ranks and scores"),
        ("calibration.reference.scores", [0.5] * 98 + [0.1], "calibration.reference scores are not ascending"),
        ("calibration.reference.scores", [0.5] * 98 + [1e39], "reference holds a score that is not finite in float32"),
        ("image.width", 1 << 25, "image is 33554432x4, more than the 67,108,864 pixels allowed"),
        ("image.bits", 7, "image.bits is 7, and bits has 8 to 16"),
        ("image.sixteen_bit", "low_byte", "and this adscore knows 'high_byte', 'bits'"),
        (
            "training.pictures",
            {"width": [4]},
            "adscore.spec.training.pictures lacks height, aspect, modes",
        ),
        ("parity.batch_sizes", [1, 1.5], "adscore.spec.parity.batch_sizes[1] is 1.5, which is not int"),
    ],
)
def test_contradictions_are_named(path: str, value: object, fault: str) -> None:
    with pytest.raises(ModelError) as raised:
        from_json(changed(path, value))
    assert fault in str(raised.value)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_lacks_are_refused(constant: str) -> None:
    text = to_json(tiny_spec()).replace('"map_scale":1.0', f'"map_scale":{constant}')
    with pytest.raises(ModelError, match=f"{constant} is not a JSON number"):
        from_json(text)


def test_more_images_than_can_be_counted_are_refused() -> None:
    spec = json.loads(changed("calibration.reference.images", 10**30))
    spec["calibration"]["reference"]["ranks"][-1] = 10**30
    with pytest.raises(ModelError, match=r"calibration\.reference is of more than 9,007,199,254,740,992 images; "):
        from_json(json.dumps(spec))
