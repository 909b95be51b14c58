"""The cluster fixture itself: what a test may rely on."""

import pytest

from tests.postgres import Cluster


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (number int)",
        "CREATE INDEX more ON team (name)",
        "ALTER TABLE team ALTER COLUMN name TYPE varchar(999)",
        "ALTER TABLE team ALTER COLUMN name SET DEFAULT 'x'",
        "ALTER TABLE team ADD CONSTRAINT more CHECK (name <> 'x')",
        "DROP TRIGGER audit_only_grows ON audit",
        "ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'",
    ],
)
def test_a_database_whose_tables_were_changed_is_lent_to_nobody_else(cluster: Cluster, change: str) -> None:
    with cluster.migrated() as lent:
        name = lent.rsplit("/", 1)[1]
        with cluster.connected(name) as connection:
            connection.exec_driver_sql(change.format(name=name))
    with cluster.migrated() as another:
        assert another != lent


def test_a_database_with_nothing_but_rows_is_emptied_and_lent_again(cluster: Cluster) -> None:
    with cluster.migrated() as lent, cluster.connected(lent.rsplit("/", 1)[1]) as connection:
        connection.exec_driver_sql("INSERT INTO role_beat (role, at) VALUES ('web', now())")
    with cluster.migrated() as again, cluster.connected(again.rsplit("/", 1)[1]) as connection:
        assert again == lent
        assert connection.exec_driver_sql("SELECT count(*) FROM role_beat").scalar() == 0
