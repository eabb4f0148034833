"""A random slice through the chest: wall, lungs with airways and vessels, heart, great vessels, spine, ribs, lesions.

Sizes in mm, Hounsfield units of the usual textbooks; ranges are wide on purpose. The patient's left is at the right of the image.
"""

from __future__ import annotations

import numpy as np

from gen_core.tomography.parts import arm, body, lesions, ribs, scapulae, spine, table
from gen_core.tomography.scene import Scene


def draw(scene: Scene) -> tuple[float, tuple[float, float]]:
    """Paint the slice; returns its turn (degrees) and shift (mm)."""
    u, hu = scene.between, scene.hu
    level = u(0, 1)  # 0 at the apex of the lungs, 1 at the diaphragm
    wide = u(124, 184)
    deep = wide * u(0.58, 0.8)
    table(scene, deep)
    muscle, cavity = body(scene, wide, deep, (3, 30), (12, 26))
    mediastinum = hu(-70, 45)
    scene.paint(cavity, mediastinum, only_in=[muscle])
    contrast = u(80, 320) / 1000 if scene.often(0.4) else 0.0
    _, _, ca, cb, _ = scene.ellipses[cavity]
    lungs = _lungs(scene, cavity, ca, cb, level)
    bone = ribs(scene, ca, cb, muscle, u(0.03, 0.12))
    backbone = spine(scene, -cb * u(0.74, 0.95), u(0.85, 1.15))
    if scene.often(0.85):  # sternum
        shape = scene.ellipse(u(-4, 4), cb + u(2, 9), u(10, 24), u(4, 8), u(-5, 5))
        scene.paint(shape, hu(180, 500), only_in=[muscle])
    if level < 0.55 and scene.often(0.8):
        scapulae(scene, wide, deep, muscle)
    if level < 0.3 and scene.often(0.5):  # the clavicles' ends
        for side in (-1, 1):
            scene.paint(scene.ellipse(side * u(20, 60), cb + u(2, 10), u(10, 30), u(4, 7), side * u(-30, 10)), hu(250, 700))
    organs: list[int] = []
    blood = hu(30, 60) + contrast
    if level > 0.3:
        organs += _heart(scene, ca, cb, contrast, level)
    else:
        for x in (u(-30, -10), u(10, 30)):  # the great vessels of the upper chest
            vessel = scene.ellipse(x, u(0, 0.4) * cb, u(6, 13), u(6, 13))
            if scene.paint(vessel, blood, off=organs):
                organs.append(vessel)
    if level > 0.72 and scene.often(0.75):
        _dome(scene, cavity, ca, cb, level, organs)
    _vessels_of_the_middle(scene, cb, blood, level, organs, backbone)
    _airways_and_vessels(scene, lungs, [*organs, *backbone, *bone], blood, level)
    _disease(scene, lungs, cavity, cb)
    lesions(scene, lungs, (-150, 120), (2.5, 18), 0.45)
    for side in (-1, 1):
        if scene.often(0.25 if wide < 140 else 0.0):
            arm(scene, side * (wide + u(28, 34)), u(-30, 10))
    return u(-9, 9), (u(-12, 12), u(-14, 14))


def _lungs(scene: Scene, cavity: int, ca: float, cb: float, level: float) -> list[int]:
    u = scene.between
    found = []
    value = scene.hu(-930, -720)
    small = 0.75 + 0.25 * np.sin(np.pi * min(level * 1.3 + 0.1, 1.0) / 2)
    for side in (-1, 1):
        a, b = ca * u(0.38, 0.5) * small, cb * u(0.8, 1.15) * small
        lean = side * u(-14, 14)
        reach = np.hypot(a * np.cos(np.deg2rad(lean)), b * np.sin(np.deg2rad(lean)))
        x = side * (reach + u(5, 16))
        lung = scene.ellipse(x, u(-0.12, 0.12) * cb, a, b, lean)
        scene.paint([lung, cavity], value + u(-30, 30) / 1000)
        found.append(lung)
        for _ in range(int(u(5, 16))):
            inner = scene.spot(lung, 0.6)
            if float(scene.depth_in(np.array([cavity]), np.array(inner)[:, None])[0, 0]) < 0.55:
                scene.blob(*inner, u(4, 14), u(0, 80) / 1000)
    return found


