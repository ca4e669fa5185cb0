"""Long work: queued, done by one worker at a time, taken up again by another when that one dies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, or_, select, update

from visavis.store import ids
from visavis.store.database import Database
from visavis.store.errors import ConflictError, NotFoundError
from visavis.store.paging import now
from visavis.store.secrets import Secrets
from visavis.store.tables import jobs

Status = Literal["queued", "running", "completed", "error"]


@dataclass(frozen=True)
class Job:
    """Work of one `kind` (`video`, `speech`, ...) for one resource; `progress` is 0-100, secrets in `input` clear."""

    job_id: str
    kind: str
    subject_id: str
    status: Status
    progress: int
    attempts: int
    worker: str | None
    input: dict[str, Any]
    result: dict[str, Any] | None
    error_message: str | None
    created_at: datetime
    updated_at: datetime


class Jobs:
    """The jobs of a store."""

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def add(self, kind: str, subject_id: str, work_input: Mapping[str, Any]) -> Job:
        """Queue work."""
        made = now()
        row = {
            "id": ids.job_id(),
            "kind": kind,
            "subject_id": subject_id,
            "status": "queued",
            "progress": 0,
            "attempts": 0,
            "created_at": made,
            "updated_at": made,
            "input": self._secrets.seal_document(dict(work_input)),
        }
        await self._database.write(lambda connection: connection.execute(insert(jobs), row) and None)
        return await self.get(str(row["id"]))

    async def claim(self, kinds: Sequence[str], worker: str, lease_s: float) -> Job | None:
        """Take the oldest job that is queued, or whose worker let its lease of `lease_s` seconds run out."""

        def work(connection: Connection) -> Row[Any] | None:
            moment = now()
            query = (
                select(jobs)
                .where(
                    jobs.c.status.in_(("queued", "running")),
                    jobs.c.kind.in_(kinds),
                    or_(jobs.c.status == "queued", jobs.c.leased_until < moment),
                )
                .order_by(jobs.c.created_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = connection.execute(query).first()
            if row is None:
                return None
            taken = {
                "status": "running",
                "worker": worker,
                "attempts": row.attempts + 1,
                "updated_at": moment,
                "leased_until": moment + timedelta(seconds=lease_s),
            }
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(taken))
            return connection.execute(select(jobs).where(jobs.c.id == row.id)).one()

        row = await self._database.write(work)
        return None if row is None else self._read(row)

    async def progress(self, job_id: str, worker: str, progress: int, lease_s: float) -> None:
        """Report progress and keep the job for `lease_s` more seconds. Raises `ConflictError` if another has it now."""
        await self._as_worker(job_id, worker, progress=progress, leased_until=now() + timedelta(seconds=lease_s))

    async def complete(self, job_id: str, worker: str, result: Mapping[str, Any]) -> None:
        """The work is done. Raises `ConflictError` if another worker has it now."""
        await self._as_worker(job_id, worker, status="completed", progress=100, result=dict(result), leased_until=None)

    async def fail(self, job_id: str, worker: str, error_message: str) -> None:
        """The work cannot be done. Raises `ConflictError` if another worker has it now."""
        await self._as_worker(job_id, worker, status="error", error_message=error_message, leased_until=None)

    async def release(self, worker: str) -> int:
        """Give back what a worker runs (it stops); returns how many jobs."""
        mine = update(jobs).where(jobs.c.worker == worker, jobs.c.status == "running")
        back = mine.values(status="queued", worker=None, leased_until=None, updated_at=now())
        return await self._database.write(lambda connection: connection.execute(back).rowcount)

    async def cancel(self, subject_id: str, error_message: str) -> int:
        """End the unfinished jobs of a resource that was deleted; returns how many."""
        mine = update(jobs).where(jobs.c.subject_id == subject_id, jobs.c.status.in_(("queued", "running")))
        ended = mine.values(
            status="error", worker=None, leased_until=None, error_message=error_message, updated_at=now()
        )
        return await self._database.write(lambda connection: connection.execute(ended).rowcount)

    async def get(self, job_id: str) -> Job:
        """One job. Raises `NotFoundError`."""
        query = select(jobs).where(jobs.c.id == job_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFoundError("job", job_id)
        return self._read(row)

    async def of(self, subject_id: str) -> list[Job]:
        """The jobs of a resource, oldest first."""
        query = select(jobs).where(jobs.c.subject_id == subject_id).order_by(jobs.c.created_at, jobs.c.id)
        rows = await self._database.read(lambda connection: list(connection.execute(query)))
        return [self._read(row) for row in rows]

    async def _as_worker(self, job_id: str, worker: str, **values: Any) -> None:
        mine = jobs.c.id == job_id, jobs.c.worker == worker, jobs.c.status == "running"
        change = update(jobs).where(*mine).values(updated_at=now(), **values)
        if not await self._database.write(lambda connection: connection.execute(change).rowcount):
            raise ConflictError(f"The job {job_id!r} does not belong to {worker!r} any more.")

    def _read(self, row: Row[Any]) -> Job:
        return Job(
            row.id,
            row.kind,
            row.subject_id,
            row.status,
            row.progress,
            row.attempts,
            row.worker,
            self._secrets.open_document(row.input),
            row.result,
            row.error_message,
            row.created_at,
            row.updated_at,
        )
