"""Keeping the objects of a cluster in a folder, so that a restart finds them: one SQLite file.

Every write is one row in the same moment, so a killed process loses nothing it has answered for.
History (the log of changes) is not kept: watches from before a restart are told to list again.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import orjson

from rollout_lab.clusters.embedded.store import Change, Store
from rollout_lab.errors import UsageError

FILE = "cluster.sqlite3"


class Archive:
    """The objects of one cluster on disk. Used on the event loop's thread only."""

    def __init__(self, folder: Path) -> None:
        """Open or make `folder`. Raises UsageError when another cluster has it or it cannot be used."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = folder / FILE
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0.2)
            self._db.execute("pragma locking_mode=exclusive")
            self._db.execute("pragma journal_mode=wal")
            self._db.execute("pragma synchronous=normal")
            self._db.execute(
                "create table if not exists objects"
                " (bucket text, namespace text, name text, json blob, primary key (bucket, namespace, name))"
            )
            self._db.execute("create table if not exists meta (key text primary key, value text)")
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"cannot keep the cluster in {folder}: {error}. Another cluster may be using it; "
                "stop that one or choose another folder with --data-dir."
            ) from None

    def load(self) -> Store:
        """A store with the objects and the resourceVersion of the last run."""
        store = Store(rv=int(self.value("rv") or 1))
        store.compacted = store.rv
        rows: dict[str, list[tuple[tuple[str, str], dict[str, object]]]] = {}
        for bucket, namespace, name, text in self._db.execute("select * from objects"):
            rows.setdefault(bucket, []).append(((namespace, name), orjson.loads(text)))
        for bucket, entries in rows.items():
            store.restore(bucket, entries)
        return store

    def follow(self, store: Store) -> None:
        """Write every change of the store from now on."""
        store.on_change.append(self._write)

    def _write(self, bucket: str, change: Change) -> None:
        self._db.execute("begin")
        if change.type == "DELETED":
            self._db.execute(
                "delete from objects where bucket=? and namespace=? and name=?", (bucket, *change.key)
            )
        else:
            row = (bucket, *change.key, orjson.dumps(change.object))
            self._db.execute("insert or replace into objects values (?,?,?,?)", row)
        self._db.execute("insert or replace into meta values ('rv', ?)", (str(change.rv),))
        self._db.execute("commit")

    def value(self, key: str) -> str | None:
        """A value kept beside the objects (the token)."""
        row = self._db.execute("select value from meta where key=?", (key,)).fetchone()
        return row[0] if row else None

    def set_value(self, key: str, value: str) -> None:
        self._db.execute("insert or replace into meta values (?, ?)", (key, value))

    def close(self) -> None:
        self._db.close()
