"""SIP Gateway: exchanges messages about coordinated individual plans between case systems and journals."""

__version__ = "0.1.0"
