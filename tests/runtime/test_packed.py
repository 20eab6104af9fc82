from adscore.packed import packed_and_sorted


def test_names_come_out_in_order_and_as_they_were() -> None:
    names = [f"{number}é\udcff.png" for number in range(20_000)] + ["", "folder/", "\n"]
    assert list(packed_and_sorted(reversed(names))) == sorted(names)


def test_no_names() -> None:
    assert list(packed_and_sorted([])) == []
