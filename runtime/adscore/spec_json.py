"""The spec as JSON text: written by the exporter, read strictly by every scorer.

Missing keys (but those that came later), wrong types, unknown rules and unknown versions are refused; keys that this
version does not know are passed over, since whatever changes the meaning of a known key raises `format_version`.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from reprlib import repr as shown
from types import NoneType, UnionType
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from adscore.errors import ModelError
from adscore.spec import METADATA_KEY, READABLE_VERSIONS, DetectorSpec

# Keys that came later, with the version from which on a file must have them.
_SINCE = {"image.jpeg": 2, "precision": 2, "image.bits": 3, "training.pictures": 3, "alone": 3}

# A thousand kept scores take some 30,000 characters.
MAX_CHARACTERS = 1 << 20


def to_json(spec: DetectorSpec) -> str:
    """Returns the spec as one line of strict JSON (no NaN, no infinity).

    Raises:
        ModelError: it is longer than any reader takes.
    """
    text = json.dumps(asdict(spec), allow_nan=False, separators=(",", ":"))
    if len(text) > MAX_CHARACTERS:
        raise ModelError(f"the spec has {len(text):,} characters and may have {MAX_CHARACTERS:,}; give fewer settings")
    return text


def from_json(text: str) -> DetectorSpec:
    """Returns the spec that `text` holds.

    Raises:
        ModelError: the text is not JSON, of another `format_version`, or does not hold what that version promises.
    """
    if len(text) > MAX_CHARACTERS:
        raise ModelError(
            f"{METADATA_KEY} has {len(text):,} characters and a spec at most {MAX_CHARACTERS:,}; "
            "export the detector again"
        )
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{METADATA_KEY} is not valid JSON ({error}); export the detector again") from error
    if not isinstance(data, dict) or "format_version" not in data:
        raise ModelError(f"{METADATA_KEY} has no format_version; export the detector again with adtrain export")
    version = data["format_version"]
    if version not in READABLE_VERSIONS or isinstance(version, bool):
        raise ModelError(
            f"{METADATA_KEY} has format_version {shown(version)} and this adscore reads "
            f"{', '.join(map(str, READABLE_VERSIONS[:-1]))} and {READABLE_VERSIONS[-1]}; "
            "update adscore, or export the detector again"
        )
    try:
        spec = cast("DetectorSpec", read_as(DetectorSpec, data, METADATA_KEY))
        _require_all(spec, data, "", version)
        return spec
    except ValueError as error:
        raise ModelError(f"{METADATA_KEY} is damaged: {error}; export the detector again") from error


def read_as(kind: Any, value: object, where: str) -> Any:
    """Returns JSON's `value` as `kind`, any type that the spec's fields use, converted no further than int to float.

    Args:
        kind: a dataclass, Literal, union, tuple, list, dict, int, float, str or bool.
        value: what `json.loads` gave.
        where: what to call the value in a message.

    Raises:
        ValueError: the value is not of that kind.
    """
    if is_dataclass(kind):
        return _read_object(kind, value, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{where} is {shown(value)}, and this adscore knows {', '.join(map(repr, arguments))}")
        return value
    if origin is UnionType:
        return _read_union(arguments, value, where)
    if origin is dict and isinstance(value, dict):
        return {str(key): read_as(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin in (tuple, list) and isinstance(value, list):
        return origin(read_as(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    # JSON does not tell 1 from 1.0, Python does not tell True from 1; a spec must.
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value, where)
    if isinstance(kind, type) and type(value) is kind:
        return value
    raise ValueError(f"{where} is {shown(value)}, which is not {_name(kind)}")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _require_all(spec: Any, data: Any, where: str, version: int) -> None:
    """Refuses data without a key that its version has, though the words of the spec have a default for it."""
    for field in fields(spec):
        name = f"{where}.{field.name}" if where else field.name
        if field.name not in data:
            if _SINCE.get(name, 1) <= version:
                raise ValueError(f"{METADATA_KEY} lacks {name}")
        elif is_dataclass(getattr(spec, field.name)):
            _require_all(getattr(spec, field.name), data[field.name], name, version)


def _read_object(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is not an object")  # noqa: TRY004 - one kind of fault for the caller to catch
    hints = get_type_hints(kind)
    missing = [field.name for field in fields(kind) if field.name not in value and field.default is MISSING]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    # A key that came later has a default, for files that were written before.
    return kind(**{name: read_as(hints[name], value[name], f"{where}.{name}") for name in hints if name in value})


def _read_union(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    # Where one kind alone has the shape of the value, a fault in it is told as that kind's.
    alike = [
        kind
        for kind in kinds
        if _is_list(kind) == isinstance(value, list) and _is_object(kind) == isinstance(value, dict)
    ]
    if len(alike) == 1:
        return read_as(alike[0], value, where)
    # Exact types first, so that 1 stays an int where int and float are both allowed.
    for kind in sorted(kinds, key=lambda kind: type(value) is not kind):
        if kind is NoneType:
            continue
        try:
            return read_as(kind, value, where)
        except ValueError:
            continue
    raise ValueError(f"{where} is {shown(value)}, which is none of {', '.join(map(_name, kinds))}")


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in (tuple, list)


def _is_object(kind: Any) -> bool:
    return is_dataclass(kind) or get_origin(kind) is dict


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{where} is not finite")
    return number
