"""Files as damage leaves them: sound ones that were cut, flipped, overwritten, doubled and spliced."""

from collections.abc import Sequence

from hypothesis import strategies as st


@st.composite
def edited(draw: st.DrawFn, sound: Sequence[bytes]) -> bytes:
    """Returns one of `sound` after up to six edits."""
    content = bytearray(draw(st.sampled_from(sound)))
    for _ in range(draw(st.integers(0, 6))):
        # Half of the edits near the beginning, where most formats keep what they are.
        reach = draw(st.sampled_from([min(64, len(content)), len(content)]))
        start = draw(st.integers(0, reach))
        end = min(len(content), start + draw(st.integers(0, 40)))
        match draw(st.sampled_from(["cut", "flip", "write", "double", "remove", "splice"])):
            case "cut":
                del content[end:]
            case "flip" if start < len(content):
                content[start] ^= 1 << draw(st.integers(0, 7))
            case "write":
                content[start:end] = draw(st.binary(max_size=12))
            case "double":
                content[start:start] = content[start:end]
            case "remove":
                del content[start:end]
            case "splice":
                other = draw(st.sampled_from(sound))
                content[start:] = other[draw(st.integers(0, len(other))) :]
    return bytes(content)
