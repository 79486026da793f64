"""Alembic's entry: our tables only; the queue's and Rasa's live in the same database and are left alone."""

from alembic import context
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from bot import tables

OURS = set(tables.METADATA.tables)


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in OURS


def run() -> None:
    engine = create_engine(context.config.attributes["url"])
    try:
        with engine.connect() as connection:
            context.configure(connection=connection, target_metadata=SQLModel.metadata, include_name=is_ours)
            with context.begin_transaction():
                context.run_migrations()
    finally:
        engine.dispose()


run()
