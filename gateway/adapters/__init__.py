"""The case systems: each adapter understands one system's events and hands it messages and notes."""
