"""The floor: what any program must at least do that sends a message durably and gets a durable answer.

Two processes on raw aio-pika. The sender publishes 3 kB, mandatory and confirmed, to a quorum queue; the receiver
consumes it, publishes an answer of 0.7 kB in the same way, and then acknowledges; the sender consumes the answer.
Nothing is read, checked or stored.
"""

from __future__ import annotations

import asyncio
import os
import time

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

MESSAGE, ANSWER = 3000, 700
"""Sizes in bytes."""
IN_FLIGHT = 256
"""How many messages may be on their way at a time."""


async def _queue(channel: AbstractChannel, name: str) -> AbstractQueue:
    return await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})


async def send(url: str, count: int) -> float:
    """Send ``count`` messages, and return how many were answered a second."""
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    await channel.set_qos(IN_FLIGHT * 2)
    await _queue(channel, "floor.messages")
    answers = await _queue(channel, "floor.answers")
    free, done = asyncio.Semaphore(IN_FLIGHT), asyncio.Event()
    body = os.urandom(MESSAGE)
    left = count

    async def answered(answer: AbstractIncomingMessage) -> None:
        nonlocal left
        await answer.ack()
        free.release()
        left -= 1
        if not left:
            done.set()

    async def publish(number: int) -> None:
        message = aio_pika.Message(
            body, message_id=str(number), delivery_mode=aio_pika.DeliveryMode.PERSISTENT, content_type="text/xml"
        )
        await channel.default_exchange.publish(message, "floor.messages", mandatory=True)

    await answers.consume(answered)
    begun = time.perf_counter()
    tasks = set()
    for number in range(count):
        await free.acquire()
        task = asyncio.create_task(publish(number))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await done.wait()
    took = time.perf_counter() - begun
    await connection.close()
    return count / took


async def receive(url: str, ready: asyncio.Event) -> None:
    """Answer messages until cancelled."""
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    await channel.set_qos(IN_FLIGHT * 2)
    messages = await _queue(channel, "floor.messages")
    await _queue(channel, "floor.answers")
    body = os.urandom(ANSWER)

    async def answer(message: AbstractIncomingMessage) -> None:
        reply = aio_pika.Message(
            body,
            message_id=message.message_id,
            correlation_id=message.message_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await channel.default_exchange.publish(reply, "floor.answers", mandatory=True)
        await message.ack()

    await messages.consume(answer)
    ready.set()
    try:
        await asyncio.Event().wait()
    finally:
        await connection.close()
