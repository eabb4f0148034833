"""A random slice through the head, from the crown to the jaw.

Sizes in mm, Hounsfield units of the usual textbooks; ranges are wide on purpose. The patient's left is at the right of the image.
"""

from __future__ import annotations

import numpy as np

from gen_core.tomography.parts import lesions
from gen_core.tomography.scene import Scene


def draw(scene: Scene) -> tuple[float, tuple[float, float]]:
    """Paint the slice; returns its turn (degrees) and shift (mm)."""
    u, hu = scene.between, scene.hu
    level = u(0, 1)  # 0 at the crown, 1 at the jaw
    size = 0.72 + 0.28 * np.sin(np.pi * min(0.25 + level, 1) / 2)
    wide = u(64, 80) * size
    long = wide * u(1.12, 1.38)
    if scene.often(0.6):  # the head rest
        rest = scene.ellipse(0, -0.1 * long, wide + u(10, 22), long * 1.02 + u(4, 14))
        inner = scene.ellipse(0, -0.1 * long, scene.ellipses[rest][2] - u(2, 5), scene.ellipses[rest][3] - u(2, 5))
        below = scene.ellipse(0, -long * u(0.35, 0.7) - 300, 400, 300)
        seen = scene.ellipse(0, 0, 0.41 * scene.field, 0.41 * scene.field)
        scene.paint([rest, below, seen], u(0.2, 0.9))
        scene.paint([inner, below, seen], u(0.0, 0.12))
    scalp = scene.ellipse(0, 0, wide, long)
    scene.paint(scalp, hu(-80, 50))
    if scene.often(0.6):
        layer = scene.ellipse(0, 0, wide - u(1, 2), long - u(1, 2))
        scene.paint(layer, hu(-100, 40))
    skin, bone = u(3.5, 8), u(3.5, 9)
    skull = scene.ellipse(u(-1, 1), u(-2, 2), wide - skin, long - skin * u(0.9, 1.3))
    scene.paint(skull, hu(700, 1500), only_in=[scalp])
    x, y, a, b, _ = scene.ellipses[skull]
    if bone > 5.5 and scene.often(0.7):  # the marrow between its tables
        between = scene.ellipse(x, y, a - 0.3 * bone, b - 0.3 * bone)
        scene.paint(between, hu(250, 650), only_in=[skull])
        scene.paint(scene.ellipse(x, y, a - 0.7 * bone, b - 0.7 * bone), hu(700, 1500), only_in=[skull])
    brain = scene.ellipse(x, y + u(-1, 1), a - bone, b - bone * u(0.9, 1.5))
    scene.paint(brain, hu(5, 40), only_in=[skull])
    if level < 0.62:
        _brain(scene, brain, level)
    else:
        _base(scene, scalp, skull, brain, x, y, a, b, level)
    return u(-14, 14), (u(-8, 8), u(-8, 8))


def _brain(scene: Scene, brain: int, level: float) -> None:
    """Grey and white matter, ventricles, falx, at times blood, a stroke or a tumour."""
    u, hu = scene.between, scene.hu
    x, y, a, b, _ = scene.ellipses[brain]
    rim = u(1, 7)
    cortex = scene.ellipse(x, y, a - rim, b - rim)
    grey, white = hu(32, 44), hu(22, 32)
    scene.paint(cortex, grey)
    halves: list[int] = []
    for side in (-1, 1):
        half = scene.ellipse(x + side * a * u(0.44, 0.5), y, a * u(0.28, 0.38), b * u(0.55, 0.72), side * u(-8, 8))
        if scene.paint(half, white, only_in=[cortex], off=halves):
            halves.append(half)
            for _ in range(int(u(3, 10))):  # folds of the cortex
                fold = scene.ellipse(*scene.spot(half, 0.95), u(3, 12), u(1.2, 3), u(0, 180))
                scene.paint(fold, grey + u(-0.02, 0.01), only_in=[cortex])
    for _ in range(int(u(0, 14))):  # furrows filled with fluid
        way = u(0, 2 * np.pi)
        furrow = scene.ellipse(
            x + 0.88 * a * np.cos(way), y + 0.88 * b * np.sin(way), u(3, 9), u(0.7, 2), np.rad2deg(way) + u(-30, 30)
        )
        scene.paint(furrow, hu(0, 15), only_in=[cortex])
    scene.texture(cortex, int(u(10, 30)), (3, 9), 7, 0.75)
    if scene.often(0.8):
        scene.paint(
            scene.ellipse(x + u(-1, 1), y + b * u(0.45, 0.6), u(0.7, 1.4), b * u(0.25, 0.35)), hu(45, 80), only_in=[brain]
        )
        scene.paint(
            scene.ellipse(x + u(-1, 1), y - b * u(0.55, 0.68), u(0.7, 1.6), b * u(0.18, 0.28)), hu(45, 80), only_in=[brain]
        )
    if level > 0.15:
        swell = u(0.6, 2.0) if scene.often(0.2) else u(0.5, 1.0)
        fluid = hu(-2, 14)
        for side in (-1, 1):
            for place, lean in ((u(0.1, 0.28), side * u(55, 80)), (-u(0.12, 0.35), -side * u(55, 85))):
                horn = scene.ellipse(
                    x + side * a * u(0.14, 0.24), y + place * b, u(9, 22) * swell, u(2.5, 6) * swell, 90 - lean + 90
                )
                scene.paint(horn, fluid, only_in=[cortex])
        if level > 0.3:
            scene.paint(scene.ellipse(x, y + u(-4, 4), u(1, 4) * swell, u(6, 14)), fluid, only_in=[cortex])
            for side in (-1, 1):  # deep grey matter
                scene.paint(
                    scene.ellipse(x + side * u(14, 22), y + u(-4, 10), u(4, 8), u(7, 14), -side * u(10, 35)),
                    grey,
                    only_in=[cortex],
                )
            if scene.often(0.4):
                scene.paint(scene.ellipse(x + u(-2, 2), y - u(8, 16), u(1, 3), u(1, 3)), hu(80, 400), only_in=[cortex])
    if scene.often(0.12):  # blood under the skull
        side = 1 if scene.often(0.5) else -1
        shape = scene.ellipse(x + side * a * u(0.85, 1.1), y + u(-0.3, 0.3) * b, a * u(0.15, 0.3), b * u(0.3, 0.6))
        scene.paint([shape, brain], hu(45, 85))
    if scene.often(0.2):  # a stroke
        shape = scene.ellipse(*scene.spot(cortex, 0.7), u(8, 26), u(6, 20), u(0, 180))
        scene.paint([shape, cortex], hu(10, 24))
    lesions(scene, [cortex], (10, 90), (2, 18), 0.4)


