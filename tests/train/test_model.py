import numpy as np
import pytest

from adscore.errors import InputError
from adtrain.model import build_autoencoder, start_at

pytestmark = pytest.mark.slow


def test_the_seeds_network() -> None:
    encoder, decoder, autoencoder = build_autoencoder(28, 28, 1)
    assert autoencoder.count_params() == 178_769
    assert encoder.count_params() + decoder.count_params() == autoencoder.count_params()
    assert encoder.output_shape == (None, 16)
    assert decoder.output_shape == autoencoder.output_shape == autoencoder.input_shape == (None, 28, 28, 1)
    assert not autoencoder.compiled
    layers = [type(layer).__name__ for layer in encoder.layers + decoder.layers]
    block = ["LeakyReLU", "BatchNormalization"]
    assert layers == [
        "InputLayer", *["Conv2D", *block] * 2, "Flatten", "Dense",
        "InputLayer", "Dense", "Reshape", *["Conv2DTranspose", *block] * 2, "Conv2DTranspose", "Activation",
    ]  # fmt: skip


@pytest.mark.parametrize(("height", "width", "channels", "filters"), [(8, 12, 3, (4,)), (16, 8, 1, (4, 4, 4))])
def test_any_size_that_halves(height: int, width: int, channels: int, filters: tuple[int, ...]) -> None:
    built = build_autoencoder(height, width, channels, filters=filters, latent=5).autoencoder
    assert built.output_shape == (None, height, width, channels)


@pytest.mark.parametrize(
    ("height", "width", "nearest"),
    [(27, 27, "24x24 or 28x28"), (257, 256, "256x256 or 256x260"), (3, 28, "28x4"), (0, 0, "4x4")],
)
def test_other_sizes_are_refused_with_the_nearest_that_fit(height: int, width: int, nearest: str) -> None:
    with pytest.raises(InputError) as raised:
        build_autoencoder(height, width, 1)
    assert str(raised.value) == (
        f"image size {width}x{height} does not fit 2 halvings: width and height must be multiples of 4; "
        f"the nearest sizes that fit are {nearest}, chosen with --size"
    )


def test_an_untrained_network_answers_with_the_brightness_it_is_given() -> None:
    built = build_autoencoder(8, 8, 3)
    start_at(built, np.array([0.1, 0.5, 0.0], np.float32))
    for layer in built.decoder.layers:
        if layer.name.startswith("dense"):
            layer.kernel.assign(np.zeros(layer.kernel.shape, np.float32))
    answer = built.autoencoder(np.ones((1, 8, 8, 3), np.float32)).numpy()
    # Black would be an infinite bias; one in a hundred is as dark as it starts.
    assert answer[0, 0, 0] == pytest.approx([0.1, 0.5, 0.01], rel=1e-5)
    assert np.ptp(answer, axis=(0, 1, 2)).max() < 1e-6
