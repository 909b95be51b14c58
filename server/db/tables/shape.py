"""What all tables are made with: names of keys, and the columns that most of them have."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Seq = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up by itself there
Json = JSON(none_as_null=True)


def own_id() -> Column[str]:
    """The key of a row that others speak of: opaque."""
    return Column("id", String(64), primary_key=True)


def of_municipality() -> Column[str]:
    """Whose data it is; `access.scope` asks for it."""
    return Column("municipality_id", ForeignKey("municipality.municipality_id"), nullable=False, index=True)


def repeated(name: str, *, nullable: bool = False) -> Column[str]:
    """What another row says already that was written in the same transaction: not checked again (decision 0013)."""
    return Column(f"{name}_id", String(64), nullable=nullable)


def of(name: str, *, nullable: bool = False, index: bool = False) -> Column[str]:
    """The reference to a row of `name`."""
    return Column(f"{name}_id", ForeignKey(f"{name}.id"), nullable=nullable, index=index)
