"""Settings and documentation: whoever reads README.md knows every setting, and no setting that does not exist."""

import re
from pathlib import Path

import pytest

from campaign.settings import Settings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
VARIABLES = {f"CAMPAIGN_{name.upper()}": field for name, field in Settings.model_fields.items()}
_NAME = re.compile(r"\bCAMPAIGN_[A-Z][A-Z0-9_]*")


def _rows() -> dict[str, list[str]]:
    """The settings table: variable → the cells after it."""
    table = re.search(r"<!-- settings -->\n(.*?)<!-- /settings -->", README.read_text(encoding="utf-8"), re.DOTALL)
    assert table, "README.md has no settings table"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].strip().splitlines()]
    return {row[0].strip("`"): row[1:] for row in cells[2:]}


def test_the_table_in_the_readme_has_a_row_for_each_setting_and_no_other() -> None:
    assert sorted(_rows()) == sorted(VARIABLES)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_row_says_what_the_setting_is_for_in_the_words_of_the_code(variable: str) -> None:
    described = VARIABLES[variable].description
    assert described
    assert described == _rows()[variable][-1]


def test_a_default_is_written_as_a_person_would_set_it() -> None:
    assert [row for row in _rows().values() if "Undefined" in row[0] or "None" in row[0]] == []


@pytest.mark.parametrize(
    "page", [README, *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_page_names_only_settings_that_exist(page: Path) -> None:
    named = set(_NAME.findall(page.read_text(encoding="utf-8")))
    assert named <= set(VARIABLES)
