"""What the anatomies share: the wall of the body, spine, ribs, shoulder blades, arms, the table, lesions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gen_core.tomography.scene import Scene


def table(scene: Scene, deep: float) -> None:
    """In most scenes the table below the patient: a shell with a light core, cut off by the field of view."""
    u = scene.between
    if not scene.often(0.7):
        return
    seen = scene.ellipse(0, 0, 0.41 * scene.field, 0.41 * scene.field)
    thick, sag = u(8, 20), u(0, 1)
    y = -deep - thick / 2 - u(3, 14)
    a = u(160, 260)
    if sag < 0.5:  # a flat board
        outer, inner = scene.ellipse(0, y - thick / 2, a, thick), scene.ellipse(0, y - thick / 2, a - 4, thick - u(2, 4))
        scene.paint([outer, seen], u(0.3, 1.0))
        scene.paint([inner, seen], u(0.03, 0.2))
        return
    curve = scene.ellipse(0, y + 300 - thick, 330, 300)  # a trough: what a large ellipse holds below a line
    hollow = scene.ellipse(0, y + 300 - thick + u(3, 7), 330, 300)
    below = scene.ellipse(0, y - 200 + u(0, 40), 500, 200)
    scene.paint([curve, below, seen], u(0.3, 0.9))
    scene.paint([hollow, below, seen], 0.0)


def body(scene: Scene, wide: float, deep: float, fat: tuple[float, float], wall: tuple[float, float]) -> tuple[int, int]:
    """Skin, fat and muscle; returns the muscle's outline and that of the cavity in it, which is not painted yet."""
    u, hu = scene.between, scene.hu
    skin = scene.ellipse(0, 0, wide, deep)
    scene.paint(skin, hu(0, 70))
    under = scene.ellipse(0, 0, wide - u(1.2, 2.5), deep - u(1.2, 2.5))
    scene.paint(under, hu(-125, -85))
    thick = u(*fat) * (0.5 + 0.5 * wide / 150)
    behind = u(0.5, 1.1)
    muscle = scene.ellipse(u(-2, 2), (1 - behind) * thick / 4, wide - thick - 3, deep - thick * (0.6 + behind) / 2 - 3)
    scene.paint(muscle, hu(35, 70), only_in=[under])
    x, y, a, b, _ = scene.ellipses[muscle]
    for _ in range(int(u(0, 12))):  # fat between the muscles
        way = u(0, 2 * np.pi)
        streak = scene.ellipse(
            x + 0.93 * a * np.cos(way), y + 0.93 * b * np.sin(way), u(5, 22), u(1, 3),
            np.rad2deg(np.arctan2(b * np.cos(way), -a * np.sin(way))) + u(-8, 8),
        )  # fmt: skip
        scene.paint(streak, hu(-110, -40), only_in=[muscle])
    inner = u(*wall)
    cavity = scene.ellipse(x, y + u(0, 4), a - inner, b - inner * u(0.8, 1.1))
    return muscle, cavity


def spine(scene: Scene, y: float, scale: float) -> list[int]:
    """A vertebra: body with a dense shell, canal, processes. Returns what it covers. y is the middle of its body."""
    u, hu = scene.between, scene.hu
    a, b = scale * u(15, 24), scale * u(12, 18)
    x = u(-4, 4)
    shell, core = hu(250, 750), hu(90, 320)
    outer = scene.ellipse(x, y, a, b)
    ring = scene.ellipse(x, y - b - scale * 7, scale * u(12, 17), scale * u(10, 14))
    covered = [outer, ring]
    scene.paint(ring, shell)
    for side in (-1, 1):
        process = scene.ellipse(
            x + side * scale * u(20, 32), y - b - scale * u(3, 12), scale * u(10, 20), scale * u(3, 5), side * u(-40, 15)
        )
        if scene.often(0.8) and scene.paint(process, hu(200, 600)):
            covered.append(process)
    if scene.often(0.85):
        scene.paint(
            scene.ellipse(x + u(-2, 2), y - b - scale * u(20, 28), scale * u(2.5, 5), scale * u(6, 16), u(-8, 8)), hu(200, 600)
        )
    if not scene.paint(outer, shell):
        return covered
    shrink = u(1.2, 3)
    inner = scene.ellipse(x, y, a - shrink, b - shrink)
    scene.paint(inner, core, only_in=[outer])
    scene.texture(inner, 4, (2, 5), 40, 0.5)
    scene.paint(scene.ellipse(x, y - b - scale * 6, scale * u(7, 10), scale * u(6, 9)), hu(10, 50))
    return covered


