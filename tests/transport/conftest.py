"""The conformance suite is no test module by its name, and its assertions still tell what they compared."""

from __future__ import annotations

import pytest
from services.rabbitmq import RabbitMqNode

pytest.register_assert_rewrite("conformance")


@pytest.fixture
async def rabbitmq_url(rabbitmq_node: RabbitMqNode) -> str:
    """Return the address of an empty virtual host, for a user who may do everything there."""
    return await rabbitmq_node.vhost()
