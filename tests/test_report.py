"""Recipes side by side, the report and the zip of kept runs: complete, alone, and safe whatever a name says."""

from __future__ import annotations

import json
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gen_core import bundle, catalog, compare, report, runs
from gen_core.cells.recipe import Perturb
from gen_core.errors import InputError, OutputError
from gen_core.images.recipe import Mix
from gen_core.result import Notice, Result

HOSTILE = '</script><img src=x onerror="alert(1)">'
PICTURE = json.dumps({"data": [{"type": "scatter", "x": [1, 2], "y": [3, 4], "name": HOSTILE}], "layout": {"height": 300}})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))
    return tmp_path


def result(dose: float = 1.5, **metrics: float) -> Result:
    files = {"genes.csv": lambda path: path.write_text("gene\nISG15\n") and None}
    baselines = {"gene_shift": {"r2": 0.25}}
    return Result(Perturb(dose=dose), None, files, {"r2": 0.5} | metrics, baselines, (Notice("x", "Mind <this>."),))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.tags


def test_what_differs_is_found_and_nothing_else() -> None:
    rows = {row.name: row for row in compare.recipes([Perturb(dose=1.0), Perturb(dose=2.0, seed=3)])}
    assert {name for name, row in rows.items() if row.differs} == {"dose", "seed"}
    assert rows["dose"].values == (1.0, 2.0)
    mixed = {row.name: row for row in compare.recipes([Perturb(), Mix()])}
    assert mixed["operation"].values == ("cells.perturb", "images.mix")
    assert mixed["dose"].values[1] is None
    assert compare.flat({"a": {"b": {"c": [1]}, "d": None}}) == {"a.b.c": [1], "a.d": None}
    assert [row.name for row in compare.numbers([{"a": 1, "b": "x", "c": True}, {"a": 2.0, "d": 3}])] == ["A", "D"]


def test_a_report_tells_numbers_by_their_names_with_intervals_and_no_more_than_ten() -> None:
    spans = {"pearson_delta_all": 0.957, "pearson_delta_all_low": 0.952, "pearson_delta_all_high": 0.962}
    many = {f"n_{i}": i for i in range(12)}
    page = report.page([report.Entry(str(i), Perturb(seed=i), metrics=many | spans) for i in range(2)])
    assert page.count('<tr><td>Change, all genes (r)</td><td class="number">0.957 (0.952 to 0.962)</td>') == 3
    assert "pearson_delta" not in page
    assert page.count("The 10 that matter first, of 13: result.json has all.") == 3
    assert "N 8" in page
    assert "N 9" not in page


def test_a_report_stands_alone_and_names_every_recipe() -> None:
    others = {"none": {"r2": 0.1}}
    entries = [
        report.Entry(f"{HOSTILE} {dose}", Perturb(dose=dose), "1 May", PICTURE, {"r2": dose}, others, [HOSTILE], "f")
        for dose in (1.0, 2.0)
    ]
    page = report.page(entries)
    found = tags(page)
    assert not [name for name, attributes in found if name in ("img", "link", "iframe") or "src" in attributes]
    assert all(a["href"] is not None and a["href"].startswith("#") for name, a in found if name == "a")
    for entry in entries:
        assert entry.recipe is not None
        assert page.count(entry.recipe.sha256[:16]) == 1
    assert page.count("python -m gen_core run cells.perturb --recipe f/recipe.json") == 2
    assert "@media print" in page
    [figures] = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', page, re.DOTALL)
    assert json.loads(figures)["figure1"]["data"][0]["name"] == HOSTILE
    assert 'class="differs"' in page


def test_a_report_of_one_result_opens_the_app_in_its_state(tmp_path: Path) -> None:
    recipe = Perturb(dose=0.7, target="B")
    path = tmp_path / "report.html"
    path.write_text(report.page([report.Entry("One", recipe)]), encoding="utf-8")
    assert catalog.from_file(path) == recipe
    assert "<script>" not in path.read_text()  # without a figure nothing has to run


@pytest.mark.parametrize(
    ("layout", "style"),
    [
        ({"height": 400}, "height: 400px; max-width: 600px"),
        ({}, "height: 420px; max-width: 630px"),
        ({"height": 1e9, "meta": "x"}, "height: 2000px; max-width: 3000px"),
        ({"height": "1;x:url(//a)", "xaxis": 3}, "height: 420px; max-width: 630px"),
        ({"height": 300, "meta": {"tiles": [1]}}, "height: 300px"),
        (
            {"height": 300, "xaxis": {"domain": [0, 0.45]}, "xaxis2": {"domain": [0.55, 1]}, "xaxis3": {"domain": [0, 0.45]}},
            "height: 300px; max-width: 900px",
        ),
    ],
)
def test_a_figure_keeps_its_height_and_is_not_flat(layout: dict[str, object], style: str) -> None:
    page = report.page([report.Entry("One", Perturb(), picture=json.dumps({"data": [], "layout": layout}))])
    assert f'<div id="figure0" style="{style}"></div>' in page


@pytest.mark.parametrize("picture", [None, "", "[]", "{", '{"data": 3}', '{"data": [NaN]}', "[" * 5000])
def test_a_damaged_picture_is_left_out(picture: str | None) -> None:
    assert "No picture was kept" in report.page([report.Entry("One", Perturb(), picture=picture)])


def test_runs_leave_as_one_zip_with_a_report(tmp_path: Path) -> None:
    first, second = runs.keep(result(1.0), PICTURE, "../É x/y"), runs.keep(result(2.0, extra=float("nan")), None)
    (runs.path_of(second) / "recipe.json").write_text("{")
    known = {run.id: run for run in runs.listed()}
    path = tmp_path / "out.zip"
    path.write_bytes(bundle.packed([(known[first], known[first].name), (known[second], "")]))
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        page = archive.read("report.html").decode()
        assert archive.read("1-e-x-y/genes.csv") == b"gene\nISG15\n"
    files = ("genes.csv", "recipe.json", "result.json")
    assert set(names) == {"report.html", *(f"{folder}/{name}" for folder in ("1-e-x-y", "2-run") for name in files)}
    assert "Mind &lt;this&gt;." in page
    assert "This run cannot be opened here." in page
    assert "gene shift" in page
    assert catalog.from_document(json.loads(zipfile.ZipFile(path).read("1-e-x-y/recipe.json"))) == result(1.0).recipe


def test_kept_runs_may_fill_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    runs.keep(result(1.0))
    size = runs.used()
    monkeypatch.setenv("LATENT_RUNS_GIB", str(1.5 * size / 1024**3))
    with pytest.raises(OutputError, match="delete some under Runs"):
        runs.keep(result(2.0))
    assert len(runs.listed()) == 1
    assert runs.used() == size
    monkeypatch.setenv("LATENT_RUNS_GIB", "much")
    with pytest.raises(InputError, match="no number of GiB"):
        runs.keep(result(2.0))


def test_the_table_of_the_readme_is_that_of_the_cards() -> None:
    from gen_core import cards

    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert readme.split("<!-- cards -->\n")[1].split("<!-- /cards -->")[0] == cards.table()
    line = next(line for line in cards.table().splitlines() if line.startswith("| cells-simulated | correlation"))
    assert "**" in line.split("|")[4]  # a plain average is better there, and the table says so
