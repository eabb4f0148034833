"""What a click and a lasso on a map say, as figure.js reports them."""

from __future__ import annotations

from app.parts import map

POINT = {"curve_number": 0, "point_index": 7, "x": 1.0, "y": 2.0}
LASSO = {"points": [POINT], "region": [[0, 0], [3, 0], [3, 4.5]]}


def test_a_click_on_a_point_and_one_beside_it() -> None:
    on, off = {"x": 1.1, "y": 2.1, "points": [POINT]}, {"x": 5, "y": 6, "points": []}
    assert map.clicked(on) == (1.1, 2.1)
    assert map.snapped(on) == (1.0, 2.0)
    assert map.clicked_point(on) == (0, 7)
    assert map.snapped(off) == map.clicked(off) == (5.0, 6.0)
    assert map.region(on) is map.region(off) is None


def test_a_lasso_has_an_outline_even_around_nothing() -> None:
    assert map.region(LASSO) == [(0.0, 0.0), (3.0, 0.0), (3.0, 4.5)]
    assert map.lassoed(LASSO) == [(0, 7)]
    assert map.clicked(LASSO) is map.snapped(LASSO) is None
    assert map.region(LASSO | {"points": []}) == map.region(LASSO)
    for nothing in (None, {"points": []}, {"points": [], "region": []}, {"points": [POINT], "region": [[0, 0], [1, 1]]}):
        assert map.region(nothing) is None
        assert map.snapped(nothing) is None