def ribs(scene: Scene, ca: float, cb: float, muscle: int, thin: float) -> list[int]:
    """Ribs in the wall around a cavity of half axes ca, cb: cut across or along, each with marrow."""
    u, hu = scene.between, scene.hu
    found: list[int] = []
    count = int(u(8, 20))
    begin = u(0, 2 * np.pi)
    for k in range(count):
        way = begin + 2 * np.pi * (k + u(-0.25, 0.25)) / count
        if np.sin(way) < -0.93 or np.sin(way) > 0.97:  # spine, sternum
            continue
        out = 1 + u(0.02, thin + 0.06)
        x, y = out * ca * np.cos(way), out * cb * np.sin(way)
        along = np.rad2deg(np.arctan2(cb * np.cos(way), -ca * np.sin(way))) + u(-12, 12)
        long, thick = u(5, 24), u(3, 6)
        rib = scene.ellipse(x, y, long, thick, along)
        if scene.paint(rib, hu(300, 1000), only_in=[muscle], off=found):
            found.append(rib)
            marrow = scene.ellipse(x, y, long - u(1.2, 2.2), thick - u(1.2, 2.2), along)
            scene.paint(marrow, hu(60, 320), only_in=[rib])
    return found


def scapulae(scene: Scene, wide: float, deep: float, muscle: int) -> None:
    """Shoulder blades, one at each side, behind."""
    u, hu = scene.between, scene.hu
    for side in (-1, 1):
        x, y = side * wide * u(0.52, 0.75), -deep * u(0.35, 0.65)
        blade = scene.ellipse(x, y, u(18, 42), u(2.5, 6), side * u(20, 60))
        if scene.paint(blade, hu(250, 800), only_in=[muscle]) and scene.often(0.7):
            head = scene.ellipse(x + side * u(8, 22), y + u(5, 22), u(5, 9), u(5, 9))
            scene.paint(head, hu(200, 500), only_in=[muscle])


def arm(scene: Scene, x: float, y: float) -> None:
    """An arm beside the body: skin and fat, muscle, bone with marrow."""
    u, hu = scene.between, scene.hu
    r = u(20, 27)
    outer = scene.ellipse(x, y, r, r * u(0.85, 1.25))
    scene.paint(outer, hu(-115, -80))
    flesh = scene.ellipse(x, y, 0.82 * r, 0.82 * r * u(0.85, 1))
    scene.paint(flesh, hu(35, 70), only_in=[outer])
    bone = scene.ellipse(x + u(-4, 4), y + u(-4, 4), u(6.5, 9), u(6.5, 9))
    if scene.paint(bone, hu(700, 1300), only_in=[flesh]):
        scene.paint(scene.ellipse(*scene.ellipses[bone][:2], u(3, 5), u(3, 5)), hu(-60, 100), only_in=[bone])


def lesions(scene: Scene, places: Sequence[int], hu: tuple[float, float], radius: tuple[float, float], often: float) -> None:
    """Up to three lesions of any size, round or long, at times with a core of its own."""
    u = scene.between
    if not places or not scene.often(often):
        return
    for _ in range(int(u(1, 4))):
        where = places[int(u(0, len(places)))]
        r = float(np.exp(u(np.log(radius[0]), np.log(radius[1]))))
        lesion = scene.ellipse(*scene.spot(where, 0.85), r, r * u(0.55, 1), u(0, 180))
        if scene.paint(lesion, scene.hu(*hu), only_in=[where]) and r > 6 and scene.often(0.3):
            scene.paint(
                scene.ellipse(*scene.ellipses[lesion][:2], r * u(0.3, 0.5), r * u(0.2, 0.45)), scene.hu(*hu), only_in=[lesion]
            )
