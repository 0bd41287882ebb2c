"""docs/architecture.svg and architecture.md show the rooms and layers of the import contracts."""

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import groupby, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]
DRAWING = ROOT / "docs" / "architecture.svg"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
# A layer: its rooms, and whether they may import each other.
Layers = list[tuple[set[str], bool]]
LAYERS: dict[str, Layers] = {
    contract["containers"][0]: [(set(re.findall(r"\w+", layer)), ":" in layer) for layer in contract["layers"]]
    for contract in CONTRACTS
    if contract["type"] == "layers"
}


def _box(room: ET.Element) -> dict[str, float]:
    rect = room.find(f"{SVG}rect")
    assert rect is not None
    return {side: float(rect.attrib[side]) for side in ("x", "y", "width", "height")}


def _drawn(container: str) -> Layers:
    """The layers of a room as the eye sees them: rooms at one height stand in one layer, open where they touch."""
    groups = {group.attrib["id"]: group for group in ET.parse(DRAWING).iter(f"{SVG}g")}
    rooms = [(room.attrib["id"], _box(room)) for room in groups[container].findall(f"{SVG}g")]
    layers = []
    for _, standing in groupby(
        sorted(rooms, key=lambda room: (room[1]["y"], room[1]["x"])), key=lambda room: room[1]["y"]
    ):
        row = list(standing)
        gaps = [right["x"] - left["x"] - left["width"] for (_, left), (_, right) in pairwise(row)]
        layers.append(({name.removeprefix(f"{container}.") for name, _ in row}, bool(gaps) and max(gaps) < 1))
    return layers


def _written(container: str) -> Layers:
    """The layers of a room as its table on the page has them."""
    _, _, below = PAGE.partition(f"**`{container}`.**")
    section = below.partition("**`")[0]
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| .{10,} \|$", section, re.MULTILINE)
    open_layers = set(re.findall(r"^The rooms of layer (\d+) may import each other\.$", section, re.MULTILINE))
    assert [int(number) for number, _ in rows] == sorted(int(number) for number, _ in rows)
    return [
        ({room for _, room in standing}, number in open_layers)
        for number, standing in groupby(rows, key=lambda row: row[0])
    ]


@pytest.mark.parametrize("container", LAYERS)
def test_the_drawing_has_the_rooms_and_layers_of_the_contract(container: str) -> None:
    assert _drawn(container) == LAYERS[container]


@pytest.mark.parametrize("container", LAYERS)
def test_the_page_has_the_rooms_and_layers_of_the_contract(container: str) -> None:
    assert _written(container) == LAYERS[container]


def test_every_contract_stands_on_the_page() -> None:
    assert [contract["name"] for contract in CONTRACTS if f"{contract['name']}." not in PAGE] == []


def test_each_room_is_written_in_its_box() -> None:
    for room in ET.parse(DRAWING).iter(f"{SVG}g"):
        box, word = _box(room), room.find(f"{SVG}text")
        assert word is not None
        assert word.text == room.attrib["id"].rpartition(".")[2]
        x, y = float(word.attrib["x"]), float(word.attrib["y"])
        # A letter is about 7 pixels wide at this size.
        assert box["x"] + len(word.text) * 3.5 < x < box["x"] + box["width"] - len(word.text) * 3.5
        assert box["y"] < y < box["y"] + box["height"]


def test_the_drawing_speaks_to_those_who_do_not_see_it_and_loads_nothing() -> None:
    root = ET.parse(DRAWING).getroot()
    assert root.attrib["role"] == "img"
    named = [root.find(f"{SVG}*[@id='{name}']") for name in root.attrib["aria-labelledby"].split()]
    assert [(element.text or "") != "" for element in named if element is not None] == [True, True]
    told = named[1].text if named[1] is not None else None
    for layers in LAYERS.values():
        assert [room for rooms, _ in layers for room in rooms if room not in (told or "")] == []
    assert "prefers-color-scheme: dark" in DRAWING.read_text(encoding="utf-8")
    assert "href" not in DRAWING.read_text(encoding="utf-8")


def test_drawing_and_tables_are_what_the_tool_makes(tmp_path: Path) -> None:
    """If this fails, run tools/draw-architecture: a contract or the docstring of a room has changed."""
    shutil.copy(ROOT / "docs" / "architecture.md", tmp_path)
    subprocess.run([sys.executable, ROOT / "tools" / "draw-architecture", tmp_path], check=True)
    assert (tmp_path / "architecture.svg").read_text(encoding="utf-8") == DRAWING.read_text(encoding="utf-8")
    assert (tmp_path / "architecture.md").read_text(encoding="utf-8") == PAGE
