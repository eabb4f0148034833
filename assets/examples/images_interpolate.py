"""Walk from one micrograph to another along the sphere, at constant speed of the features."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "walk"
result = gen_core.run("images.interpolate", seeds=[4, 9], path="slerp", steps=9, constant_speed=True)
print(f"length in features {result.metrics['path_length_features']:.1f}")
result.save(out)  # animation.gif
