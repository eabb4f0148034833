"""What the numbers of a result are called where a person reads them, which of them matter first, and how each is written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

FIRST = 10  # numbers that a table shows; result.json has all


@dataclass(frozen=True)
class Word:
    """What a number is called, and its digits after the point. Its value is multiplied by `scale`: 100 where % is said."""

    title: str
    digits: int = 3
    scale: float = 1


# In the order in which they matter.
WORDS = {
    # cells
    "pearson_delta_all": Word("Change, all genes (r)"),
    "pearson_delta_top100": Word("Change, top 100 (r)"),
    "r2_mean_all": Word("Means, all genes (R²)"),
    "e_distance_relative": Word("Energy distance (1 = nothing done)"),
    "r2_variance": Word("Variances (R²)"),
    "pearson_delta_all_other_types": Word("Change of the other types (r)"),
    "genes_up_precision": Word("Genes called up that rise in left-out types (%)", 0, 100),
    "genes_coverage90": Word("Genes inside their 90 % interval (%)", 0, 100),
    "pearson_delta_true": Word("Change against the truth (r)"),
    "skill": Word("Share of the way from the best baseline to the ceiling", 2),
    # images
    "content_kept": Word("Structure kept", 2),
    "style_moved": Word("Style moved", 2),
    "swap_score": Word("Swap score S (1 = the truth)", 2),
    "psnr_truth": Word("Against the rendered truth (dB)", 1),
    "path_length": Word("Path length (pixels)", 2),
    "uniformity": Word("Unevenness of steps", 2),
    "excess_length": Word("Excess length", 2),
    "spread": Word("Spread of the pictures (RMS, 0 to 1)"),
    "mig": Word("Gap (MIG)", 2),
    "sap": Word("Separation (SAP)", 2),
    "dci_disentanglement": Word("Disentanglement (DCI)", 2),
    "dci_completeness": Word("Completeness (DCI)", 2),
    "dci_informativeness": Word("Factors told (R²)", 2),
    # tomography, of each method; and of pictures drawn again
    "psnr": Word("PSNR (dB)", 1),
    "ssim": Word("SSIM", 2),
    "data_residual": Word("Data residual (best: 1)", 2),
    "invented_share": Word("Invented (% of energy)", 1, 100),
    "coverage90": Word("90 % intervals hold (%)", 0, 100),
    "psnr_view": Word("In the field of view (dB)", 1),
    # defects
    "D": Word("Diffusion constant D", 4),
    "D_error": Word("Error of D (%)", 1, 100),
    "drift_error": Word("Error of the drift (%)", 1, 100),
    "drift_over_D_error": Word("Error of drift / D (%)", 1, 100),
    "pair_force_error": Word("Error of the pair force (%)", 1, 100),
    "drift_cosine": Word("Direction of the drift (cosine)", 3),
    "change_test": Word("Change test (1 = noise)", 2),
    "j_test": Word("J test (1 = right)", 2),
    "disagreement": Word("Estimates of D apart (%)", 0, 100),
    "heldout_w1": Word("Last snapshot, predicted (W1)", 4),
    "heldout_w1_floor": Word("Two samples of as many points (W1)", 4),
    "drift_noise": Word("Drift, by its bootstrap (± %)", 1, 100),
    "fokker_planck_difference": Word("Score against Fokker-Planck (%)", 0, 100),
    "fokker_planck_noise": Word("Of noise alone, Fokker-Planck (%)", 0, 100),
    "entropy_production": Word("Entropy production", 3),
    "entropy_noise": Word("Added to it by noise", 3),
    "w1_neighbours": Word("Snapshots before and after apart (W1)", 4),
    "w1": Word("Distance to what it is compared with (W1)", 4),
    "denoising_error": Word("Denoising error (1 = nothing learned)", 3),
    "sample_w1": Word("Samples, W1 over the spread", 4),
    "pair_w1": Word("Distances of pairs, W1", 4),
    # poisson
    "error_l2": Word("Error of the potential (%)", 2, 100),
    "residual": Word("Law broken (%)", 2, 100),
    "boundary_violation": Word("Edges missed (%)", 2, 100),
    "gauss_error": Word("Gauss law, error (%)", 2, 100),
    "superposition_error": Word("Superposition, error (%)", 2, 100),
    "linearity_error": Word("Scale, error (%)", 2, 100),
    "reciprocity_error": Word("Reciprocity broken (%)", 2, 100),
    "mean_error_to_exact_posterior": Word("Mean off the exact posterior by (%)", 1, 100),
    "spread_skill": Word("Spread tells error (r)", 2),
    "sample_spread": Word("Deviation of the samples (%)", 3, 100),
    "milliseconds": Word("Milliseconds", 2),
    "unlike_percentile": Word("Unlike more than (% of scenes)", 0, 100),
    # symmetry
    "equivariance_db": Word("Equivariance (dB)", 1),
    "relative_error": Word("Error of the turn (% of the contrast)", 2, 100),
    "floor_db": Word("Turning alone (dB)", 1),
    "floor_relative": Word("Turning alone (% of the contrast)", 2, 100),
    "angle_used": Word("Code turned by (degrees)", 1),
    "floor_turned": Word("Turned pictures, best drawn (error)", 4),
    "floor_upright": Word("Upright pictures, best drawn (error)", 4),
    "error_50": Word("Error from 50 measurements", 4),
    "floor": Word("Best that it can draw (error)", 4),
    # detector
    "corr_error": Word("Correlations of channels, error"),
    "auc_features": Word("Told apart by features (AUC, best: .5)"),
    "auc_cnn": Word("Told apart by a network on hits (AUC, best: .5)"),
    "judged": Word("Events a side seen by the classifiers", 0),
    "multiplicity_w1": Word("Number of hits (W1)", 2),
    "events_per_second": Word("Events a second", 0),
    "tracks_found": Word("Tracks found an event", 2),
    "hits_off_tracks": Word("Hits off tracks an event", 2),
    "cluster_size": Word("Channels a cluster", 2),
    "residual_rms": Word("Residuals (RMS, channels)", 3),
    "correlation_rms": Word("Correlations of channels (RMS)", 4),
    "correlation_rms_by_chance": Word("Correlations by chance alone (RMS)", 4),
    "auc": Word("Told apart (AUC)", 2),
    "log_likelihood": Word("Log-likelihood (nats)", 1),
    "surprise_per_channel": Word("Surprise a channel (nats)", 3),
    "hits_in_region": Word("Hits in the region", 2),
    # proteins
    "expected_functional_per_96": Word("Functional ones expected of 96 wells", 0),
    "viability_auc": Word("Told apart by labels (AUC)", 2),
    "viability_spearman": Word("Agrees with the labels (rank r)", 2),
    "kept_fraction": Word("Pass all filters", 2),
    "profile_pass_fraction": Word("Pass the profile", 2),
    "site_frequency_pearson": Word("Sites (r)"),
    "pair_correlation_pearson": Word("Pairs (r)"),
    "pair_correlation_pearson_heldout": Word("Pairs, held-out (r)"),
    "r20": Word("Words (r20)", 2),
    "unique_fraction": Word("Unique"),
    "identity_nearest_median": Word("Identity to the nearest known (median)", 2),
    "identity_among_mean": Word("Alike among themselves", 2),
    "log_likelihood_mean": Word("Mean log likelihood (nats)", 1),
    "log_likelihood_heldout": Word("Held-out likelihood (nats)", 1),
    "spearman_assay": Word("Agrees with the assay (rank r)", 2),
    "log_likelihood_spearman_assay": Word("Log likelihood: agrees with the assay (rank r)", 2),
    "coupling_energy_spearman_assay": Word("Coupling energy: agrees with the assay (rank r)", 2),
    "profile_bits_spearman_assay": Word("Profile score: agrees with the assay (rank r)", 2),
    "likelier_fraction": Word("Changes likelier than what stands there", 2),
    "lower_energy_fraction": Word("Changes of lower energy", 2),
    "plddt": Word("Mean pLDDT", 1),
    "ptm": Word("pTM", 2),
    "clashes": Word("Clashes after relaxing"),
    "clashes_placed": Word("Clashes before relaxing"),
    "backbone_rmsd": Word("Backbone moved (RMSD, Å)", 2),
    # where it lies
    "off_manifold_percentile": Word("Farther out than (%)", 0),
    "samples_off_manifold_percentile": Word("Samples farther out than (%)", 0),
    "shown_off_manifold_percentile": Word("Own picture farther out than (%)", 0),
    # what is read after these
    "r2_mean_top100": Word("Means, top 100 (R²)"),
    "r2_mean_top100_up": Word("Means, top 100 that rise (R²)"),
    "mse_top100": Word("Squared error, top 100"),
    "e_distance": Word("Energy distance", 2),
    "shift_share_explained": Word("Share of the responses that one shift explains", 2),
    "pearson_delta_true_per_cell": Word("Change of each cell against the truth (r)", 2),
    "genes_up_by_chance": Word("Genes that rise, of all expressed (%)", 0, 100),
    "genes_called_up": Word("Genes called up", 0),
    "n_control": Word("Control cells"),
    "n_perturbed": Word("Perturbed cells"),
    "reconstruction": Word("Reconstruction term (nats)", 0),
    "kl": Word("Divergence from the prior (nats)", 2),
    "elbo": Word("Evidence bound (nats)", 0),
    "active_units": Word("Numbers in use", 0),
    "change_over_plane": Word("Change of the picture over the plane", 2),
    "curvature": Word("Turn from step to step (degrees)", 1),
    "path_length_features": Word("Path length (features)", 1),
    "rmse": Word("Error (RMSE)", 1),
    "calibration_error": Word("Error of the intervals' shares", 3),
    "pair_correlation_slope": Word("Slope of the pairs (1: as in the family)", 2),
    "identity_nearest_mean": Word("Identity to the nearest known (mean)", 2),
    "viability_mean": Word("Mean chance to be functional", 2),
    "entropy_mean": Word("Mean entropy of a site (bits)", 2),
    "n_kept": Word("Kept"),
    "n": Word("Sequences"),
}
METHODS = {
    "fbp": "Filtered backprojection",
    "sirt": "SIRT",
    "tv": "Total variation",
    "gaussian": "Gaussian prior",
    "latent_map": "Latent MAP",
    "posterior": "Diffusion posterior",
    "langevin": "Langevin samples",
    # symmetry
    "plain": "Plain",
    "augmented": "Plain, turned examples",
    "c4": "C4",
    "c8": "C8",
    "c16": "C16",
    "orbit": "Orbit",
    "lasso": "Sparse cosines",
    # kinds of events, and sizes of batches, of detector
    "usual": "Usual events",
    "own": "Your events",
    "dead_layer": "A dead layer",
    "extra_track": "A track too many",
    "noise_x5": "Noise times five",
    "batch1": "One by one",
    "batch100": "In batches of 100",
}
_OF = {
    "error": "error from {} measurements",
    "residual": "residual of {} measurements",
    "needed": "measurements needed for an error of {} with codes of {}",
    "saving": "times fewer measurements for an error of {} with codes of {}",
    "saving_gaussian": "times fewer measurements than a Gaussian prior, for an error of {} with codes of {}",
    "floor": "best that it can draw with codes of {} (error)",
    "error_after": "error after {} pictures",
    "gain": "gain after {} pictures",
    "intercept": "measurements with no code, for an error of {}",
    "slope": "measurements a number in a code, for an error of {}",
}
_RANGE = re.compile(r"(.+)_(\d+(?:\.\d+)?)")  # `psnr_90`: over 90 degrees
_RANK = {name: rank for rank, name in enumerate(WORDS)}


def title(name: str) -> str:
    """What a number is called: "tv.psnr_90" is "Total variation: PSNR (dB), 90°". One without a word keeps its own."""
    method, base, degrees = _parts(name)
    kind, _, at = base.partition(".")
    if method and at and kind == "needed" and _is_plain(at):  # `gaussian.needed.0.03`: it has no codes
        return f"{METHODS[method]}: measurements needed for an error of {at}"
    if method and at and kind in _OF:  # `c8.error.50`, `orbit.needed.0.03.20`
        numbers = [at] if _OF[kind].count("{}") == 1 else at.rsplit(".", 1)
        said = _OF[kind].format(*numbers).replace("with codes of best_dim", "(the best numbers in a code)")
        return f"{METHODS[method]}: {said.replace('with codes of best', 'at the best size')}"
    known = WORDS.get(base)
    said = known.title if known else base.replace("_", " ")
    said = said if known and not method else said[:1].upper() + said[1:]
    return (f"{METHODS[method]}: " if method else "") + said + (f", {degrees}°" if degrees else "")


def scaled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers as their names say them, 100 times where that is %; a time in milliseconds too."""
    out = {
        name: value * WORDS[base].scale if (base := _parts(name)[1]) in WORDS and _is_number(value) else value
        for name, value in values.items()
    }
    return out | ({"milliseconds": 1000 * values["seconds"]} if _is_number(values.get("seconds")) else {})


