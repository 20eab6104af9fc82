"""Whatever text stands where the spec should: a spec that survives writing, or one line that says what is wrong."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adscore.errors import ModelError, printable
from adscore.info import describe
from adscore.spec import DetectorSpec
from adscore.spec_json import from_json, to_json
from tests.tiny import tiny_spec

SOUND = json.loads(to_json(tiny_spec()))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["L", "RGB", "given", 2**64]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def places(value: object, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Returns the path of every value in JSON's `value`, the first of each list only."""
    found = [above] if above else []
    if isinstance(value, dict):
        return found + [path for key, item in value.items() for path in places(item, (*above, key))]
    if isinstance(value, list) and value:
        return found + places(value[0], (*above, 0))
    return found


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Returns the JSON of a spec in which up to three values were replaced or removed."""
    data: Any = json.loads(json.dumps(SOUND))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(places(data)))
        at = data
        for step in above:
            at = at[step]
        if isinstance(at, dict) and draw(st.booleans()) and draw(st.booleans()):
            del at[last]
        else:
            at[last] = draw(anything)
    return json.dumps(data)


def outcome(text: str) -> DetectorSpec | str:
    """Returns the spec, or the line that says why there is none."""
    try:
        return from_json(text)
    except ModelError as error:
        return printable(str(error))


@given(st.one_of(specs(), st.text(), anything.map(json.dumps)))
def test_text_becomes_a_spec_or_one_line(text: str) -> None:
    found = outcome(text)
    if isinstance(found, str):
        assert 0 < len(found) < 1000
    else:
        assert from_json(to_json(found)) == found
        assert describe(found).replace("\n", "").isprintable()
