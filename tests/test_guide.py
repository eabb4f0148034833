"""The guide in README adds an instrument that really works: it is followed, step by step, in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = """
import sys
from streamlit.testing.v1 import AppTest

at = AppTest.from_file(sys.argv[1], default_timeout=120)
at.query_params.update({"operation": "coin.toss", "n": "20", "bias": "0.8"})
at.run()
assert not at.exception, at.exception
assert [box.value for box in at.error] == [] or "interval" in at.error[0].value
assert at.slider[0].value == 20
at.slider[0].set_value(400).run()
assert at.query_params["n"] in ("400", ["400"])
print("Evidence" in [head.value for head in at.header], at.metric[0].label)
"""


def blocks() -> dict[str, str]:
    """The code of the guide by the line that says where it goes."""
    guide = (ROOT / "README.md").read_text().split("## Adding an instrument")[1].split("\n## ")[0]
    found: dict[str, str] = {}
    for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        for part in re.split(r"^(?=# (?:gen_core|app)/)", code, flags=re.MULTILINE):
            if part.strip():
                place, _, rest = part.partition("\n")
                found[place.removeprefix("# ")] = rest
    return found


def test_the_guide_of_the_readme_makes_an_instrument(tmp_path: Path) -> None:
    for name in ("app", "gen_core", "assets/pictures", "assets/icon.svg", ".streamlit"):
        source, copy = ROOT / name, tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
        else:
            shutil.copy(source, copy)
    told = blocks()
    assert len(told) == 5
    for place, code in told.items():
        path = tmp_path / place.partition(",")[0]
        if place.endswith(("in SYSTEMS", "in OPERATIONS")):
            table = place.rpartition(" ")[2]
            path.write_text(path.read_text().replace(f"\n{table} = (\n", f"\n{table} = (\n    {code.strip()},\n"))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code)
    (tmp_path / "gen_core/coin/__init__.py").write_text('"""The coin."""\n')
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"LATENT_HOME": str(tmp_path / "home")}

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    python("-m", "gen_core", "run", "coin.toss", "--set", "n=20", "--set", "bias=0.8", "--out", "out")
    assert json.loads((tmp_path / "out/result.json").read_text())["warnings"][0]["code"] == "few_tosses"
    assert '"coin.toss"' in python("-m", "gen_core", "show", "out/tosses.csv")
    (tmp_path / "page.py").write_text(PAGE)
    assert python("page.py", "app/instruments/coin.py").strip() == "True Heads"
