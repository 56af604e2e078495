"""The conformance suite is no test module by its name, and its assertions still tell what they compared."""

import pytest

pytest.register_assert_rewrite("conformance")
