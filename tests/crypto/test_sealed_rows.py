"""Row identities: the texts are for ever, and no other module writes one."""

import ast
from pathlib import Path

import campaign
from campaign.crypto.sealed_rows import address_row, app_row, link_request_row, person_row


def test_the_texts_are_those_with_which_older_versions_sealed() -> None:
    assert person_row(17) == "signature:17"
    assert address_row(17) == "address:17"
    assert link_request_row(3, b"\x00\xff") == "link:3:00ff"
    assert app_row(17) == "organizer:17"


def test_no_other_module_writes_a_row_identity() -> None:
    """A formatted text after ``row=`` would be a second place for it."""
    written = [
        f"{path.name}:{keyword.value.lineno}"
        for path in Path(campaign.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "row" and isinstance(keyword.value, (ast.JoinedStr, ast.BinOp))
    ]
    assert written == []