def _base(scene: Scene, scalp: int, skull: int, brain: int, x: float, y: float, a: float, b: float, level: float) -> None:
    """The base of the skull or the face: eyes, sinuses, petrous bones, or the jaw with teeth and the throat."""
    u, hu = scene.between, scene.hu
    front = scene.ellipse(x, y + b * u(0.75, 1.0), a * u(0.75, 0.95), b * u(0.45, 0.7))
    scene.paint([front, scalp], hu(-60, 55))
    covered: list[int] = []
    if level < 0.85:
        for side in (-1, 1):
            eye = scene.ellipse(x + side * u(27, 36), y + b * u(0.62, 0.78), u(10, 13), u(10, 13))
            if level < 0.78 and scene.paint(eye, hu(5, 25), only_in=[scalp]):
                scene.paint(scene.ellipse(*scene.ellipses[eye][:2], 5, u(1.5, 2.5)), hu(60, 120), only_in=[eye])
                covered.append(eye)
            petrous = scene.ellipse(x + side * u(30, 42), y - b * u(0.0, 0.2), u(16, 30), u(6, 12), side * u(-45, -15))
            if scene.paint(petrous, hu(600, 1600), only_in=[scalp]):
                covered.append(petrous)
                for _ in range(int(u(2, 8))):  # air cells
                    cell = scene.ellipse(*scene.spot(petrous, 0.8), u(1, 4), u(0.8, 3), u(0, 180))
                    scene.paint(cell, hu(-1000, -500), only_in=[petrous])
        for _ in range(int(u(3, 9))):  # nose and sinuses
            sinus = scene.ellipse(x + u(-26, 26), y + b * u(0.45, 0.85), u(3, 13), u(4, 16), u(-20, 20))
            wall = scene.ellipse(
                *scene.ellipses[sinus][:2],
                scene.ellipses[sinus][2] + 1.2,
                scene.ellipses[sinus][3] + 1.2,
                np.rad2deg(scene.ellipses[sinus][4]),
            )
            if scene.paint(wall, hu(150, 700), only_in=[scalp], off=covered):
                scene.paint(sinus, hu(-1000, -900) if scene.often(0.85) else hu(0, 50))
                covered.append(wall)
        scene.texture(brain, 6, (3, 8), 10, 0.5)
        if scene.often(0.5):
            scene.paint(scene.ellipse(x, y - b * u(0.25, 0.5), u(3, 9), u(2, 6)), hu(0, 14), only_in=[brain], off=covered)
        return
    scene.paint(brain, hu(40, 70))  # the neck's muscles: no skull at this height
    scene.paint([skull], hu(30, 70))
    jaw = int(u(9, 17))
    for k in range(jaw):  # teeth along the arch, or the bone below them
        way = np.pi * (0.1 + 0.8 * k / (jaw - 1))
        tooth = scene.ellipse(
            x + a * u(0.6, 0.64) * np.cos(way), y + b * (0.15 + 0.62 * np.sin(way)), u(3, 5), u(4, 7), np.rad2deg(way)
        )
        scene.paint(tooth, hu(500, 2200), only_in=[scalp])
    vertebra = scene.ellipse(x, y - b * u(0.2, 0.35), u(9, 13), u(7, 10))
    ring = scene.ellipse(x, y - b * u(0.38, 0.5), u(11, 16), u(9, 13))
    scene.paint(ring, hu(400, 900), only_in=[scalp])
    scene.paint(vertebra, hu(250, 700), only_in=[scalp])
    scene.paint(scene.ellipse(*scene.ellipses[ring][:2], u(6, 8), u(5, 7)), hu(10, 40), only_in=[ring])
    throat = scene.ellipse(x + u(-2, 2), y + b * u(0.05, 0.25), u(4, 13), u(3, 9))
    scene.paint(throat, hu(-1000, -950), only_in=[scalp], off=[vertebra])
    for side in (-1, 1):
        scene.paint(scene.ellipse(x + side * u(25, 38), y - b * u(0, 0.25), u(4, 8), u(4, 8)), hu(35, 250), only_in=[scalp])
