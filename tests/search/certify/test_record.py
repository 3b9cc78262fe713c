"""What is proven holds for higher accuracies, too."""

import json

from spiral.search.certify import record


def test_a_bound_holds_for_higher_accuracies_and_not_for_lower_ones(tmp_path):
    path = tmp_path / "bounds.json"
    found = record.read()
    bounds = [{"threshold": str(t), "weights": w} for t, w in [(0.95, 10), (0.99, 9)]]
    path.write_text(json.dumps(found | {"bounds": bounds}))
    levels = (0.94, 0.95, 0.97, 0.99, 1.0)
    assert [record.at_least(level, path) for level in levels] == [None, 10, 10, 10, 10]
    assert record.at_least(0.95) == record.bounds()[0.95]