def _heart(scene: Scene, ca: float, cb: float, contrast: float, level: float) -> list[int]:
    u, hu = scene.between, scene.hu
    large = u(0.3, 0.5) * ca * (0.75 + 0.25 * level)
    lean = -u(20, 55)
    x, y = u(0.05, 0.3) * ca, u(0.0, 0.4) * cb
    fat = scene.ellipse(x, y, large * 1.12, large * u(0.72, 0.98), lean)
    outer = scene.ellipse(x, y, large, large * u(0.62, 0.7), lean)
    if scene.often(0.7):
        scene.paint(fat, hu(-120, -40))
    if not scene.paint(outer, hu(35, 70) + 0.4 * contrast):
        return []
    turn = np.deg2rad(lean)
    for k, (along, across) in enumerate(((0.35, 0.2), (0.25, -0.22), (-0.42, 0.22), (-0.42, -0.22))):
        if scene.often(0.75):
            mx = x + large * (along * np.cos(turn) - across * np.sin(turn))
            my = y + large * (along * np.sin(turn) + across * np.cos(turn))
            chamber = scene.ellipse(mx, my, large * u(0.18, 0.36 if k < 2 else 0.28), large * u(0.1, 0.19), lean + u(-15, 15))
            scene.paint(chamber, hu(25, 55) + contrast, only_in=[outer])
    scene.texture(outer, 6, (3, 8), 15)
    if scene.often(0.2):  # calcified coronary or valve
        scene.paint(scene.ellipse(*scene.spot(outer, 0.85), u(1, 3.5), u(1, 3), u(0, 180)), hu(250, 900), only_in=[outer])
    return [fat, outer]


def _dome(scene: Scene, cavity: int, ca: float, cb: float, level: float, organs: list[int]) -> None:
    """The liver under the right dome of the diaphragm, at times the spleen or the stomach under the left."""
    u, hu = scene.between, scene.hu
    large = (level - 0.6) / 0.4
    dome = scene.ellipse(-u(0.42, 0.6) * ca, u(-0.25, 0.1) * cb, ca * u(0.25, 0.5) * large, cb * u(0.3, 0.75) * large, u(-15, 15))
    if scene.paint([dome, cavity], hu(35, 130)):
        organs.append(dome)
        scene.texture(dome, 8, (3, 9), 14, 0.6)
    if scene.often(0.5):
        left = scene.ellipse(
            u(0.5, 0.68) * ca, -u(0.2, 0.5) * cb, ca * u(0.15, 0.35) * large, cb * u(0.2, 0.45) * large, u(0, 180)
        )
        if scene.paint([left, cavity], hu(30, 140), off=organs):
            organs.append(left)


def _vessels_of_the_middle(scene: Scene, cb: float, blood: float, level: float, organs: list[int], backbone: list[int]) -> None:
    u, hu = scene.between, scene.hu
    down = scene.ellipse(u(12, 34), -u(0.3, 0.62) * cb, u(9, 19), u(9, 17), u(0, 180))
    if scene.paint(down, blood, off=[*organs, *backbone]):
        organs.append(down)
        if scene.often(0.25):
            scene.paint(scene.ellipse(*scene.spot(down, 0.8), u(1, 5), u(0.8, 1.6), u(0, 180)), hu(300, 900), only_in=[down])
    if level < 0.65:
        for x, y, low, high in (
            (u(-5, 15), u(0.2, 0.5), 9, 19),
            (-u(15, 32), u(0.15, 0.5), 6, 12),
            (u(5, 28), u(0.1, 0.4), 8, 15),
        ):
            vessel = scene.ellipse(x, y * cb, u(low, high), u(low, high), u(0, 180))
            if scene.often(0.8) and scene.paint(vessel, blood + u(-0.02, 0.03), off=[*organs, *backbone]):
                organs.append(vessel)
    gullet = scene.ellipse(u(-8, 12), -u(0.25, 0.6) * cb, u(5, 10), u(3.5, 7), u(-30, 30))
    if scene.paint(gullet, hu(10, 50), off=[*organs, *backbone]):
        organs.append(gullet)
        if scene.often(0.35):
            scene.paint(scene.ellipse(*scene.ellipses[gullet][:2], u(1.5, 4), u(1, 3)), hu(-990, -700), only_in=[gullet])
    airways = [(u(-6, 6), u(-0.25, 0.15) * cb, u(6, 10))] if level < 0.45 else []
    if 0.4 < level < 0.7:
        airways = [(side * u(12, 32), u(-0.3, 0.05) * cb, u(3.5, 7.5)) for side in (-1, 1)]
    for x, y, r in airways:
        flat = u(0.75, 1.1)
        wall = scene.ellipse(x, y, r + u(1, 2.5), r * flat + u(1, 2.5))
        if scene.paint(wall, hu(10, 60), off=[*organs, *backbone]):
            scene.paint(scene.ellipse(x, y, r, r * flat), hu(-1000, -960), only_in=[wall])
            organs.append(wall)


