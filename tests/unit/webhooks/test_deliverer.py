"""Messages reach receivers that are down, slow or lying as well as can be, and nobody waits for somebody else's."""

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from tests.receiver import answers, receiver
from visavis.outbound import Outbound, PrivateAddresses
from visavis.webhooks.envelope import message
from visavis.webhooks.retrying import Retrying
from visavis.webhooks.signing import new_secret, verify


async def add(store, url, number=0, conversation_id=None):
    new = message(url, "system.shutdown", {"number": number}, conversation_id=conversation_id)
    return await store.webhooks.enqueue(new.url, new.event_type, new.body, new.conversation_id)


def numbers(there):
    return [json.loads(request.body)["properties"]["number"] for request in there.received]


async def test_message_arrives_in_its_envelope_and_signed(store, delivering, until):
    async with receiver() as there, delivering() as worker:
        delivery_id = await add(store, there.url("/hook"), 7, "c1")
        worker.wake()
        await until(delivery_id, lambda one: one.status == "delivered")
    [request] = there.received
    body = json.loads(request.body)
    assert body["event_type"] == request.headers["visavis-event"] == "system.shutdown"
    assert body["message_type"] == "system"
    assert body["conversation_id"] == "c1"
    assert body["webhook_url"] == there.url("/hook")
    assert body["properties"] == {"number": 7}
    assert datetime.fromisoformat(body["timestamp"]).tzinfo
    assert request.headers["visavis-delivery"] == delivery_id
    assert request.headers["content-type"] == "application/json"
    [secret] = await store.webhook_secrets.all(new_secret())
    verify(request.body, request.headers["visavis-signature"], secret.secret, datetime.now(UTC))


async def test_after_a_rotation_both_secrets_sign_until_the_old_one_ends(store, delivering, clock):
    [old] = await store.webhook_secrets.all("whsec_old")
    await store.webhook_secrets.rotate("whsec_new", datetime.now(UTC) + timedelta(hours=1))
    async with receiver() as there, delivering() as worker:
        await add(store, there.url())
        worker.wake()
        await there.wait_for(1)
        clock.skipped_s = 3700
        await add(store, there.url())
        worker.wake()
        await there.wait_for(2)
    both, only_new = (request.headers["visavis-signature"] for request in there.received)
    verify(there.received[0].body, both, "whsec_new", datetime.now(UTC))
    verify(there.received[0].body, both, old.secret, datetime.now(UTC))
    assert only_new.count("v1=") == 1
    verify(there.received[1].body, only_new, "whsec_new", clock.now())


async def test_messages_of_one_conversation_keep_their_order_although_one_fails(store, delivering, clock, until):
    refused = []

    async def refuse_the_second_once(request, writer):
        again = b'"number":1' in request.body and not refused
        if again:
            refused.append(request)
        await answers(500 if again else 200)(request, writer)

    async with receiver(refuse_the_second_once) as there, delivering() as worker:
        ids = [await add(store, there.url(), number, "c1") for number in range(4)]
        worker.wake()
        await until(ids[1], lambda one: one.last_error)
        await asyncio.sleep(0.2)
        assert numbers(there) == [0, 1]
        clock.skipped_s = 6
        worker.wake()
        await until(ids[3], lambda one: one.status == "delivered")
    assert numbers(there) == [0, 1, 1, 2, 3]


async def test_conversations_do_not_wait_for_each_other(store, delivering, until):
    async def refuse_c1(request, writer):
        await answers(500 if b'"c1"' in request.body else 200)(request, writer)

    async with receiver(refuse_c1) as there, delivering() as worker:
        stuck = await add(store, there.url(), 0, "c1")
        worker.wake()
        await until(stuck, lambda one: one.last_error)
        other = await add(store, there.url(), 1, "c2")
        worker.wake()
        await until(other, lambda one: one.status == "delivered")


async def test_slow_receiver_does_not_hold_up_others(store, delivering, until):
    async with receiver(answers(200, after_s=60)) as slow, receiver() as fast, delivering() as worker:
        for number in range(200):
            await add(store, slow.url(f"/{number}"), number, f"c{number}")
        worker.wake()
        await slow.wait_for(4)
        ids = [await add(store, fast.url(), number) for number in range(20)]
        worker.wake()
        for delivery_id in ids:
            await until(delivery_id, lambda one: one.status == "delivered")
        assert len(slow.received) < 10


