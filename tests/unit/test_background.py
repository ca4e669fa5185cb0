from datetime import timedelta

from cryptography.fernet import Fernet

from tests.waiting import until
from visavis.background import background_work
from visavis.config import Settings
from visavis.store import idempotency, open_store
from visavis.store.paging import now


async def test_idempotency_keys_are_swept_when_their_day_is_over(tmp_path, monkeypatch):
    key = Fernet.generate_key().decode()
    async with open_store(f"sqlite:///{tmp_path}/visavis.db", str(tmp_path / "blobs"), [key]) as store:
        await store.idempotency.begin("of today", "print")
        monkeypatch.setattr(idempotency, "now", lambda: now() - idempotency.KEPT - timedelta(minutes=1))
        await store.idempotency.begin("of yesterday", "print")
        async with background_work(Settings(data=tmp_path), store):
            await until(lambda: store.idempotency.begin("of yesterday", "print"), lambda known: known is None, 60)
        assert await store.idempotency.begin("of today", "print") is not None
