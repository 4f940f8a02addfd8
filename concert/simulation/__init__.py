"""Simulated devices: separate processes that speak the real protocols, for tests and demonstrations."""
