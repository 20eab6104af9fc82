"""Whatever becomes of the file of kept scores: it opens, and no image gets a score that was not its own."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adscore.kept import keep_scores
from tests.fuzz.edits import edited
from tests.fuzz.test_table import names, scores

SETTINGS = {"the detector": "this one"}


@given(st.dictionaries(names, scores, min_size=1, max_size=40), st.integers(1, 9), st.data())
def test_damage_costs_scores_and_changes_none(known: dict[str, float], batch: int, data: st.DataObject) -> None:
    expected = np.array(list(known.values()), np.float32)
    with TemporaryDirectory() as folder:
        out = Path(folder, "r.csv")
        try:
            with keep_scores(out, SETTINGS, resume=True) as kept:
                for start in range(0, len(known), batch):
                    kept.add(list(known)[start : start + batch], expected[start : start + batch])
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            (path,) = Path(folder).iterdir()
        path.write_bytes(data.draw(edited([path.read_bytes()])))
        with keep_scores(out, SETTINGS, resume=True) as kept:
            found = kept.find(list(known))
    if found is not None:
        lost = np.isnan(found)
        np.testing.assert_array_equal(found[~lost], expected[~lost])
