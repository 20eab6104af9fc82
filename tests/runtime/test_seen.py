from adscore.seen import Seen


def test_versions_that_were_met_are_known_however_many() -> None:
    seen = Seen()
    for number in range(200_000):
        seen.add(f"{number}.png", (number, 1 << 60))
    assert all(seen.has(f"{number}.png", (number, 1 << 60)) for number in range(200_000))
    assert not any(seen.has(f"{number}.jpg", (number, 1 << 60)) for number in range(200_000))
    assert not any(seen.has(f"{number}.png", (number, (1 << 60) + 1)) for number in range(200_000))
    assert not any(seen.has(f"{number}.png", (number + 1, 1 << 60)) for number in range(200_000))
