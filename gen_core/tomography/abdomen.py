"""A random slice through the belly, from the dome of the liver to the pelvis.

Sizes in mm, Hounsfield units of the usual textbooks; ranges are wide on purpose. The patient's left is at the right of the image.
"""

from __future__ import annotations

import numpy as np

from gen_core.tomography.parts import arm, body, lesions, ribs, spine, table
from gen_core.tomography.scene import Scene


def draw(scene: Scene) -> tuple[float, tuple[float, float]]:
    """Paint the slice; returns its turn (degrees) and shift (mm)."""
    u, hu = scene.between, scene.hu
    level = u(0, 1)  # 0 under the diaphragm, 1 at the hips
    wide = u(122, 186)
    deep = wide * u(0.58, 0.85)
    table(scene, deep)
    muscle, cavity = body(scene, wide, deep, (4, 42), (7, 16))
    scene.paint(cavity, hu(-120, -70), only_in=[muscle])
    x, y, ca, cb, _ = scene.ellipses[cavity]
    contrast = u(40, 140) / 1000 if scene.often(0.55) else 0.0
    organs: list[int] = []
    if level < 0.62:
        _upper_organs(scene, cavity, x, y, ca, cb, contrast, level, organs)
    over: list[int] = []  # what lies behind is painted over the organs
    for side in (-1, 1):  # psoas and the muscles along the spine
        scene.paint(scene.ellipse(side * u(38, 55), y - cb + u(-12, 0), u(16, 30), u(12, 22), side * u(-20, 20)), hu(40, 70))
        if level > 0.35:
            psoas = scene.ellipse(side * u(32, 46), y - cb * u(0.4, 0.6), u(9, 20), u(11, 22), side * u(-25, 25))
            if scene.paint(psoas, hu(40, 75), only_in=[cavity]):
                over.append(psoas)
    if level > 0.72:
        over += _pelvis(scene, y, ca, cb, level)
    else:
        over += spine(scene, y - cb * u(0.68, 0.9), u(0.95, 1.3))
    if level < 0.45:
        over += ribs(scene, ca, cb, muscle, 0.05)
    _great_vessels(scene, y, cb, hu(30, 50) + contrast * u(0.8, 1.6), over)
    if 0.15 < level < 0.75:
        _kidneys(scene, y, ca, cb, contrast, over, cavity)
    organs += over
    _bowel(scene, cavity, organs, level)
    if level > 0.8 and scene.often(0.75):  # bladder, at times with contrast
        bladder = scene.ellipse(u(-8, 8), y + u(-0.1, 0.4) * cb, u(18, 45), u(14, 36))
        scene.paint(bladder, hu(-5, 15) if scene.often(0.8) else hu(150, 500), only_in=[cavity], off=organs)
    lesions(scene, organs, (-40, 200), (2.5, 20), 0.5)
    for side in (-1, 1):
        if scene.often(0.3 if wide < 140 else 0.0):
            arm(scene, side * (wide + u(28, 34)), u(-30, 20))
    return u(-8, 8), (u(-12, 12), u(-14, 14))


def _great_vessels(scene: Scene, y: float, cb: float, blood: float, organs: list[int]) -> None:
    u, hu = scene.between, scene.hu
    for side in (1, -1):  # aorta, vena cava
        vessel = scene.ellipse(side * u(5, 20), y - cb * u(0.2, 0.5), u(7, 15), u(7, 12), u(-30, 30))
        if scene.paint(vessel, blood, off=organs):
            organs.append(vessel)
            if side == 1 and scene.often(0.35):
                scene.paint(
                    scene.ellipse(*scene.spot(vessel, 0.85), u(1, 5), u(0.8, 1.8), u(0, 180)), hu(300, 1000), only_in=[vessel]
                )


def _upper_organs(
    scene: Scene, cavity: int, x: float, y: float, ca: float, cb: float, contrast: float, level: float, organs: list[int]
) -> None:
    """Liver with vessels and gall bladder, spleen, stomach with a gas-fluid level, pancreas; at the top the lungs' lower ends."""
    u, hu = scene.between, scene.hu
    large = 1 - 0.55 * level
    liver_value = hu(20, 70) + contrast * u(0.5, 1)
    a, b = ca * u(0.42, 0.62) * large, cb * u(0.65, 0.92) * (0.4 + 0.6 * large)
    liver = scene.ellipse(x - ca * u(0.42, 0.58), y + cb * u(-0.05, 0.2), a, b, u(-25, 20))
    if scene.paint([liver, cavity], liver_value, off=organs):
        if scene.often(0.6):  # the left lobe
            lobe = scene.ellipse(x - ca * u(0.0, 0.2), y + cb * u(0.35, 0.55), ca * u(0.25, 0.45), cb * u(0.2, 0.35), u(-15, 15))
            scene.paint([lobe, cavity], liver_value, off=organs)
        for _ in range(int(u(0, 9))):
            vein = scene.ellipse(*scene.spot(liver, 0.6), u(4, 16), u(1.2, 3.5), u(0, 180))
            scene.paint(vein, liver_value + u(-0.03, 0.06), only_in=[liver, cavity], off=organs)
        scene.texture(liver, int(u(4, 14)), (3, 10), 15, 0.6)
        if scene.often(0.4):
            gall = scene.ellipse(*scene.spot(liver, 0.7), u(7, 17), u(5, 11), u(0, 180))
            if scene.paint(gall, hu(-5, 20), only_in=[cavity], off=organs) and scene.often(0.25):
                scene.paint(scene.ellipse(*scene.spot(gall, 0.6), u(1.5, 4), u(1.5, 4)), hu(100, 500), only_in=[gall])
        organs.append(liver)
    spleen = scene.ellipse(x + ca * u(0.6, 0.75), y - cb * u(0.15, 0.45), cb * u(0.25, 0.5), cb * u(0.13, 0.26), u(40, 85))
    if level < 0.45 and scene.paint([spleen, cavity], hu(35, 60) + contrast * u(0.6, 1.1), off=organs):
        organs.append(spleen)
        scene.texture(spleen, 4, (3, 7), 12, 0.5)
    stomach = scene.ellipse(x + ca * u(0.25, 0.5), y + cb * u(0.15, 0.45), ca * u(0.2, 0.38), cb * u(0.22, 0.42), u(-30, 30))
    if scene.often(0.85) and scene.paint([stomach, cavity], hu(30, 60), off=organs):
        mx, my, sa, sb, turn = scene.ellipses[stomach]
        lumen = scene.ellipse(mx, my, sa - u(2, 5), sb - u(2, 5), np.rad2deg(turn))
        scene.paint([lumen, cavity], hu(-10, 40) if scene.often(0.75) else hu(100, 300))
        if scene.often(0.75):  # gas in front, its surface flat
            gas = scene.ellipse(mx, my + sb * u(-0.2, 0.8) + 400, 900, 400)
            scene.paint([gas, lumen, cavity], hu(-1000, -960))
        organs.append(stomach)
    if scene.often(0.6):
        for _ in range(2):
            pancreas = scene.ellipse(x + u(-25, 40), y + cb * u(-0.2, 0.1), u(12, 35), u(5, 11), u(-30, 50))
            if scene.paint(pancreas, hu(20, 50) + 0.6 * contrast, only_in=[cavity], off=organs):
                organs.append(pancreas)
    if level < 0.14 and scene.often(0.7):
        for side in (-1, 1):
            behind = scene.ellipse(
                x + side * ca * u(0.4, 0.6), y - cb * u(0.6, 0.85), ca * u(0.2, 0.4), cb * u(0.15, 0.35), side * u(10, 40)
            )
            scene.paint([behind, cavity], hu(-880, -700), off=organs)


