"""Replay: scenarios from files played through real gateways, with simulated case systems on both sides."""
