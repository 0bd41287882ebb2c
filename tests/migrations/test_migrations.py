"""Migrations: from nothing to now and back, with people's data in the tables and the workflow engine's beside them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from campaign.db import Base, Database, open_database
from campaign.errors import DatabaseError
from campaign.installation.wiring import Installation
from campaign.services.digests.editions import make_edition
from campaign.services.operations.schema import check_models, check_schema, has_personal_data, migrate, migrate_down
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.people import add_readers, sign
from tests.servers.postgresql import PrivateCluster

OURS = set(Base.metadata.tables)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
        yield database
        database.engine.dispose()
        return
    cluster: PrivateCluster = request.getfixturevalue("cluster")
    url = cluster.create_database()
    database = open_database(url)
    yield database
    database.engine.dispose()
    cluster.drop_database(url)


def tables(engine: Engine) -> set[str]:
    """Every table, wherever it stands; those outside the default schema with its name."""
    inspector = inspect(engine)
    default = inspector.default_schema_name
    return {
        table if schema == default else f"{schema}.{table}"
        for schema in inspector.get_schema_names()
        if schema != "information_schema"
        for table in inspector.get_table_names(schema)
    }


def fill(installation: Installation) -> None:
    """Rows in as many tables as a life fills."""
    add_readers(installation, "a@example.org", "b@example.org")
    sign(installation, "pending@example.org")
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        make_edition(
            session, petition, installation.links, installation.dispatch, period="first", now=installation.now()
        )


def test_from_nothing_up_down_and_up_again(empty: Database) -> None:
    for _ in range(2):
        migrate(empty.engine)
        assert tables(empty.engine) == OURS | {"alembic_version"}
        check_models(empty.engine)
        check_schema(empty.engine)
        migrate_down(empty.engine, "base")
        assert tables(empty.engine) == {"alembic_version"}
        with pytest.raises(DatabaseError, match="campaign init"):
            check_schema(empty.engine)


def test_migrating_again_changes_nothing(installation: Installation) -> None:
    fill(installation)
    before = tables(installation.database.engine)
    migrate(installation.database.engine)
    installation.jobs.migrate()
    assert tables(installation.database.engine) == before
    assert has_personal_data(installation.database.engine)
    assert not installation.jobs.is_drained("worker-1")


def test_down_with_data_present_leaves_the_workflow_engines_tables_alone(installation: Installation) -> None:
    fill(installation)
    engine = installation.database.engine
    others = tables(engine) - OURS
    assert len(others) > 3
    check_models(engine)
    migrate_down(engine, "base")
    assert tables(engine) == others
    assert not has_personal_data(engine)
    assert not installation.jobs.is_drained("worker-1")
    migrate(engine)
    assert tables(engine) == OURS | others


def test_every_check_and_unique_key_of_the_models_is_in_the_database(empty: Database) -> None:
    """Alembic's own comparison leaves checks out."""
    migrate(empty.engine)
    migrated = named_constraints(empty.engine)
    migrate_down(empty.engine, "base")
    Base.metadata.create_all(empty.engine)
    assert named_constraints(empty.engine) == migrated


def named_constraints(engine: Engine) -> set[tuple[str, str]]:
    inspector = inspect(engine)
    return {
        (table, str(constraint["name"]))
        for table in OURS
        for constraint in (*inspector.get_check_constraints(table), *inspector.get_unique_constraints(table))
    }


def test_a_database_of_another_version_is_told_apart(empty: Database) -> None:
    with pytest.raises(DatabaseError, match="is empty"):
        check_schema(empty.engine)
    migrate(empty.engine)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError, match="newer version"):
        check_schema(empty.engine)
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    with pytest.raises(DatabaseError, match="campaign migrate"):
        check_schema(empty.engine)