def _airways_and_vessels(scene: Scene, lungs: list[int], off: list[int], blood: float, level: float) -> None:
    """Vessels thin out from the hilum to the pleura; some have an airway beside them."""
    u, hu = scene.between, scene.hu
    for side, lung in zip((-1, 1), lungs, strict=True):
        x0, y0 = side * u(22, 40), u(-15, 15)
        for _ in range(int(u(10, 34))):
            x, y = scene.spot(lung, 0.88)
            out = np.hypot(x - x0, y - y0)
            r = np.clip(u(0.6, 1.4) * 7.5 * np.exp(-out / u(28, 60)), 0.9, 8)
            way = np.rad2deg(np.arctan2(y - y0, x - x0)) + u(-25, 25)
            long = r * (u(1, 7) if scene.often(0.55) else u(1, 1.6))
            vessel = scene.ellipse(x, y, min(long, 22), r, way)
            inside = float(scene.depth_in(np.array([lung]), np.array([[x], [y]]))[0, 0]) < 0.9
            if inside and scene.paint(vessel, blood + u(-0.06, 0.02), only_in=[lung], off=off) and scene.often(0.2) and r > 2:
                beside = scene.ellipse(x + (r + 3) * np.sin(way), y + (r + 3) * np.cos(way), r * u(0.7, 1.3), r * u(0.7, 1.3))
                if scene.paint(beside, hu(-200, 0), only_in=[lung], off=[*off, vessel]):
                    scene.paint(scene.ellipse(*scene.ellipses[beside][:2], r * 0.5, r * 0.5), hu(-1000, -950), only_in=[beside])


def _disease(scene: Scene, lungs: list[int], cavity: int, cb: float) -> None:
    """At times emphysema, consolidation, fluid or air in the pleural space."""
    u, hu = scene.between, scene.hu
    if scene.often(0.2):
        for _ in range(int(u(2, 9))):
            lung = lungs[int(scene.often(0.5))]
            r = u(2, 11)
            scene.paint(
                scene.ellipse(*scene.spot(lung, 0.8), r, r * u(0.6, 1), u(0, 180)), hu(-985, -930), only_in=[lung, cavity]
            )
    if scene.often(0.18):
        lung = lungs[int(scene.often(0.5))]
        patch = scene.ellipse(*scene.spot(lung, 0.85), u(8, 38), u(6, 24), u(0, 180))
        scene.paint([patch, lung, cavity], hu(-600, 60))
    if scene.often(0.12):  # fluid lies behind, its surface flat
        lung = lungs[int(scene.often(0.5))]
        level = scene.ellipse(scene.ellipses[lung][0], -cb * u(0.55, 0.85) - 400, 900, 400)
        scene.paint([level, lung, cavity], hu(-10, 40))
    if scene.often(0.05):  # air lies in front
        lung = lungs[int(scene.often(0.5))]
        level = scene.ellipse(scene.ellipses[lung][0], cb * u(0.45, 0.75) + 400, 900, 400)
        scene.paint([level, lung, cavity], hu(-1000, -985))
