"""What a test process compiles once, not for each of the thousands of applications and databases that tests make."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from campaign import db


class _Templates(BytecodeCache):
    def __init__(self) -> None:
        self._by_key: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._by_key:
            bucket.bytecode_from_string(self._by_key[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._by_key[bucket.key] = bucket.bytecode_to_string()


def _share_rules() -> None:
    """The function that builds an address knows of the application only the rule that it is given."""
    built: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def compile_builder_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown
        if key not in built:
            built[key] = compile_builder(rule, append_unknown)
        return built[key]

    Rule._compile_builder = compile_builder_once  # type: ignore[method-assign, assignment]


def _share_statements() -> None:
    """SQLAlchemy keeps a statement's SQL for one engine; what it is depends on the kind of database alone."""
    statements: LRUCache[Any, Any] = LRUCache(5000)

    def kind(dialect: DefaultDialect) -> tuple[object, ...]:
        return type(dialect), dialect.paramstyle, dialect.server_version_info

    def is_same(one: DefaultDialect, other: object) -> bool:
        return isinstance(other, DefaultDialect) and kind(one) == kind(other)

    def create_sharing(*args: Any, **options: Any) -> Engine:
        engine = create_engine(*args, **options)
        engine._compiled_cache = statements
        return engine

    DefaultDialect.__eq__ = is_same  # type: ignore[method-assign, assignment]
    DefaultDialect.__hash__ = lambda dialect: hash(type(dialect))  # type: ignore[method-assign, assignment]
    vars(db)["create_engine"] = create_sharing


def compile_once() -> None:
    """Share templates, the rules of addresses and SQL statements: a third of the time of most tests."""
    Flask.jinja_options = {"bytecode_cache": _Templates()}
    _share_rules()
    _share_statements()
