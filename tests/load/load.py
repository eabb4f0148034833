"""Twenty people on one small server, without their browsers: `make load`. Prints; nothing is asserted, a busy machine is slower.

Each client holds a websocket as a browser would, has an instrument open and moves a control every few seconds. Timed are a press
until the first changed picture has left the server, and until the last. Once more without those whose presses take long, and
once while a training runs. Then sessions come and go, and the server's memory is read. Everything stays on this machine's
loopback address and ends within ten minutes: what was not reached by then is left out, and that is said. The tables are Markdown.
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
LASTING, THINK = 60.0, (2.0, 6.0)  # seconds that all are at it, and seconds of each between an answer and the next press
COMING, TOGETHER = 200, 8  # sessions that come and go, and how many at a time
ENOUGH = 540.0  # seconds after which no more of them come
LONG = ("defects", "detector")  # instruments whose presses take seconds of a processor
MOVED: dict[str, tuple[str, list[Any]]] = {  # of each instrument a control by the end of its key, and what it may be set to
    "images": ("images.steps", list(range(3, 17))),
    "cells": ("cells.dose_multiple", [k / 20 for k in range(2, 41)]),
    "proteins": ("proteins.temperature", [k / 20 for k in range(10, 31)]),
    "tomography": ("angle_range/drag", [{"moved": v} for v in range(60, 151)]),
    "defects": ("defects.degree", [2, 3, 4, 5, 6]),
    "poisson": ("correction/drag", [{"moved": v} for v in range(11)]),
    "symmetry": ("angle/drag", [{"moved": v} for v in range(360)]),
    "detector": ("detector.seed", list(range(1, 1000))),
}


def resident(url: str) -> float:
    """Resident memory of the server, MB."""
    command = ["pgrep", "-n", "-f", f"server.port {urlparse(url).port}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    line = next(row for row in Path(f"/proc/{found}/status").read_text().splitlines() if row.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def person(client: Client, number: int, told: dict[str, list[Answer]]) -> None:
    """Moves the control of the page again and again; what is not drawn when the time is up is not waited for."""
    rng = random.Random(number)
    key, values = MOVED[client.page]
    end, last = time.monotonic() + LASTING, None
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(rng.uniform(*THINK), left))
        last = rng.choice([value for value in values if value != last])
        if time.monotonic() < end:
            told.setdefault(client.page, []).append(await client.move(key, last, end - time.monotonic()))


async def everybody(url: str, pages: list[str], title: str) -> None:
    """All of them at once, each with a session of their own."""
    clients, told = [Client(url, page) for page in pages], dict[str, list[Answer]]()
    empty, began = resident(url), time.monotonic()
    opened = await asyncio.gather(*(client.open() for client in clients))
    waits, each = sorted(one.last or one.done for one in opened), (resident(url) - empty) / len(clients)
    print(f"\n### {title}\n")
    print(
        f"{len(clients)} sessions, opened at once: {statistics.median(waits):.1f} s in the median to the last picture, ", end=""
    )
    print(f"{waits[-1]:.1f} s at most; {each:.1f} MB more for each of them\n")
    await asyncio.gather(*(person(client, number, told) for number, client in enumerate(clients)))
    print("| instrument | presses | median (ms) | p95 (ms) | worst (ms) | to the last picture (ms) | faults |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for page, answers in sorted(told.items()):
        _row(page, answers)
    short = [one for page, answers in told.items() for one in answers if page not in LONG]
    if len(short) < sum(map(len, told.values())):
        _row(f"all but {' and '.join(LONG)}", short)
    _row("all", [one for answers in told.values() for one in answers])
    print(f"\nServer: {resident(url):.0f} MB. {time.monotonic() - began:.0f} s.", flush=True)
    for client in clients:
        await client.close()


def _row(name: str, answers: list[Answer]) -> None:
    drawn = [one for one in answers if one.picture is not None]
    waits = sorted(1000 * (one.picture or 0) for one in drawn)
    faults, lost = sum(len(one.errors) for one in answers), len(answers) - len(drawn)
    if not waits:
        print(f"| {name} | {lost} | no picture changed | | | | {faults} |")
        return
    late, last = waits[min(int(0.95 * len(waits)), len(waits) - 1)], statistics.median(1000 * (one.last or 0) for one in drawn)
    presses = f"{len(waits)}" + (f" and {lost} without a new picture" if lost else "")
    print(
        f"| {name} | {presses} | {statistics.median(waits):.0f} | {late:.0f} | {waits[-1]:.0f} | {last:.0f} | {faults} |",
        flush=True,
    )


def train(home: str) -> subprocess.Popen[bytes]:
    """A training beside, in a process of its own, as a job of the app is."""
    command = [sys.executable, "-m", "gen_core", "train", "detector", "--set", "kind=vae", "--set", "events=200000"]
    environment = os.environ | {"LATENT_HOME": home, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        ["nice", "-n", "10", *command, "--out", f"{home}/beside"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )


async def main(url: str, home: str) -> None:
    pages, began = list(MOVED), time.monotonic()
    for page in pages:  # what is loaded once for all is no session's
        client = Client(url, page)
        await client.open()
        await client.close()
    empty = resident(url)
    print(f"Server with each instrument opened once: {empty:.0f} MB")
    people = [pages[number % len(pages)] for number in range(CLIENTS)]
    await everybody(url, people, f"{CLIENTS} people on eight instruments")
    await everybody(url, [page for page in people if page not in LONG], f"Those of them that are not on {' or '.join(LONG)}")
    beside = train(home)
    try:
        await everybody(url, people, f"{CLIENTS} people, a training beside")
    finally:
        beside.terminate()
        beside.wait(30)
    print("\n### Sessions that come and go\n\n| sessions | server (MB) |\n| --- | --- |", flush=True)
    count = 0
    while count < COMING and time.monotonic() - began < ENOUGH:
        if count % 48 == 0:
            print(f"| {count} | {resident(url):.0f} |", flush=True)
        some = [Client(url, pages[(count + k) % len(pages)]) for k in range(min(TOGETHER, COMING - count))]
        await asyncio.gather(*(client.open() for client in some))
        for client in some:
            await client.close()
        count += len(some)
    print(f"| {count} | {resident(url):.0f} |")
    print(f"\n{count} of {COMING} came and went; {time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder, serving(Path("app/main.py"), Path(folder), LATENT_WARM="1") as address:
        asyncio.run(main(address, folder))
