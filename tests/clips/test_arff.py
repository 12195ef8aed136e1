"""ARFF: dense, sparse, quoted, with one label or several."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.clips.arff import load_arff
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import DataError


def arff(folder: Path, attributes: str, data: str, name: str = "t.arff") -> Path:
    path = folder / name
    head = "\n".join(f"@attribute {line}" for line in attributes.strip().splitlines())
    path.write_text(f"% a comment\n@relation t\n\n{head}\n\n@data\n{data}", encoding="utf-8")
    return path


def test_dense_with_one_nominal_label(tmp_path: Path) -> None:
    clips = read_clips(arff(tmp_path, "x numeric\ny REAL\nclass {a,b}", "1,2.5,a\n% between\n3,?,b\n"))
    assert clips.features == ("x", "y")
    assert clips.table["labels"].tolist() == [("a",), ("b",)]
    np.testing.assert_array_equal(clips.table["y"], [2.5, np.nan])
    assert any("label column: class (guessed" in note for note in clips.notes)


def test_sparse_rows_fill_up_with_zero_or_the_first_value(tmp_path: Path) -> None:
    clips = read_clips(
        arff(tmp_path, "x numeric\ny numeric\nkind {p,q}\nclass {a,b}", "{1 2.5, 3 b}\n{0 1,2 q}\n{}\n")
    )
    assert clips.table["x"].tolist() == [0.0, 1.0, 0.0]
    assert clips.table["y"].tolist() == [2.5, 0.0, 0.0]
    assert clips.table["kind"].tolist() == ["p", "q", "p"]
    assert clips.table["labels"].tolist() == [("b",), ("a",), ("a",)]


def test_quotes_and_escapes(tmp_path: Path) -> None:
    attributes = "'the x' numeric\n\"y, too\" numeric\nclass {'it\\'s','a, b',\"c d\"}"
    clips = read_clips(arff(tmp_path, attributes, "1,2,'it\\'s'\n3,4,'a, b'\n5,6,\"c d\"\n"))
    assert clips.features == ("the x", "y, too")
    assert clips.table["labels"].tolist() == [("it's",), ("a, b",), ("c d",)]


@pytest.mark.parametrize("end", ["", ".wav"])
@pytest.mark.parametrize("nominal", [True, False])
@pytest.mark.parametrize("name", ["filename", "'File Name'", "what"])
@pytest.mark.parametrize("first", ["x0", "genre"])
def test_names_tell_the_same_groups_as_in_a_csv(
    tmp_path: Path, end: str, nominal: bool, name: str, first: str
) -> None:
    rng = np.random.default_rng(0)
    rows = [
        {"genre": genre, name: f"{genre}.{track:05d}.{piece}{end}"}
        | {f"x{i}": f"{x:.3f}" for i, x in enumerate(rng.normal(size=6))}
        for genre in ("blues", "rock")
        for track in range(4)
        for piece in range(4)
    ]
    columns = sorted(rows[0], key=lambda column: (column != first, column))
    lines = [",".join(row[column] for column in columns) for row in rows]
    kinds = {
        name: "{" + ",".join(row[name] for row in rows) + "}" if nominal else "string",
        "genre": "{blues,rock}",
    }
    head = "\n".join(f"{column} {kinds.get(column, 'numeric')}" for column in columns)
    as_arff = read_clips(arff(tmp_path, head, "\n".join(lines)))
    header = ",".join(columns).replace("'", "")
    (tmp_path / "t.csv").write_text("\n".join([header, *lines]))
    as_csv = read_clips(tmp_path / "t.csv")
    assert as_arff.table["group"].nunique() == 8
    assert as_arff.table["group"].tolist() == as_csv.table["group"].tolist()
    assert as_arff.features == as_csv.features and as_arff.classes == ("blues", "rock")
    assert sorted(as_arff.notes) == sorted(as_csv.notes)


def test_a_value_for_each_of_few_rows_is_a_category_still(tmp_path: Path) -> None:
    clips = read_clips(arff(tmp_path, "key {C,D,E}\nx numeric\nclass {a,b}", "C,1,a\nD,2,b\nE,3,a\n"))
    assert clips.features == ("key", "x")


def test_mulan_names_the_labels(tmp_path: Path) -> None:
    (tmp_path / "birds.xml").write_text(
        '<?xml version="1.0"?><labels xmlns="http://mulan.sourceforge.net/labels">'
        '<label name="wren"></label><label name="robin"></label></labels>'
    )
    path = arff(
        tmp_path,
        "wren {0,1}\nx numeric\nrobin {0,1}\nhasloc {0,1}",
        "1,2,0,1\n0,3,0,0\n1,4,1,0\n",
        "birds-train.arff",
    )
    clips = read_clips(path)
    assert clips.multilabel
    assert clips.table["labels"].tolist() == [("wren",), (), ("wren", "robin")]
    assert clips.features == ("x", "hasloc")
    assert clips.table["hasloc"].tolist() == [1.0, 0.0, 0.0]


def test_mulan_labels_that_are_not_there_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "t.xml").write_text(
        '<labels><label name="wren"/><label name="owl"/><label name="crow"/></labels>'
    )
    with pytest.raises(DataError, match=r"names 2 labels that .* does not have:\n  owl\n  crow"):
        read_clips(arff(tmp_path, "x numeric\nwren {0,1}", "1,0\n"))


def test_trailing_zeros_and_ones_are_labels(tmp_path: Path) -> None:
    clips = read_clips(arff(tmp_path, "x numeric\nhappy {0,1}\nsad {0,1}", "1,1,0\n2,1,1\n3,0,0\n"))
    assert clips.table["labels"].tolist() == [("happy",), ("happy", "sad"), ()]
    assert any("the last 2 columns" in note for note in clips.notes)


def test_labels_can_be_named(tmp_path: Path) -> None:
    path = arff(tmp_path, "x numeric\nhappy {0,1}\nsad {0,1}\nloud {0,1}", "1,1,0,1\n2,0,1,0\n")
    clips = read_clips(path, ReadOptions(label="happy,sad"))
    assert clips.classes == ("happy", "sad")
    assert clips.features == ("x", "loud")


def test_missing_label_cells_are_all_listed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 cells of label columns are neither 0 nor 1") as error:
        read_clips(arff(tmp_path, "x numeric\nhappy {0,1}\nsad {0,1}", "1,?,0\n2,1,?\n"))
    assert "line 9, 'happy': ?" in str(error.value)
    assert "line 10, 'sad': ?" in str(error.value)


def test_bad_lines_and_bad_cells_are_all_listed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 lines are no rows"):
        read_clips(arff(tmp_path, "x numeric\nclass {a,b}", "1,a\n1\n1,a,b\n"))
    with pytest.raises(DataError, match="2 cells are not of the attribute's type") as error:
        read_clips(arff(tmp_path, "x numeric\nclass {a,b}", "oops,a\n1,c\n"))
    assert "'oops' is no number" in str(error.value)
    assert "'c' is none of its values" in str(error.value)


def test_a_file_that_is_no_arff(tmp_path: Path) -> None:
    (tmp_path / "t.arff").write_text("x,label\n1,a\n")
    with pytest.raises(DataError, match="no ARFF table"):
        read_clips(tmp_path / "t.arff")


def quoted(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


names = (
    st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=8)
    .map(str.strip)
    .filter(bool)
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(names, min_size=2, max_size=5, unique=True),
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=6),
    st.data(),
)
def test_quoted_names_and_values_round_trip(
    values: list[str], numbers: list[float], data: st.DataObject
) -> None:
    column = data.draw(names.filter(lambda name: name != "kind"))
    cells = data.draw(st.lists(st.sampled_from(values), min_size=len(numbers), max_size=len(numbers)))
    rows = "".join(f"{number!r},{quoted(cell)}\n" for number, cell in zip(numbers, cells, strict=True))
    kinds = ",".join(map(quoted, values))
    with TemporaryDirectory() as folder:
        table, attributes, _ = load_arff(
            arff(Path(folder), f"{quoted(column)} numeric\nkind {{{kinds}}}", rows)
        )
    assert attributes[1].nominal == tuple(values)
    assert table[column].tolist() == numbers
    assert table["kind"].tolist() == cells


def test_rows_before_the_data_are_listed(tmp_path: Path) -> None:
    text = "@relation r\n@attribute x numeric\n@attribute c {a,b}\n1,a\n@data\n2,b\n3,a\n"
    (tmp_path / "t.arff").write_text(text)
    with pytest.raises(DataError, match=r"line 4: it comes before @data: 1,a"):
        read_clips(tmp_path / "t.arff")
