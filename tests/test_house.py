"""The rules of the house that no type checker sees."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import threadpoolctl

from gen_core import catalog

ROOT = Path(__file__).parents[1]
TOP = {
    *("app", "gen_core", "assets", "tests", ".streamlit", ".ci", ".git", ".gitignore"),
    *("requirements.txt", "pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "CITATION.cff"),
}
HEAVY = {"torch", "umap", "numba", "scanpy", "anndata", "sklearn", "scipy", "matplotlib", "pandas", "h5py", "dask"}
TEXT = {".py", ".js", ".toml", ".md", ".txt", ".cff", ".json", ".svg", ""}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a file with the dotted name of what is called (`np.load`, `path.open`)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_the_first_page_loads_no_heavy_library() -> None:
    code = (
        "import sys, json, logging; logging.disable(); import gen_core, gen_core.catalog, app.home; "
        "print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"gen_core", "app", "streamlit"} <= loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("start", ["runpy.run_path('app/main.py')", "import gen_core.__main__"])
def test_linear_algebra_has_one_thread_where_nothing_else_is_asked_for(start: str) -> None:
    code = (
        "import runpy, sys, logging; logging.disable(); 'numpy' in sys.modules and sys.exit('too late'); "
        f"{start}; import numpy, scipy.linalg, threadpoolctl; "
        "print({lib['num_threads'] for lib in threadpoolctl.threadpool_info() if lib['user_api'] == 'blas'})"
    )
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    for asked, told in (({}, "{1}"), ({"LATENT_THREADS": "2"}, "{2}")):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=inherited | asked, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == told


def test_a_notebook_that_runs_a_recipe_gets_its_threads_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def blas() -> set[int]:
        return {lib["num_threads"] for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "blas"}

    recipe = catalog.recipe_class("poisson.solve").read({})
    monkeypatch.setattr(catalog, "load", lambda reference: lambda recipe, progress: blas())
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        for asked, told in ((None, {1}), ("2", {2})):
            if asked is not None:
                monkeypatch.setenv("LATENT_THREADS", asked)
            assert catalog.run(recipe) == told  # type: ignore[comparison-overlap]
            assert blas() == {2}


def test_nothing_is_unpickled_and_no_page_takes_markup_or_scripts_from_data() -> None:
    modules = re.compile(r"^\s*(?:import|from)\s+(pickle|cPickle|dill|joblib|shelve|marshal)\b", re.MULTILINE)
    words = re.compile(
        r"allow_pickle\s*=\s*True|torch\.load\(|unsafe_allow_html|unsafe_allow_javascript|innerHTML|\beval\(|\bexec\("
    )
    for path in [*sources("app", "gen_core"), *(ROOT / "app" / "parts").glob("*.js")]:
        text = path.read_text()
        assert not modules.search(text), name(path)
        assert not words.search(text), name(path)


def test_static_style_is_the_only_html() -> None:
    found = {name(path) for path in sources("app") for called, _ in calls(path) if called in ("st.html", "st.iframe")}
    assert found == {"app/parts/theme.py"}


# Readers of whole formats, and the plain ones. What is not a user's is read where it is: weights, the store's own notes,
# data inside an installed package, a file the app has just written.
READERS = re.compile(
    r"(^|\.)(open|read_bytes|read_text|read_h5ad|read_10x_h5|read_mtx|read_csv|read_table|read_excel|read_parquet|imread|dcmread"
    r"|File|ZipFile|TarFile|memmap|fromfile|loadtxt|genfromtxt)$|^(np|numpy|nib|nibabel|json|tomllib)\.load$"
)
OWN = {
    *("gen_core/store.py", "gen_core/checkpoint.py", "gen_core/device.py", "gen_core/result.py", "gen_core/__main__.py"),
    *("gen_core/runs.py", "gen_core/quotas.py", "gen_core/jobs/__init__.py", "gen_core/jobs/files.py", "gen_core/jobs/work.py"),
    *("gen_core/batch/folder.py", "gen_core/proteins/shards.py"),
    *(
        "app/vendor.py",
        "app/serve.py",
        "app/parts/export.py",
        "app/parts/open_file.py",
        "app/parts/figure.py",
        "app/parts/molecule.py",
        "app/parts/player.py",
        "app/parts/canvas.py",
        "app/parts/slider.py",
    ),
}


def test_only_inputs_and_stamp_open_a_users_bytes() -> None:
    found = {
        f"{name(path)}:{call.lineno} {called}"
        for path in sources("app", "gen_core")
        if not name(path).startswith(("gen_core/inputs/", "gen_core/stamp/")) and name(path) not in OWN
        for called, call in calls(path)
        if READERS.search(called)
        and not {"w", "wb", "x", "xb"} & {arg.value for arg in call.args if isinstance(arg, ast.Constant)}
    }
    assert not found


def test_state_and_caches_have_one_file_each() -> None:
    for path in sources("app"):
        text = path.read_text()
        if name(path) != "app/parts/session.py":
            assert not re.search(r"st\.(session_state|query_params)\b", text), name(path)
        if name(path) != "app/parts/cache.py":
            assert not re.search(r"st\.cache_", text), name(path)


def test_the_entry_is_short() -> None:
    assert len((ROOT / "app" / "main.py").read_text().splitlines()) < 60


def test_the_top_level_holds_what_the_design_names() -> None:
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line]
    found = {path.name for path in ROOT.iterdir() if not any(fnmatch(path.name, pattern) for pattern in ignored)}
    assert found <= TOP


def test_nothing_names_a_registry_or_a_machine() -> None:
    dots = (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("jsdelivr", "net"), ("unpkg", "com"), ("conda", "io"))
    words = [".".join(parts) for parts in dots] + ["/" + folder + "/" for folder in ("root", "work", "home")]
    for path in ROOT.rglob("*"):
        inside = path.relative_to(ROOT).parts
        if path.is_file() and inside[0] in TOP - {".git"} and "vendor" not in inside and path.suffix in TEXT:
            text = path.read_text(errors="replace")
            assert not [word for word in words if word in text], name(path)


def test_settings_are_safe_and_complete() -> None:
    import tomllib

    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["server"]["enableCORS"] is settings["server"]["enableXsrfProtection"] is True
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["client"]["showErrorDetails"] == "none"
    assert set(settings["theme"]) == {"light", "dark"}  # a key beside them would switch the reader's dark setting off
    assert settings["theme"]["light"].keys() == settings["theme"]["dark"].keys()


def test_figures_and_pages_have_the_same_colours() -> None:
    import tomllib

    from gen_core import palette

    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    for dark, settings in ((False, theme["light"]), (True, theme["dark"])):
        assert settings["backgroundColor"] == palette.role("paper", dark)
        assert settings["textColor"] == palette.role("text", dark)
        assert settings["blueColor"] == palette.role("observed", dark)
        assert settings["orangeColor"] == palette.role("predicted", dark)
        assert settings["redColor"] == palette.role("warning", dark)


@pytest.mark.skipif(not (ROOT / "app/static/vendor/3Dmol-min.js").is_file(), reason="3Dmol.js was not fetched at set-up")
def test_3dmol_is_the_file_it_should_be() -> None:
    import hashlib

    from app import vendor

    assert hashlib.sha256(vendor.THREED.read_bytes()).hexdigest() == vendor.SHA256
    assert f"py3Dmol=={vendor.VERSION}" in (ROOT / "requirements.txt").read_text()
    assert "Copyright" in (vendor.VENDOR / "3Dmol-LICENSE.txt").read_text()


def test_plotly_js_is_that_of_the_installed_package() -> None:
    import plotly

    from app import vendor

    address = vendor.plotly_js()
    assert address
    assert (ROOT / address).read_bytes() == (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_bytes()


def test_the_readme_tells_the_numbers_of_the_cards() -> None:
    images, proteins = (
        json.loads((ROOT / "assets" / "models" / name / "card.json").read_text())
        for name in ("images-micrographs", "proteins-chorismate-mutase")
    )
    made, drawn = images["metrics"], proteins["metrics"]
    told = {
        "reconstruction, structure refined in 10 steps (dB)": [made["psnr"]],
        "the same, encoder alone (dB)": [made["psnr_encoder"]],
        **{f"mixes, {group} style: S": [made[f"swap_score.{group}"]] for group in ("coarse", "middle", "fine")},
    }
    names = ("pair_correlation_pearson", "pair_correlation_slope", "identity_nearest_median", "kept_fraction")
    rows = {"its prior": drawn, "around the naturals": {name: drawn[f"naturals_{name}"] for name in names}}
    titles = {"normal_prior": "a normal prior instead of the fitted one", "couplings": "couplings alone (Potts)"}
    titles |= {"independent_sites": "independent sites", "natural_holdout": "held-out naturals (125)"}
    rows |= {title: proteins["baselines"][name] for name, title in titles.items()}
    told |= {title: [row[name] for name in names] for title, row in rows.items()}
    deep, coded = (
        json.loads((ROOT / "assets" / "models" / f"tomography-{kind}-128" / "card.json").read_text())
        for kind in ("diffusion", "vae")
    )
    ranges = lambda row: [row[f"psnr_{covered}"] for covered in (120, 90, 60)]  # noqa: E731
    told |= {
        "diffusion posterior": ranges(deep["metrics"]),
        "latent MAP: the autoencoder's code that explains the data": ranges(coded["metrics"]),
        "total variation, the same slices": ranges(deep["baselines"]["tv"]),
        "the Gaussian prior beneath it": ranges(deep["baselines"]["gaussian"]),
    }
    lines = [line.strip("| ").split(" | ") for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| ")]
    table = {line[0]: line[1:] for line in lines}
    for title, values in told.items():
        for said, value in zip(table[title], values, strict=False):
            said = said.partition(" (")[0]
            digits = len(said.partition(".")[2]) if "%" not in said else 2
            number = float(said.replace("−", "-").removesuffix(" %")) / (100 if "%" in said else 1)
            assert abs(number - value) <= 0.5001 * 10**-digits, (title, said, value)
