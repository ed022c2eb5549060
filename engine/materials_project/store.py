"""Fetched materials kept in the user's cache folder; safe to delete, and to share between processes."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from engine.crystals.material import Material
from engine.data.parquet import from_row, to_row
from engine.errors import EngineError, in_words, required

VERSION = 1  # of what is kept; another version's content is dropped
BUSY = 30.0  # s to wait for another process


class MaterialStore:
    """A SQLite file: what is written in one call is there whole or not at all, whatever stops the process."""

    def __init__(self, path: Path | None = None) -> None:
        """The store of the user, or the one at `path`; a damaged file is set aside and a new one begun."""
        self.path = path or user_cache_path("dielectric-tensors") / "materials-project.sqlite"

    def get(self, material_id: str) -> Material | None:
        """The material as it was fetched last."""
        return next(iter(self.get_many([material_id])), None)

    def get_many(self, ids: Sequence[str]) -> list[Material]:
        """Those of the materials that are kept, in order; raises EngineError where the store cannot be read."""
        if not self.path.is_file():
            return []
        with self._open() as connection:
            found = (
                connection.execute("SELECT content FROM materials WHERE id = ?", (one,)).fetchone() for one in ids
            )
            return [from_row(json.loads(row[0])) for row in found if row]

    def put(self, materials: Sequence[Material]) -> None:
        """Keep these fetched materials, in place of what was kept of them."""
        rows = [
            (
                m.material_id,
                required(m.fetched, f"{m.formula}: only a fetched material is kept").db_version,
                json.dumps(to_row(m)),
            )
            for m in materials
        ]
        with self._open() as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO materials VALUES (?, ?, ?)", rows)

    def known(self, db_version: str) -> set[str]:
        """IDs of the materials that were fetched from this version of the database."""
        with self._open() as connection:
            rows = connection.execute("SELECT id FROM materials WHERE db_version = ?", (db_version,))
            return {row[0] for row in rows}

    def index(self, db_version: str) -> list[str]:
        """IDs of all materials with tensors in this version of the database; empty where it was never asked."""
        with self._open() as connection:
            row = connection.execute("SELECT ids FROM indices WHERE db_version = ?", (db_version,)).fetchone()
            return json.loads(row[0]) if row else []

    def put_index(self, db_version: str, ids: Sequence[str]) -> None:
        """Keep the answer of `index`."""
        with self._open() as connection, connection:
            connection.execute("INSERT OR REPLACE INTO indices VALUES (?, ?)", (db_version, json.dumps(list(ids))))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connected()) as connection:
                yield connection
        except OSError as error:
            raise EngineError(f"fetched materials cannot be kept: {in_words(error)}") from error
        except sqlite3.OperationalError as error:  # busy, no room, not ours to write to
            raise EngineError(f"{self.path}: fetched materials cannot be kept or read ({error})") from error

    def _connected(self) -> sqlite3.Connection:
        try:
            return self._ready()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self.path.replace(self.path.with_suffix(".damaged"))
            return self._ready()

    def _ready(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY)
        try:
            if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                self._lay_out(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _lay_out(self, connection: sqlite3.Connection) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:  # another process was first
                return
            for table, columns in (
                ("materials", "id TEXT PRIMARY KEY, db_version TEXT, content TEXT"),
                ("indices", "db_version TEXT PRIMARY KEY, ids TEXT"),
            ):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
                connection.execute(f"CREATE TABLE {table} ({columns})")
            connection.execute(f"PRAGMA user_version = {VERSION}")
