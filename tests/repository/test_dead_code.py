"""Nothing stands in the program that the program does not use; what tests alone call is dead too."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Tests call these on purpose.
FOR_TESTS = {
    "migrate_down",  # an operator may need the way back, and each migration is tested in both directions
    "check_models",  # the test that models and migrations say the same
}
_WTFORMS = "validate_"  # WTForms calls the methods with this beginning
_WORD = re.compile(r"[A-Za-z_]\w*")


def _trees() -> dict[Path, ast.Module]:
    files = [ROOT / "app.py", *(ROOT / "campaign").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")]
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}


def _mentions(tree: ast.Module) -> Iterator[str]:
    """Every name that the code uses, and every text that is one name (``cast("Row", …)``, ``getattr``)."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                yield name
            case ast.alias(name=name):
                yield name
            case ast.Constant(value=str(text)) if len(text) < 200:
                yield from _WORD.findall(text)
            case _:
                pass


def _definitions(body: list[ast.stmt]) -> Iterator[str]:
    """What a module defines, and the classes in it that stand on no other class.

    A decorator registers a function (a view, a command, a validator), and a class on another one has methods that the
    other one calls: about those nothing can be said here.
    """
    for node in body:
        match node:
            case ast.FunctionDef() | ast.ClassDef() if all(map(_says_nothing, node.decorator_list)):
                yield node.name
                if isinstance(node, ast.ClassDef) and not node.bases:
                    yield from _definitions(node.body)
            case ast.Assign(targets=targets):
                yield from (name.id for name in targets if isinstance(name, ast.Name))
                yield from (
                    part.id for name in targets if isinstance(name, ast.Tuple) for part in name.elts
                    if isinstance(part, ast.Name)
                )  # fmt: skip
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case _:
                pass


def _says_nothing(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).partition("(")[0] in {
        "property", "staticmethod", "classmethod", "dataclass", "cache", "lru_cache", "contextmanager",
    }  # fmt: skip


def test_every_definition_is_used_by_the_program() -> None:
    trees = _trees()
    mentioned = Counter(name for tree in trees.values() for name in _mentions(tree))
    for path in (path for path in (ROOT / "templates").rglob("*") if path.is_file()):
        mentioned.update(_WORD.findall(path.read_text(encoding="utf-8")))
    mentioned.update(_WORD.findall((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    dead = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in trees.items()
        if path.is_relative_to(ROOT / "campaign")
        for name in _definitions(tree.body)
        if not mentioned[name] and not name.startswith(("__", _WTFORMS)) and name not in FOR_TESTS
    }
    assert dead == set()


def _texts(folder: str, *endings: str) -> str:
    paths = (path for path in (ROOT / folder).rglob("*") if path.suffix in endings and "vendor" not in path.parts)
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def test_every_class_and_id_in_the_style_sheets_is_used_on_a_page() -> None:
    used = set(re.findall(r"[\w-]+", _texts("templates", ".html") + _texts("campaign", ".py", ".js")))
    dead = set()
    for path in (ROOT / "campaign" / "web" / "static").glob("*.css"):
        style = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        selectors = re.sub(r"\{[^{}]*\}", "{}", style)
        dead |= {f"{path.name}: {name}" for name in re.findall(r"[.#]([A-Za-z][\w-]*)", selectors) if name not in used}
    assert dead == set()


def test_every_template_and_every_macro_is_used() -> None:
    folder = ROOT / "templates" / "web"
    pages = _texts("templates", ".html", ".xml", ".txt", ".svg")
    code = _texts("campaign", ".py")
    dead = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and str(path.relative_to(folder)) not in pages + code
    }
    for name in re.findall(r"\{%-? macro (\w+)", pages):
        if len(re.findall(rf"\b{name}\b", pages)) < 2:
            dead.add(f"macro {name}")
    assert dead == set()