def names(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """The numbers that some results have, those that matter first in front; times, and the ends of intervals, are none."""
    every = dict.fromkeys(name for one in found for name, value in one.items() if _is_number(value))
    kept = [name for name in every if not (_base(name) in every or name.rpartition(".")[2] == "seconds")]
    return sorted(kept, key=lambda name: _RANK.get(_parts(name)[1], len(_RANK)))


def text(name: str, metrics: Mapping[str, Any]) -> str | None:
    """A number for reading, its interval in brackets: "0.957 (0.952 to 0.962)"; None where there is none."""
    value, low, high = (metrics.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if not _is_number(value):
        return None
    said = _written(name, value)
    if _is_number(low) and _is_number(high):
        said += f" ({_written(name, low)} to {_written(name, high)})"
    return said


def number(value: object, digits: int = 3) -> str:
    """A number for reading: a dash where there is none, a proper minus, thousands apart in a whole one."""
    return f"{value:{',' if digits == 0 else ''}.{digits}f}".replace("-", "−") if _is_number(value) else "–"


def more(shown: Sequence[object]) -> str:
    """A sentence where there are more numbers than a table shows; else empty."""
    return f"The {FIRST} that matter first, of {len(shown)}: result.json has all." if len(shown) > FIRST else ""


def _written(name: str, value: float) -> str:
    word = WORDS.get(_parts(name)[1])
    if word is not None and (isinstance(value, float) or word.scale != 1):
        return number(value * word.scale, word.digits)
    return (f"{value:,}" if isinstance(value, int) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}").replace(
        "-", "−"
    )


def _parts(name: str) -> tuple[str, str, str]:
    """The method, the number and the degrees of `tv.psnr_90`; what a name lacks is empty."""
    method, _, base = name.partition(".")
    if method not in METHODS:
        return "", name, ""
    found = None if base in WORDS else _RANGE.fullmatch(base)
    return (method, found[1], found[2]) if found else (method, base, "")


def _base(name: str) -> str | None:
    return next((name.removesuffix(end) for end in ("_low", "_high") if name.endswith(end)), None)


def _is_plain(text: str) -> bool:
    """Whether a text is one number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
