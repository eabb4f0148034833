"""Twenty people on one small server, without their browsers: `make load`. Prints; nothing is asserted, a busy machine is slower.

Each client holds a websocket as a browser would, has an instrument open and moves a control every few seconds. Timed are a press
until the first changed picture has left the server, and until the last. Once more while a training runs. Then sessions come and
go, and the server's memory is read. Everything stays on this machine's loopback address and ends after some minutes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import serving  # noqa: E402
from tests.load.client import Answer, Client  # noqa: E402

CLIENTS = 20
LASTING, THINK = 90.0, (2.0, 6.0)  # seconds that all are at it, and seconds of each between an answer and the next press
COMING = 200  # sessions that come and go
MOVED: dict[str, tuple[str, list[Any]]] = {  # of each instrument a control by the end of its key, and what it is set to
    "images": ("images.steps", [6, 7, 8, 9, 10]),
    "cells": ("cells.dose_multiple", [0.5, 0.6, 0.7, 0.8, 0.9]),
    "proteins": ("proteins.temperature", [0.8, 0.9, 1.1, 1.2]),
    "tomography": ("angle_range/drag", [{"moved": v} for v in (85, 95, 100, 110, 120)]),
    "defects": ("defects.degree", [3, 4, 5]),
    "poisson": ("correction/drag", [{"moved": v} for v in (1, 2, 3, 4)]),
    "symmetry": ("angle/drag", [{"moved": v} for v in (30, 45, 60, 75, 90)]),
    "detector": ("detector.seed", [1, 2, 3, 4, 5, 6, 7, 8]),
}


def resident(url: str) -> float:
    """Resident memory of the server, MB."""
    command = ["pgrep", "-n", "-f", f"server.port {urlparse(url).port}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    line = next(row for row in Path(f"/proc/{found}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def person(client: Client, number: int, told: dict[str, list[Answer]]) -> None:
    """Moves the control of the page again and again."""
    rng = random.Random(number)
    key, values = MOVED[client.page]
    began, move = time.monotonic(), number
    while time.monotonic() - began < LASTING:
        await asyncio.sleep(rng.uniform(*THINK))
        move += 1
        told.setdefault(client.page, []).append(await client.move(key, values[move % len(values)]))


async def everybody(clients: list[Client], title: str) -> None:
    """All of them at once."""
    told: dict[str, list[Answer]] = {}
    await asyncio.gather(*(person(client, number, told) for number, client in enumerate(clients)))
    print(f"\n{title}: press to the first changed picture, and to the last (ms)")
    print(f"{'':12} {'moves':>6} {'median':>8} {'p95':>8} {'worst':>8} {'last':>8}  faults")
    for page, answers in sorted(told.items()):
        _line(page, answers)
    _line("all", [one for answers in told.values() for one in answers])


def _line(name: str, answers: list[Answer]) -> None:
    drawn = [one for one in answers if one.picture is not None]
    waits = sorted(1000 * (one.picture or 0) for one in drawn)
    if not waits:
        print(f"{name:12} {0:6}  no picture changed")
        return
    late, last = waits[min(int(0.95 * len(waits)), len(waits) - 1)], statistics.median(1000 * (one.last or 0) for one in drawn)
    faults = sum(len(one.errors) for one in answers)
    print(
        f"{name:12} {len(waits):6} {statistics.median(waits):8.0f} {late:8.0f} {waits[-1]:8.0f} {last:8.0f}  {faults}", flush=True
    )


def train(home: str) -> subprocess.Popen[bytes]:
    """A training beside, in a process of its own, as a job of the app is."""
    command = [sys.executable, "-m", "gen_core", "train", "detector", "--set", "kind=vae", "--set", "events=200000"]
    environment = os.environ | {"LATENT_HOME": home, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        ["nice", "-n", "10", *command, "--out", f"{home}/beside"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )


async def main(url: str, home: str) -> None:
    pages = list(MOVED)
    for page in pages:  # what is loaded once for all is no session's
        client = Client(url, page)
        await client.open()
        await client.close()
    empty = resident(url)
    clients = [Client(url, pages[number % len(pages)]) for number in range(CLIENTS)]
    began = time.monotonic()
    opened = await asyncio.gather(*(client.open() for client in clients))
    waits = sorted(one.last or one.done for one in opened)
    print(f"{CLIENTS} open at once: {statistics.median(waits):.1f} s median to the last picture, {waits[-1]:.1f} s at most")
    print(f"server {empty:.0f} MB before, {(resident(url) - empty) / CLIENTS:.1f} MB more for each of {CLIENTS} sessions")
    await everybody(clients, f"{CLIENTS} people")
    beside = train(home)
    try:
        await everybody(clients, f"{CLIENTS} people, a training beside")
    finally:
        beside.terminate()
        beside.wait(30)
    print(f"\nserver {(resident(url) - empty) / CLIENTS:.1f} MB more for each session after all that")
    for client in clients:
        await client.close()
    for count in range(COMING):
        client = Client(url, pages[count % len(pages)])
        await client.open()
        await client.close()
        if count % 50 == 49:
            print(f"after {count + 1} sessions more that came and went: {resident(url):.0f} MB", flush=True)
    print(f"{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder, serving(Path("app/main.py"), Path(folder), LATENT_WARM="1") as address:
        asyncio.run(main(address, folder))