async def test_receiver_that_is_down_gets_its_messages_when_it_is_back(store, delivering, clock, until):
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    async with delivering() as worker:
        delivery_id = await add(store, f"http://127.0.0.1:{port}/")
        worker.wake()
        failed = await until(delivery_id, lambda one: one.last_error)
        assert "cannot be reached" in failed.last_error
        assert failed.status == "pending"
        arrived = asyncio.Event()

        async def take(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            arrived.set()
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(take, "127.0.0.1", port):
            clock.skipped_s = 6
            worker.wake()
            await until(delivery_id, lambda one: one.status == "delivered")
    assert arrived.is_set()


async def test_after_all_attempts_a_message_is_a_dead_letter_that_can_be_replayed(store, delivering, clock, until):
    working = asyncio.Event()

    async def broken(request, writer):
        taken = working.is_set() or b'"number":2' in request.body
        await answers(200 if taken else 503, f"no {len(there.received)}".encode())(request, writer)

    async with receiver(broken) as there, delivering(Retrying(attempts=3, jitter=0)) as worker:
        delivery_id = await add(store, there.url(), 1, "c1")
        follower = await add(store, there.url(), 2, "c1")
        for attempt in (1, 2, 3):
            clock.skipped_s += 100
            worker.wake()
            await until(delivery_id, lambda one, said=f"answered 503: no {attempt}": one.last_error == said)
        dead = await until(delivery_id, lambda one: one.status == "dead")
        assert dead.last_error == "answered 503: no 3"
        assert [one.delivery_id for one in (await store.webhooks.page(status="dead")).items] == [delivery_id]
        working.set()
        worker.wake()
        await until(follower, lambda one: one.status == "delivered")
        await store.webhooks.replay(delivery_id)
        worker.wake()
        await until(delivery_id, lambda one: one.status == "delivered")
    assert numbers(there) == [1, 1, 1, 2, 1]


async def test_answer_after_the_time_limit_counts_as_none(store, delivering, until):
    async with receiver(answers(200, after_s=0.6)) as there, delivering(answer_within_s=0.2) as worker:
        delivery_id = await add(store, there.url())
        worker.wake()
        failed = await until(delivery_id, lambda one: one.last_error)
    assert "took longer than 0.2 s" in failed.last_error


async def test_redirects_are_failures_and_lead_nowhere(store, delivering, until):
    async with (
        receiver() as secret,
        receiver(answers(302, headers=(("Location", secret.url()),))) as there,
        delivering() as worker,
    ):
        delivery_id = await add(store, there.url())
        worker.wake()
        failed = await until(delivery_id, lambda one: one.last_error)
        assert failed.last_error == "answered 302"
        assert not secret.received


async def test_private_receivers_are_given_up_at_once(store, delivering, until):
    async def resolve(host, port):
        return [ip_address("10.0.0.1")]

    async with delivering(outbound=Outbound(PrivateAddresses(), resolve)) as worker:
        delivery_id = await add(store, "http://innocent.example/hook")
        worker.wake()
        dead = await until(delivery_id, lambda one: one.status == "dead")
    assert "private address" in dead.last_error
    assert dead.attempts == 1


async def test_huge_answers_do_no_harm(store, delivering, until):
    async def endless(request, writer):
        writer.write(b"HTTP/1.1 500 No\r\n\r\n")
        while True:
            writer.write(b"z\0" * 32768)
            await writer.drain()

    async with receiver(endless) as there, delivering() as worker:
        delivery_id = await add(store, there.url())
        worker.wake()
        failed = await until(delivery_id, lambda one: one.last_error)
    assert len(failed.last_error) < 300


async def test_garbage_instead_of_tls_is_a_failure(store, delivering, until):
    async def greet(reader, writer):
        writer.write(b"220 this is not TLS\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server, delivering() as worker:
        delivery_id = await add(store, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        worker.wake()
        failed = await until(delivery_id, lambda one: one.last_error)
    assert "cannot be reached" in failed.last_error


async def test_what_was_on_its_way_when_the_worker_stopped_is_sent_again(store, delivering, until):
    async with receiver(answers(200, after_s=60)) as hangs, delivering() as worker:
        delivery_id = await add(store, hangs.url(), 5, "c1")
        worker.wake()
        await hangs.wait_for(1)
        port = hangs.port
        url = hangs.url()
    assert (await store.webhooks.get(delivery_id)).status == "pending"
    assert str(port) in url
    async with receiver() as there, delivering() as worker:
        second = await add(store, there.url(), 6, "c1")
        await until(second, lambda one: one.status == "delivered")
        found = await until(delivery_id, lambda one: one.attempts == 2)
    assert found.status == "pending"


async def test_delivered_messages_are_forgotten_after_a_week_dead_letters_are_not(store, delivering, clock, until):
    async with receiver() as there, delivering() as worker:
        delivered = await add(store, there.url())
        worker.wake()
        await until(delivered, lambda one: one.status == "delivered")
    dead = await add(store, "http://127.0.0.1:9/")
    await store.webhooks.failed(dead, "no", None)
    clock.skipped_s = 8 * 86_400
    async with delivering():
        async with asyncio.timeout(60):
            while True:
                if not (await store.webhooks.page(status="delivered")).total:
                    break
                await asyncio.sleep(0.02)
    assert (await store.webhooks.get(dead)).status == "dead"


def test_a_message_without_a_conversation_says_so():
    assert message("http://x/", "application.video_ready", {}).body["conversation_id"] is None
