from adscore.seen import Seen


def test_names_that_were_met_are_known_however_many() -> None:
    seen = Seen()
    for number in range(200_000):
        seen.add(f"{number}.png")
    assert all(f"{number}.png" in seen for number in range(200_000))
    assert not any(f"{number}.jpg" in seen for number in range(200_000))
