"""The state of an edition changes in one function: proved by reading all code of the package."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "campaign"
# The function that changes the state, and the functions that make an edition with its first one.
MOVES = ("campaign/services/digests/transitions.py", "move_edition")
MAKES = {
    ("campaign/services/digests/editions.py", "make_edition"),
    ("campaign/services/digests/editions.py", "_record_refused"),
}
FIRST_STATES = {"DRAFT", "SKIPPED"}

# Each is a way to write past the function, and one that the look below must see.
PAST_IT = {
    "by a name": "def pause(edition):\n    edition.state = EditionState.PAUSED",
    "by any name": "def pause(x):\n    x.state = EditionState.PAUSED",
    "several": "def pause(edition):\n    edition.state, edition.reason = EditionState.PAUSED, None",
    "unpacked": "def pause(edition, both):\n    [edition.state, *rest] = both",
    "a value from elsewhere": "def move(edition, state):\n    edition.state = state",
    "annotated": "def pause(edition):\n    edition.state: EditionState = EditionState.PAUSED",
    "what is fetched": "def pause(session):\n    session.get_one(Edition, 1).state = EditionState.PAUSED",
    "in a loop": "def pause(edition, states):\n    for edition.state in states:\n        pass",
    "with": "def pause(edition, manager):\n    with manager as edition.state:\n        pass",
    "setattr": "def pause(edition):\n    setattr(edition, 'state', EditionState.PAUSED)",
    "update": "def pause(session):\n    session.execute(update(Edition).values(state=EditionState.PAUSED))",
    "update, where": "def end(s):\n    s.execute(update(Edition).where(Edition.id == 1).values(state='sent'))",
    "update of the table": "def end(s):\n    s.execute(Edition.__table__.update().values({'state': 'sent'}))",
    "update, by column": "def end(s):\n    s.execute(update(Edition).values({Edition.state: 'sent'}))",
    "query": "def end(s):\n    s.query(Edition).update({'state': 'sent'})",
    "insert": "def make(s):\n    s.execute(insert(Edition).values(state=EditionState.SENDING))",
    "made in another state": "def make():\n    return Edition(state=EditionState.SENDING)",
    "made by a mapping": "def make(columns):\n    return Edition(**columns)",
    "SQL": "def end(s):\n    s.execute(text(\"UPDATE edition SET state = 'sent'\"))",
}
# What is about something else, or only reads.
HARMLESS = {
    "another table": "def move(delivery):\n    delivery.state = DeliveryState.QUEUED",
    "another table's update": "def move(s):\n    s.execute(update(Delivery).values(state=DeliveryState.QUEUED))",
    "another enum": "def close(petition):\n    petition.state = PetitionState.CLOSED",
    "reading": "def find(s):\n    return s.scalars(select(Edition).where(Edition.state == EditionState.SENT))",
    "another column": "def note(edition):\n    edition.reason = None",
}
_OTHERS = {"DeliveryState", "SignatureState", "SubscriptionState", "PetitionState"}


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement assigns to, with what is within a tuple, a list or behind a star."""
    found: list[ast.expr] = []
    match node:
        case ast.Assign():
            found = list(node.targets)
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.AsyncFor() | ast.comprehension() | ast.NamedExpr():
            found = [node.target]
        case ast.withitem(optional_vars=ast.expr() as target):
            found = [target]
    while found:
        target = found.pop()
        match target:
            case ast.Tuple() | ast.List():
                found += target.elts
            case ast.Starred():
                found.append(target.value)
            case _:
                yield target


def _names(node: ast.AST) -> set[str]:
    """The names and attributes that stand anywhere in it."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }


def _is_about_another_table(node: ast.AST, annotated: set[str]) -> bool:
    """Whether the value is a state of something else, or what it is assigned to is annotated as something else."""
    value = getattr(node, "value", None)
    return value is not None and bool((_names(value) | annotated) & _OTHERS)


def _writes(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Each place that may write the state of an edition, with the name of the function around it."""
    stack: list[tuple[str, ast.AST]] = [("", tree)]
    while stack:
        function, node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if _writes_state(node, function, tree):
            yield function, node
        stack += [(function, child) for child in ast.iter_child_nodes(node)]


def _writes_state(node: ast.AST, function: str, tree: ast.AST) -> bool:
    for target in _targets(node):
        if isinstance(target, ast.Attribute) and target.attr == "state":
            return not _is_about_another_table(node, _annotations(target, function, tree))
    if isinstance(node, ast.Call):
        return _call_writes(node)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_sql(node.value)


def _annotations(target: ast.Attribute, function: str, tree: ast.AST) -> set[str]:
    """Of ``x.state``: the state enum that belongs to the class which the function's parameter ``x`` is annotated as."""
    if not isinstance(target.value, ast.Name):
        return set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                if argument.arg == target.value.id and isinstance(argument.annotation, ast.Name):
                    return {f"{argument.annotation.id}State"}
    return set()


def _call_writes(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "setattr":
        return any(isinstance(argument, ast.Constant) and argument.value == "state" for argument in call.args)
    keywords = {keyword.arg for keyword in call.keywords}
    if name == "Edition":
        return "state" in keywords or None in keywords
    if name not in {"values", "update"} or "Edition" not in _names(call.func):
        return False
    keys = [key for argument in call.args if isinstance(argument, ast.Dict) for key in argument.keys]
    named = {key.value for key in keys if isinstance(key, ast.Constant)} | {
        key.attr for key in keys if isinstance(key, ast.Attribute)
    }
    return bool({"state", None} & (keywords | named))


def _is_sql(text: str) -> bool:
    words = text.lower().split()
    return words[:2] in (["update", "edition"], ["insert", "into"]) and "edition" in words and "state" in words


def _is_made_in_a_first_state(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Edition"):
        return False
    (state,) = (keyword.value for keyword in node.keywords if keyword.arg == "state")
    return {part.attr for part in ast.walk(state) if isinstance(part, ast.Attribute)} <= FIRST_STATES


@pytest.mark.parametrize("code", PAST_IT.values(), ids=PAST_IT)
def test_each_way_to_write_past_the_function_is_seen(code: str) -> None:
    assert list(_writes(ast.parse(code)))


@pytest.mark.parametrize("code", HARMLESS.values(), ids=HARMLESS)
def test_what_is_about_something_else_is_no_write(code: str) -> None:
    assert not list(_writes(ast.parse(code)))


def test_the_state_of_an_edition_changes_in_one_function() -> None:
    moves, makes, others = [], set(), []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for function, node in _writes(ast.parse(path.read_text(encoding="utf-8"))):
            if (name, function) == MOVES:
                moves.append(node)
            elif (name, function) in MAKES and _is_made_in_a_first_state(node):
                makes.add((name, function))
            else:
                others.append(f"{name}:{getattr(node, 'lineno', '?')} ({function})")
    assert others == []
    assert len(moves) == 1
    assert makes == MAKES
