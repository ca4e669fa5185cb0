"""Everything that outlives the process: one `Store` with a repository for each kind of thing.

Plain async methods in, frozen dataclasses out; neither web framework nor conversation is known here.
"""

import secrets as random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from visavis.store import tables
from visavis.store.blobs import Blobs
from visavis.store.conversations import Conversations
from visavis.store.database import Database, open_database
from visavis.store.idempotency import Idempotency
from visavis.store.jobs import Jobs
from visavis.store.keys import Keys
from visavis.store.personas import Personas
from visavis.store.pronunciations import PronunciationDictionaries
from visavis.store.replicas import Replicas
from visavis.store.rotation import fit_key
from visavis.store.secrets import Secrets
from visavis.store.servers import Servers
from visavis.store.tools import Tools
from visavis.store.usage import Usage
from visavis.store.videos import Videos
from visavis.store.webhook_secrets import WebhookSecrets
from visavis.store.webhooks import Webhooks


@dataclass(frozen=True)
class Store:
    """All repositories, on one database and one place for blobs."""

    personas: Personas
    replicas: Replicas
    conversations: Conversations
    usage: Usage
    keys: Keys
    webhooks: Webhooks
    webhook_secrets: WebhookSecrets
    jobs: Jobs
    videos: Videos
    speeches: Videos
    idempotency: Idempotency
    tools: Tools
    pronunciations: PronunciationDictionaries
    servers: Servers
    blobs: Blobs
    secrets: Secrets
    database: Database

    async def signing_secret(self, name: str) -> bytes:
        """32 random bytes that stay the same for all processes of this store, made when first asked for."""

        query = select(tables.secrets.c.sealed).where(tables.secrets.c.name == name)

        def find(connection: Connection) -> bytes | None:
            return connection.execute(query).scalar()

        def find_or_make(connection: Connection) -> bytes:
            if found := find(connection):
                return found
            made = self.secrets.seal(random.token_bytes(32))
            connection.execute(insert(tables.secrets), {"name": name, "sealed": made})
            return made

        sealed = await self.database.read(find)
        return self.secrets.open(await self.database.write(find_or_make) if sealed is None else sealed)


@asynccontextmanager
async def open_store(database_url: str, blobs_url: str, secret_keys: Sequence[str]) -> AsyncIterator[Store]:
    """Open the database (its schema brought up to date) and the blobs; secrets are sealed with the first key.

    Raises `BadInputError`, `SecretKeyError`, `SchemaError`, `StoreError`.
    """
    sealing = Secrets(secret_keys)
    blobs = Blobs(blobs_url)
    async with open_database(database_url) as database:
        await fit_key(database, sealing)
        yield Store(
            personas=Personas(database, sealing),
            replicas=Replicas(database),
            conversations=Conversations(database, sealing),
            usage=Usage(database),
            keys=Keys(database),
            webhooks=Webhooks(database),
            webhook_secrets=WebhookSecrets(database, sealing),
            jobs=Jobs(database, sealing),
            videos=Videos(database, "video"),
            speeches=Videos(database, "speech"),
            idempotency=Idempotency(database),
            tools=Tools(database, sealing),
            pronunciations=PronunciationDictionaries(database),
            servers=Servers(database),
            blobs=blobs,
            secrets=sealing,
            database=database,
        )
