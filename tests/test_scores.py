"""The names of numbers: one for each, the same as on the pages, in one order, with the intervals in brackets."""

from __future__ import annotations

from gen_core import scores
from gen_core.tomography import methods


def test_an_interval_is_told_in_brackets_and_is_no_number_of_its_own() -> None:
    found = {"x_low": 0.1, "r2_variance": 0.5, "r2_variance_low": -0.25, "r2_variance_high": 0.75, "pearson_delta_all": 0.9571}
    assert scores.names([found]) == ["pearson_delta_all", "r2_variance", "x_low"]
    assert scores.text("r2_variance", found) == "0.500 (−0.250 to 0.750)"
    assert scores.text("pearson_delta_all", found) == "0.957"
    assert scores.text("e_distance", found) is None


def test_times_texts_and_what_is_no_number_are_left_out() -> None:
    found = {
        "seconds": 1.0,
        "tv.seconds": 2.0,
        "predictor_used": "latent",
        "yes": True,
        "psnr": None,
        "ssim": float("nan"),
        "n": 3,
    }
    assert scores.names([found]) == ["n"]


def test_numbers_of_a_method_and_of_a_range_say_so() -> None:
    assert scores.title("tv.psnr_90") == "Total variation: PSNR (dB), 90°"
    assert scores.title("tv.psnr_22.5") == "Total variation: PSNR (dB), 22.5°"
    assert scores.title("r20") == "Words (r20)"
    assert scores.title("removed_profile") == "Removed profile"
    assert scores.text("fbp.invented_share", {"fbp.invented_share": 0.0884}) == "8.8"
    ordered = scores.names([{"fbp.psnr": 1.0, "fbp.rmse": 1.0, "fbp.ssim": 1.0, "tv.psnr": 1.0}])
    assert ordered == ["fbp.psnr", "tv.psnr", "fbp.ssim", "fbp.rmse"]
    assert {method.name: method.title for method in methods.METHODS}.items() <= scores.METHODS.items()


def test_every_number_is_called_differently() -> None:
    titles = [word.title for word in scores.WORDS.values()]
    assert len(titles) == len(set(titles))


def test_large_and_whole_numbers_read_well() -> None:
    assert scores.text("n_control", {"n_control": 12345}) == "12,345"
    assert scores.text("n_changed", {"n_changed": -2}) == "−2"
    assert scores.text("n_1", {"n_1": 0.001234567}) == "0.001235"
    assert scores.text("objective", {"objective": 12570.93}) == "12,571"


def test_a_number_of_measurements_is_named_with_its_size_where_it_has_one() -> None:
    assert scores.title("gaussian.needed.0.06") == "Gaussian prior: measurements needed for an error of 0.06"
    assert scores.title("orbit.needed.0.06.20") == "Orbit: measurements needed for an error of 0.06 with codes of 20"
    assert scores.title("orbit.needed.0.06.best") == "Orbit: measurements needed for an error of 0.06 at the best size"
