"""Doors translate: they ask no database and record nothing; that is done by the services that they call."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign.models import AuditAction, AuditDetails
from campaign.web.core.labels import ACTIONS, DETAILS

PACKAGE = Path(__file__).parents[2] / "campaign"
# What a door may take from SQLAlchemy: types for its signatures, and the errors that it translates.
MAY_BE_IMPORTED = {"sqlalchemy": {"Connection", "Engine"}, "sqlalchemy.orm": {"Session"}, "sqlalchemy.exc": None}
# Methods of a session, whatever it is called; ``add``, ``get`` and the like have other owners too.
ASKS = {"execute", "get_one", "query", "scalar", "scalars", "add_all", "merge", "refresh", "expunge"}
ASKS_AS_SESSION = {"add", "delete", "flush", "get"}
SESSIONS = {"session", "reading", "writing", "snapshot"}
# Those who open onto the services, and so might do a service's work themselves.
DOORS = ("web", "cli", "run", "installation", "doctor", "worker.py", "jobs.py", "__main__.py")


def modules(*rooms: str) -> list[Path]:
    found = [
        path
        for room in rooms
        for path in ([PACKAGE / room] if room.endswith(".py") else (PACKAGE / room).rglob("*.py"))
    ]
    assert found
    return found


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Each module that is imported from, with the name that is; of a plain import the name is empty."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)


def find_queries(source: str) -> list[str]:
    """What a module asks the database by itself."""
    tree = ast.parse(source)
    found = [
        f"import of {module}.{name}"
        for module, name in imported(tree)
        if module.partition(".")[0] == "sqlalchemy"
        and not (
            module in MAY_BE_IMPORTED and (MAY_BE_IMPORTED[module] is None or name in (MAY_BE_IMPORTED[module] or ()))
        )
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Session":
            found.append(f"line {node.lineno}: a session of its own")
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner, name = node.func.value, node.func.attr
        model = bool(node.args) and isinstance(node.args[0], ast.Name) and node.args[0].id[:1].isupper()
        as_session = isinstance(owner, ast.Name) and owner.id in SESSIONS and name in ASKS_AS_SESSION
        # Flask's session is asked for by words, ours for classes.
        if name in ASKS or (as_session and (name != "get" or model)):
            found.append(f"line {node.lineno}: {ast.unparse(node.func)}")
    return found


@pytest.mark.parametrize("path", modules("web", "cli"), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_door_asks_the_database_itself(path: Path) -> None:
    assert find_queries(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy import select",
        "import sqlalchemy",
        "from sqlalchemy.orm import Session, joinedload",
        "def show(session): return session.get(Petition, 1)",
        "def show(session): return session.get_one(Petition, 1)",
        "def show(reading): return reading.scalars(question)",
        "def show(session): session.add(Petition())",
        "def show(anything): anything.execute(question)",
        "def show(source): return Session(source)",
    ],
)
def test_what_asks_is_found(source: str) -> None:
    assert len(find_queries(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from sqlalchemy.orm import Session",
        "from sqlalchemy.exc import OperationalError",
        "def show(session): return session.get('half_way', [])",
        "def show(found): found.add(1); found.get('key')",
        "def show(): return get_petition(session, 'slug')",
    ],
)
def test_what_only_hands_over_is_let_through(source: str) -> None:
    assert find_queries(source) == []


def test_who_does_a_thing_records_it() -> None:
    """Outside the services nobody writes the audit trail, under whichever name, nor makes an entry."""
    writers = {"record", "record_line", "record_change", "AuditEntry"}
    found = {
        str(path.relative_to(PACKAGE))
        for path in modules(*DOORS)
        if writers & {name for _, name in imported(ast.parse(path.read_text(encoding="utf-8")))}
    }
    assert found == set()


def test_no_rule_reads_the_audit_trail() -> None:
    """The trail itself is written and listed in one module, and erased by its age in another; the schema names it."""
    known = {"services/audit_log.py", "services/privacy/retention_rules.py", "services/operations/schema.py"}
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "AuditEntry" in {name for _, name in imported(ast.parse(path.read_text(encoding="utf-8")))}
    }
    assert users - {"models/__init__.py"} == known


def test_every_action_and_every_detail_has_words() -> None:
    assert set(ACTIONS) == set(AuditAction)
    assert set(DETAILS) == set(AuditDetails.__annotations__)
    assert all(ACTIONS.values())
    assert all(DETAILS.values())


def test_every_action_is_recorded_somewhere() -> None:
    used = {
        node.attr
        for path in modules("services", "jobs.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "AuditAction"
    }
    assert used == set(AuditAction.__members__)
