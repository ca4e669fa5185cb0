"""Secrets at rest: which key, the wrong key, the next key."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from visavis.store import open_store, tables
from visavis.store.errors import SecretKeyError
from visavis.store.secrets import Secrets, is_secret, load_keys, masked, unmasked


@pytest.mark.parametrize("name", ["api_key", "Authorization", "x-api-key", "livekit_room_token", "client_secret"])
def test_fields_named_like_secrets_are_secrets(name: str):
    assert is_secret(name)


@pytest.mark.parametrize("name", ["max_tokens", "key", "token_count", "authorized", "secret_santa", ""])
def test_other_fields_are_not(name: str):
    assert not is_secret(name)


def test_document_with_secrets_survives_sealing():
    secrets = Secrets([Fernet.generate_key().decode()])
    document = {"api_key": "fernet:looks sealed", "token": 7, "list": [{"password": "ä\ud800"}], "note": "fernet:x"}
    sealed = secrets.seal_document(document)
    assert sealed["api_key"] != document["api_key"]
    assert (sealed["token"], sealed["note"]) == (7, "fernet:x")
    assert secrets.open_document(sealed) == document
    assert masked(sealed)["list"] == [{"password": "********"}]


def test_mask_where_nothing_was_stored_stays():
    assert unmasked({"a": [{"api_key": "********"}]}, {"a": []}) == {"a": [{"api_key": "********"}]}
    assert unmasked({"a": [{"api_key": "********"}]}, {"a": [{"api_key": "old"}]}) == {"a": [{"api_key": "old"}]}
    assert unmasked({"note": "********"}, {"note": "old"}) == {"note": "********"}


def test_key_file_is_made_once_and_only_for_its_owner(tmp_path: Path):
    file = tmp_path / "data" / "secret.key"
    (key,) = load_keys(None, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_keys(None, file) == [key]
    assert load_keys(" one , two ", file) == ["one", "two"]
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]


def test_key_that_is_none_is_refused_with_the_way_to_make_one():
    with pytest.raises(SecretKeyError, match="openssl rand"):
        Secrets(["too short"])


def test_empty_key_file_is_refused(tmp_path: Path):
    file = tmp_path / "secret.key"
    file.touch()
    with pytest.raises(SecretKeyError, match="empty"):
        load_keys(None, file)


async def test_wrong_key_is_noticed_at_the_start(database_url: str, tmp_path: Path, secret_key: str):
    async with open_store(database_url, str(tmp_path), [secret_key]):
        pass
    with pytest.raises(SecretKeyError, match="does not fit the data"):
        async with open_store(database_url, str(tmp_path), [Fernet.generate_key().decode()]):
            pass


async def test_after_one_start_with_both_keys_the_former_is_not_needed(
    database_url: str, tmp_path: Path, secret_key: str
):
    new = Fernet.generate_key().decode()
    document = {"persona_name": "A", "layers": {"llm": {"api_key": "vendor-secret"}}}
    async with open_store(database_url, str(tmp_path), [secret_key]) as store:
        made = [await store.personas.create(document) for _ in range(3)]
        conversation = await store.conversations.create(snapshot=document, properties={"token": "room"})
        job = await store.jobs.add("video", "v1", {"password": "url-secret"})
        signing = await store.signing_secret("meetings")
    async with open_store(database_url, str(tmp_path), [new, secret_key]):
        pass
    async with open_store(database_url, str(tmp_path), [new]) as store:
        for one in made:
            assert (await store.personas.get(one.persona_id, reveal=True)).document == document
        assert await store.conversations.snapshot(conversation.conversation_id) == document
        assert await store.conversations.properties(conversation.conversation_id) == {"token": "room"}
        assert (await store.jobs.get(job.job_id)).input == {"password": "url-secret"}
        assert await store.signing_secret("meetings") == signing
        stored = await store.database.read(lambda connection: connection.execute(select(tables.secrets)).all())
        assert len(stored) == 2


async def test_signing_secrets_are_the_same_for_all_and_different_by_name(
    database_url: str, tmp_path: Path, secret_key: str
):
    async with (
        open_store(database_url, str(tmp_path), [secret_key]) as one,
        open_store(database_url, str(tmp_path), [secret_key]) as other,
    ):
        first = await one.signing_secret("meetings")
        assert len(first) == 32
        assert await other.signing_secret("meetings") == first
        assert await other.signing_secret("webhooks") != first
