"""Scan a synthetic chest over 60 degrees with a lesion in it; which method shows it?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "chest"
lesion = {"x": 0.0, "y": -60.0, "diameter": 8.0, "contrast": 60.0}
result = gen_core.run("tomography.reconstruct", angle_range=60.0, lesion=lesion, methods=["fbp", "tv", "gaussian"])
for method in ("fbp", "tv", "gaussian"):
    told = result.metrics
    print(f"{method}: {told[f'{method}.psnr']:.1f} dB, {told[f'{method}.lesion_recovered']:.0%} of the lesion's contrast")
result.save(out)  # DICOM, NIfTI, NPZ, PNG