def _kidneys(scene: Scene, y: float, ca: float, cb: float, contrast: float, organs: list[int], cavity: int) -> None:
    u, hu = scene.between, scene.hu
    for side in (-1, 1):
        a, b = u(18, 30), u(14, 25)
        lean = side * u(-50, 10)
        for _ in range(4):  # until it finds room
            kidney = scene.ellipse(side * ca * u(0.42, 0.62), y - cb * u(0.3, 0.65), a, b, lean)
            if scene.paint(kidney, hu(25, 40) + contrast * u(0.9, 1.5), only_in=[cavity], off=organs):
                mx, my = scene.ellipses[kidney][:2]
                if scene.often(0.7):
                    sinus = scene.ellipse(mx - side * a * 0.3, my, a * u(0.25, 0.45), b * u(0.2, 0.45), lean)
                    scene.paint(sinus, hu(-110, 20) if scene.often(0.7) else hu(200, 600), only_in=[kidney])
                organs.append(kidney)
                break
            a, b = 0.88 * a, 0.88 * b


def _bowel(scene: Scene, cavity: int, organs: list[int], level: float) -> None:
    """Loops wherever there is room, each a wall around fluid, contrast, stool or gas."""
    u, hu = scene.between, scene.hu
    for _ in range(int(u(6, 26))):
        r = u(6, 21)
        flat = u(0.5, 1)
        px, py = scene.spot(cavity, 0.85)
        loop = scene.ellipse(px, py, r, r * flat, u(0, 180))
        if not scene.paint(loop, hu(20, 70), only_in=[cavity], off=organs):
            continue
        organs.append(loop)
        turn = np.rad2deg(scene.ellipses[loop][4])
        thick = u(1.5, 3)
        lumen = scene.ellipse(px, py, r - thick, r * flat - thick, turn)
        kind = u(0, 1)
        inside = hu(-10, 40) if kind < 0.45 else hu(-1000, -900) if kind < 0.7 else hu(150, 450) if kind < 0.8 else hu(-300, 60)
        scene.paint(lumen, inside, only_in=[loop])
        if kind < 0.45 and scene.often(0.35):
            gas = scene.ellipse(px, py + r * flat * u(-0.2, 0.6) + 400, 900, 400)
            scene.paint([gas, lumen], hu(-1000, -950))


def _pelvis(scene: Scene, y: float, ca: float, cb: float, level: float) -> list[int]:
    """Wings of the ilium and sacrum, or further down the hips."""
    u, hu = scene.between, scene.hu
    found = []
    for side in (-1, 1):
        if level < 0.88:
            wing = scene.ellipse(side * ca * u(0.62, 0.8), y - cb * u(0.1, 0.4), u(28, 48), u(4, 9), side * u(35, 65))
            inner = (u(0.75, 0.9), u(0.4, 0.65))
        else:
            wing = scene.ellipse(side * ca * u(0.7, 0.85), y - cb * u(-0.1, 0.25), u(19, 25), u(18, 24), u(0, 180))
            inner = (u(0.85, 0.93), u(0.85, 0.93))
        if scene.paint(wing, hu(350, 850)):
            wx, wy, a, b, turn = scene.ellipses[wing]
            scene.paint(scene.ellipse(wx, wy, a * inner[0], b * inner[1], np.rad2deg(turn)), hu(80, 350), only_in=[wing])
            found.append(wing)
    sacrum = scene.ellipse(u(-4, 4), y - cb * u(0.72, 0.9), u(20, 45), u(9, 20))
    if scene.paint(sacrum, hu(250, 600)):
        sx, sy, a, b, _ = scene.ellipses[sacrum]
        scene.paint(scene.ellipse(sx, sy, a - u(2, 4), b - u(2, 4)), hu(50, 250), only_in=[sacrum])
        found.append(sacrum)
    return found
